# Part of test.sh: contacts, one by one, in batches, and by search.

test_post() {
  fresh
  post "[$(row c1 '{"A":"1","PHONE":"+1"}'),$(row c2 '{}' ',"callable":false')]"
  check "post" "200 c1,c2" "$status $(field '[.[].id] | join(",")')"
  check "its attributes" 'L1 true {"PHONE":{"callable":true}} {"A":"1","PHONE":"+1"} '"$contacts/c1" \
    "$(field '.[0] | "\(.contactListId) \(.callable) \(.phoneNumberStatus) \(.data) \(.selfUri)"')"
  check "its date" true "$(field '.[0].dateCreated | test("^2.*T.*[.][0-9]{3}Z$")')"
  check "no nulls" 0 "$(field '[.[][] | select(. == null)] | length')"
  post "[$(row c2 '{"A":"9"}')]"
  check "upsert keeps what is not sent" 'false {"A":"9"}' "$(field '.[0] | "\(.callable) \(.data)"')"
  post '[{"contactListId":"L1","data":{"A":"x"}}]'
  check "an id is made" 36 "$(field '.[0].id' | tr -d '\n' | wc -c)"
  post "[$(row d '{"A":"1"}'),$(row d '{"B":"2"}')]"
  check "an id twice: both echoed, last wins" '{"A":"1"}{"A":"1","B":"2"}' "$(field '"\(.[0].data)\(.[1].data)"')"
  post "[$(row c1 '{}' ',"phoneNumberStatus":{"PHONE":{"callable":false}},"contactableStatus":{"Voice":{"contactable":false}},"retentionDays":3,"retentionType":"x"')]"
  check "attributes that are sent" 'false false 3' "$(field '.[0] | "\(.phoneNumberStatus.PHONE.callable) \(.contactableStatus.Voice.contactable) \(.retentionDays)"')"
  call POST /_sim/contacts '{"listId":"L1","id":"c1","callRecords":{"PHONE":{"lastResult":"busy"}},"callable":false}'
  check "attributes of the platform" "200 busy" "$status $(field .callRecords.PHONE.lastResult)"
  post "[$(row c1 '{"B":"2"}')]" "?doNotQueue=true&priority=true"
  check "they survive an upsert" 'false busy true {"A":"1","B":"2","PHONE":"+1"}' \
    "$(field '.[0] | "\(.callable) \(.callRecords.PHONE.lastResult) \(.configurationOverrides.priority) \(.data)"')"
  call GET "/_sim/contacts?listId=L1&limit=1"
  check "parameters are kept" "true 2" "$(field '.[0] | "\(.doNotQueue) \(.queueMoves)"')"
  post "[$(row c1)]" "?clearSystemData=true"
  check "clearSystemData" 'true null true 3' "$(field '.[0] | "\(.callable) \(.callRecords) \(.phoneNumberStatus.PHONE.callable) \(.retentionDays)"')"
  post "[]"
  check "nothing" "200 []" "$status $body"
  test_post_refusals
  test_text
}

test_post_refusals() {
  local before long wanted given
  call GET "/_sim/state"
  before=$(field '.lists[0].contacts')
  long=$(printf 'x%.0s' $(seq 513))
  while IFS='|' read -r wanted given; do
    post "$given"
    check "refused: $wanted" "400 $wanted" "$(code)"
  done <<LIST
invalid.contact.columns|[$(row n1),$(row n2 '{"Z":"1"}')]
invalid.contact.id|[$(row n1),$(row 'a b')]
invalid.contact.id|[$(row '')]
invalid.contact.id|[$(row "$(printf 'x%.0s' $(seq 101))")]
contact.datum.length.limit.exceeded|[$(row n1 "{\"A\":\"$long\"}")]
bad.request|[$(row n1 '{"A":1}')]
bad.request|[$(row n1 '{"A":null}')]
bad.request|[$(row n1 '[]')]
bad.request|[{"id":"n1","contactListId":"L2","data":{}}]
constraint.validation|[{"id":"n1","data":{}}]
constraint.validation|[{"id":"n1","contactListId":"L1"}]
invalid.value|[$(row n1 '{}' ',"callable":"yes"')]
invalid.value|[$(row n1 '{}' ',"phoneNumberStatus":{"PHONE":true}')]
invalid.property|[$(row n1 '{}' ',"colour":"red"')]
bad.request|[$(row n1),]
bad.request|[$(row n1)] x
bad.request|[1]
bad.request|{}
bad.request|[$(row n1 '{"A":"\ud800"}')]
LIST
  post "[$(row n1 '{"Z":"1"}')]"
  check "the error names column and contact" "Z n1" "$(field '.details[0] | "\(.fieldName) \(.entityId)"')"
  printf '[{"id":"n1","contactListId":"L1","data":{"A":"\xff"}}]' >"$tmp/bad"
  post "@$tmp/bad"
  check "text that is no UTF-8" "400 bad.request" "$(code)"
  call POST $contacts "" -d '[]'
  check "no JSON" "415 unsupported.media.type" "$(code)"
  jq -nc '[range(1001) | {id: "n\(.)", contactListId: "L1", data: {}}]' >"$tmp/many"
  post "@$tmp/many"
  check "1,001 contacts" "400 too.many.contacts.added" "$(code)"
  head -c 512001 /dev/zero | tr '\0' ' ' >"$tmp/large"
  post "@$tmp/large"
  check "512,001 bytes" "413 request.entity.too.large true" "$(code) $(field '.message | contains("Maximum bytes: 512000")')"
  printf '[]%*s' 511998 '' >"$tmp/large"
  post "@$tmp/large"
  check "512,000 bytes" 200 "$status"
  post "[]" "?priority=maybe"
  check "a flag that is none" 400 "$status"
  call POST $lists/nowhere/contacts '[]'
  check "no such list" "404 contact.list.not.found" "$(code)"
  call GET "/_sim/state"
  check "nothing of all that is stored" "$before" "$(field '.lists[0].contacts')"
  jq -nc '[range(1000) | {id: "n\(.)", contactListId: "L1", data: {A: "\(.)"}}]' >"$tmp/many"
  post "@$tmp/many"
  check "1,000 contacts" "200 1000 999" "$status $(field length) $(field '.[999].data.A')"
}

# Any text survives: as sent escaped, as sent plain, and as asked for by an id.
test_text() {
  fresh
  local text
  text=$(jq -nc '"é \u0001\t\n\"\\/ \ud83d\ude00 \u2028\u2029 \u0000 ünï \u007f 漢字"')
  post "[{\"id\":\"t\",\"contactListId\":\"L1\",\"data\":{\"A\":$text}}]"
  check "text, echoed" "$text" "$(jq -c '.[0].data.A' "$tmp/body")"
  call GET $contacts/t
  check "text, read" "$text" "$(jq -c .data.A "$tmp/body")"
  post '[{"id":"u","contactListId":"L1","data":{"A":"\u00e9\ud83d\ude00\/"}}]'
  check "text, sent escaped" 'é😀/' "$(field '.[0].data.A')"
  call GET "/_sim/checksum?listId=L1&columns=A,B"
  local one two
  one=$({ printf 't\037'; jq -j . <<<"$text"; printf '\037'; } | md5sum | cut -c1-16)
  two=$(printf 'u\037é😀/\037' | md5sum | cut -c1-16)
  check "checksum" "2 $(printf %016x $((0x$one + 0x$two)))" "$(field '"\(.count) \(.checksum)"')"
  set_switch '{"contact_id_chars":"any"}'
  post '[{"id":"a/b ü?😀","contactListId":"L1","data":{}}]'
  check "contact_id_chars any" "200 a/b ü?😀" "$status $(field '.[0].id')"
  call GET "$(field '.[0].selfUri')"
  check "found by its uri" "a/b ü?😀" "$(field .id)"
}

test_post_switches() {
  fresh
  set_switch '{"unknown_fields":"drop"}'
  post "[$(row s1 '{"A":"1","Z":"1"}')]"
  check "unknown_fields drop" '200 {"A":"1"}' "$status $(field '.[0].data')"
  set_switch '{"contact_id_max":3}'
  post "[$(row long)]"
  check "contact_id_max" "400 invalid.contact.id" "$(code)"
  set_switch '{"overlong_cells":"truncate"}'
  post "[$(row s2 "{\"A\":\"$(printf 'é%.0s' $(seq 600))\"}")]"
  check "overlong_cells truncate" 512 "$(field '.[0].data.A | length')"
  set_switch '{"non_string_data":"coerce"}'
  post "[$(row s3 '{"A":1.50,"B":true,"PHONE":null}')]"
  check "non_string_data coerce" '{"A":"1.50","B":"true","PHONE":""}' "$(field '.[0].data')"
  post "[$(row s3 '{"A":{}}')]"
  check "an object is never text" "400 bad.request" "$(code)"
  set_switch '{"absent_cells":"blank"}'
  post "[$(row s3 '{"A":"2"}')]"
  check "absent_cells blank" '{"A":"2","B":"","PHONE":""}' "$(field '.[0].data')"
  set_switch '{"echo_order":"reversed"}'
  post "[$(row r1),$(row r2),$(row r3)]"
  check "echo_order reversed" "r3,r2,r1" "$(field '[.[].id] | join(",")')"
  post "[]"
  check "echo_order reversed, nothing" "[]" "$body"
  call POST /_sim/lists "$(one_list Zip ',"id":"ZL","automaticTimeZoneMapping":true,"zipCodeColumnName":"A"')"
  call POST $lists/ZL/contacts '[{"contactListId":"ZL","data":{"A":"123"}}]'
  check "a zip code of 3" "400 invalid.zip.code.contact.value" "$(code)"
  call POST $lists/ZL/contacts '[{"contactListId":"ZL","data":{"A":"12345"}},{"contactListId":"ZL","data":{"A":"12345-6789"}}]'
  check "zip codes of 5 and 9" 200 "$status"
}

test_one_contact() {
  fresh
  post "[$(row c1 '{"A":"1","B":"2"}' ',"callable":false'),$(row c2),$(row c3)]"
  call GET $contacts/c1
  check "get" '200 {"A":"1","B":"2"}' "$status $(field .data)"
  call GET $contacts/c9
  check "get, none" "404 resource.not.found" "$(code)"
  call PUT $contacts/c1 "$(row c1 '{"A":"3"}')"
  check "put replaces data, keeps callable" '200 {"A":"3"} false' "$status $(field '"\(.data) \(.callable)"')"
  call PUT $contacts/c1 "$(row c1 '{"Z":"3"}')"
  check "put, unknown column" "400 invalid.contact.columns" "$(code)"
  call PUT $contacts/c1 "$(row c2)"
  check "put, another id" "400 bad.request" "$(code)"
  call PUT $contacts/c9 "$(row c9)"
  check "put_missing_status 400" "400 contact.does.not.exist" "$(code)"
  set_switch '{"put_missing_status":"404","put_absent":"reset"}'
  call PUT $contacts/c9 "$(row c9)"
  check "put_missing_status 404" "404 resource.not.found" "$(code)"
  call PUT $contacts/c1 "$(row c1)"
  check "put_absent reset" "200 true" "$status $(field .callable)"
  call POST $contacts/bulk '["c2","nope","c1"]'
  check "read many" "200 c2,c1" "$status $(field '[.[].id] | join(",")')"
  call POST $contacts/bulk "$(jq -nc '[range(51) | "x"]')"
  check "read 51" "400 too.many.contacts.requested" "$(code)"
  call POST $contacts/bulk '[1]'
  check "read what is no id" "400 bad.request" "$(code)"
  call POST /_sim/contacts '{"listId":"L1","id":"c2","inUse":true}'
  check "held by the dialler" true "$(field .inUse)"
  call PUT $contacts/c2 "$(row c2)"
  check "put, held" "409 contact.in.use" "$(code)"
  post "[$(row new),$(row c2)]"
  check "post, held" "409 contact.in.use" "$(code)"
  call DELETE $contacts/c2
  check "delete, held" "400 contact.in.use" "$(code)"
  call DELETE "$contacts?contactIds=c1&contactIds=c2&contactIds=c9"
  check "delete many" 204 "$status"
  call GET "/_sim/contacts?listId=L1"
  check "what is held stays, what is unknown is passed over" "c2,c3" "$(field '[.[].id] | join(",")')"
  call DELETE $contacts/c3
  check "delete" 200 "$status"
  call DELETE $contacts/c3
  check "delete, none" "404 resource.not.found" "$(code)"
  call DELETE "$contacts?x=1"
  check "delete many, none named" "400 no.contacts.specified" "$(code)"
  set_switch '{"delete_contacts_max":2,"delete_status":"200"}'
  call DELETE "$contacts?contactIds=a&contactIds=b&contactIds=c"
  check "delete_contacts_max" "400 too.many.contacts.added" "$(code)"
  call DELETE "$contacts?contactIds=a"
  check "delete_status 200" 200 "$status"
  call DELETE "$contacts?contactIds=a,b,c"
  check "ids between commas count one by one" "400 too.many.contacts.added" "$(code)"
  set_switch '{"delete_contacts_max":250,"contact_id_chars":"any"}'
  post "[$(row k1),$(row k2),$(row k1,k2),$(row k3)]"
  call DELETE "$contacts?contactIds=k1,k2"
  check "where ids have commas they are one" "c2,k1,k2,k3" "$(raw | jq -r '[.[].id] | join(",")')"
  set_switch '{"contact_id_chars":"strict"}'
  call DELETE "$contacts?contactIds=k1,k2&contactIds=k3,"
  check "else each is deleted" "c2" "$(raw | jq -r '[.[].id] | join(",")')"
  call POST $lists/L1/clear
  check "clear" 200 "$status"
  call GET "/_sim/contacts?listId=L1"
  check "and all are gone" "[]" "$body"
  set_switch '{"clear_ms":300}'
  post "[$(row k1),$(row k2)]"
  call POST $lists/L1/clear
  post "[$(row k3)]"
  check "clear_ms: later contacts are taken" 200 "$status"
  cleared() { search '{}' && [ "$(field .contactsCount)" = 1 ]; }
  await "clear_ms: they go after a while, and only they" cleared
}

fill() { # c0…c11: A a number, B a word, PHONE a date
  fresh
  jq -nc '["ant","Bee","cat","","Éclair","bee","dog 7","CAT","a\"b","zoo","ant","10"] as $w |
    [range(12) | {id: "c\(.)", contactListId: "L1",
      data: ({A: (if . == 3 then "none" else "\(. * 5)" end), B: $w[.],
              PHONE: "2026-01-\(if . < 9 then "0" else "" end)\(. + 1)T10:00:00Z"})}]' >"$tmp/fill"
  post "@$tmp/fill"
}

test_search() {
  fill
  search '{}'
  check "empty body: the count" "200 12 12" "$status $(field '"\(.contactsCount) \(.total)"')"
  search '{"pageNumber":2,"pageSize":5}'
  check "a page" "c5,c6,c7,c8,c9 5 2 12 3 12" "$(found) $(field '"\(.pageSize) \(.pageNumber) \(.total) \(.pageCount) \(.contactsCount)"')"
  check "its uris" "3 1" "$(field '"\(.nextUri | split("=") | last) \(.previousUri | split("=") | last)"')"
  search '{"pageNumber":4,"pageSize":5}'
  check "a page past the end" "200 " "$status $(found)"
  search '{"pageNumber":1,"pageSize":500}'
  check "page_size_over cap" "200 100" "$status $(field .pageSize)"
  set_switch '{"page_size_over":"refuse"}'
  search '{"pageNumber":1,"pageSize":101}'
  check "page_size_over refuse" 400 "$status"
  search '{"pageNumber":1}'
  check "no pageSize" "400 constraint.validation" "$(code)"
  search '{"pageNumber":0,"pageSize":5}'
  check "page 0" 400 "$status"
  search '{"pageNumber":1,"pageSize":5,"colour":1}'
  check "unknown property" "400 invalid.property" "$(code)"
  search '{"pageNumber":1,"pageSize":5,"contactListFilterId":"x"}'
  check "no such saved filter" 404 "$status"
  search '[]'
  check "no object" "400 bad.request" "$(code)"
  set_switch '{"search_max_rows":10}'
  search '{"pageNumber":3,"pageSize":5}'
  check "search_max_rows" 400 "$status"
  sorted() { search "{\"pageNumber\":1,\"pageSize\":5,\"contactSorts\":[$1]}"; found; }
  check "sort, numeric" "c3,c0,c1,c2,c4" "$(sorted '{"fieldName":"A","numeric":true}')"
  check "sort, numeric, descending" "c11,c10,c9,c8,c7" "$(sorted '{"fieldName":"A","direction":"DESC","numeric":true}')"
  check "sort, text" "c3,c11,c8,c0,c10" "$(sorted '{"fieldName":"B","direction":"ASC"}')"
  check "sort, two columns" "c3,c11,c8,c10,c0" "$(sorted '{"fieldName":"B"},{"fieldName":"A","direction":"DESC","numeric":true}')"
  set_switch '{"text_compare":"exact"}'
  check "sort, exact" "c3,c11,c1,c7,c8" "$(sorted '{"fieldName":"B"}')"
  sorted '{"fieldName":"Z"}' >/dev/null
  search '{"pageNumber":1,"pageSize":5,"contactSorts":[{"fieldName":"Z"}]}'
  check "sort, unknown column" "400 column.does.not.match.contact.list" "$(code)"
  search '{"pageNumber":1,"pageSize":5,"contactSorts":[{"fieldName":"A","direction":"UP"}]}'
  check "sort, no direction" 400 "$status"
  search '{"pageNumber":1,"pageSize":5,"contactSorts":[{"fieldName":"A","numeric":"true"}]}'
  check "sort, numeric as a text" 400 "$status"
  search '{"pageNumber":1,"pageSize":5,"contactSorts":[{"fieldName":"A","order":"ASC"}]}'
  check "sort, unknown member" "400 invalid.property" "$(code)"
  search '{"pageNumber":1,"pageSize":5,"contactSorts":["A"]}'
  check "sort, no object" 400 "$status"
  search "{\"pageNumber\":1,\"pageSize\":5,\"contactSorts\":[$(printf '{"fieldName":"A"},%.0s' 1 2 3 4){\"fieldName\":\"B\"}]}"
  check "sort, more than four" 400 "$status"
  call DELETE $contacts/c6
  search '{"pageNumber":2,"pageSize":5}'
  check "pages close over what is deleted" "c5,c7,c8,c9,c10" "$(found)"
  set_switch '{"read_lag_ms":600000}'
  search '{}'
  check "read_lag_ms: not seen yet" "0 0" "$(field '"\(.contactsCount) \(.total)"')"
  call GET $contacts/c1
  check "read_lag_ms: there by id" 200 "$status"
  set_switch '{"read_lag_ms":300}'
  post "[$(row lag)]"
  seen() { search '{"pageNumber":1,"pageSize":9,"criteria":{"clauses":[{"predicates":[{"column":"B","operator":"EQUALS","value":""}]}]}}' && [ "$(found)" = c3,lag ]; }
  await "read_lag_ms: seen after a while" seen
}

test_filters() {
  fill
  filter() { search "{\"pageNumber\":1,\"pageSize\":20,\"criteria\":$1}"; }
  one() { filter "{\"clauses\":[{\"predicates\":[$1]}]}"; [ "$status" = 200 ] && found || code; }
  p() { echo "{\"column\":\"$1\",\"operator\":\"$2\",\"value\":\"$3\"${4-}}"; }
  local n=',"columnType":"numeric"' wanted given
  while IFS='|' read -r wanted given; do
    check "filter: $given" "$wanted" "$(one "$given")"
  done <<LIST
c0,c10|$(p B EQUALS ant)
c1,c5|$(p B EQUALS BEE)
c4|$(p B EQUALS éclair)
c3|$(p B EQUALS "")
c0,c3,c8,c10,c11|$(p B LESS_THAN bee)
c0,c1,c3,c5,c8,c10,c11|$(p B LESS_THAN_EQUALS bee)
c4,c9|$(p B GREATER_THAN dog\ 7)
c4,c6,c9|$(p B GREATER_THAN_EQUALS dog\ 7)
c2,c7|$(p B CONTAINS cat)
c8|$(p B CONTAINS '\"')
c0,c8,c10|$(p B BEGINS_WITH A)
c0,c2,c7,c10|$(p B ENDS_WITH T)
c2|$(p A EQUALS 10.0 "$n")
c0,c1|$(p A LESS_THAN 10 "$n")
c10,c11|$(p A GREATER_THAN_EQUALS 50 "$n")
c0,c1,c3|$(p A GREATER_THAN_EQUALS 10 "$n,\"inverted\":true")
c0,c1|$(p PHONE BEFORE 2026-01-03)
c11|$(p PHONE AFTER 2026-01-11T10:00:00.000Z)
c2,c3,c4,c6,c7,c8,c9,c11|{"column":"B","operator":"IN","range":{"inSet":["ANT","bee"]},"inverted":true}
c1,c2|{"column":"A","columnType":"numeric","operator":"IN","range":{"inSet":["5","10"]}}
c1,c2|{"column":"A","columnType":"numeric","operator":"BETWEEN","range":{"min":"5","max":"10"}}
c2|{"column":"A","columnType":"numeric","operator":"BETWEEN","range":{"min":"5","max":"10","minInclusive":false,"maxInclusive":true}}
c1,c2,c5,c7|{"column":"B","operator":"BETWEEN","range":{"min":"bee","max":"cat"}}
400 column.required|{"operator":"EQUALS","value":"1"}
400 column.does.not.match.contact.list|$(p inin-outbound-id EQUALS c1)
400 operator.required|{"column":"A","value":"1"}
400 bad.request|$(p A LIKE 1)
400 bad.request|$(p A EQUALS 1 ',"columnType":"colour"')
400 value.required|{"column":"A","operator":"EQUALS"}
400 value.did.not.match.column.type|$(p A EQUALS x "$n")
400 invalid.date.value|$(p PHONE BEFORE P1X)
400 range.required|{"column":"A","operator":"IN"}
400 range.set.required|{"column":"A","operator":"IN","range":{}}
400 range.min.required|{"column":"A","operator":"BETWEEN","range":{"max":"1"}}
400 range.max.required|{"column":"A","operator":"BETWEEN","range":{"min":"1"}}
400 max.less.than.min|{"column":"A","columnType":"numeric","operator":"BETWEEN","range":{"min":"10","max":"9"}}
LIST
  set_switch '{"between_bounds":"exclusive"}'
  check "between_bounds exclusive" c2 "$(one '{"column":"A","columnType":"numeric","operator":"BETWEEN","range":{"min":"5","max":"15"}}')"
  set_switch '{"text_compare":"exact"}'
  check "text_compare exact" "c5" "$(one "$(p B EQUALS bee)")"
  local ant bee
  ant=$(p B EQUALS ant) bee=$(p B EQUALS bee)
  filter "{\"clauses\":[{\"filterType\":\"OR\",\"predicates\":[$ant,$bee]}]}"
  check "predicates, OR" "c0,c5,c10" "$(found)"
  filter "{\"clauses\":[{\"filterType\":\"AND\",\"predicates\":[$ant,$(p A EQUALS 50)]}]}"
  check "predicates, AND" "c10" "$(found)"
  filter "{\"filterType\":\"OR\",\"clauses\":[{\"predicates\":[$ant]},{\"predicates\":[$bee]}]}"
  check "clauses, OR" "c0,c5,c10" "$(found)"
  filter "{\"filterType\":\"AND\",\"clauses\":[{\"predicates\":[$ant]},{\"predicates\":[$bee]}]}"
  check "clauses, AND" "" "$(found)"
  filter "{\"clauses\":[{\"predicates\":[$ant]},{\"predicates\":[$bee]}]}"
  check "clauses, no type" "400 filter.type.required.for.multiple.clauses" "$(code)"
  filter "{\"clauses\":[{\"predicates\":[$ant,$bee]}]}"
  check "predicates, no type" "400 filter.type.required.for.multiple.predicates" "$(code)"
  filter '{"clauses":[]}'
  check "no clauses" "400 clauses.required" "$(code)"
  filter '{"clauses":[{"predicates":[]}]}'
  check "no predicates" "400 at.least.one.predicate.required" "$(code)"
  search "{\"pageNumber\":2,\"pageSize\":1,\"criteria\":{\"clauses\":[{\"predicates\":[$ant]}]}}"
  check "a page of what is found" "c10 2 12" "$(found) $(field '"\(.total) \(.contactsCount)"')"
  post "[$(row later '{"B":"ant"}')]"
  search "{\"pageNumber\":3,\"pageSize\":1,\"criteria\":{\"clauses\":[{\"predicates\":[$ant]}]}}"
  check "what is kept of a search goes with a change" "later" "$(found)"
}
