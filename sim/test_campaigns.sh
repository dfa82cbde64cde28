# Part of test.sh: campaigns that are changed, for what comes after an import (SCENARIOS I1, I2).

campaign=$out/campaigns/C1
campaign_status() { call GET $campaign && field '"\(.campaignStatus) \(.version)"'; }
change_campaign() { call GET $campaign && call PUT $campaign "$(jq -c "$1" <<<"$body")"; } # jq filter

test_campaign_writes() {
  fresh
  call POST /_sim/lists "$(jq -c '.id = "L2" | .name = "Two"' <<<"$list_body")"
  call POST /_sim/lists '{"id":"L3","name":"Three","columnNames":["TEL"],"phoneColumns":[{"columnName":"TEL","type":"cell"}]}'
  call POST /_sim/campaigns '{"id":"C1","name":"Spring","contactList":{"id":"L1"},"campaignStatus":"complete","phoneColumns":[{"columnName":"PHONE","type":"cell"}],"progress":{"numberOfContactsCalled":3,"percentage":100},"queue":{"id":"Q1"}}'
  change_campaign '.campaignStatus = "on"'
  check "a campaign is restarted" "200 on 2" "$status $(field '"\(.campaignStatus) \(.version)"')"
  change_campaign '.contactList.id = "L2"'
  check "its list stays while it dials" "409 invalid.update.campaign.active" "$(code)"
  set_switch '{"campaign_stop_ms":600000}'
  change_campaign '.campaignStatus = "off"'
  check "it stops" "200 stopping 3" "$status $(campaign_status)"
  call POST $campaign/start
  check "and cannot start yet" "400 invalid.update.bad.status.transition" "$(code)"
  call POST /_sim/campaigns '{"id":"C1","campaignStatus":"on"}'
  set_switch '{"campaign_stop_ms":100}'
  call POST $campaign/stop
  check "stop has no body" "200 " "$status $body"
  await "by and by it is off" eval '[[ $(campaign_status) == off* ]]'
  change_campaign '.contactList.id = "L2" | del(.queue) | del(.campaignStatus)'
  check "it is bound to another list, whole" "200 L2 Two off null Spring" "$status $(field '"\(.contactList.id) \(.contactList.name) \(.campaignStatus) \(.queue) \(.name)"')"
  call GET $campaign/progress
  check "its progress stays" "3 L2" "$(field '"\(.numberOfContactsCalled) \(.contactList.id)"')"
  local wanted change
  while IFS='|' read -r wanted change; do
    change_campaign "$change"
    check "refused: $change" "$wanted" "$(code)"
  done <<'LIST'
409 invalid.update.wrong.version|.version -= 1
409 invalid.update.wrong.version|del(.version)
409 referential.integrity.error|.contactList.id = "nope"
409 referential.integrity.error|.contactList.id = "L3"
400 constraint.validation|del(.contactList)
400 constraint.validation|del(.name)
400 invalid.property|.colour = 1
400 invalid.update.bad.status.transition|.campaignStatus = "complete"
LIST
  call POST /_sim/imports '{"listId":"L2","totalRecords":2,"hold":0}'
  call POST $campaign/start
  check "not while its list has an import" "400 contact.list.import.in.progress" "$(code)"
  call POST /_sim/imports '{"state":"completed"}'
  call POST $campaign/start
  check "then it starts" "200 on" "$status $(campaign_status | cut -d ' ' -f 1)"
  call DELETE $campaign/progress
  check "it is recycled" "204 0" "$status $(call GET $campaign/progress && field .numberOfContactsCalled)"
  call DELETE $campaign/progress
  check "not so often" "429 too.many.recycles " "$(code) $(header Retry-After)"
  set_switch '{"recycle_ms":0}'
  call DELETE $campaign/progress
  check "recycle_ms" 204 "$status"
  call POST /_sim/campaigns '{"id":"C1","campaignStatus":"off"}'
  call PATCH $campaign '{"contactListId":"L1"}'
  check "jobs: it is bound" "200 L1" "$status $(field .contactList.id)"
  call PATCH $campaign '{"contactListId":"nope"}'
  check "jobs: to a list that is there" "409 referential.integrity.error" "$(code)"
  call PATCH $campaign '{"outboundLineCount":3}'
  check "the platform's" "200 3" "$status $(field .outboundLineCount)"
  call PATCH $campaign '{"name":"x"}'
  check "and no more" "400 invalid.property" "$(code)"
  call POST $campaign '{"campaignStatus":"on"}'
  check "jobs: it is restarted" "200 on" "$status $(field .campaignStatus)"
  call POST $campaign '{}'
  check "jobs: by a status" "400 constraint.validation" "$(code)"
  for change in "" /start /stop; do
    call POST "$out/campaigns/nope$change" '{"campaignStatus":"on"}'
    check "no campaign$change" "404 resource.not.found" "$(code)"
  done
}

test_messaging_campaigns() {
  local messaging=$out/messagingcampaigns
  fresh
  call POST /_sim/messagingcampaigns '{"id":"M1","name":"Texts","contactList":{"id":"L1"},"dncLists":[{"id":"D1"}],"smsConfig":{}}'
  call POST /_sim/messagingcampaigns '{"id":"M2","name":"Mails","contactList":{"id":"L1"},"emailConfig":{}}'
  call GET $messaging
  check "they are listed by name" "200 M2,M1 1" "$status $(field '"\([.entities[].id] | join(",")) \(.pageCount)"')"
  call GET "$messaging?type=SMS"
  check "by type" "M1 D1" "$(field '"\([.entities[].id] | join(",")) \(.entities[0].dncLists[0].id)"')"
  call GET "$messaging?type=FAX"
  check "of those there are" "400 invalid.query.param.value" "$(code)"
  call GET "$messaging?type=EMAIL"
  check "as they are" "200 Mails off 10 1" "$status $(field '.entities[0] | "\(.name) \(.campaignStatus) \(.messagesPerMinute) \(.version)"')"
  call DELETE $out/contactlists/L1
  check "their list stays" "400" "$status"
  set_switch '{"client_permissions":{"id":["outbound:campaign:view"]}}'
  call GET $messaging
  check "they take a permission of their own" "403 missing.any.permissions" "$(code)"
  set_switch '{"client_permissions":{"id":["outbound:whatsAppCampaign:view"]}}'
  call GET $messaging
  check "or that of another kind" "200" "$status"
  set_switch '{"client_permissions":{"id":null}}'
}
