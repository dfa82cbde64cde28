# Part of test.sh: dialect "jobs" (SCENARIOS §L): lists with a status, writes that are jobs.

job_lists=$out/lists
job_list='{"name":"Jobs","description":"d","schema":{"name":"leads","version":1,"fields":[{"name":"FIRST","type":"string","required":true},{"name":"PHONE","type":"phone"},{"name":"MAIL","type":"string","format":"email"},{"name":"AGE","type":"number"}]},"status":"READY"}'

jobs_fresh() { # [switches]: a list of that schema; $list is its id
  fresh
  set_switch "{\"import_polls\":1${1+,$1}}"
  call POST $job_lists "$job_list"
  check "a list is made" "200 READY" "$status $(field .status)"
  list=$(field .id)
}

append() { call POST "$job_lists/$list/contacts/bulk${2-?mode=append}" "$1"; job=$(field .jobId); }
import() { call POST "$lists/$list/contacts/import" "$1"; job=$(field .jobId); }
send_file() { # FILE-TEXT [QUERY]
  printf '%b' "$1" >"$tmp/file.csv"
  status=$(curl -sk --max-time 20 -o "$tmp/body" -w '%{http_code}' -H "Authorization: Bearer $token" \
    -F "file=@$tmp/file.csv;type=text/csv" "$url$job_lists/$list/contacts/upload${2-}")
  job=$(field .jobId)
}
poll_job() { call GET "$out/jobs/$job" && field '"\(.status) \(.successfulRecords)+\(.failedRecords)/\(.totalRecords)"'; }
leads() { curl -sk "$url/_sim/contacts?listId=$list" | jq -rc "[.[] | $1] | join(\",\")"; }
seed_status() { call POST /_sim/liststatus "{\"listId\":\"$list\",$1}"; check "status $1" 200 "$status"; }

# SCENARIOS A2, F1, §L: fields, a status, and fields that are added.
test_job_lists() {
  jobs_fresh
  call GET "$job_lists/$list"
  check "a list" "200 Jobs READY leads 1 FIRST,PHONE,MAIL,AGE true" \
    "$status $(field '"\(.name) \(.status) \(.schema.name) \(.schema.version) \([.schema.fields[].name] | join(",")) \(.schema.fields[0].required)"')"
  call GET "$lists/$list"
  check "is the platform's, too" "Jobs FIRST,PHONE,MAIL,AGE PHONE MAIL AGE NUMERIC" \
    "$(field '"\(.name) \(.columnNames | join(",")) \(.phoneColumns[0].columnName) \(.emailColumns[0].columnName) \(.columnDataTypeSpecifications[0] | .columnName + " " + .columnDataType)"')"
  call GET $job_lists/L1
  check "as the platform's is one with fields" "One A,B,PHONE phone" "$(field '"\(.name) \([.schema.fields[].name] | join(",")) \(.schema.fields[2].format)"')"
  call POST $job_lists "$job_list"
  check "a name that is taken" "409 duplicate.name" "$(code)"
  call GET $job_lists/nope
  check "no list" "404 contact.list.not.found" "$(code)"
  append '[{"contactId":"c1","FIRST":"a"}]'
  poll_job >/dev/null
  local grown
  grown=$(jq -c '.schema.fields += [{"name":"CITY","type":"string"}]' <<<"$job_list")
  set_switch '{"provision_ms":600000}'
  call PUT "$job_lists/$list" "$grown"
  check "a field more, for a while" "200 PROCESSING 2 CITY" "$status $(field '"\(.status) \(.schema.version) \(.schema.fields[4].name)"')"
  append '[{"contactId":"c2","CITY":"x"}]'
  check "nothing is taken meanwhile" "409 contact.list.not.ready" "$(code)"
  call POST "$lists/$list/contacts" '[{"data":{"FIRST":"x"}}]'
  check "by no call" "409 contact.list.not.ready" "$(code)"
  call GET "$lists?name=Jobs"
  check "but it is listed" 1 "$(field .total)"
  call PUT "$job_lists/$list" "$(jq -c '.schema.version = 2' <<<"$grown")"
  check "nor is it changed" "409 contact.list.not.ready" "$(code)"
  call PUT "$job_lists/$list" "$grown"
  check "a version that is old" "409 invalid.update.wrong.version true" "$(code) $(field '.message | startswith("The resource has been modified since")')"
  call PUT "$job_lists/$list" "$(jq -c '.schema.version = 2 | .schema.fields[0].type = "number"' <<<"$grown")"
  check "a field that changes" "400 invalid.update" "$(code)"
  call PUT "$job_lists/$list" "$(jq -c '.schema.version = 2' <<<"$job_list")"
  check "a field that goes" "400 invalid.update" "$(code)"
  call PUT "$job_lists/$list" "$(jq -c '.schema.version = 3' <<<"$grown")"
  check "a version that is still to come" "400 invalid.schema.version" "$(code)"
  call PUT "$job_lists/$list" "$(jq -c 'del(.schema.version)' <<<"$grown")"
  check "none" "400 constraint.validation" "$(code)"
  call PUT "$job_lists/$list" "$(jq -c '.schema.version = 2 | .status = "PROCESSING"' <<<"$grown")"
  check "a status that comes by itself" "400 invalid.status.transition" "$(code)"
  test_new_job_list
  test_job_list_refusals
  jobs_fresh
  append '[{"contactId":"c1","FIRST":"a"}]'
  poll_job >/dev/null
  call PUT "$job_lists/$list" "$grown"
  append '[{"contactId":"c1","CITY":"x"},{"contactId":"c2","CITY":"y"}]'
  check "the new field is filled" "completed 2+0/2 a x,null y" "$(poll_job) $(leads '"\(.data.FIRST) \(.data.CITY)"')"
  seed_status '"status":"PROCESSING","reads":2'
  call GET "$job_lists/$list"
  call GET "$job_lists/$list"
  check "processing, twice" PROCESSING "$(field .status)"
  call GET "$job_lists/$list"
  check "then no more" READY "$(field .status)"
  seed_status '"status":"ERROR"'
  append '[{"contactId":"c2"}]'
  check "in an error state" "409 contact.list.not.ready" "$(code)"
  seed_status '"status":null'
  set_switch '{"dialects":"platform"}'
  call GET "$job_lists/$list"
  check "dialects platform" "404 not.found" "$(code)"
  import '{"contacts":[]}'
  check "no imports, either" 405 "$status"
  set_switch '{"dialects":"both","jobs_processing":"on","import_hold":"0"}'
  append '[{"contactId":"c2"}]'
  call GET "$job_lists/$list"
  check "jobs_processing" PROCESSING "$(field .status)"
}

# SCENARIOS A2: what is new does not answer, is PROCESSING, and is READY; a change shows later.
test_new_job_list() {
  set_switch '{"provision_ms":600000,"provision_status":"404"}'
  call POST $job_lists "$(jq -c '.name = "New"' <<<"$job_list")"
  local new=$job_lists/$(field .id)
  check "a new list" "200 PROCESSING 1" "$status $(field '"\(.status) \(.schema.version)"')"
  call GET "$new"
  check "does not answer" "404 contact.list.not.found" "$(code)"
  set_switch '{"provision_status":"409"}'
  call GET "$new"
  check "or is not ready" "409 contact.list.not.ready" "$(code)"
  set_switch '{"provision_ms":400,"provision_status":"404"}'
  call POST $job_lists "$(jq -c '.name = "Newer"' <<<"$job_list")"
  new=$job_lists/$(field .id)
  shows() { call GET "$new"; [ "$status $(field .status)" = "$1" ]; }
  await "it is PROCESSING" shows "200 PROCESSING"
  await "then READY" shows "200 READY"
  set_switch '{"provision_ms":0,"schema_lag_ms":300}'
  call PUT "$new" "$(jq -c '.name = "Newer" | .schema.fields += [{"name":"CITY","type":"string"}]' <<<"$job_list")"
  check "a change is told" "200 READY 2 5" "$status $(field '"\(.status) \(.schema.version) \(.schema.fields | length)"')"
  call GET "$new"
  check "and not shown yet" "READY 1 4" "$(field '"\(.status) \(.schema.version) \(.schema.fields | length)"')"
  changed() { call GET "$new"; [ "$(field .schema.version)" = 2 ]; }
  await "then it is" changed
  set_switch '{"schema_lag_ms":0}'
}

test_job_list_refusals() {
  local wanted change
  set_switch '{"provision_ms":0}'
  while IFS='|' read -r wanted change; do
    call POST $job_lists "$(jq -c ".name = \"Other\" | $change" <<<"$job_list")"
    check "refused: $change" "$wanted" "$(code)"
  done <<'LIST'
400 invalid.property|.columns = []
400 invalid.property|.schema.columns = []
400 invalid.property|.schema.fields[0].size = 1
400 invalid.value|.status = "DONE"
400 invalid.status.transition|.status = "ERROR"
400 invalid.schema.version|.schema.version = 2
400 invalid.value|.description = 1
400 invalid.value|.schema.fields[0].type = "text[]"
400 invalid.value|.schema.fields[0].required = "yes"
400 invalid.value|.schema.fields[0] = 1
400 constraint.validation|del(.schema)
400 constraint.validation|del(.schema.fields)
400 constraint.validation|del(.schema.fields[0].type)
400 name.cannot.be.blank|.name = ""
400 not.unique.contact.columns|.schema.fields[1].name = "FIRST"
400 contact.columns.limit.exceeded|.schema.fields += [range(50) | {name: "F\(.)", type: "string"}]
400 no.phone.columns|.schema.fields |= .[:1]
LIST
}

# SCENARIOS B1, B5, B6, F1, F2, §L: an append is a job, and what the job says is what was done.
test_append() {
  jobs_fresh '"import_polls":2'
  append '[{"contactId":"c1","FIRST":"a","AGE":7},{"contactId":"c2","AGE":"old","FIRST":null},{"contactId":"c3"}]'
  check "an append is accepted" "200 true" "$status $(field 'keys == ["jobId"]')"
  check "it begins" "inProgress 1+0/3" "$(poll_job)"
  check "and ends" "completed 2+1/3" "$(poll_job)"
  check "with what was refused" '[{"row":2,"contactId":"c2","field":"AGE","message":"The value is not of the column'"'"'s data type."}]' "$(field .errors)"
  check "numbers become text, missing required fields are taken" "c1 a 7,c3 null null" "$(leads '"\(.id) \(.data.FIRST) \(.data.AGE)"')"
  append '[{"contactId":"c1","PHONE":"+1"}]'
  poll_job >/dev/null
  check "an id that is there is updated" "completed 1+0/1 a +1" "$(poll_job) $(leads '"\(.data.FIRST) \(.data.PHONE)"' | cut -d , -f 1)"
  check "with the completion's event" "outbound.contact.upload.completed completed 3 2 1 true" \
    "$(curl -sk "$url/_sim/imports?listId=$list" | jq -r '.[0].event | "\(.eventType) \(.status) \(.totalRecords) \(.successfulRecords) \(.failedRecords) \(.timestamp | endswith("Z"))"')"
  set_switch '{"import_polls":1,"import_bad_rows":"fail"}'
  append '[{"contactId":"d1"},{"contactId":"no good"},{"contactId":"d3"}]'
  check "import_bad_rows fail" "failed 1+2/3 2" "$(poll_job) $(field '.errors[0].row')"
  test_append_refusals
  set_switch '{"unknown_fields":"drop"}'
  append '[{"contactId":"c9","NOPE":"x","FIRST":"f"}]'
  check "unknown_fields drop" "completed 1+0/1 f" "$(poll_job) $(leads 'select(.id == "c9") | .data.FIRST')"
  append '[{"contactId":"only"}]' '?mode=overwrite'
  check "overwrite: what was there goes" "completed 1+0/1 only" "$(poll_job) $(leads .id)"
}

test_append_refusals() {
  local wanted given
  while IFS='|' read -r wanted given; do
    append "$given"
    check "refused: $given" "$wanted" "$(code)"
  done <<'LIST'
400 bad.request|{}
400 bad.request|[
400 bad.request|[1]
400 constraint.validation|[{"FIRST":"a"}]
400 invalid.contact.columns|[{"contactId":"c1"},{"contactId":"c2","NOPE":"x"}]
400 invalid.value|[{"contactId":1}]
400 invalid.value|[{"contactId":"c1","FIRST":["a"]}]
LIST
  append '[]' ''
  check "without a mode" "400 invalid.query.param.value" "$(code)"
  append '[]' '?mode=replace'
  check "another mode" "400 invalid.query.param.value" "$(code)"
  jq -nc '[range(5001) | {contactId: "c\(.)"}]' >"$tmp/many"
  append "@$tmp/many"
  check "5,001 rows" "413 request.entity.too.large" "$(code)"
  jq -nc '[range(20000) | {contactId: "c\(.)", FIRST: ("x" * 500)}]' >"$tmp/many"
  append "@$tmp/many"
  check "over 10 MB" "413 request.entity.too.large 10000000" "$(code) $(field '.message | capture("(?<n>[0-9]+)").n')"
  jq -nc '[range(4000) | {contactId: "c\(.)", FIRST: ("x" * 500)}]' >"$tmp/many"
  append "@$tmp/many"
  check "2 MB" "completed 4000+0/4000" "$(poll_job)"
  set_switch '{"duplicate_ids":"409"}'
  append '[{"contactId":"c1"},{"contactId":"c1"}]'
  check "an id twice" "409 duplicate.contact.id" "$(code)"
  set_switch '{"external_id_unique":"on"}'
  post "[$(row elsewhere)]"
  append '[{"contactId":"elsewhere"}]'
  check "an id of another list" "409 duplicate.external.id" "$(code)"
  list=nope append '[]'
  check "no such list" "404 contact.list.not.found" "$(code)"
  set_switch '{"duplicate_ids":"take","external_id_unique":"off"}'
}

# SCENARIOS C3, C4, C5: a file without a header, refused without a row.
test_job_upload() {
  jobs_fresh
  send_file 'c1,a,+1,,5\r\nc2,"b, b",,,\r\n'
  check "a file is accepted" "200 true" "$status $(field 'keys == ["jobId"]')"
  check "it is appended" "completed 2+0/2 a,b, b" "$(poll_job) $(leads .data.FIRST)"
  check "with its digest" "$(sha256sum "$tmp/file.csv" | cut -d ' ' -f 1)" "$(curl -sk "$url/_sim/imports?listId=$list" | jq -r '.[0].event.sha256')"
  send_file 'contactId,FIRST,PHONE,MAIL,AGE\nc3,,,,\n'
  check "a header is a row like any: its AGE is no number" "completed 1+1/2 AGE" "$(poll_job) $(field '.errors[0].field')"
  send_file 'contactId,FIRST,PHONE,MAIL,5\nc3,,,,\n'
  check "or a contact" "completed 2+0/2 true" "$(poll_job) $(leads .id | grep -q contactId && echo true)"
  send_file 'c4,a\n,,,,\n"x,,,,\n'
  check "rows that are refused" "completed 0+3/3 1 2 3" "$(poll_job) $(field '[.errors[].row] | join(" ")')"
  send_file 'AGE,contactId\n7,new\n' '?mode=overwrite'
  check "overwrite has a header" "completed 1+0/1 new 7" "$(poll_job) $(leads '.id + " " + .data.AGE')"
  send_file 'NOPE,contactId\n7,new\n' '?mode=overwrite'
  check "one that is none" "failed 0+1/1 0" "$(poll_job) $(field '.errors[0].row')"
  send_file 'c1;a;+1;;\n'
  check "another delimiter" "400 invalid.file.format" "$(code)"
  send_file 'c1,\xfc,,,\n'
  check "another encoding" "400 invalid.file.format" "$(code)"
  check "and no row" "[]" "$(field .errors)"
  call POST "$job_lists/$list/contacts/upload" '[]'
  check "no form" "400 bad.request" "$(code)"
  local large
  large=$(for i in $(seq 6000); do printf 'n%d,%0100d,,,\\n' "$i" 0; done)
  send_file "$large"
  check "a large one" "completed 6000+0/6000" "$(poll_job)"
}

# SCENARIOS J1, J2, K5: imports, their queue, and no more than three of them.
test_job_import() {
  jobs_fresh
  import '{"contacts":[{"id":"c1","data":{"FIRST":"a","PHONE":"+14155550100"}},{"data":{"FIRST":"b"},"callable":false}],"duplicateDetection":"update","formatVerification":"strict"}'
  check "an import is accepted" "200 true" "$status $(field 'keys == ["jobId"]')"
  check "and done" "completed 2+0/2 a true,b false" "$(poll_job) $(leads '"\(.data.FIRST) \(.callable)"')"
  call GET "$lists/$list/contacts/import/$job"
  check "one of the queue" "completed 2" "$(field '"\(.status) \(.successfulRecords)"')"
  import '{"contacts":[{"id":"c1","data":{"FIRST":"z"}},{"id":"c3","data":{}}],"duplicateDetection":"ignore"}'
  check "ignore" "completed 2+0/2 a" "$(poll_job) $(leads .data.FIRST | cut -d , -f 1)"
  import '{"contacts":[{"id":"c1","data":{"FIRST":"z"}},{"id":"c4","data":{}}],"duplicateDetection":"error"}'
  check "error" "completed 1+1/2 c1 true" "$(poll_job) $(field '.errors[0] | "\(.contactId) \(.message | contains("duplicate contact"))"')"
  import '{"contacts":[{"id":"s1","data":{"PHONE":"4155550100"}},{"id":"s2","data":{"MAIL":"a@b"}},{"id":"s3","data":{}}],"formatVerification":"strict"}'
  check "strict" "completed 1+2/3 PHONE MAIL" "$(poll_job) $(field '[.errors[].field] | join(" ")')"
  import '{"contacts":[{"id":"s1","data":{"PHONE":"4155550100"}},{"id":"s2","data":{"MAIL":"a@b"}}],"formatVerification":"relaxed"}'
  check "relaxed" "completed 2+0/2" "$(poll_job)"
  local wanted given
  while IFS='|' read -r wanted given; do
    import "$given"
    check "refused: $given" "$wanted" "$(code)"
  done <<'LIST'
400 bad.request|[]
400 constraint.validation|{}
400 bad.request|{"contacts":{}}
400 constraint.validation|{"contacts":[{"id":"a"}]}
400 invalid.property|{"contacts":[],"mode":"append"}
400 invalid.property|{"contacts":[{"id":"a","data":{},"contactListId":"L1"}]}
400 invalid.value|{"contacts":[],"duplicateDetection":"merge"}
400 invalid.value|{"contacts":[],"formatVerification":true}
400 invalid.value|{"contacts":[{"id":"a","data":{},"callable":"no"}]}
400 invalid.contact.columns|{"contacts":[{"id":"a","data":{"NOPE":"x"}}]}
LIST
  set_switch '{"jobs_contacts_max":2}'
  import '{"contacts":[{"data":{}},{"data":{}},{"data":{}}]}'
  check "too many contacts" "400 too.many.contacts.added" "$(code)"
  test_typed_contacts
  test_job_queue
}

test_typed_contacts() {
  jobs_fresh '"contact_shape":"typed"'
  import '{"contacts":[{"id":"c1","type":"phone","value":"+1"},{"id":"c1","type":"email","value":"a@b.de"},{"id":"c2","type":"email","value":"c@d.de"}]}'
  check "contact_shape typed" "completed 2+0/2 +1 a@b.de,null c@d.de" "$(poll_job) $(leads '"\(.data.PHONE) \(.data.MAIL)"')"
  import '{"contacts":[{"id":"c1","data":{}}]}'
  check "then data is refused" "400 constraint.validation" "$(code)"
  import '{"contacts":[{"id":"c1","type":"phone","value":"+1"},{"id":"c1","type":"phone","value":"+2"}]}'
  check "more phones than columns" "400 invalid.value" "$(code)"
}

test_job_queue() {
  jobs_fresh '"import_hold":"0"'
  local first i
  for i in 1 2 3; do
    append '[{"contactId":"c1"}]'
    first=${first-$job}
  done
  import '{"contacts":[]}'
  check "a fourth job" "409 too.many.import.jobs true" "$(code) $(field '.message | contains("concurrent")')"
  send_file 'c1,,,,\n'
  check "of any kind" "409 too.many.import.jobs" "$(code)"
  call GET "$lists/$list/contacts/import"
  check "the queue" "inProgress,queued,queued true" "$(field '([.jobStatuses[].status] | join(",")) + " \(.jobStatuses[0].jobId == "'"$first"'")"')"
  call POST /_sim/imports "{\"id\":\"$first\",\"state\":\"canceled\"}"
  job=$first
  check "one that is canceled" "canceled 0+1/1" "$(poll_job)"
  import '{"contacts":[{"id":"q","data":{}}]}'
  check "makes room" 200 "$status"
  call POST /_sim/imports '{"hold":null}'
  poll_job >/dev/null
  call GET "$lists/$list/contacts/import/nope"
  check "no such job" "404 resource.not.found" "$(code)"
  call GET "$out/jobs/nope"
  check "nowhere" "404 resource.not.found" "$(code)"
  call POST /_sim/imports "{\"listId\":\"$list\",\"totalRecords\":5,\"kind\":\"import\",\"hold\":20}"
  job=$(field .id)
  call POST /_sim/imports "{\"listId\":\"$list\",\"state\":\"completed\"}"
  check "somebody else's" "completed 0+5/5" "$(poll_job)"
  call GET "$lists/$list/contacts/import"
  check "stands in the queue, too" 5 "$(field '.jobStatuses | length')"
  set_switch '{"bulk_requests_per_minute":1,"rate_headers":"xratelimit"}'
  append '[]'
  append '[]'
  check "jobs count as bulk" "429 true" "$status $([ -n "$(header X-RateLimit-Limit)" ] && [ -n "$(header Retry-After)" ] && echo true)"
}

# With --discard contacts are counted.
test_discarded_jobs() {
  start --discard --set import_polls=1
  login
  call POST $job_lists "$job_list"
  list=$(field .id)
  append '[{"contactId":"c1"},{"contactId":"c2"}]'
  check "an append is counted" "completed 2+0/2" "$(poll_job)"
  import '{"contacts":[{"id":"c1","data":{}}]}'
  check "an import is" "completed 1+0/1" "$(poll_job)"
  send_file 'c1,,,,\nc2,,,,\nc3,,,,\n'
  check "a file is" "completed 3+0/3" "$(poll_job)"
  call GET "$lists/$list?includeSize=true"
  check "as the list's" 6 "$(field .size)"
  stop
}
