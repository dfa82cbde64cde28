# Part of test.sh: what others do to a contact between two requests.

called() { call GET /_sim/faults; field "[.[].called[]] | join(\",\")"; }
opt_out='{"path":"/_sim/contacts","body":{"listId":"L1","id":"c1","callable":false}}'

# SCENARIOS D2b, H4: an opt-out at any point between the requests of a statement.
test_races() {
  fresh
  post "[$(row c1 '{"A":"1"}')]"
  faults "[{\"method\":\"GET\",\"path\":\"/contacts/\",\"nth\":2,\"calls_after\":[$opt_out]}]"
  call GET $contacts/c1
  check "not with the first request" "true true" "$(field .callable) $(jq -r '.[0].callable' <<<"$(raw)")"
  call GET $contacts/c1
  check "after the second: it answers what was" "200 true" "$status $(field .callable)"
  check "and then it is so" false "$(jq -r '.[0].callable' <<<"$(raw)")"
  check "the fault says what it called" 200 "$(called)"
  call POST /_sim/contacts '{"listId":"L1","id":"c1","callable":true}'
  faults "[{\"path\":\"/contacts/c1\",\"calls_before\":[$opt_out]}]"
  call GET $contacts/c1
  check "before the request: it answers what is" false "$(field .callable)"
  call POST /_sim/contacts '{"listId":"L1","id":"c1","callable":true}'
  faults "[{\"method\":\"POST\",\"nth\":1,\"drop\":\"after\",\"calls_after\":[$opt_out]}]"
  post "[$(row c1 '{"A":"2"}')]"
  check "between a lost answer and the retry" "000 2 false" "$status $(jq -r '.[0] | "\(.data.A) \(.callable)"' <<<"$(raw)")"
  post "[$(row c1 '{"A":"2"}')]"
  check "the retry leaves it" "200 false" "$status $(field '.[0].callable')"
  faults "[{\"path\":\"/contacts\",\"status\":503,\"calls_after\":[$opt_out]},{\"path\":\"/contacts\",\"status\":500}]"
  post "[$(row c1)]"
  check "with another fault, in one" "503 200" "$status $(called)"
  faults "[{\"path\":\"/contacts\",\"drop\":\"before\",\"calls_before\":[$opt_out],\"calls_after\":[$opt_out]}]"
  post "[$(row c1)]"
  check "nothing comes after what has no effect" 200 "$(called)"
  test_races_by_api
}

raw() { curl -sk "$url/_sim/contacts?listId=L1"; }

# Another client's calls: no token, no window, no record.
test_races_by_api() {
  local seen
  set_switch '{"requests_per_minute":2}'
  faults "[{\"path\":\"/bulk\",\"nth\":1,\"calls_after\":[{\"method\":\"DELETE\",\"path\":\"$contacts/c1\"},
    {\"path\":\"$contacts?priority=true\",\"body\":[$(row c1 '{"B":"new"}')]},{\"path\":\"$contacts\",\"body\":[1]},{\"path\":\"/nowhere\"}]}]"
  login
  call POST $contacts/bulk '["c1"]'
  check "it is read as it was" "200 2" "$status $(field '.[0].data.A')"
  check "calls of the API" 200,200,400,404 "$(called)"
  check "it was deleted and made again" '{"B":"new"} true' "$(jq -r '.[0] | "\(.data) \(.configurationOverrides.priority)"' <<<"$(raw)")"
  call GET $lists
  check "they count in no window" "200 2" "$status $(header inin-ratelimit-count)"
  call GET "/_sim/requests"
  seen=$(field '[.[] | select(.method == "DELETE")] | length')
  check "they are not in the record" 0 "$seen"
  call POST /_sim/faults "[{\"drop\":\"during\",\"calls_after\":[$opt_out]}]"
  check "no calls while the body still comes" 400 "$status"
  for given in '{}' '[1]' '[{"body":1}]' '[{"path":"nowhere"}]' '[{"path":"/x","method":1}]'; do
    call POST /_sim/faults "[{\"calls_after\":$given}]"
    check "no calls: $given" 400 "$status"
  done
}
