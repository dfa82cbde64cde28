# Part of test.sh: exports and their downloads.

export=$lists/L1/export
bom=$'\xef\xbb\xbf'

exported() { call GET $export && [ "$status" = 200 ]; }

# make_export [BODY]: asked for and ready; $uri, and $ready its time.
make_export() {
  call POST $export "${1-}"
  check "export${1+ of $1}" "200 L1" "$status $(field .id)"
  await "it becomes ready" exported
  uri=$(field .uri)
  ready=$(field .exportTimestamp)
}

# download [curl options…]: follows redirects as a client should; the file in $tmp/body
download() { call GET "$uri" "" -L "$@"; }
lines() { tr -d '\r' <"$tmp/body" | tr '\n' '|'; }
ids() { tail -n +2 "$tmp/body" | cut -d , -f 1 | paste -sd ,; }

# signed: the address in the storage; storage_call METHOD URL [curl options…]
signed() { call GET "$uri" && header Location; }
storage_call() { local at=$2 method=$1; shift 2; status=$(curl -sk --max-time 20 -X "$method" -D "$tmp/head" -o "$tmp/body" -w '%{http_code}' "$@" "$at"); }

new_columns=ContactCallable,ContactableByVoice,ContactableBySms,ContactableByEmail,ZipCodeAutomaticTimeZone,CallRecordLastAttempt-PHONE,CallRecordLastResult-PHONE,CallRecordLastAgentWrapup-PHONE,SmsLastAttempt-PHONE,SmsLastResult-PHONE,Callable-PHONE,ContactableByVoice-PHONE,ContactableBySms-PHONE,AutomaticTimeZone-PHONE
old_columns=ContactCallable,ZipCodeAutomaticTimeZone,CallRecordLastAttempt-PHONE,CallRecordLastResult-PHONE,CallRecordLastAgentWrapup-PHONE,SmsLastAttempt-PHONE,SmsLastResult-PHONE,Callable-PHONE,AutomaticTimeZone-PHONE
plain=1,1,1,1,,,,,,,1,1,1,

test_export() {
  fresh
  local uri ready first there asked
  call GET $export
  check "no export yet" "404 no.available.list.export.uri" "$(code)"
  post "[$(row a '{"A":"one","B":"x, y","PHONE":"+1"}'),$(row b '{"A":"x,\"y\"\n","B":""}')]"
  set_switch '{"export_ms":600000}'
  asked=$(date -u +%FT%T)
  call POST $export
  check "export" "200 L1 One $export" "$status $(field '"\(.id) \(.name) \(.selfUri)"')"
  call GET $export
  check "export_ms: not ready" "404 no.available.list.export.uri" "$(code)"
  call POST $export
  check "export_busy 409" "409 export.in.progress" "$(code)"
  set_switch '{"export_busy":"400"}'
  call POST $export
  check "export_busy 400" 400 "$status"
  set_switch '{"export_busy":"join","export_ms":0}'
  call POST $export
  check "export_busy join" "200 L1" "$status $(field .id)"
  call GET $export
  check "export_busy join: none of its own" 404 "$status"
  set_switch '{"export_busy":"restart"}'
  make_export
  first=$uri
  check "its time is when it was ready" true "$([[ "$ready" < $asked ]] || echo true)"
  download
  check "the file" "$bom\"\"inin-outbound-id\"\",A,B,PHONE,$new_columns|a,one,\"x, y\",+1,$plain|b,\"x,\"\"y\"\"|\",,,$plain|" "$(lines)"
  check "lines end as they should" 3 "$(grep -c $'\r$' "$tmp/body")"
  check "its kind" "text/csv" "$(header Content-Type | tail -n 1)"
  check "its name" One.csv "$(header Content-Disposition | sed 's/.*-//; s/"$//')"
  post "[$(row c)]"
  download
  check "it holds what there was" a,b "$(grep -o '^[ab],' "$tmp/body" | tr -d , | paste -sd ,)"
  set_switch '{"export_ms":600000}'
  call POST $export
  call GET $export
  check "export_stale: the one before" "$first" "$(field .uri)"
  set_switch '{"export_stale":"off"}'
  call GET $export
  check "export_stale off" "404 no.available.list.export.uri" "$(code)"
  set_switch '{"export_ms":0}'
  make_export
  there=$uri
  call GET "$first"
  check "the one before is gone then" "404 not.found" "$(code)"
  uri=$there download
  check "the next one" "a c" "$(grep -o '^[ac],' "$tmp/body" | tr -d , | paste -sd ' ')"
  call GET "$export?download=maybe"
  check "a flag that is none" "400 invalid.query.param.value" "$(code)"
  call GET "$export?download=true"
  check "download=true" "302 $there" "$status $(header Location)"
  call DELETE $lists/L1
  call GET $export
  check "no list" "404 contact.list.not.found" "$(code)"
  call GET "$there"
  check "no list, no download" 404 "$status"
}

test_export_forms() {
  fresh
  local uri ready form wanted
  post "[$(row a '{"A":"é"}'),$(row b)]"
  call POST /_sim/contacts '{"listId":"L1","id":"b","callable":false,"phoneNumberStatus":{"PHONE":{"callable":false}},"contactableStatus":{"Voice":{"contactable":false,"columnStatus":{"PHONE":{"contactable":false}}},"email":{"contactable":false}},"callRecords":{"PHONE":{"lastAttempt":"2026-01-02T03:04:05.000Z","lastResult":"busy"}},"latestSmsEvaluations":{"PHONE":{"timestamp":"2026-01-03T03:04:05.000Z","wrapupCodeId":"W"}},"contactColumnTimeZones":{"PHONE":{"timeZone":"Europe/Paris","columnType":"PHONE"},"Z":{"timeZone":"Asia/Tokyo","columnType":"ZIP"}}}'
  set_switch '{"export_ms":0}'
  while IFS='|' read -r form wanted; do
    set_switch "$form"
    make_export
    download
    check "form: $form" "$wanted" "$(lines)"
  done <<LIST
{"export_header":"plain"}|${bom}inin-outbound-id,A,B,PHONE,$new_columns|a,é,,,$plain|b,,,,0,0,1,0,Asia/Tokyo,2026-01-02T03:04:05.000Z,busy,,2026-01-03T03:04:05.000Z,W,0,0,1,Europe/Paris|
{"export_columns":"old"}|${bom}inin-outbound-id,A,B,PHONE,$old_columns|a,é,,,1,,,,,,,1,|b,,,,0,Asia/Tokyo,2026-01-02T03:04:05.000Z,busy,,2026-01-03T03:04:05.000Z,W,0,Europe/Paris|
{"export_header":"bare","export_quote":"all"}|"inin-outbound-id","A","B","PHONE","${old_columns//,/\",\"}"|"a","é","","","1","","","","","","","1",""|"b","","","","0","Asia/Tokyo","2026-01-02T03:04:05.000Z","busy","","2026-01-03T03:04:05.000Z","W","0","Europe/Paris"|
LIST
  set_switch '{"export_lines":"lf"}'
  make_export
  download
  check "export_lines lf" 0 "$(grep -c $'\r' "$tmp/body")"
}

test_export_choice() {
  fill
  local uri ready id
  set_switch '{"export_ms":0}'
  make_export '{}'
  download
  check "all" 12 "$(tail -n +2 "$tmp/body" | wc -l)"
  make_export '{"criteria":{"clauses":[{"predicates":[{"column":"B","operator":"EQUALS","value":"ANT"}]}]}}'
  download
  check "criteria" c0,c10 "$(ids)"
  make_export '{"contactIds":["c3","nobody","c1"]}'
  download
  check "ids" c3,c1 "$(ids)"
  call POST /api/v2/outbound/contactlistfilters '{"name":"F","contactList":{"id":"L1"},"clauses":[{"predicates":[{"column":"B","operator":"EQUALS","value":"bee"}]}]}'
  id=$(field .id)
  make_export "{\"contactListFilterId\":\"$id\"}"
  download
  check "a saved filter" c1,c5 "$(ids)"
  local given wanted
  while IFS='|' read -r wanted given; do
    call POST $export "$given"
    check "refused: $given" "$wanted" "$(code)"
  done <<LIST
404 resource.not.found|{"contactListFilterId":"nope"}
400 bad.request|{"contactListFilterId":"$id","contactIds":["c1"]}
400 bad.request|{"contactIds":"c1"}
400 bad.request|{"contactIds":[]}
400 bad.request|[]
400 invalid.property|{"colour":"red"}
400 clauses.required|{"criteria":{}}
400 column.does.not.match.contact.list|{"criteria":{"clauses":[{"predicates":[{"column":"Z","operator":"EQUALS","value":"x"}]}]}}
LIST
  set_switch '{"read_lag_ms":600000}'
  make_export
  download
  check "read_lag_ms: exports lag, too" "" "$(ids)"
}

test_storage() {
  fresh
  local uri ready at
  post "[$(row a)]"
  set_switch '{"export_ms":0}'
  make_export
  call GET /_sim/state
  check "the storage is another origin" true "$([ "$(field .storage)" != "$url" ] && echo true)"
  storage=$(field .storage)
  call GET "$uri"
  check "a download redirects" 302 "$status"
  check "into the storage" "$storage" "$(header Location | cut -d / -f 1-3)"
  call GET "$uri?issueRedirect=false"
  check "issueRedirect=false" "200 $storage" "$status $(field .url | cut -d / -f 1-3)"
  at=$(signed)
  storage_call GET "$at"
  check "without a token" 200 "$status"
  check "no correlation id of the platform's" "" "$(header ININ-Correlation-Id)"
  storage_call GET "$at" -H "Authorization: Bearer $token"
  check "with a token" "400 InvalidArgument" "$status $(grep -o 'InvalidArg[a-z]*' "$tmp/body" | tail -n 1)"
  call GET /_sim/requests
  check "it is recorded" "400 Bearer" "$(field '.[-1] | "\(.status) \(.headers.authorization)"')"
  check "by its address" "${storage#*//}" "$(field '.[-1].headers.host')"
  check "rows of a download" 1 "$(field '[.[] | select(.path | startswith("/storage/"))][0].rows')"
  storage_call POST "$at"
  check "only GET" 405 "$status"
  storage_call GET "${at%?}"
  check "a wrong signature" "403" "$status"
  storage_call GET "${at%%\?*}"
  check "no signature" 403 "$status"
  storage_call GET "${at%&X-Amz-Signature=*}"
  check "a time without a signature" "403" "$status"
  storage_call GET "$storage/storage/nope/x.csv"
  check "no such file" 404 "$status"
  storage_call GET "$storage$lists"
  check "the storage is not the platform" 404 "$status"
  storage_call GET "$storage/_sim/state"
  check "nor the control" 404 "$status"
  call GET "/storage/${at#*/storage/}"
  check "nor is the platform the storage" 404 "$status"
  set_switch '{"storage_seconds":0}'
  at=$(signed)
  gone() { storage_call GET "$at" && [ "$status" = 403 ]; }
  await "storage_seconds: the address ends" gone
  set_switch '{"storage_seconds":600,"storage_host":"localhost"}'
  at=$(signed)
  check "storage_host" localhost "$(cut -d / -f 3 <<<"$at" | cut -d : -f 1)"
  storage_call GET "$at"
  check "storage_host: it is there" 200 "$status"
  token= call GET "$uri"
  check "downloads want a token" "401 authentication.required" "$(code)"
  set_switch '{"download_redirect":"off"}'
  call GET "$uri"
  check "download_redirect off" "200 a" "$status $(ids)"
  set_switch '{"export_uri":"absolute"}'
  call GET $export
  check "export_uri absolute" "$url$uri" "$(field .uri)"
  set_switch '{"export_uri":"storage"}'
  call GET $export
  storage_call GET "$(field .uri)"
  check "export_uri storage" "200 a" "$status $(ids)"
}

test_download_faults() {
  fresh
  local uri ready started
  post "[$(jq -nc '[range(200) | {id: "x\(.)", contactListId: "L1", data: {A: ("a" * 100)}}]' | sed 's/^.//; s/.$//')]"
  set_switch '{"export_ms":0}'
  make_export
  faults '[{"path":"/storage/","truncate":1000}]'
  download
  check "truncate" "18 1000" "$curl_rc $(wc -c <"$tmp/body")"
  faults '[{"path":"/storage/","truncate":1000,"rst":true}]'
  download
  check "reset" 56 "$curl_rc"
  faults '[{"path":"/storage/","drop":"before"}]'
  download
  check "drop" 52 "$curl_rc"
  faults '[{"path":"/storage/","status":503,"body":"<html>"}]'
  download
  check "status" "503 <html>" "$status $body"
  faults '[{"path":"/storage/","body_kind":"empty"}]'
  download
  check "an empty file" "200 0" "$status $(wc -c <"$tmp/body")"
  faults '[{"path":"/storage/","bytes_per_second":50000}]'
  started=$(date +%s%N)
  download
  check "bytes_per_second" "200 200 true" "$status $(tail -n +2 "$tmp/body" | wc -l) $([ $(($(date +%s%N) - started)) -gt 300000000 ] && echo true)"
  faults '[{"path":"/storage/","delay_ms":300}]'
  started=$(date +%s%N)
  download
  check "delay" "200 true" "$status $([ $(($(date +%s%N) - started)) -gt 300000000 ] && echo true)"
  faults '[]'
  gone() { call GET /_sim/state && [ "$(field .in_flight)" = 0 ]; }
  await "none is in flight any more" gone
}

# --discard: rows are made as they go, so memory is bounded.
test_large_export() {
  start --discard --set generated_contacts=1000000
  fresh
  local uri ready before after
  set_switch '{"export_ms":0}'
  make_export
  before=$(awk '/VmRSS/ { print $2 }' "/proc/$sim_pid/status")
  curl -s -L -H "Authorization: Bearer $token" "$url$uri" >"$tmp/large"
  after=$(awk '/VmHWM/ { print $2 }' "/proc/$sim_pid/status")
  check "a million rows" 1000001 "$(wc -l <"$tmp/large")"
  check "each with its number" "contact-000000000,A 000000000,B 000000000,+1000000000,$plain contact-000999999,A 000999999,B 000999999,+1000999999,$plain" "$(sed -n '2p;$p' "$tmp/large" | tr -d '\r' | paste -sd ' ')"
  check "no row twice" 1000000 "$(tail -n +2 "$tmp/large" | cut -c 1-17 | sort -u | wc -l)"
  check "in bounded memory" true "$([ $((after - before)) -lt 32768 ] && echo true)"
  stop
}
