# Part of test.sh: edits and deletes of many contacts, as jobs.

jobs=$contacts/bulk/jobs
where() { echo "\"criteria\":{\"filterType\":\"AND\",\"clauses\":[{\"filterType\":\"AND\",\"predicates\":[{\"column\":\"$1\",\"operator\":\"EQUALS\",\"value\":\"$2\"}]}]}"; }
patch() { echo "\"contact\":{\"contactListId\":\"L1\",\"data\":${1:-{\}}${2-}}"; } # data, more members
edit() { call POST $contacts/bulk/update "{$1}"; }
remove() { call POST $contacts/bulk/remove "{$1}"; }
job() { field '"\(.state) \(.completedRecords)/\(.totalRecords) \(.percentComplete)"'; }
poll() { call GET "$jobs/$1" && job; }
ended() { poll "$1" >/dev/null && [ "$(field .state)" != InProgress ]; }
all() { raw | jq -r '[.[] | .id + (.data.A // "-") + (.data.B // "-")] | join(",")'; }

five() { # c1…c5: A is 1 for the odd ones, B their number
  fresh
  post "[$(for i in 1 2 3 4 5; do row "c$i" "{\"A\":\"$((i % 2))\",\"B\":\"$i\"}"; done | paste -sd ,)]"
}

test_bulk_jobs() {
  fresh
  local jobs=$contacts/bulk/jobs i
  call GET $jobs
  check "no jobs" "200 0" "$status $(field .total)"
  for i in $(seq 12); do
    call POST /_sim/bulkjobs "{\"id\":\"J$i\",\"listId\":\"L1\",\"type\":\"BulkDelete\"}"
  done
  call GET $jobs
  check "the ten most recent" "10 J12 J3" "$(field '"\(.total) \(.entities[0].id) \(.entities[9].id)"')"
  call GET $jobs/J1
  check "a job" "InProgress BulkDelete 0 $jobs/J1 null" "$(field '"\(.state) \(.type) \(.percentComplete) \(.selfUri) \(.listId)"')"
  call POST /_sim/bulkjobs '{"id":"J1","listId":"L1","state":"Failed","failureReason":{"code":"x","message":"y"}}'
  call GET $jobs/J1
  check "it changed" "Failed BulkDelete x" "$(field '"\(.state) \(.type) \(.failureReason.code)"')"
  call GET $jobs/nope
  check "no job" "404 resource.not.found" "$(code)"
  call GET $lists/nope/contacts/bulk/jobs
  check "no list" "404 contact.list.not.found" "$(code)"
  call POST /_sim/bulkjobs '{"listId":"nope"}'
  check "a job of no list" 404 "$status"
}

# GENESYS_API §4, §9b: which contacts an edit is about, and what it makes of them.
test_bulk_edit() {
  five
  set_switch '{"bulk_job_ms":0}'
  call POST /_sim/contacts '{"listId":"L1","id":"c3","callable":false,"callRecords":{"PHONE":{"lastResult":"busy"}}}'
  edit "$(where A 1),$(patch '{"A":"x"}')"
  check "an edit is accepted" "200 BulkEdit InProgress 0/3 0" "$status $(field .type) $(job)"
  check "with the uris" "true true null" "$(field '"\(.selfUri == "'"$jobs"'/\(.id)") \(.downloadURI | startswith("/api/v2/downloads/")) \(.listId)"')"
  check "what matches is changed, and no other cell" "c1x1,c202,c3x3,c404,c5x5" "$(all)"
  check "attributes stay" "false busy" "$(raw | jq -r '.[2] | "\(.callable) \(.callRecords.PHONE.lastResult)"')"
  check "it is done" "Complete 3/3 100" "$(poll "$(field .id)")"
  edit "\"contactIds\":[\"c2\",\"nobody\",\"c4\"],$(patch '{}' ',"callable":false,"phoneNumberStatus":{"PHONE":{"callable":false}},"id":"no good id"')"
  check "by ids, those that are there" "InProgress 0/2 0" "$(job)"
  check "attributes are set, cells stay" "c202 c404" "$(raw | jq -r '[.[] | select(.callable == false and .phoneNumberStatus.PHONE.callable == false) | .id + .data.A + .data.B] | join(" ")')"
  call POST $out/contactlistfilters "{\"name\":\"F\",\"contactList\":{\"id\":\"L1\"},\"clauses\":[{\"predicates\":[{\"column\":\"B\",\"operator\":\"EQUALS\",\"value\":\"5\"}]}]}"
  edit "\"contactListFilterId\":\"$(field .id)\",$(patch '{"B":""}'),\"generateDownloadURI\":false"
  check "by a saved filter, without a file" "0/1 null" "$(field '"\(.completedRecords)/\(.totalRecords) \(.downloadURI)"')"
  check "a cell is emptied" "c5x" "$(raw | jq -r '.[4] | .id + .data.A + .data.B')"
  edit "$(where A none),$(patch '{"A":"y"}')"
  check "what matches nobody is done, too" "200 Complete 0/0 100" "$status $(poll "$(field .id)")"
  set_switch '{"bulk_edit_data":"replace"}'
  edit "\"contactIds\":[\"c1\"],$(patch '{"B":"z"}')"
  check "bulk_edit_data replace" "c1-z" "$(all | cut -d , -f 1)"
  test_bulk_edit_refusals
}

test_bulk_edit_refusals() {
  local before wanted given
  before=$(all)
  while IFS='|' read -r wanted given; do
    edit "$given"
    check "refused: $given" "400 $wanted" "$(code)"
  done <<LIST
constraint.validation|$(patch)
constraint.validation|$(where A 1)
constraint.validation|$(where A 1),"contact":{"contactListId":"L1"}
constraint.validation|$(where A 1),"contact":{"data":{}}
bad.request|$(where A 1),"contact":{"contactListId":"L2","data":{}}
bad.request|$(where A 1),"contactIds":["c1"],$(patch)
bad.request|"contactIds":"c1",$(patch)
bad.request|"contactIds":[],$(patch)
bad.request|$(where A 1),$(patch '{"A":1}')
invalid.contact.columns|$(where A 1),$(patch '{"Z":"1"}')
column.does.not.match.contact.list|$(where Z 1),$(patch)
invalid.property|$(where A 1),$(patch),"colour":1
invalid.property|$(where A 1),$(patch '{}' ',"colour":1')
too.many.contacts.requested|"contactIds":$(jq -nc '[range(1001) | "c\(.)"]'),$(patch)
LIST
  call POST $contacts/bulk/update '[]'
  check "no object" "400 bad.request" "$(code)"
  call POST $lists/nope/contacts/bulk/update "{$(where A 1),$(patch)}"
  check "no list" "404 contact.list.not.found" "$(code)"
  set_switch '{"bulk_edit_max":2}'
  edit "\"contactIds\":[\"a\",\"b\",\"c\"],$(patch '{"A":"no"}')"
  check "bulk_edit_max" "400 too.many.contacts.requested" "$(code)"
  check "nothing came of all that" "$before" "$(all)"
}

# GENESYS_API §4: removing takes a filter or criteria, and passes over what is in use.
test_bulk_remove() {
  five
  set_switch '{"bulk_job_ms":0,"export_header":"bare"}'
  call POST /_sim/contacts '{"listId":"L1","id":"c3","inUse":true}'
  remove "$(where A 1)"
  check "a remove is accepted" "200 BulkDelete InProgress 0/3 0" "$status $(field .type) $(job)"
  local id uri
  id=$(field .id) uri=$(field .downloadURI)
  check "what is in use is passed over" "c202,c313,c404" "$(all)"
  check "and not counted" "Complete 2/3 100" "$(poll "$id")"
  call GET "$uri" "" -L
  check "its file has them as they were" "c1,1,1 c3,1,3 c5,1,5" "$(tail -n +2 "$tmp/body" | cut -d , -f 1-3 | xargs)"
  set_switch '{"bulk_completed":"all"}'
  remove "$(where A 1)"
  check "bulk_completed all" "Complete 1/1 100" "$(poll "$(field .id)")"
  set_switch '{"bulk_in_use":"fail","bulk_completed":"changed"}'
  remove "$(where A 1)"
  check "bulk_in_use fail" "Failed 0/1 0 contact.in.use" "$(poll "$(field .id)") $(field .failureReason.code)"
  edit "$(where A 1),$(patch '{"B":"9"}')"
  check "an edit, too" "Failed 0/1 0" "$(poll "$(field .id)")"
  set_switch '{"in_use_writes":"take"}'
  edit "$(where A 1),$(patch '{"B":"9"}')"
  check "in_use_writes take: an edit" "Complete 1/1 100 c319" "$(poll "$(field .id)") $(all | cut -d , -f 2)"
  remove "$(where A 1)"
  check "in_use_writes take: no remove" "Failed 0/1 0" "$(poll "$(field .id)")"
  remove '"contactIds":["c1"]'
  check "ids are not taken" "400 invalid.property" "$(code)"
  remove ''
  check "nor is nothing" "400 constraint.validation" "$(code)"
  check "so nobody is gone" "c202,c319,c404" "$(all)"
}

# DESIGN §7: jobs go on while others read and write.
test_bulk_progress() {
  five
  set_switch '{"bulk_job_polls":5}'
  remove '"criteria":{"clauses":[{"predicates":[{"column":"B","operator":"GREATER_THAN","value":""}]}]}'
  local id
  id=$(field .id)
  check "nothing is done unasked" "c111,c202,c313,c404,c515" "$(all)"
  check "one poll, one of five" "InProgress 1/5 20" "$(poll "$id")"
  check "it is gone" "c202,c313,c404,c515" "$(all)"
  call GET $jobs
  check "a listing is no poll" "InProgress 1/5 20" "$(field '.entities[0]' >"$tmp/one" && mv "$tmp/one" "$tmp/body" && job)"
  call DELETE $contacts/c2
  check "what is gone meanwhile is not counted" "InProgress 1/5 20" "$(poll "$id")"
  check "the third" "InProgress 2/5 40" "$(poll "$id")"
  post "[$(row c1 '{"A":"1","B":"1"}'),$(row c6 '{"B":"6"}')]"
  poll "$id" >/dev/null
  check "the end" "Complete 4/5 100" "$(poll "$id")"
  check "what came after it was submitted stays" "c111,c6-6" "$(all)"
  check "and later polls change nothing" "Complete 4/5 100" "$(poll "$id")"
  five
  set_switch '{"bulk_job_polls":2,"bulk_job_ms":600000}'
  edit "$(where A 1),$(patch '{"A":"x"}')"
  id=$(field .id)
  poll "$id" >/dev/null
  post "[$(row c5 '{"A":"y","B":"y"}')]"
  check "an edit sets its cells in what is there by then" "Complete 3/3 100 c1x1,c202,c3x3,c404,c5xy" "$(poll "$id") $(all)"
  edit "$(where A x),$(patch '{"B":"-"}')"
  id=$(field .id)
  edit "$(where A x),$(patch '{"B":"+"}')"
  check "a second waits for the first" "InProgress 0/3 0" "$(poll "$(field .id)")"
  call POST /_sim/bulkjobs "{\"listId\":\"L1\",\"id\":\"$id\",\"state\":\"Failed\"}"
  check "a job that is said to have failed" "Failed 0/3 0" "$(poll "$id")"
  check "does nothing more" "c1x1,c202,c3x3,c404,c5xy" "$(all)"
  test_bulk_time
  test_bulk_limits
}

test_bulk_time() {
  local first second
  five
  set_switch '{"bulk_job_ms":600000}'
  edit "$(where A 1),$(patch '{"A":"x"}')"
  first=$(field .id)
  check "by time: not yet" "InProgress 0/3 0" "$(poll "$first")"
  set_switch '{"bulk_job_ms":0}'
  edit "$(where A 0),$(patch '{"A":"y"}')"
  second=$(field .id)
  check "by time: one waits for the other" "InProgress 0/2 0" "$(poll "$second")"
  call POST /_sim/bulkjobs "{\"listId\":\"L1\",\"id\":\"$first\",\"state\":\"Failed\"}"
  check "by time: until that has ended" "Complete 2/2 100" "$(poll "$second")"
  five
  set_switch '{"bulk_job_ms":1000}'
  edit "$(where A 1),$(patch '{"A":"2"}')"
  first=$(field .id)
  edit "\"contactIds\":[\"c1\",\"c3\",\"c5\"],$(patch '{"B":"-"}')"
  second=$(field .id)
  await "by time: it ends" ended "$first"
  check "by time: the next has only begun" InProgress "$(poll "$second" >/dev/null && field .state)"
  await "by time: then it ends, too" ended "$second"
  check "both took effect, in order" "c12-,c202,c32-,c404,c52-" "$(all)"
}

test_bulk_limits() {
  five
  set_switch '{"bulk_jobs_max":1,"bulk_job_polls":3,"bulk_fail_after":2}'
  edit "$(where A 1),$(patch '{"A":"x"}')"
  local id
  id=$(field .id)
  remove "$(where A 0)"
  check "bulk_jobs_max" "409 too.many.bulk.jobs true" "$(code) $(field '.message | contains("concurrent")')"
  poll "$id" >/dev/null
  poll "$id" >/dev/null
  check "bulk_fail_after" "Failed 2/3 66 bulk.operation.failed" "$(poll "$id") $(field .failureReason.code)"
  check "what was done stays" "c1x1,c202,c3x3,c404,c515" "$(all)"
  remove "$(where A 0)"
  check "then there is room" 200 "$status"
  call POST /_sim/locks '{"listId":"L1","conflict":"K2"}'
  edit "$(where A 1),$(patch '{"A":"x"}')"
  check "a list that is locked" "409 contact.list.not.ready" "$(code)"
  id=$(curl -sk -H "Authorization: Bearer $token" "$url$jobs" | jq -r '.entities[0].id')
  call DELETE $lists/L1
  call POST /_sim/lists "$list_body"
  check "a list that is gone" "Failed contact.list.not.found" "$(poll "$id" >/dev/null && field '"\(.state) \(.failureReason.code)"')"
  five
  set_switch '{"discard":"on","generated_contacts":3000000,"bulk_job_ms":0}'
  remove "$(where A 0)"
  check "with discard: it is counted" "InProgress 0/3000000 0 null Complete 3000000/3000000 100" "$(job) $(field .downloadURI) $(poll "$(field .id)")"
  set_switch '{"bulk_requests_per_minute":1}'
  edit "\"contactIds\":[\"contact-000000001\"],$(patch)"
  edit "\"contactIds\":[\"contact-000000001\"],$(patch)"
  check "both calls count as bulk" 429 "$status"
}

# A job's file is kept as long as the job is listed.
test_bulk_files() {
  five
  set_switch '{"bulk_job_ms":0}'
  local first i
  edit "$(where A 1),$(patch)"
  first=$(field .downloadURI)
  for i in $(seq 9); do edit "$(where A 1),$(patch)"; done
  call GET "$first" "" -L
  check "the tenth from the end" 200 "$status"
  edit "$(where A 1),$(patch)"
  call GET "$first" "" -L
  check "the eleventh is gone" 404 "$status"
  set_switch '{"export_uri":"absolute"}'
  edit "$(where A 1),$(patch)"
  check "export_uri absolute" true "$(field '.downloadURI | startswith("'"$url"'")')"
}
