# Part of test.sh: files of contacts, sent to the upload service or the storage, and imports.

import_status=$lists/L1/importstatus

# upload FILE-TEXT [curl options…]: with ids in the column ID, unless $id_name says otherwise
upload() {
  printf '%b' "$1" >"$tmp/file.csv"
  shift
  rm -f "$tmp/body"
  status=$(curl -sk --max-time 20 -D "$tmp/head" -o "$tmp/body" -w '%{http_code}' -H Expect: \
    -H "Authorization: Bearer $token" -F id=L1 -F fileType=contactlist \
    ${id_name+-F "contact-id-name=$id_name"} -F "file=@$tmp/file.csv;type=text/csv" "$@" "$url/uploads/v2/contactlist")
  curl_rc=$?
}

poll_import() { call GET $import_status && field '"\(.state) \(.completedRecords)/\(.totalRecords) \(.percentComplete)\(if .failureReason then " " + .failureReason else "" end)"'; }
has_ended() { call GET $import_status && [ "$(field .state)" != IN_PROGRESS ]; }
imports() { curl -sk "$url/_sim/imports?listId=L1" | jq -rc "$1"; }
stored() { curl -sk "$url/_sim/contacts?listId=L1" | jq -rc "[.[] | $1] | join(\",\")"; }
rejects() { call GET "$out/events?category=IMPORT_ERROR&pageSize=100&sortOrder=ascending" && field '[.entities[] | .eventMessage.code + ":" + (.relatedEntity.id // "-")] | join(",")'; }
import_set() { call POST /_sim/imports "$1"; check "imports $1" 200 "$status"; }

imports_fresh() { # [switches]
  fresh
  id_name=ID
  set_switch "{\"import_polls\":1${1+,$1}}"
}

# GENESYS_API §5: a file is taken, then imported; success is a state that is gone.
test_upload() {
  imports_fresh
  set_switch '{"import_polls":2}'
  upload 'ID,A,PHONE\r\nc1,one,+1\r\nc2," x, ""y""\r\n z ",+2\r\n'
  check "a file is taken" "200 true" "$status $(field '.correlationId | length == 36')"
  check "nothing of it is there yet" "" "$(stored .id)"
  check "half of it" "IN_PROGRESS 1/2 50" "$(poll_import)"
  check "is there" c1 "$(stored .id)"
  check "all of it: no state" "null 2/2 100" "$(poll_import)"
  call GET "$lists/L1?includeImportStatus=true&includeSize=true"
  check "with the list, too" "100 2" "$(field '"\(.importStatus.percentComplete) \(.size)"')"
  check "quotes are taken off, cells trimmed" 'one,x, "y"\r\n z' "$(stored .data.A | sed 's/\r/\\r/; s/$/\\n/' | tr -d '\n' | sed 's/\\n$//')"
  check "cells that no column is for are absent" "false" "$(curl -sk "$url/_sim/contacts?listId=L1" | jq -r '.[0].data | has("B")')"
  check "it is recorded, with the file's digest" "$(sha256sum "$tmp/file.csv" | cut -d ' ' -f 1) 2 200" \
    "$(curl -sk "$url/_sim/requests" | jq -r '[.[] | select(.path == "/uploads/v2/contactlist")][0] | "\(.body_sha256) \(.rows) \(.status)"')"
  check "and shown" "upload completed 2 2 0 id" "$(imports '.[0] | "\(.kind) \(.state) \(.totalRecords) \(.accepted) \(.rejected) \(.client)"')"
  check "in the state" completed "$(curl -sk "$url/_sim/state" | jq -r '.imports[0].state')"
  check "as a notification" "v2.outbound.contactlists.L1.importstatus 100 false" \
    "$(imports '.[0].notification | "\(.topicName) \(.eventBody.percentageComplete) \(.eventBody | has("importState"))"')"
}

# GENESYS_API §5, SCENARIOS C6, H2: ids make it an update, which keeps what it does not name.
test_upload_ids() {
  imports_fresh
  post "[$(row c1 '{"A":"a","B":"b"}' ',"callable":false')]"
  upload 'A,ID\nnew,c1\nother,c2\n'
  poll_import >/dev/null
  check "what has the id is updated" "c1 new b false,c2 other null true" "$(stored '"\(.id) \(.data.A) \(.data.B) \(.callable)"')"
  unset id_name
  upload 'A\nthird\n\n'
  poll_import >/dev/null
  check "without, ids are made" "3 third" "$(stored .id | tr , '\n' | grep -c .) $(stored .data.A | cut -d , -f 3)"
  id_name=A
  upload 'A,B\nx1,y\n'
  poll_import >/dev/null
  check "a column of the list can hold them" "x1 x1 y" "$(stored '"\(.id) \(.data.A) \(.data.B)"' | cut -d , -f 4)"
  id_name=inin-outbound-id
  upload '\xef\xbb\xbfinin-outbound-id,A\nc1,again\n'
  poll_import >/dev/null
  check "or one that the list has not, after a mark" "again" "$(stored .data.A | cut -d , -f 1)"
  set_switch '{"absent_cells":"blank"}'
  upload 'inin-outbound-id,A\nc1,blank\n'
  poll_import >/dev/null
  check "absent_cells blank" "blank||" "$(stored '.data.A + "|" + .data.B + "|"' | cut -d , -f 1)"
  call POST /_sim/reset '{}'
  call POST /_sim/lists "$(jq -c '. + {trimWhitespace: false}' <<<"$list_body")"
  login
  set_switch '{"import_polls":1}'
  upload 'inin-outbound-id,A\nc1, x \n'
  poll_import >/dev/null
  check "a list that keeps blanks" " x " "$(stored .data.A)"
}

test_upload_refusals() {
  imports_fresh
  local wanted field
  while read -r wanted field; do
    # shellcheck disable=SC2086
    status=$(curl -sk -o "$tmp/body" -w '%{http_code}' -H "Authorization: Bearer $token" $field "$url/uploads/v2/contactlist")
    check "refused: $field" "${wanted/_/ }" "$(code)"
  done <<LIST
400_constraint.validation -F id=L1 -F fileType=contactlist
400_constraint.validation -F file=@test.sh -F fileType=contactlist
400_invalid.value -F id=L1 -F file=@test.sh
400_invalid.value -F id=L1 -F file=@test.sh -F fileType=dnclist
400_invalid.property -F id=L1 -F file=@test.sh -F fileType=contactlist -F contactIdName=ID
404_contact.list.not.found -F id=nope -F file=@test.sh -F fileType=contactlist
400_bad.request -d id=L1
400_bad.request -H Content-Type:multipart/form-data;boundary=x -d --x
LIST
  token=none
  upload 'ID,A\nc1,a\n'
  check "no such token" "401 bad.credentials" "$(code)"
  login
  call GET /uploads/v2/contactlist
  check "by GET" 405 "$status"
  call POST /uploads/v2/other
  check "another path" 404 "$status"
  call POST /_sim/locks '{"listId":"L1","conflict":"K2"}'
  upload 'ID,A\nc1,a\n'
  check "a list that is locked" "409 contact.list.not.ready" "$(code)"
  check "nothing came of all that" 0 "$(imports length)"
  fresh
  set_switch '{"requests_per_minute":1}'
  upload 'ID\nc1\n'
  upload 'ID\nc1\n'
  check "uploads count in no window" 200 "$status"
  set_switch '{"upload_limited":"on"}'
  upload 'ID\nc1\n'
  upload 'ID\nc1\n'
  check "upload_limited" 429 "$status"
}

# GENESYS_API §5: why a whole file fails; ids are in ID, and each begins with a list that has one contact.
test_failing_files() {
  local reason text switches
  while IFS='|' read -r reason text switches; do
    imports_fresh $switches
    upload "$text"
    check "taken: $text" 200 "$status"
    check "fails: $text" "FAILED $reason" "$(poll_import | sed 's/ [0-9]*\/[0-9]* [0-9]*//')"
    check "and says so" "${reason##* }" "$(rejects | cut -d : -f 1)"
  done <<LIST
IMPORT_FAILED_TO_READ_HEADERS|
IMPORT_FAILED_TO_READ_HEADERS|\n\r\n
IMPORT_FAILED_TO_READ_HEADERS|"ID,A\nc1,a\n
IMPORT_FAILED_TO_READ_HEADERS|ID,A,A\nc1,a,b\n
IMPORT_FAILED_TO_READ_HEADERS|ID,C\nc1,a\n|"unknown_fields":"drop"
IMPORT_COLUMNS_DO_NOT_EXIST_ON_LIST|ID,A,C\nc1,a,b\n
IMPORT_COLUMNS_DO_NOT_EXIST_ON_LIST|ID;A;PHONE\nc1;a;+1\n
IMPORT_MISSING_CUSTOM_ID|A,B\na,b\n
CONTACT_COLUMNS_LIMIT_EXCEEDED|$(seq -s , 52)\n
IMPORT_COULD_NOT_PARSE_AN_ENTRY|ID,A\nc1,\xff\n
IMPORT_CONTACT_DOES_NOT_MATCH_LIST_FORMAT|ID,A\nc1,a\n|"import_absent_columns":"refuse"
EXCEEDED_CONTACT_LIMIT|ID,A\nc1,a\nc2,a\n|"contacts_max":1
LIST
  imports_fresh '"unknown_fields":"drop"'
  upload 'ID,A,C\nc1,a,b\n'
  check "unknown_fields drop" "null 1/1 100 a" "$(poll_import) $(stored .data.A)"
  imports_fresh '"bad_files":"400"'
  upload 'ID;A\nc1;a\n'
  check "bad_files: another delimiter" "400 invalid.file.format" "$(code)"
  upload 'ID,A\nc1,\xe9\n'
  check "bad_files: another encoding" "400 invalid.file.format" "$(code)"
  check "no import of them" 0 "$(imports length)"
}

# GENESYS_API §5, SCENARIOS C5: rows that are refused, the others stored, each told of by an event.
test_failing_rows() {
  fresh
  call DELETE $lists/L1
  call POST /_sim/lists '{"id":"L1","name":"Two","columnNames":["N","T","ZIP","PHONE","MAIL"],"automaticTimeZoneMapping":true,"zipCodeColumnName":"ZIP",
    "phoneColumns":[{"columnName":"PHONE","type":"cell"}],"emailColumns":[{"columnName":"MAIL","type":"work"}],
    "columnDataTypeSpecifications":[{"columnName":"N","columnDataType":"NUMERIC","min":1,"max":9},{"columnName":"T","columnDataType":"TEXT","maxLength":3}]}'
  id_name=ID
  set_switch '{"import_polls":1,"import_verifies":"on"}'
  upload "ID,N,T,ZIP,PHONE,MAIL\nok,5,x€y,12345,+14155550100,a@b.de\nn,x,,,,\nr,10,,,,\nt,,long,,,\nz,,,123,,\np,,,,555,\nm,,,,,nobody\ns,1\nq,\"1\"x,,,,\n,,,,,\nw w,,,,,\nl,,$(printf 'x%.0s' $(seq 513)),,,\nend,,,,,\n"
  check "all rows have had their turn" "null 13/13 100" "$(poll_import)"
  check "the good ones are there" "ok,end" "$(stored .id)"
  check "the others told of, row by row" "$(tr -d '\n ' <<'LIST'
IMPORT_FAILED_CONTACT_DATA_INVALID_DATATYPE:n,IMPORT_FAILED_CONTACT_DATA_NOT_WITHIN_MIN_MAX_RANGE:r,
IMPORT_FAILED_CONTACT_DATA_GREATER_THAN_MAX_LENGTH:t,IMPORT_FAILED_CONTACT_ZIP_CODE_COLUMN_VALUE_INVALID:z,
IMPORT_INVALID_PHONE_NUMBERS:p,IMPORT_INVALID_EMAIL_ADDRESSES:m,IMPORT_ENTRY_DOES_NOT_ALIGN_WITH_HEADERS:s,
IMPORT_COULD_NOT_PARSE_AN_ENTRY:-,IMPORT_MISSING_CUSTOM_ID:-,IMPORT_INVALID_CUSTOM_ID:ww,IMPORT_DATUM_EXCEEDS_LENGTH_LIMIT:l
LIST
)" "$(rejects | tr -d ' ')"
  check "with the row" true "$(field '.entities[0] | .eventMessage.message | startswith("Row 2: ")')"
  check "and the upload they came by" 1 "$(field '[.entities[].correlationId] | unique | length')"
  check "page by page" "3 4" "$(call GET "$out/events?category=IMPORT_ERROR&pageSize=4" && field '"\(.pageCount) \(.entities | length)"')"
  set_switch '{"import_completed":"accepted","overlong_cells":"truncate","import_verifies":"off"}'
  upload "ID,N,T,ZIP,PHONE,MAIL\nx,x,,,,\np2,,,,555,nobody\nl2,,,,$(printf 'x%.0s' $(seq 513)),\n"
  check "import_completed, overlong_cells, import_verifies" "null 2/3 100 ok,end,p2,l2" "$(poll_import) $(stored .id)"
  set_switch '{"import_bad_rows":"fail"}'
  upload 'ID,N\ny1,1\ny2,x\ny3,1\n'
  check "import_bad_rows fail" "FAILED 1/3 66 IMPORT_FAILED_CONTACT_DATA_INVALID_DATATYPE" "$(poll_import)"
  check "what came before stays" "ok,end,p2,l2,y1" "$(stored .id)"
}

# GENESYS_API §5: what the status may show, and what it may not.
test_odd_statuses() {
  imports_fresh '"import_tiny":3'
  upload 'ID,A\nc1,a\nc2,a\n'
  check "import_tiny: never shows" "null null/0 0" "$(poll_import | sed 's/0\/0/null\/0/')"
  check "but it is there" "c1,c2" "$(stored .id)"
  upload 'ID,C\nc1,a\n'
  check "unless it fails" "FAILED 0/1 0 IMPORT_COLUMNS_DO_NOT_EXIST_ON_LIST" "$(poll_import)"
  imports_fresh '"import_hold":"50","import_done_state":"null"'
  upload 'ID,A\nc1,a\nc2,a\n'
  poll_import >/dev/null
  check "import_hold: it stands still" "IN_PROGRESS 1/2 50" "$(poll_import)"
  import_set '{"listId":"L1","hold":null}'
  check "and goes on" "null 2/2 100" "$(poll_import)"
  check "import_done_state null" true "$(field 'has("state")')"
  imports_fresh '"import_hold":"100"'
  upload 'ID,A\nc1,a\n'
  check "all rows, and no end" "IN_PROGRESS 1/1 100 c1" "$(poll_import) $(stored .id)"
  imports_fresh '"import_hold":"0","import_shows":"early_percent"'
  upload 'ID,A\nc1,a\n'
  check "import_shows early_percent" "IN_PROGRESS 0/1 100" "$(poll_import)"
  set_switch '{"import_shows":"early_success"}'
  check "import_shows early_success" "null 0/1 100" "$(poll_import)"
  imports_fresh '"import_hold":"50","import_shows":"stale"'
  upload 'ID,A\nc1,a\nc2,a\n'
  check "import_shows stale" "IN_PROGRESS 1/2 0" "$(poll_import)"
  imports_fresh '"read_lag_ms":600000'
  upload 'ID,A\nc1,a\n'
  check "done" "null 1/1 100" "$(poll_import)"
  call GET "$lists/L1?includeSize=true"
  check "and the size lags" 0 "$(field .size)"
}

# SCENARIOS G: a list has one import at a time, whoever's.
test_import_queue() {
  imports_fresh '"import_hold":"0","import_locks":"on"'
  upload 'ID,A\nc1,a\n'
  upload 'ID,A\nc1,b\nc2,b\n'
  check "one waits for the other" "inProgress,queued" "$(imports '[.[].state] | join(",")')"
  check "and the first one shows" "IN_PROGRESS 0/1 0" "$(poll_import)"
  post "[$(row x)]"
  check "import_locks: other writes are refused" "409 contact.list.not.ready" "$(code)"
  call POST $lists/L1/clear
  check "a clear, too" 409 "$status"
  call DELETE $lists/L1
  check "the list stays" "400 contact.list.import.in.progress" "$(code)"
  call DELETE "$lists?id=L1"
  check "among others, too" "409 bulk.delete.conflict" "$(code)"
  import_set "{\"id\":\"$(imports '.[0].id')\",\"hold\":null}"
  check "then the second shows" "IN_PROGRESS 0/2 0" "$(poll_import)"
  import_set '{"hold":null}'
  check "in order" "null 2/2 100 c1 b,c2 b" "$(poll_import) $(stored '.id + " " + .data.A')"
  set_switch '{"import_hold":"off","import_busy":"409"}'
  import_set '{"listId":"L1","totalRecords":10,"hold":40}'
  check "somebody else's" "IN_PROGRESS 4/10 40" "$(poll_import)"
  upload 'ID,A\nc3,a\n'
  check "import_busy" "409 The contact list has an import in progress." "$status $(field .message)"
  call POST $lists/uploads '{"contentType":"text/csv","id":"L1"}'
  check "no address either" 409 "$status"
  import_set '{"listId":"L1","state":"failed","failureReason":"IMPORT_INVALID_DATA"}'
  check "it ends as it is told" "FAILED 4/10 40 IMPORT_INVALID_DATA" "$(poll_import)"
  upload 'ID,A\nc3,a\n'
  check "then there is room" "200 null 1/1 100" "$status $(poll_import)"
  set_switch '{"import_delete":"allow","import_hold":"0"}'
  upload 'ID,A\nc4,a\n'
  call DELETE $lists/L1
  check "import_delete" "200 failed IMPORT_LIST_NO_LONGER_EXISTS" "$status $(imports '.[-1] | "\(.state) \(.failureReason)"')"
  call POST /_sim/imports '{"listId":"L1","totalRecords":1}'
  check "none of a list that is gone" 404 "$status"
}

test_import_time() {
  fresh
  id_name=ID
  set_switch '{"import_ms":600000}'
  upload 'ID,A\nc1,a\nc2,b\n'
  check "by time: not yet" "IN_PROGRESS 0/2 0" "$(poll_import)"
  import_set '{"hold":null,"state":"canceled"}'
  set_switch '{"import_ms":300}'
  upload 'ID,A\nc1,a\nc2,b\n'
  upload 'ID,A\nc3,a\n'
  await "by time: it ends" eval '[ "$(imports ".[1].state")" = completed ]'
  check "and the next has begun" inProgress "$(imports '.[2].state')"
  await "by time: it ends, too" eval '[ "$(imports ".[2].state")" = completed ]'
  check "all are there" "c1,c2,c3" "$(stored .id)"
}

# sign [MEMBERS]: $ticket is the answer; put [curl options…] sends $tmp/file.csv as it says
sign_upload() { call POST $lists/uploads "{\"contentType\":\"text/csv\",\"id\":\"L1\",\"contactIdName\":\"ID\"${1-}}"; ticket=$body; }
put_file() {
  status=$(curl -sk --max-time 20 -o "$tmp/body" -D "$tmp/head" -w '%{http_code}' -T "$tmp/file.csv" -H Expect: \
    -H "Content-Type: ${type-text/csv}" -H "x-amz-meta-upload-key: ${key-$(jq -r .uploadKey <<<"$ticket")}" "$@" "$(jq -r .url <<<"$ticket")")
}
xml_code() { echo "$status $(sed -n 's/.*<Code>\(.*\)<\/Code>.*/\1/p' "$tmp/body")"; }

# GENESYS_API §5: a signed address takes the file, with just the headers that came with it.
test_presigned() {
  imports_fresh
  printf 'ID,A\nc1,a\nc2,b\n' >"$tmp/file.csv"
  sign_upload
  check "an address is given" "200 true true text/csv" \
    "$status $(field '"\(.url | startswith("'"$(curl -sk "$url/_sim/state" | jq -r .storage)"'/uploads/")) \(.headers["x-amz-meta-upload-key"] == .uploadKey) \(.headers["Content-Type"])"')"
  check "no import yet" 0 "$(imports length)"
  put_file
  check "it takes the file" "200 " "$status $(cat "$tmp/body")"
  check "which is imported" "null 2/2 100 a,b" "$(poll_import) $(stored .data.A)"
  check "it is recorded" "PUT 2 $(sha256sum "$tmp/file.csv" | cut -d ' ' -f 1) null" \
    "$(curl -sk "$url/_sim/requests" | jq -r '[.[] | select(.path | startswith("/uploads/"))][0] | "\(.method) \(.rows) \(.body_sha256) \(.headers.authorization)"')"
  put_file -H "Authorization: Bearer $token"
  check "a token is refused" "400 InvalidArgument" "$(xml_code)"
  type=text/plain put_file
  check "another header" "403 SignatureDoesNotMatch" "$(xml_code)"
  put_file -H "x-amz-acl: private"
  check "one header more" "403 SignatureDoesNotMatch" "$(xml_code)"
  key='' put_file
  check "one less" "403 SignatureDoesNotMatch" "$(xml_code)"
  put_file -H "Transfer-Encoding: chunked"
  check "no length" "411 MissingContentLength" "$(xml_code)"
  put_file -X POST
  check "by POST" "405 MethodNotAllowed" "$(xml_code)"
  ticket=$(jq -c '.url |= sub("Signature=.{4}"; "Signature=beef")' <<<"$ticket")
  put_file
  check "another signature" "403 SignatureDoesNotMatch" "$(xml_code)"
  ticket=$(jq -c '.url |= sub("uploads/.{8}"; "uploads/deadbeef")' <<<"$ticket")
  put_file
  check "another key" "403 AccessDenied" "$(xml_code)"
  sign_upload ',"signedUrlTimeoutSeconds":1'
  expired() { put_file; [ "$status" = 403 ]; }
  await "it expires" expired
  check "and says so" "403 AccessDenied" "$(xml_code)"
  import_set '{"state":"completed"}'
  post "[$(row k '{"A":"a"}' ',"callable":false')]"
  printf 'ID,A\nk,b\n' >"$tmp/file.csv"
  sign_upload ',"clearSystemData":true'
  put_file
  check "clearSystemData" "null 1/1 100 true" "$(poll_import) $(stored 'select(.id == "k") | .callable')"
  printf 'ID,A\nk,\xff\n' >"$tmp/file.csv"
  sign_upload
  put_file
  check "what is wrong with the file shows later" "200 FAILED 0/0 0 IMPORT_COULD_NOT_PARSE_AN_ENTRY" "$status $(poll_import)"
  local wanted given
  while IFS='|' read -r wanted given; do
    call POST $lists/uploads "$given"
    check "refused: $given" "$wanted" "$(code)"
  done <<'LIST'
400 constraint.validation|{"id":"L1"}
400 constraint.validation|{"contentType":"text/csv"}
400 invalid.value|{"id":"L1","contentType":"application/vnd.ms-excel"}
400 invalid.value|{"id":"L1","contentType":"text/csv","signedUrlTimeoutSeconds":0}
400 invalid.value|{"id":"L1","contentType":"text/csv","signedUrlTimeoutSeconds":604801}
400 invalid.value|{"id":"L1","contentType":"text/csv","clearSystemData":"yes"}
400 invalid.value|{"id":1,"contentType":"text/csv"}
400 invalid.property|{"id":"L1","contentType":"text/csv","fileType":"contactlist"}
400 bad.request|[]
404 contact.list.not.found|{"id":"nope","contentType":"text/csv"}
LIST
}

# What can go wrong with an upload on its way.
test_upload_faults() {
  imports_fresh
  local big
  big="ID,A\n$(for i in $(seq 3000); do printf 'c%d,%0100d\\n' "$i" "$i"; done)"
  call POST /_sim/faults '[{"path":"/uploads/","nth":1,"drop":"after"}]'
  upload 'ID,A\nc1,a\n'
  check "an answer that is lost" "52 1" "$curl_rc $(imports length)"
  call POST /_sim/faults '[{"path":"/uploads/","body_contains":"contactlist","nth":1,"drop":"during","rst":true}]'
  upload "$big"
  check "a connection that breaks" "true 1" "$([ $curl_rc -ne 0 ] && echo true) $(imports length)"
  call POST /_sim/faults '[{"path":"/uploads/","times":1,"status":503},{"path":"/uploads/","nth":2,"status":429,"headers":{"Retry-After":"7"}}]'
  upload 'ID,A\nc1,a\n'
  check "refused for a while" 503 "$status"
  upload 'ID,A\nc1,a\n'
  check "too many" "429 7 1" "$status $(header Retry-After) $(imports length)"
  call POST /_sim/faults '[{"path":"/uploads/","read_bytes_per_second":400000}]'
  local begun
  begun=$(date +%s%N)
  upload "$big"
  check "read slowly" "200 1 true" "$status $(curl -sk "$url/_sim/faults" | jq -r '.[0].hits') $([ $(($(date +%s%N) - begun)) -gt 500000000 ] && echo true)"
  await "and imported" has_ended
  check "all of it" "3000 3000" "$(imports '.[-1].accepted') $(curl -sk "$url/_sim/checksum?listId=L1" | jq .count)"
  call POST /_sim/faults '[{"path":"/importstatus","nth":1,"status":502,"body_kind":"html"}]'
  call GET $import_status
  check "a status that is none" 502 "$status"
}

# The platform goes away, and comes back as it was.
test_outage() {
  imports_fresh
  upload 'ID,A\nc1,a\n'
  call POST /_sim/faults '[{"path":"/contacts","nth":1,"stall":true}]'
  curl -sk -o "$tmp/stalled" -H "Authorization: Bearer $token" -H "Content-Type: application/json" -d "[$(row x)]" "$url$contacts" &
  local waiting=$!
  await "a request is stalled" eval '[ "$(curl -sk "$url/_sim/state" | jq .in_flight)" = 1 ]'
  call POST /_sim/outage '{"ms":700}'
  check "an outage" 200 "$status"
  wait "$waiting"
  check "breaks what is at work" 56 $?
  call GET $import_status
  check "and takes nothing new" "000 true" "$status $([ $curl_rc -eq 52 ] || [ $curl_rc -eq 56 ] && echo true)"
  await "until it is over" eval 'call GET $import_status && [ "$status" = 200 ]'
  check "then all is as it was" c1 "$(stored .id)"
  call POST /_sim/faults '[{"path":"/uploads/","nth":1,"calls_after":[{"path":"/_sim/outage","body":{"ms":1}}]}]'
  upload 'ID,A\nc2,a\n'
  check "one at a moment of choice" true "$([ $curl_rc -ne 0 ] && echo true)"
  await "with effect" eval '[ "$(imports length)" = 2 ]'
  call POST /_sim/outage '{}'
  check "for how long?" "400 bad.request" "$(code)"
}

# Any POST below /_sim/webhook is recorded, with its body, and struck by faults.
test_webhook() {
  fresh
  token=
  call POST /_sim/webhook/done '{"jobId":"1"}' -H "X-Signature-256: sha256=ab" -H "Authorization: Basic c2VjcmV0"
  check "a webhook is taken" 200 "$status"
  call POST /_sim/faults '[{"path":"/_sim/webhook","times":2,"status":500}]'
  call POST /_sim/webhook '{}'
  check "it can fail" 500 "$status"
  call GET "/_sim/requests?path=/_sim/webhook"
  check "and is recorded" '2 {"jobId":"1"} sha256=ab Basic 200' "$(field '"\(length) \(.[0].body) \(.[0].headers["x-signature-256"]) \(.[0].headers.authorization) \(.[0].status)"')"
}

# With --discard a file is counted as it comes, and never kept.
test_discarded_upload() {
  start --discard --set import_polls=1
  call POST /_sim/lists "$list_body"
  login
  id_name=ID
  { echo ID,A; seq -f 'c%.0f,"some ""text"" of a cell that is as long as such cells are"' 500000; } >"$tmp/large.csv"
  upload '' -F "file=@$tmp/large.csv"
  local memory
  memory=$(awk '/VmHWM/ { print $2 }' "/proc/$sim_pid/status")
  check "a large file is counted" "200 null 500000/500000 100" "$status $(poll_import)"
  check "as the list's" 500000 "$(call GET "$lists/L1?includeSize=true" && field .size)"
  check "in little memory" true "$([ "$memory" -lt 40000 ] && echo true || echo "$memory")"
  printf 'ID,A\nc1,a' >"$tmp/file.csv"
  sign_upload
  put_file
  check "a last line without an end, by address" "null 1/1 100" "$(poll_import)"
  stop
}
