# Part of test.sh: what is read beside contacts.

out=/api/v2/outbound
names_of() { field '[.entities[].name] | join(",")'; }

test_views() {
  fresh
  post "[$(row a)]"
  call GET "$lists/divisionviews?includeSize=true"
  check "division views" "One 1 true L1 1" "$(field '"\(.entities[0].name) \(.total) \(.entities[0] | has("division")) \(.entities[0].id) \(.entities[0].size)"')"
  call GET $lists/divisionviews/L1
  check "a division view" "200 One null null" "$status $(field '"\(.name) \(.size) \(.version)"')"
  check "its columns" "A,B,PHONE PHONE" "$(field '"\(.columnNames | join(",")) \(.phoneColumns[0].columnName)"')"
  call GET $lists/divisionviews/nope
  check "no division view" 404 "$status"
  set_switch '{"read_lag_ms":600000}'
  call GET "$lists/L1?includeSize=true"
  check "read_lag_ms: size lags" 0 "$(field .size)"
  call GET /_sim/lists
  check "but not in the control path" 1 "$(field '.[0].size')"
}

test_import_status() {
  fresh
  call GET $lists/L1/importstatus
  check "nothing imported" "200 0 null" "$status $(field '"\(.percentComplete) \(.state)"')"
  call POST /_sim/importstatus '{"listId":"L1","state":"IN_PROGRESS","totalRecords":10,"completedRecords":4,"percentComplete":40}'
  call GET $lists/L1/importstatus
  check "in progress" "IN_PROGRESS 10 4 40" "$(field '"\(.state) \(.totalRecords) \(.completedRecords) \(.percentComplete)"')"
  call GET "$lists/L1?includeImportStatus=true"
  check "with the list" IN_PROGRESS "$(field .importStatus.state)"
  call GET $lists/L1
  check "not unasked" null "$(field .importStatus)"
  call GET "$lists?includeImportStatus=true"
  check "in a listing" IN_PROGRESS "$(field '.entities[0].importStatus.state')"
  call POST /_sim/importstatus '{"listId":"L1","state":"FAILED","failureReason":"IMPORT_INVALID_DATA"}'
  call GET $lists/L1/importstatus
  check "failed" "FAILED IMPORT_INVALID_DATA" "$(field '"\(.state) \(.failureReason)"')"
  call POST /_sim/importstatus '{"listId":"L1","state":null,"percentComplete":100}'
  call GET $lists/L1/importstatus
  check "done: no state" "100 false" "$(field '"\(.percentComplete) \(has("state"))"')"
  call POST /_sim/importstatus '{"listId":"L1"}'
  call GET "$lists/L1?includeImportStatus=true"
  check "forgotten" null "$(field .importStatus)"
  call POST /_sim/importstatus '{"listId":"nope"}'
  check "no such list" 404 "$status"
}

test_saved_filters() {
  fill
  local id one
  one='{"name":"Bees","contactList":{"id":"L1"},"filterType":"AND","clauses":[{"filterType":"AND","predicates":[{"column":"B","operator":"EQUALS","value":"bee"}]}]}'
  call POST $out/contactlistfilters "$one"
  check "a filter is saved" "200 Bees One 1" "$status $(field '"\(.name) \(.contactList.name) \(.version)"')"
  id=$(field .id)
  call GET $out/contactlistfilters/"$id"
  check "a filter" "200 Bees bee" "$status $(field '"\(.name) \(.clauses[0].predicates[0].value)"')"
  call GET "$out/contactlistfilters?contactListId=L1"
  check "filters of a list" Bees "$(names_of)"
  call GET "$out/contactlistfilters?contactListId=L2"
  check "of another" "" "$(names_of)"
  call POST $out/contactlistfilters/preview "$one"
  check "preview" "2 12 c1,c5" "$(field '"\(.filteredContacts) \(.totalContacts) \([.preview[].id] | join(","))"')"
  search "{\"pageNumber\":1,\"pageSize\":5,\"contactListFilterId\":\"$id\"}"
  check "a search by it" c1,c5 "$(found)"
  call POST /_sim/lists "$(jq -c '.id = "L2" | .name = "Two"' <<<"$list_body")"
  call POST $lists/L2/contacts/search "{\"pageNumber\":1,\"pageSize\":5,\"contactListFilterId\":\"$id\"}"
  check "of another list" 400 "$status"
  search "{\"pageNumber\":1,\"pageSize\":5,\"contactListFilterId\":\"$id\",\"criteria\":$(jq -c '{clauses}' <<<"$one")}"
  check "with criteria, too" 400 "$status"
  call POST $out/contactlistfilters "$(jq -c '.clauses[0].predicates[0].column = "Z"' <<<"$one")"
  check "a filter on no column" "400 column.does.not.match.contact.list" "$(code)"
  call POST $out/contactlistfilters "$(jq -c 'del(.name)' <<<"$one")"
  check "a filter without a name" 400 "$status"
  call POST $out/contactlistfilters "$(jq -c '.contactList.id = "x"' <<<"$one")"
  check "a filter of no list" "404 contact.list.not.found" "$(code)"
  call GET $out/contactlistfilters/nope
  check "no filter" "404 resource.not.found" "$(code)"
}

test_relative_times() {
  fresh
  local past future
  past=$(date -u -d '-2 hours' +%FT%TZ) future=$(date -u -d '+2 days' +%FT%TZ)
  post "[$(row past "{\"A\":\"$past\"}"),$(row future "{\"A\":\"$future\"}")]"
  local wanted given
  while IFS='|' read -r wanted given; do
    search "{\"pageNumber\":1,\"pageSize\":5,\"criteria\":{\"clauses\":[{\"predicates\":[{\"column\":\"A\",$given}]}]}}"
    check "$given" "$wanted" "$(found)"
  done <<'LIST'
past|"operator":"BEFORE","value":"P0DT0H0M"
past|"operator":"BEFORE","value":"P0DT-1H0M"
|"operator":"BEFORE","value":"P0DT-3H0M"
past,future|"operator":"AFTER","value":"-P0DT3H0M"
future|"operator":"AFTER","value":"P1DT23H58M"
|"operator":"AFTER","value":"P2DT0H1M"
LIST
  search '{"pageNumber":1,"pageSize":5,"criteria":{"clauses":[{"predicates":[{"column":"A","operator":"AFTER","value":"P1X"}]}]}}'
  check "no relative time" "400 invalid.date.value" "$(code)"
  post "[$(row soon "{\"A\":\"$(date -u -d '+1 second' +%FT%TZ)\"}")]"
  passed_by() { search '{"pageNumber":1,"pageSize":5,"criteria":{"clauses":[{"predicates":[{"column":"A","operator":"BEFORE","value":"PT0M"}]}]}}' && [ "$(found)" = past,soon ]; }
  await "time goes on between searches" passed_by
}

test_campaigns() {
  fresh
  post "[$(row a)]"
  call POST /_sim/campaigns '{"id":"C1","name":"Spring","contactList":{"id":"L1"},"dncLists":[{"id":"D1"}],"queue":{"id":"Q1"},"campaignStatus":"on","progress":{"numberOfContactsCalled":3,"percentage":30},"stats":{"idleAgents":4}}'
  check "a campaign is made" "200 C1" "$status $(field .id)"
  call POST /_sim/campaigns '{"id":"C2","name":"Autumn","contactList":{"id":"L2"}}'
  call GET $out/campaigns
  check "campaigns" "Autumn,Spring 2 1" "$(names_of) $(field '"\(.total) \(.pageCount)"')"
  check "progress and stats are apart" "null null" "$(field '.entities[1] | "\(.progress) \(.stats)"')"
  local given wanted
  while IFS='|' read -r wanted given; do
    call GET "$out/campaigns?$given"
    check "campaigns?$given" "$wanted" "$(names_of)"
  done <<'LIST'
Spring|name=spr
Spring|contactListId=L1
Spring|dncListIds=D1
Spring|distributionQueueId=Q1
|edgeGroupId=E
|divisionId=x
Autumn|id=C2
Spring,Autumn|sortOrder=descending
Spring|pageSize=1&pageNumber=2
LIST
  call GET $out/campaigns/C1
  check "a campaign" "Spring on 1 One preview" "$(field '"\(.name) \(.campaignStatus) \(.version) \(.contactList.name) \(.dialingMode)"')"
  call POST /_sim/campaigns '{"id":"C1","campaignStatus":"off"}'
  call GET $out/campaigns/C1
  check "changed" "Spring off 2" "$(field '"\(.name) \(.campaignStatus) \(.version)"')"
  call GET $out/campaigns/C1/progress
  check "progress" "C1 L1 3 1 30" "$(field '"\(.campaign.id) \(.contactList.id) \(.numberOfContactsCalled) \(.totalNumberOfContacts) \(.percentage)"')"
  call POST $out/campaigns/progress '["C2","nope","C1"]'
  check "progress of many" "C2 0,C1 3" "$(field '[.[] | "\(.campaign.id) \(.numberOfContactsCalled)"] | join(",")')"
  call POST $out/campaigns/progress '{}'
  check "progress of none" 400 "$status"
  call GET $out/campaigns/C1/stats
  check "stats" "4 0 0" "$(field '"\(.idleAgents) \(.contactRate.attempts) \(.outstandingCalls)"')"
  call GET $out/campaigns/divisionviews
  check "campaigns' division views" "Autumn,Spring true null" "$(names_of) $(field '.entities[0] | "\(has("division")) \(.campaignStatus)"')"
  call GET $out/campaigns/divisionviews/C1
  check "a campaign's division view" Spring "$(field .name)"
  for given in "" /progress /stats; do
    call GET "$out/campaigns/nope$given"
    check "no campaign$given" "404 resource.not.found" "$(code)"
  done
}

test_dnc_lists() {
  fresh
  local dnc=$out/dnclists/D1 uri
  call POST /_sim/dnclists '{"id":"D1","name":"No calls","contactMethod":"Any","entries":["+11",{"entry":"+12","expiration":"2030-01-01T00:00Z"},{"entry":"+13","expiration":"2020-01-01T00:00Z"}],"importStatus":{"percentComplete":100}}'
  check "a DNC list is made" "200 3" "$status $(field .size)"
  call POST /_sim/dnclists '{"id":"D2","name":"Elsewhere","dncSourceType":"gryphon"}'
  call GET $out/dnclists
  check "DNC lists" "Elsewhere,No calls null null" "$(names_of) $(field '.entities[1] | "\(.size) \(.importStatus)"')"
  call GET "$out/dnclists?dncSourceType=RDS"
  check "no such source" "400 invalid.query.param.value" "$status $(field .code)"
  call GET "$out/dnclists?includeSize=true&includeImportStatus=true&dncSourceType=rds"
  check "with size and status" "No calls 3 100" "$(names_of) $(field '.entities[0] | "\(.size) \(.importStatus.percentComplete)"')"
  call GET "$dnc?includeSize=true"
  check "a DNC list" "No calls rds Any 3 null" "$(field '"\(.name) \(.dncSourceType) \(.contactMethod) \(.size) \(.entries)"')"
  call GET $dnc/importstatus
  check "its import" 100 "$(field .percentComplete)"
  call POST /_sim/importstatus '{"dncListId":"D1","state":"FAILED"}'
  call GET $dnc/importstatus
  check "its import, set" FAILED "$(field .state)"
  call POST "$dnc/phonenumbers?expirationDateTime=2031-01-01T00:00Z" '["+14","+11"]'
  check "numbers are added" 200 "$status"
  call PATCH $dnc/phonenumbers '{"action":"Remove","phoneNumbers":["+12"]}'
  check "numbers are removed" 200 "$status"
  call PATCH $dnc/phonenumbers '{"action":"Add","phoneNumbers":["+15"]}'
  call PATCH $dnc/emailaddresses '{"action":"Add","emailAddresses":["a@b"]}'
  set_switch '{"export_ms":0,"export_header":"plain"}'
  call GET $dnc/export
  check "no export yet" "404 no.available.list.export.uri" "$(code)"
  call POST $dnc/export
  check "an export" "200 D1" "$status $(field .id)"
  call GET $dnc/export
  uri=$(field .uri)
  call GET "$uri" "" -L
  check "entries and when they expire" "+11 2031-01-01T00:00Z|+13 2020-01-01T00:00Z|+14 2031-01-01T00:00Z|+15 |a@b " "$(tr -d '\r' <"$tmp/body" | tail -n +2 | awk -F , '{ print $1, $3 }' | paste -sd '|')"
  call DELETE "$dnc/phonenumbers?expiredOnly=true"
  call GET "$dnc?includeSize=true"
  check "what has expired is wiped" 4 "$(field .size)"
  call DELETE $dnc/phonenumbers
  call GET "$dnc?includeSize=true"
  check "all is wiped" 0 "$(field .size)"
  local wanted method path given
  while IFS='|' read -r wanted method path given; do
    call "$method" "$out/dnclists/$path" "$given"
    check "refused: $method $path $given" "$wanted" "$(code)"
  done <<'LIST'
400 dnc.source.operation.not.supported|POST|D2/phonenumbers|["+1"]
400 dnc.source.operation.not.supported|POST|D2/export|
400 invalid.date.value|POST|D1/phonenumbers?expirationDateTime=soon|["+1"]
400 bad.request|POST|D1/phonenumbers|[1]
400 constraint.validation|PATCH|D1/phonenumbers|{"phoneNumbers":["+1"]}
400 bad.request|PATCH|D1/phonenumbers|{"action":"Add"}
404 resource.not.found|GET|nope|
404 resource.not.found|GET|nope/export|
LIST
}

test_dnc_writes() {
  fresh
  local dnc=$out/dnclists id wanted method path given
  call POST $dnc '{"name":"No calls","dncSourceType":"rds","contactMethod":"Phone"}'
  check "a DNC list is made" "200 1 rds null" "$status $(field '"\(.version) \(.dncSourceType) \(.size)"')"
  id=$(field .id)
  call PUT "$dnc/$id" '{"name":"None","dncSourceType":"rds","contactMethod":"Phone","version":1}'
  check "it is changed" "200 None 2" "$status $(field '"\(.name) \(.version)"')"
  call POST $dnc '{"name":"Custom","dncSourceType":"rds_custom","contactMethod":"Any","customExclusionColumn":"A"}'
  local custom=$dnc/$(field .id)
  call PATCH "$custom/customexclusioncolumns" '{"action":"Add","customExclusionColumnEntries":["x","y"]}'
  check "entries of a column" 200 "$status"
  call GET "$custom?includeSize=true"
  check "so many" 2 "$(field .size)"
  call POST $dnc '{"name":"Chats","dncSourceType":"rds","contactMethod":"WhatsApp"}'
  call PATCH "$dnc/$(field .id)/whatsappnumbers" '{"action":"Add","whatsAppNumbers":["+1"]}'
  check "WhatsApp numbers" 200 "$status"
  set_switch '{"dnc_entries_max":2,"dnc_records_max":3,"dnc_undated_add":"keep"}'
  call POST "$dnc/$id/phonenumbers?expirationDateTime=2031-01-01T00:00Z" '["+1"]'
  call PATCH "$dnc/$id/phonenumbers" '{"action":"Add","phoneNumbers":["+1","+2"]}'
  set_switch '{"export_ms":0,"export_header":"plain"}'
  call POST "$dnc/$id/export"
  call GET "$dnc/$id/export"
  call GET "$(field .uri)" "" -L
  check "dnc_undated_add" "+1 2031-01-01T00:00Z|+2 " "$(tr -d '\r' <"$tmp/body" | tail -n +2 | awk -F , '{ print $1, $3 }' | paste -sd '|')"
  call POST /_sim/campaigns "{\"id\":\"C1\",\"dncLists\":[{\"id\":\"$id\"}]}"
  call POST /_sim/importstatus "{\"dncListId\":\"${custom##*/}\",\"state\":\"IN_PROGRESS\"}"
  while IFS='|' read -r wanted method path given; do
    call "$method" "${path/ID/$dnc\/$id}" "$given"
    check "refused: $method $path $given" "$wanted" "$(code)"
  done <<LIST
400 duplicate.name|POST|$dnc|{"name":"None","dncSourceType":"rds"}
400 constraint.validation|POST|$dnc|{"dncSourceType":"rds"}
400 constraint.validation|POST|$dnc|{"name":"x"}
400 constraint.validation|POST|$dnc|{"name":"x","dncSourceType":"rds","contactMethod":"Fax"}
400 constraint.validation|POST|$dnc|{"name":"x","dncSourceType":"rds_custom"}
400 constraint.validation|POST|$dnc|{"name":"x","dncSourceType":"dnc.com"}
400 constraint.validation|POST|$dnc|{"name":"x","dncSourceType":"gryphon"}
400 invalid.property|POST|$dnc|{"name":"x","dncSourceType":"rds","colour":1}
409 invalid.update.wrong.version|PUT|ID|{"name":"x","dncSourceType":"rds","version":1}
409 invalid.update.wrong.version|PUT|ID|{"name":"x","dncSourceType":"rds"}
400 duplicate.name|PUT|ID|{"name":"Custom","dncSourceType":"rds","version":2}
400 constraint.validation|PUT|ID|{"name":"x","dncSourceType":"gryphon","licenseId":"x","version":2}
400 constraint.validation|PATCH|ID/emailaddresses|{"action":"Add","emailAddresses":["a@b"]}
400 constraint.validation|PATCH|ID/customexclusioncolumns|{"action":"Add","customExclusionColumnEntries":["x"]}
400 constraint.validation|PATCH|ID/phonenumbers|{"action":"Add","phoneNumbers":["1","2","3"]}
400 dnc.records.per.list.limit.exceeded|PATCH|ID/phonenumbers|{"action":"Add","phoneNumbers":["3","4"]}
400 referential.integrity.error|DELETE|ID|
400 contact.list.import.in.progress|DELETE|$custom|
404 resource.not.found|DELETE|$dnc/nope|
404 resource.not.found|PUT|$dnc/nope|{}
LIST
  call POST /_sim/campaigns '{"id":"C1","dncLists":[]}'
  call DELETE "$dnc/$id"
  check "it is deleted" 204 "$status"
  call GET "$dnc/$id"
  check "and gone" 404 "$status"
  call POST $dnc '{"name":"After","dncSourceType":"rds"}'
  call GET $dnc
  check "those that are left" "After,Chats,Custom" "$(names_of)"
}

test_events() {
  fresh
  call POST /_sim/events '[{"id":"E1","code":"IMPORT_INVALID_DATA","message":"Row 3","listId":"L1","contactId":"a","correlationId":"X","timestamp":"2026-01-02T00:00:00.000Z"},{"id":"E2","level":"WARNING","category":"CAMPAIGN","code":"CAMPAIGN_BLACKLISTED","timestamp":"2026-01-01T00:00:00.000Z"}]'
  check "events are made" 2 "$(field .events)"
  call GET $out/events
  check "events, by time" "E2,E1 2" "$(found) $(field .total)"
  check "an event tells" "IMPORT_ERROR ERROR IMPORT_INVALID_DATA Row 3 L1 a X" "$(field '.entities[1] | "\(.category) \(.level) \(.eventMessage.code) \(.eventMessage.message) \(.errorEntity.id) \(.relatedEntity.id) \(.correlationId)"')"
  call GET "$out/events?sortOrder=descending&pageSize=1"
  check "the last one" "E1 2" "$(found) $(field .pageCount)"
  call GET "$out/events?category=CAMPAIGN"
  check "by category" E2 "$(found)"
  call GET "$out/events?level=ERROR"
  check "by level" E1 "$(found)"
  call GET "$out/events?level=Error"
  check "no such level" "400 invalid.query.param.value" "$status $(field .code)"
  call GET "$out/events?category=CAMPAIGN&category=CONTACT"
  check "one category at a time" "400 constraint.validation" "$status $(field .code)"
  call GET $out/events/E2
  check "an event" "CAMPAIGN_BLACKLISTED" "$(field .eventMessage.code)"
  call GET $out/events/nope
  check "no event" 404 "$status"
}
