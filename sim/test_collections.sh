# Part of test.sh: collections of all sorts, each with its own habits (GENESYS_API 9, SCENARIOS L).

wfm=/api/v2/workforcemanagement

test_collections() {
  fresh
  local codes=/api/v2/routing/wrapupcodes units=$wfm/managementunits groups=/api/v2/wfm/users/groups id n wanted method path given
  for n in 1 2 3; do call POST $codes "{\"name\":\"code $n\"}"; done
  check "a code is made" "200 code 3" "$status $(field .name)"
  id=$(field .id)
  call GET "$codes?pageSize=2&pageNumber=2"
  check "codes are paged" "code 3 3 2" "$(field '"\(.entities[0].name) \(.total) \(.pageCount)"')"
  call PUT "$codes/$id" '{"name":"new"}'
  check "PUT" "200 new $id" "$status $(field '"\(.name) \(.id)"')"
  call DELETE "$codes/$id"
  check "DELETE" 204 "$status"
  call GET "$codes/$id"
  check "it is gone" 404 "$status"
  call POST $units '{"name":"North","settings":{"a":{"b":1}}}'
  check "a unit is made" "200 1" "$status $(field .settings.metadata.version)"
  id=$(field .id)
  call PATCH "$units/$id" '{"note":"x","settings":{"a":{"c":2},"metadata":{"version":1}}}'
  check "PATCH merges" "200 North x 1 2 2" "$status $(field '"\(.name) \(.note) \(.settings.a.b) \(.settings.a.c) \(.settings.metadata.version)"')"
  call GET $units
  check "units are not paged, and without settings" "null null" "$(field '"\(.total) \(.entities[0].settings)"')"
  call GET "$units?expand=settings.metadata"
  check "but with expand" 2 "$(field '.entities[0].settings.metadata.version')"
  call POST $wfm/businessunits/b1/staffinggroups '{"name":"Night"}'
  check "a staffing group" "200 1" "$status $(field .metadata.version)"
  call GET $wfm/businessunits/b2/staffinggroups
  check "is its business unit's" 0 "$(field '.entities | length')"
  call POST /_sim/entities "{\"path\":\"$groups\",\"id\":\"g1\",\"name\":\"Ann's\"}"
  check "seeded" "200 1" "$status $(field .version)"
  call POST /_sim/entities "{\"path\":\"$groups\",\"id\":\"g1\",\"lead\":\"Bob\"}"
  check "changed by somebody else" "200 2 Ann's" "$status $(field '"\(.version) \(.name)"')"
  call PUT $groups/g1 '{"name":"Bob","version":2}'
  check "PUT replaces" "200 3 null" "$status $(field '"\(.version) \(.lead)"')"
  call PUT $groups/g1 '{"name":"x","version":2}'
  check "the words of a stale version" "409 The resource has been modified since the last request. Please refresh and retry." "$status $(field .message)"
  call PATCH "$units/$id" '{"settings":{"metadata":{"version":1}}}'
  check "others have other words" "409 Resource conflict - Unexpected version was provided" "$status $(field .message)"
  while IFS='|' read -r wanted method path given; do
    call "$method" "$path" "$given"
    check "refused: $method $path $given" "$wanted" "$status"
  done <<LIST
400|PATCH|$units/$id|{"note":"y"}
400|PUT|$groups/g1|{"name":"x"}
400|POST|$codes|{}
409|POST|$codes|{"name":"code 1"}
409|POST|$units|{"name":"North"}
404|PUT|$groups/nope|{"name":"x","version":1}
405|GET|$groups/g1|
405|POST|$groups|{"name":"x"}
405|PUT|$units/$id|{}
LIST
  set_switch '{"dialects":"platform"}'
  call GET $groups
  check "groups are of dialect jobs" 404 "$status"
}

test_filter_writes() {
  fresh
  local filters=$out/contactlistfilters id body1='"contactList":{"id":"L1"},"clauses":[{"filterType":"AND","predicates":[{"column":"A","columnType":"alphabetic","operator":"EQUALS","value":"x"}]}],"filterType":"AND"'
  call POST $filters "{\"name\":\"one\",$body1}"
  id=$(field .id)
  call PUT "$filters/$id" "{\"name\":\"two\",\"version\":1,$body1}"
  check "a filter is changed" "200 two 2" "$status $(field '"\(.name) \(.version)"')"
  call PUT "$filters/$id" "{\"name\":\"two\",\"version\":1,$body1}"
  check "not with an old version" "409 invalid.update.wrong.version" "$(code)"
  call DELETE "$filters/$id"
  check "deleted" 204 "$status"
  call GET "$filters/$id"
  check "gone" 404 "$status"
}
