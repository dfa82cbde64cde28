# Part of test.sh: what writes make of contacts, and what keeps them out.

phones='{"id":"L1","name":"One","columnNames":["A","HOME","CELL"],"phoneColumns":[{"columnName":"HOME","type":"home"},{"columnName":"CELL","type":"cell"}]}'
is_raw() { raw | jq -rc ".[0] | $1"; }

# What is stored is there again after a kill; what was being written then is not.
test_journal() {
  rm -f "$tmp/journal"
  start --journal "$tmp/journal"
  fresh
  post "[$(row c1 '{"A":"é \"1\""}'),$(row c2 '{"A":"2"}' ',"callable":false'),$(row c3 '{"A":"3"}')]"
  post "[$(row c1 '{"PHONE":"+1"}' ',"phoneNumberStatus":{"PHONE":{"callable":false}}')]"
  call PUT $contacts/c2 "$(row c2 '{"A":"two"}')"
  call DELETE $contacts/c3
  call POST /_sim/contacts '{"listId":"L1","id":"c1","inUse":true}'
  local before after
  kept() { raw | jq -c '[.[] | del(.queueMoves, .doNotQueue)] | map(to_entries | sort_by(.key))'; }
  before=$(kept)
  kill -KILL "$sim_pid"
  wait "$sim_pid" 2>/dev/null
  printf '{"id":"c4","contactListId":"L1"' >>"$tmp/journal"
  start --journal "$tmp/journal"
  after=$(kept)
  check "two contacts" 2 "$(jq length <<<"$before")"
  check "a journal: contacts as they were" "$before" "$after"
  call POST /_sim/contacts '{"listId":"L1","id":"c1","deleted":true}'
  stop
  start --journal "$tmp/journal"
  check "what is written after that" '"c2"' "$(raw | jq -c '.[].id')"
  call POST /_sim/reset
  check "a reset empties it" 0 "$(stat -c %s "$tmp/journal")"
  stop
}

# GENESYS_API §4, §9b: what a POST and a PUT leave of the statuses that they do not name.
test_statuses() {
  fresh
  call DELETE $lists/L1
  call POST /_sim/lists "$phones"
  post "[$(row c1 '{}' ',"phoneNumberStatus":{"HOME":{"callable":false}}')]"
  check "a status has every phone column" '{"HOME":{"callable":false},"CELL":{"callable":true}}' "$(field '.[0].phoneNumberStatus')"
  post "[$(row c1 '{}' ',"phoneNumberStatus":{"CELL":{"callable":false}}')]"
  check "status_parts merge: an opt-out of another phone stays" '{"HOME":{"callable":false},"CELL":{"callable":false}}' "$(field '.[0].phoneNumberStatus')"
  post "[$(row c1 '{}' ',"contactableStatus":{"Voice":{"contactable":false,"columnStatus":{"HOME":{"contactable":false}}}}')]"
  post "[$(row c1 '{}' ',"contactableStatus":{"Voice":{"columnStatus":{"CELL":{"contactable":true}}},"Email":{"contactable":false}}')]"
  check "status_parts merge: media, and columns in them" \
    '{"Voice":{"contactable":false,"columnStatus":{"HOME":{"contactable":false},"CELL":{"contactable":true}}},"Email":{"contactable":false}}' \
    "$(field '.[0].contactableStatus')"
  call PUT $contacts/c1 "$(row c1 '{}' ',"phoneNumberStatus":{"CELL":{"callable":true}}')"
  check "status_parts merge: PUT" '{"HOME":{"callable":false},"CELL":{"callable":true}}' "$(field .phoneNumberStatus)"
  set_switch '{"status_parts":"replace"}'
  post "[$(row c1 '{}' ',"phoneNumberStatus":{"CELL":{"callable":false}},"contactableStatus":{"Email":{"contactable":true}}')]"
  check "status_parts replace" '{"HOME":{"callable":true},"CELL":{"callable":false}} {"Email":{"contactable":true}}' \
    "$(field '.[0] | "\(.phoneNumberStatus) \(.contactableStatus)"')"
  post "[$(row c1)]"
  check "status_parts replace: a status that is not sent stays" false "$(field '.[0].phoneNumberStatus.CELL.callable')"
  for given in 1 '{"Voice":true}' '{"Voice":{}}' '{"Voice":{"contactable":1}}' '{"Voice":{"x":true}}' \
    '{"Voice":{"columnStatus":{"HOME":{"callable":true}}}}' '{"Voice":{"columnStatus":{"HOME":{"columnStatus":{}}}}}'; do
    post "[$(row c1 '{}' ",\"contactableStatus\":$given")]"
    check "no contactableStatus: $given" "400 invalid.value" "$(code)"
  done
}

# GENESYS_API §4: retention, dates and what only the platform writes.
test_kept_attributes() {
  fresh
  local created
  post "[$(row c1 '{"A":"1"}' ',"retentionType":"DAYS","retentionDays":7,"dateExpiration":"2030-01-01T00:00:00Z"')]"
  created=$(field '.[0].dateCreated')
  call POST /_sim/contacts '{"listId":"L1","id":"c1","callRecords":{"PHONE":{"lastResult":"busy"}},"latestSmsEvaluations":{"PHONE":{"timestamp":"x"}},"contactColumnTimeZones":{"PHONE":{"timeZone":"UTC"}}}'
  post "[$(row c1 '{"B":"2"}' ',"dateCreated":"2001-01-01T00:00:00Z","callRecords":{},"configurationOverrides":{"priority":true},"selfUri":"/x"')]"
  check "what is read-only stays as it was" "$created busy x UTC null" "$(field '.[0] | "\(.dateCreated) \(.callRecords.PHONE.lastResult) \(.latestSmsEvaluations.PHONE.timestamp) \(.contactColumnTimeZones.PHONE.timeZone) \(.configurationOverrides)"')"
  check "retention stays" "DAYS 7 2030-01-01T00:00:00Z" "$(field '.[0] | "\(.retentionType) \(.retentionDays) \(.dateExpiration)"')"
  call PUT $contacts/c1 "$(row c1 '{"A":"3"}')"
  check "by PUT, too" '{"A":"3"} DAYS 7 2030-01-01T00:00:00Z busy '"$created" "$(field '"\(.data) \(.retentionType) \(.retentionDays) \(.dateExpiration) \(.callRecords.PHONE.lastResult) \(.dateCreated)"')"
  call PUT $contacts/c1 "$(row c1 '{"A":"3"}' ',"retentionDays":9')"
  check "unless it says so" 9 "$(field .retentionDays)"
  call DELETE $contacts/c1
  post "[$(row c1 '{"A":"4"}')]"
  check "a contact that had been deleted is new" 'true null null {"A":"4"}' \
    "$(field ".[0] | \"\(.dateCreated > \"$created\") \(.retentionDays) \(.callRecords) \(.data)\"")"
  call PATCH $contacts/c1 "$(row c1)"
  check "a contact takes no PATCH" "405 method.not.allowed" "$(code)"
}

# What a test changes as if another writer, or the dialler, did.
test_set_contact() {
  fresh
  post "[$(row c1 '{"A":"1","B":"2"}' ',"callable":false'),$(row c2)]"
  call POST /_sim/contacts '{"listId":"L1","id":"c1","data":{"B":"x\u0000","PHONE":"+1"},"callRecords":{"PHONE":{"lastResult":"ININ-OUTBOUND-BUSY"}}}'
  check "cells and records" '200 {"A":"1","B":"x\u0000","PHONE":"+1"} ININ-OUTBOUND-BUSY false' "$status $(field '"\(.data) \(.callRecords.PHONE.lastResult) \(.callable)"')"
  call POST /_sim/contacts '{"listId":"L1","id":"c1","data":{"A":null}}'
  check "a cell is taken away" '["B","PHONE"]' "$(field '.data | keys')"
  call POST /_sim/contacts '{"listId":"L1","id":"c1","dateCreated":null}'
  call GET $contacts/c1
  check "a contact without a date" "200 false" "$status $(field 'has("dateCreated")')"
  call POST /_sim/contacts '{"listId":"L1","id":"c1","dateCreated":"2020-02-03T04:05:06Z"}'
  check "a date" 2020-02-03T04:05:06.000Z "$(field .dateCreated)"
  for given in '"data":{"Z":"1"}' '"data":{"A":1}' '"data":1' '"dateCreated":"soon"' '"colour":1'; do
    call POST /_sim/contacts "{\"listId\":\"L1\",\"id\":\"c1\",$given}"
    check "refused: $given" 400 "$status"
  done
  call POST /_sim/contacts '{"listId":"L1","id":"c2","deleted":true}'
  check "it is deleted" '200 c1' "$status $(raw | jq -r '[.[].id] | join(",")')"
  call POST /_sim/contacts '{"listId":"L1","id":"c2","callable":true}'
  check "then it is not there" 404 "$status"
}

# DESIGN §3: a row that is bad or held may be passed over without a word.
test_partial_posts() {
  fresh
  post "[$(row held),$(row free)]"
  call POST /_sim/contacts '{"listId":"L1","id":"held","inUse":true}'
  set_switch '{"bad_rows":"skip"}'
  post "[$(row a '{"A":"1"}'),$(row b '{"Z":"1"}'),$(row 'c c'),$(row d '{"A":"4"}'),{}]"
  check "bad_rows skip" "200 a,d" "$status $(field '[.[].id] | join(",")')"
  check "those that are good are stored" "held,free,a,d" "$(raw | jq -r '[.[].id] | join(",")')"
  post "[$(row e '{"Z":"1"}')]"
  check "bad_rows skip, all of them" "200 []" "$status $body"
  post "[$(row f),1]"
  check "what is no contact is refused all the same" "400 bad.request" "$(code)"
  call PUT $contacts/a "$(row a '{"Z":"1"}')"
  check "as is a bad PUT" "400 invalid.contact.columns" "$(code)"
  post "[$(row held '{"A":"1"}'),$(row g)]"
  check "in_use_writes 409" "409 contact.in.use" "$(code)"
  set_switch '{"in_use_writes":"skip"}'
  post "[$(row held '{"A":"1"}'),$(row g),$(row free '{"A":"2"}')]"
  check "in_use_writes skip" "200 g,free" "$status $(field '[.[].id] | join(",")')"
  set_switch '{"echo_order":"reversed"}'
  post "[$(row h),$(row held '{"A":"1"}'),$(row free)]"
  check "and in reverse" "free,h" "$(field '[.[].id] | join(",")')"
  check "it is as it was" '{}' "$(is_raw .data)"
  call PUT $contacts/held "$(row held '{"A":"1"}')"
  check "in_use_writes skip, PUT" "409 contact.in.use" "$(code)"
  set_switch '{"in_use_writes":"take","echo_order":"request"}'
  post "[$(row held '{"A":"1"}')]"
  check "in_use_writes take" '200 {"A":"1"}' "$status $(field '.[0].data')"
  call PUT $contacts/held "$(row held '{"A":"2"}')"
  check "in_use_writes take, PUT" '200 {"A":"2"}' "$status $(field .data)"
  call DELETE $contacts/held
  check "but it is not deleted" "400 contact.in.use" "$(code)"
}

writes() { # the status of every kind of write, one after the other
  post "[$(row new)]" && printf '%s ' "$status"
  call PUT $contacts/c1 "$(row c1)" && printf '%s ' "$status"
  call DELETE $contacts/c2 && printf '%s ' "$status"
  call DELETE "$contacts?contactIds=c3" && printf '%s' "$status"
}

# SCENARIOS K2, K3, K5: as a state of the list, for every write, so often or so long.
test_locks() {
  fresh
  post "[$(row c1),$(row c2),$(row c3)]"
  lock() { call POST /_sim/locks "{\"listId\":\"L1\",$1}"; check "lock $1" 200 "$status"; }
  lock '"conflict":"K2"'
  check "a lock is shown" K2 "$(field .locked)"
  check "every write meets it" "409 409 409 409" "$(writes)"
  call POST $lists/L1/clear
  check "a clear, too" "409 contact.list.not.ready" "$(code)"
  call GET $contacts/c1
  check "reading does not" 200 "$status"
  call GET /_sim/state
  check "it is shown in the state" K2 "$(field '.lists[0].locked')"
  lock '"conflict":"K5","conflict_words":true,"times":2'
  post "[$(row new)]"
  check "its words" "409 conflict true" "$(code) $(field '.message | contains("concurrent")')"
  post "[$(row 'bad id')]"
  check "a request that is refused anyway does not count" "400 invalid.contact.id" "$(code)"
  check "times" "409 200 200 204" "$(writes)"
  lock '"conflict":"K3","ms":300'
  post "[$(row new)]"
  check "K3" "409 contact.in.use" "$(code)"
  over() { post "[$(row new)]" && [ "$status" = 200 ]; }
  await "ms: it ends after a while" over
  lock '"conflict":"K2"'
  lock '"conflict":null'
  check "it is taken away" null "$(field .locked)"
  post "[$(row new)]"
  check "and writes are taken" 200 "$status"
  for given in '"conflict":"K9"' '"conflict":"K2","times":"x"' '"conflict":"K2","ms":"x"'; do
    call POST /_sim/locks "{\"listId\":\"L1\",$given}"
    check "no lock: $given" 400 "$status"
  done
  call POST /_sim/locks '{"listId":"nope"}'
  check "a lock of no list" 404 "$status"
  set_switch '{"discard":"on"}'
  lock '"conflict":"K2"'
  post "[$(row new)]"
  check "with discard" "409 contact.list.not.ready" "$(code)"
}

# SCENARIOS K2, K3: a campaign that dials.
test_dialling() {
  fresh
  post "[$(row c1),$(row c2),$(row c3)]"
  campaign() { call POST /_sim/campaigns "{\"id\":\"C\",\"contactList\":{\"id\":\"${2-L1}\"},\"campaignStatus\":\"$1\"}"; }
  campaign on
  check "campaign_on free" "200 200 200 204" "$(writes)"
  post "[$(row c2),$(row c3)]"
  set_switch '{"campaign_on":"lock"}'
  check "campaign_on lock" "409 409 409 409" "$(writes)"
  campaign stopping
  check "while it stops, too" "409 409 409 409" "$(writes)"
  check "nothing came of all that" "c1,new,c2,c3" "$(raw | jq -r '[.[].id] | join(",")')"
  set_switch '{"campaign_on":"hold"}'
  post "[$(row other)]"
  check "campaign_on hold: new contacts are taken" 200 "$status"
  check "campaign_on hold: those there are, are held" "409 409 400 204" "$(writes)"
  check "those named with others are passed over" yes "$(is_stored c3)"
  campaign on L2
  check "a campaign of another list" "200 200 200 204" "$(writes)"
  campaign on
  campaign off
  post "[$(row c2)]"
  check "a campaign that is off" 200 "$status"
}

counted() { call GET "$lists/L1?includeSize=true" && field .size; }

# GENESYS_API §3: a clear takes its time; what comes meanwhile.
test_clearing() {
  fresh
  post "[$(row c1)]"
  set_switch '{"clear_ms":600000,"clear_busy":"409"}'
  call POST $lists/L1/clear
  check "a clear begins" 200 "$status"
  call GET "$lists/L1?includeSize=true"
  check "its contacts are still there" 1 "$(field .size)"
  post "[$(row c2)]"
  check "clear_busy 409: writes" "409 contact.list.not.ready true" "$(code) $(field '.message | contains("processing")')"
  call POST $lists/L1/export
  check "clear_busy 409: exports" "409 contact.list.not.ready" "$(code)"
  call POST $lists/L1/clear
  check "clear_busy 409: another clear" "409 contact.list.not.ready" "$(code)"
  set_switch '{"clear_busy":"allow"}'
  call POST $lists/L1/export
  check "clear_busy allow: exports" 200 "$status"
  fresh
  set_switch '{"clear_busy":"409","clear_ms":200}'
  post "[$(row c1)]"
  call POST $lists/L1/clear
  taken() { post "[$(row c3)]" && [ "$status" = 200 ]; }
  await "writes are taken once it is done" taken
  check "only what came later is there" c3 "$(raw | jq -r '[.[].id] | join(",")')"
  fresh
  set_switch '{"discard":"on","clear_ms":200}'
  post "[$(row c1),$(row c2)]"
  call POST $lists/L1/clear
  post "[$(row c3)]"
  check "with discard: it is counted" 3 "$(counted)"
  gone() { [ "$(counted)" = 1 ]; }
  await "with discard: and goes after a while" gone
}

# SCENARIOS K1, K8: ids that must be the only ones of their kind.
test_duplicate_ids() {
  fresh
  call POST /_sim/lists "$(jq -c '.id = "L2" | .name = "Two"' <<<"$list_body")"
  call POST $lists/L2/contacts '[{"id":"x","contactListId":"L2","data":{}}]'
  post "[$(row a),$(row x),$(row a)]"
  check "both are taken" 200 "$status"
  set_switch '{"duplicate_ids":"409"}'
  post "[$(row b),$(row a),$(row c),$(row a '{"A":"2"}')]"
  check "duplicate_ids 409" "409 duplicate.contact.id id a true" "$(code) $(field '.details[0] | "\(.fieldName) \(.entityId)"') $(field '.message | contains("duplicate contact")')"
  post '[{"contactListId":"L1","data":{}},{"contactListId":"L1","data":{}}]'
  check "without ids there is none twice" 200 "$status"
  set_switch '{"external_id_unique":"on"}'
  post "[$(row b),$(row x)]"
  check "external_id_unique on" "409 duplicate.external.id externalId x true" "$(code) $(field '.details[0] | "\(.fieldName) \(.entityId)"') $(field '.message | test("external id .* already exists")')"
  check "neither stored anything" "a,x" "$(raw | jq -r '[.[].id | select(length == 1)] | join(",")')"
  call DELETE $lists/L2
  post "[$(row b),$(row x)]"
  check "until it is in one list only" 200 "$status"
}

# GENESYS_API §4: the length of the address matters.
test_long_addresses() {
  fresh
  local many
  many=$(seq -f 'contactIds=contact-%040g' -s '&' 200)
  call DELETE "$contacts?$many"
  check "an address over 8,192 bytes" "414 uri.too.long" "$(code)"
  set_switch '{"uri_max":0}'
  call DELETE "$contacts?$many"
  check "uri_max 0: any" 204 "$status"
  set_switch "{\"uri_max\":$(printf %s "${contacts}contactIds=c1" | wc -c)}"
  call DELETE "$contacts?contactIds=c1"
  check "uri_max counts path and query" 204 "$status"
  call DELETE "$contacts?contactIds=c12"
  check "and no more" 414 "$status"
}

# GENESYS_API §4, SCENARIOS H3: what reads that lag still show of contacts that were changed.
test_lagging_changes() {
  fresh
  post "[$(row a '{"A":"1"}'),$(row b '{"A":"2"}'),$(row c '{"A":"3"}'),$(row d '{"A":"4"}')]"
  for id in a b c d; do call POST /_sim/contacts "{\"listId\":\"L1\",\"id\":\"$id\",\"dateCreated\":\"2026-01-01T00:00:00Z\"}"; done
  shown() { search '{"pageNumber":1,"pageSize":20}' && field '[.entities[] | .id + (.data.A // "")] | join(",")'; }
  set_switch '{"read_lag_ms":600000}'
  check "what has long been there is seen" "a1,b2,c3,d4" "$(shown)"
  post "[$(row b '{"A":"20"}'),$(row e '{"A":"5"}'),$(row b '{"A":"21"}')]"
  call PUT $contacts/d "$(row d '{"A":"40"}' ',"callable":false')"
  call DELETE $contacts/a
  call DELETE $contacts/c
  post "[$(row c '{"A":"30"}'),$(row b '{"A":"22"}')]"
  call POST /_sim/contacts '{"listId":"L1","id":"d","callable":false,"callRecords":{"PHONE":{"lastResult":"busy"}}}'
  check "searches show what was" "a1,b2,c3,d4" "$(shown)"
  check "attributes, too" "true null" "$(field '.entities[3] | "\(.callable) \(.callRecords)"')"
  search '{"pageNumber":1,"pageSize":5,"criteria":{"clauses":[{"predicates":[{"column":"A","columnType":"numeric","operator":"LESS_THAN","value":"4"}]}]},"contactSorts":[{"fieldName":"A","direction":"DESC"}]}'
  check "they find it by what was" "c,b,a 3 4" "$(found) $(field '"\(.total) \(.contactsCount)"')"
  call GET "$lists/L1?includeSize=true"
  check "size is what was" 4 "$(field .size)"
  call GET $contacts/b
  check "by id it is as it is" 22 "$(field .data.A)"
  call GET $contacts/a
  check "by id it is gone" 404 "$status"
  call POST $lists/L1/clear
  check "a clear is not seen either" "a1,b2,c3,d4" "$(shown)"
  call POST $contacts/bulk '["a","b","c","d","e"]'
  check "by ids it is" "[]" "$body"
  set_switch '{"export_ms":0,"export_header":"bare"}'
  call POST $lists/L1/export
  call GET $lists/L1/export
  call GET "$(field .uri)" "" -L
  check "exports show what was" "a1,b2,c3,d4" "$(tail -n +2 "$tmp/body" | cut -d , -f 1,2 | tr -d , | paste -sd ,)"
  post "[$(row f '{"A":"6"}')]"
  set_switch '{"read_lag_ms":0}'
  check "without a lag all is as it is" f6 "$(shown)"
  set_switch '{"read_lag_ms":300}'
  post "[$(row f '{"A":"60"}')]"
  await "read_lag_ms: a change is seen after a while" eval '[ "$(shown)" = f60 ]'
  call DELETE $contacts/f
  await "read_lag_ms: so is a delete" eval '[ "$(shown)" = "" ]'
}
