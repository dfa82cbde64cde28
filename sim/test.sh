#!/usr/bin/env bash
# Exercises gc_sim: every call, every switch in every setting, every fault.
# Needs curl, jq, md5sum, openssl (for TLS).  GC_SIM names another binary.
# The last line is "N passed, N failed"; fails when anything did.
set -u
cd "$(dirname "$0")" || exit 2
sim=${GC_SIM:-./gc_sim}
tmp=$(mktemp -d)
passed=0 failed=0 sim_pid=
trap '[ -n "$sim_pid" ] && kill "$sim_pid" 2>/dev/null; rm -rf "$tmp"' EXIT

# --- tools -------------------------------------------------------------------

check() { # what, wanted, got
  if [ "$2" = "$3" ]; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    printf 'FAILED %s\n  wanted: %.300s\n  got:    %.300s\n' "$1" "$2" "$3"
  fi
}

await() { # what, command…: until it succeeds, 10 s at most
  local what=$1 i
  shift
  for i in $(seq 200); do
    "$@" && { check "$what" 0 0; return 0; }
    sleep 0.05
  done
  check "$what" "in time" "never"
  return 1
}

start() { # options…
  : >"$tmp/out"
  $sim --port 0 "$@" >"$tmp/out" 2>"$tmp/err" &
  sim_pid=$!
  await "it says where it listens" grep -q listening "$tmp/out" || { cat "$tmp/err"; exit 1; }
  url=$(sed -n 's/.*listening on //p' "$tmp/out")
  token=
}

stop() {
  kill -TERM "$sim_pid"
  wait "$sim_pid"
  check "it ends cleanly" 0 $?
  [ -s "$tmp/err" ] && { check "nothing on stderr" "" "$(head -c 2000 "$tmp/err")"; }
  sim_pid=
}

# call METHOD PATH [BODY] [curl options…]: $status, $body; the header in $tmp/head
call() {
  local method=$1 path=$2 data=${3-}
  shift $(($# < 3 ? $# : 3))
  [ -n "$data" ] && set -- -H "Content-Type: application/json" --data-binary "$data" "$@"
  [ -n "$token" ] && set -- -H "Authorization: Bearer $token" "$@"
  rm -f "$tmp/body"
  status=$(curl -sk --max-time 20 -X "$method" -D "$tmp/head" -o "$tmp/body" -w '%{http_code}' \
    -H Expect: "$@" "$url$path")
  curl_rc=$?
  body=$(tr -d '\0' 2>/dev/null <"$tmp/body")
}

field() { jq -rc "$1" <"$tmp/body" 2>&1; }
header() { tr -d '\r' <"$tmp/head" | grep -i "^$1:" | sed 's/^[^:]*: //'; }
set_switch() { call POST /_sim/set "$1"; check "set $1" 200 "$status"; }
code() { echo "$status $(field .code)"; }

login() {
  token=
  call POST /oauth/token "" -u "${1:-id}:${2:-secret}" -d grant_type=client_credentials
  token=$(field .access_token)
}

lists=/api/v2/outbound/contactlists
list_body='{"id":"L1","name":"One","columnNames":["A","B","PHONE"],"phoneColumns":[{"columnName":"PHONE","type":"cell"}]}'
contacts=$lists/L1/contacts

fresh() { # an empty simulator with the list L1 and a token
  call POST /_sim/reset '{}'
  check "reset" 200 "$status"
  call POST /_sim/lists "$list_body"
  check "seed L1" 200 "$status"
  login
}

post() { call POST "$contacts${2-}" "$1"; } # contacts, query
search() { call POST "$contacts/search" "$1"; }
found() { field '[.entities[].id] | join(",")'; }
row() { echo "{\"id\":\"$1\",\"contactListId\":\"L1\",\"data\":${2:-{\}}${3-}}"; }

# --- tokens ------------------------------------------------------------------

test_tokens() {
  fresh
  token=
  call POST /oauth/token "" -u id:secret -d grant_type=client_credentials
  check "token call" "200 bearer 86400" "$status $(field '"\(.token_type) \(.expires_in)"')"
  call POST /oauth/token "" -u id:wrong -d grant_type=client_credentials
  check "wrong secret" "400 invalid_client authentication failed" "$status $(field '"\(.error) \(.description)"')"
  call POST /oauth/token "" -u nobody:secret -d grant_type=client_credentials
  check "wrong client" "400 client not found" "$status $(field .description)"
  call POST /oauth/token "" -d grant_type=client_credentials
  check "no client" "400 invalid_client" "$status $(field .error)"
  call POST /oauth/token "" -u id:secret -d grant_type=password
  check "wrong grant" "400 unsupported_grant_type" "$status $(field .error)"
  call POST /oauth/token "" -u id:secret -d x=y
  check "no grant" "400 invalid_request" "$status $(field .error)"
  call POST /oauth/token '{"grant_type":"client_credentials"}' -u id:secret
  check "grant as JSON" "400 invalid_request" "$status $(field .error)"
  call GET /oauth/token "" -u id:secret
  check "token by GET" 405 "$status"
  set_switch '{"token_error_status":"401","token_type":"Bearer","token_lifetime":7}'
  call POST /oauth/token "" -u id:wrong -d grant_type=client_credentials
  check "wrong secret, 401" 401 "$status"
  call POST /oauth/token "" -u id:secret -d grant_type=client_credentials
  check "token_type and token_lifetime" "Bearer 7" "$(field '"\(.token_type) \(.expires_in)"')"
  login second word
  check "a client of --client" true "$([ "$token" != null ] && echo true)"
  call GET $lists
  check "its token" 200 "$status"
  token=
  call GET $lists
  check "no token" "401 authentication.required" "$(code)"
  token=wrong
  call GET $lists
  check "unknown token" "401 bad.credentials" "$(code)"
  check "no rate window without a token" "" "$(header inin-ratelimit-count)"
  login
  call GET $lists "" -H "Authorization: bearer $token"
  check "scheme in lower case" 200 "$status"
  set_switch '{"revoke_tokens":true}'
  call GET $lists
  check "revoked token" "401 bad.credentials" "$(code)"
  set_switch '{"token_lifetime":0}'
  login
  call GET $lists
  check "expired token" "401 credentials.expired" "$(code)"
}

test_secrets() {
  fresh
  set_switch '{"client_secret":{"id":"newer"}}'
  call GET $lists
  check "a new secret: tokens stay" 200 "$status"
  login
  check "the old one is refused" "400 authentication failed" "$status $(field .description)"
  login id newer
  check "the new one is taken" 200 "$status"
  login second word
  check "another client keeps its own" 200 "$status"
  for given in '{"nobody":"x"}' '{"id":1}' '"x"'; do
    call POST /_sim/set "{\"client_secret\":$given}"
    check "no secret: $given" 400 "$status"
  done
  fresh
  check "a reset goes back to the first" 200 "$status"
}

# may PERMISSION...: what client "id" may do from now on.
may() {
  set_switch "{\"client_permissions\":{\"id\":$(jq -nc '$ARGS.positional' --args "$@")}}"
}

test_permissions() {
  fresh
  may
  call GET $lists
  check "no permission" \
    "403 missing.any.permissions Unable to perform the requested action. You must have at least one of the following permissions assigned: [outbound:contactList:view]" \
    "$(code) $(field .message)"
  check "a refusal has its shape" "403 $(header ININ-Correlation-Id)" "$(field '"\(.status) \(.contextId)"')"
  check "it counts in the window" true "$([ -n "$(header inin-ratelimit-count)" ] && echo true)"
  call POST $lists 'no json'
  check "permissions come before the body" "403 [outbound:contactList:add]" "$status $(field .message | grep -o '\[.*')"
  call GET /api/v2/outbound/nothing
  check "and after the path" "404 not.found" "$(code)"
  call GET /api/v2/authorization/divisions
  check "a call that asks for none" 200 "$status"
  may outbound:contactlist:view outbound:contactList:vie
  call GET $lists
  check "names are exact" 403 "$status"
  may outbound:contactList:view
  call GET $lists
  check "the one that it asks for" 200 "$status"
  call POST $lists/L1/export
  check "all of several: the one that is missing" "403 missing.permissions [outbound:contact:view]" "$(code) $(field .message | grep -o '\[.*')"
  may outbound:contact:view outbound:contactList:view
  call POST $lists/L1/export
  check "all of several" 200 "$status"
  call DELETE /api/v2/outbound/campaigns/C1/progress
  check "one of several: all are named" "403 missing.any.permissions [outbound:campaign:edit, outbound:campaign:recycle]" "$(code) $(field .message | grep -o '\[.*')"
  may outbound:campaign:recycle
  call DELETE /api/v2/outbound/campaigns/C1/progress
  check "one of several: no matter which" 404 "$status"
  call POST /uploads/v2/contactlist
  check "the upload service" "403 [outbound:contact:add]" "$status $(field .message | grep -o '\[.*')"
  login second word
  call GET $lists
  check "another client has all" 200 "$status"
  for given in '{"nobody":[]}' '{"id":["contact:add"]}' '{"id":"outbound:contact:add"}' '{"id":[1]}' '[]'; do
    call POST /_sim/set "{\"client_permissions\":$given}"
    check "no permissions: $given" 400 "$status"
  done
  login
  set_switch '{"client_permissions":{"id":null}}'
  call GET $lists
  check "null: all again" 200 "$status"
  may
  fresh
  call GET $lists
  check "a reset gives all" 200 "$status"
}

# --- contact lists -----------------------------------------------------------

make_list() { call POST $lists "$1"; }
one_list() { # name, more members, columns
  echo "{\"name\":\"$1\",\"columnNames\":${3:-[\"A\",\"PHONE\"]},\"phoneColumns\":[{\"columnName\":\"PHONE\",\"type\":\"cell\"}]${2-}}"
}

test_list_rules() {
  fresh
  make_list "$(one_list Two)"
  check "create" "200 Two 1 true" "$status $(field '"\(.name) \(.version) \(.trimWhitespace)"')"
  check "size is not shown" null "$(field .size)"
  local many wide
  many=$(jq -nc '["PHONE"] + [range(50) | "c\(.)"]')
  wide=$(jq -nc '["PHONE", ("x" * 129)]')
  while IFS='|' read -r wanted given; do
    make_list "$given"
    check "refused: $wanted" "400 $wanted" "$(code)"
  done <<LIST
duplicate.name|$(one_list Two)
name.cannot.be.blank|$(one_list " ")
name.length.exceeded|$(one_list "$(printf 'x%.0s' $(seq 65))")
no.contact.columns.defined|{"name":"x","columnNames":[]}
contact.columns.limit.exceeded|$(one_list x "" "$many")
contact.column.length.limit.exceeded|$(one_list x "" "$wide")
not.unique.contact.columns|$(one_list x "" '["PHONE","A","A"]')
no.phone.columns|{"name":"x","columnNames":["A"]}
invalid.contact.phone.column|$(one_list x "" '["A"]')
not.unique.phone.columns|{"name":"x","columnNames":["P"],"phoneColumns":[{"columnName":"P","type":"a"},{"columnName":"P","type":"b"}]}
system.column.phone.column|{"name":"x","columnNames":["ContactCallable"],"phoneColumns":[{"columnName":"ContactCallable","type":"a"}]}
constraint.validation|{"name":"x","columnNames":["P"],"phoneColumns":[{"columnName":"P"}]}
cannot.have.zip.code.column.without.automatic.time.zone.mapping|$(one_list x ',"zipCodeColumnName":"A"')
invalid.zip.code.column|$(one_list x ',"zipCodeColumnName":"Z","automaticTimeZoneMapping":true')
cannot.have.callable.time.column.with.automatic.time.zone.mapping|{"name":"x","columnNames":["P"],"automaticTimeZoneMapping":true,"phoneColumns":[{"columnName":"P","type":"a","callableTimeColumn":"P"}]}
contact.columns.dont.match|$(one_list x ',"columnDataTypeSpecifications":[{"columnName":"Z","columnDataType":"TEXT"}]')
invalid.value|$(one_list x ',"trimWhitespace":"yes"')
invalid.property|$(one_list x ',"colour":"red"')
bad.request|{"name":
LIST
}

test_list_changes() {
  fresh
  make_list "$(one_list Two)"
  local id two
  id=$(field .id)
  two=$body
  call GET "$lists/$id?includeSize=true"
  check "get, with size" "200 0" "$status $(field .size)"
  call GET "$lists/$id?includeSize=maybe"
  check "a flag that is none" "400 invalid.query.param.value" "$(code)"
  call PUT "$lists/$id" "$(jq -c '.name = "Renamed"' <<<"$two")"
  check "put" "200 Renamed 2" "$status $(field '"\(.name) \(.version)"')"
  call PUT "$lists/$id" "$two"
  check "put, stale version" "409 invalid.update.wrong.version" "$(code)"
  two=$(jq -c '.version = 2' <<<"$two")
  call PUT "$lists/$id" "$(jq -c '.columnNames += ["Z"]' <<<"$two")"
  check "columns are fixed" "400 cannot.update.contact.column.names" "$(code)"
  call PUT "$lists/$id" "$(jq -c '.phoneColumns[0].type = "home"' <<<"$two")"
  check "phone columns are fixed" "400 cannot.update.phone.columns" "$(code)"
  call PUT "$lists/$id" "$(jq -c '.automaticTimeZoneMapping = true' <<<"$two")"
  check "time zones are fixed" "400 cannot.edit.automatic.time.zone.mapping.settings" "$(code)"
  call PUT "$lists/$id" "$(jq -c '.columnDataTypeSpecifications = [{"columnName":"A","columnDataType":"TEXT"}]' <<<"$two")"
  check "data types are fixed" "400 invalid.update" "$(code)"
  call PUT "$lists/$id" "$(jq -c '.name = "One"' <<<"$two")"
  check "put, a name in use" "400 duplicate.name" "$(code)"
  call DELETE "$lists/$id"
  check "delete" "200 0" "$status $(wc -c <"$tmp/body")"
  call GET "$lists/$id"
  check "get, when gone" "404 contact.list.not.found" "$(code)"
  call DELETE "$lists/$id"
  check "delete, when gone" "404 resource.not.found" "$(code)"
  call PUT "$lists/$id" "$two"
  check "put, when gone" "404 resource.not.found" "$(code)"
  call DELETE "$lists?id=L1"
  check "delete many" 204 "$status"
  call DELETE "$lists?id=L1"
  check "delete many, none there" "409 bulk.delete.conflict" "$(code)"
  call DELETE "$lists"
  check "delete many, none named" 400 "$status"
  call POST /_sim/lists "$list_body"
  set_switch '{"delete_status":"204"}'
  call DELETE $lists/L1
  check "delete_status 204" 204 "$status"
  call POST /_sim/lists "$list_body"
  set_switch '{"delete_status":"200"}'
  call DELETE "$lists?id=L1"
  check "delete_status 200" 200 "$status"
}

test_list_uses() {
  fresh
  call POST /_sim/divisions '{"id":"D1","name":"Sales"}'
  call GET "/api/v2/authorization/divisions?name=Sal"
  check "divisions by name" "1 D1 Sales" "$(field '"\(.total) \(.entities[0].id) \(.entities[0].name)"')"
  call GET /api/v2/authorization/divisions
  check "and the home division" "Home Sales" "$(field '[.entities[].name] | join(" ")')"
  make_list "$(one_list Two ',"division":{"id":"D1"}')"
  check "a list in a division" "200 Sales" "$status $(field .division.name)"
  make_list "$(one_list Three ',"division":{"id":"D9"}')"
  check "a division that is not there" "400 not.found" "$(code)"
  call POST /_sim/campaigns '{"id":"C1","name":"Spring","contactList":{"id":"L1"}}'
  call DELETE $lists/L1
  check "a list that a campaign refers to" "400 contact.list.in.use" "$(code)"
  set_switch '{"list_in_use":"integrity"}'
  call DELETE $lists/L1
  check "list_in_use integrity" "400 referential.integrity.error" "$(code)"
  call DELETE "$lists?id=L1"
  check "nor with others" "409 bulk.delete.conflict" "$(code)"
  local id
  set_switch '{"provision_ms":600000,"provision_status":"409"}'
  make_list "$(one_list Four)"
  id=$(field .id)
  call GET "$lists/$id"
  check "provision_status 409, of the list itself" "409 contact.list.not.ready" "$(code)"
  set_switch '{"provision_ms":0,"provision_contacts_ms":600000}'
  make_list "$(one_list Five)"
  id=$(field .id)
  call GET "$lists/$id"
  check "provision_contacts_ms: the list is there" 200 "$status"
  call POST "$lists/$id/contacts/search" '{"pageNumber":1,"pageSize":1}'
  check "its contacts are not" "409 contact.list.not.ready" "$(code)"
  set_switch '{"provision_status":"404"}'
  call POST "$lists/$id/contacts/search" '{"pageNumber":1,"pageSize":1}'
  check "nor with 404" "404 contact.list.not.found" "$(code)"
}

test_listing() {
  fresh
  local name
  for name in alpha Beta beta2 gamma; do make_list "$(one_list $name)"; done
  names() { call GET "$lists?${1-}"; field '[.entities[].name] | join(",")'; }
  check "all, by name" "alpha,Beta,beta2,gamma,One" "$(names)"
  check "descending" "One,gamma,beta2,Beta,alpha" "$(names sortOrder=descending)"
  check "by creation" "One,alpha,Beta,beta2,gamma" "$(names sortBy=dateCreated)"
  check "Prefix is the default" "Beta,beta2" "$(names name=bet)"
  check "Equals" "Beta" "$(names 'name=beta&filterType=Equals')"
  check "Contains" "alpha,Beta,beta2,gamma" "$(names 'name=a&filterType=Contains')"
  check "BeginsWith" "gamma" "$(names 'name=g&filterType=BeginsWith')"
  check "EndsWith" "beta2" "$(names 'name=2&filterType=EndsWith')"
  check "RegEx" "alpha,gamma" "$(names 'name=^(al|ga).*a$&filterType=RegEx')"
  check "LessThan" "alpha" "$(names 'name=beta&filterType=LessThan')"
  check "GreaterThanEqualTo" "Beta,beta2,gamma,One" "$(names 'name=beta&filterType=GreaterThanEqualTo')"
  check "by id" "One" "$(names 'id=L1&id=L2')"
  local home
  call GET $lists/L1
  home=$(field .division.id)
  check "by division" "alpha,Beta,beta2,gamma,One" "$(names "divisionId=$home")"
  check "by another division" "" "$(names divisionId=x)"
  check "page 2" "beta2,gamma" "$(names 'pageSize=2&pageNumber=2')"
  call GET "$lists?pageSize=2&pageNumber=2&name=&includeSize=true"
  check "its figures" "2 2 5 3 0" "$(field '"\(.pageSize) \(.pageNumber) \(.total) \(.pageCount) \(.entities[0].size)"')"
  check "its uris" "$lists?pageSize=2&pageNumber=3&name=&includeSize=true" "$(field .nextUri)"
  call GET "$lists?pageNumber=9"
  check "page_past_end error" "400 invalid.query.param.value" "$(code)"
  check "allowEmptyResult" "" "$(names 'pageNumber=9&allowEmptyResult=true')"
  set_switch '{"page_past_end":"empty"}'
  check "page_past_end empty" "" "$(names pageNumber=9)"
  set_switch '{"text_compare":"exact"}'
  check "text_compare exact" "beta2" "$(names name=bet)"
  for name in sortBy=colour sortOrder=up filterType=Sounds pageSize=x pageNumber=0 'filterType=RegEx&name=('; do
    call GET "$lists?$name"
    check "refused: $name" 400 "$status"
  done
  call GET "$lists?$(seq -f 'id=%g' -s '&' 101)"
  check "101 ids" "400 too.many.bulk.retrieves" "$(code)"
  call GET "$lists?pageSize=500"
  check "page_size_over cap" "200 100" "$status $(field .pageSize)"
  set_switch '{"page_size_over":"refuse"}'
  call GET "$lists?pageSize=101"
  check "page_size_over refuse" 400 "$status"
}

test_provisioning() {
  fresh
  set_switch '{"provision_ms":600000}'
  make_list "$(one_list Slow)"
  local id
  id=$(field .id)
  call GET "$lists/$id"
  check "not there yet" "404 contact.list.not.found" "$(code)"
  call GET "$lists?name=Slow"
  check "not listed yet" "200 0" "$status $(field .total)"
  call POST "$lists/$id/contacts" '[]'
  check "provision_status 404" "404 contact.list.not.found" "$(code)"
  set_switch '{"provision_status":"409"}'
  call POST "$lists/$id/contacts" '[]'
  check "provision_status 409" "409 contact.list.not.ready" "$(code)"
  make_list "$(one_list Slow)"
  check "its name is taken" "400 duplicate.name" "$(code)"
  set_switch '{"provision_ms":200}'
  make_list "$(one_list Quick)"
  id=$(field .id)
  ready() { call GET "$lists/$id" && [ "$status" = 200 ]; }
  await "there after a while" ready
}

. ./test_contacts.sh
. ./test_bodies.sh
. ./test_conflicts.sh
. ./test_faults.sh
. ./test_limits.sh
. ./test_exports.sh
. ./test_reading.sh
. ./test_races.sh
. ./test_writing.sh
. ./test_bulk.sh
. ./test_imports.sh
. ./test_jobs.sh
. ./test_campaigns.sh
. ./test_collections.sh

start --client second word
test_tokens
test_limit
test_secrets
test_permissions
test_scopes
test_bulk_limit
test_rate_headers
test_list_rules
test_list_changes
test_list_uses
test_listing
test_provisioning
test_post
test_post_switches
test_one_contact
test_statuses
test_kept_attributes
test_set_contact
test_partial_posts
test_locks
test_dialling
test_clearing
test_duplicate_ids
test_long_addresses
test_lagging_changes
test_search
test_filters
test_faults
test_conflicts
test_random_faults
test_races
test_retry_after
test_broken_replies
test_bodies
test_resets
test_record
test_control
test_export
test_export_forms
test_export_choice
test_storage
test_download_faults
test_views
test_import_status
test_saved_filters
test_relative_times
test_campaigns
test_dnc_lists
test_dnc_writes
test_collections
test_filter_writes
test_events
test_bulk_jobs
test_bulk_edit
test_bulk_remove
test_bulk_progress
test_bulk_files
test_upload
test_upload_ids
test_upload_refusals
test_failing_files
test_failing_rows
test_odd_statuses
test_import_queue
test_import_time
test_presigned
test_upload_faults
test_outage
test_webhook
test_job_lists
test_append
test_job_upload
test_job_import
test_campaign_writes
test_messaging_campaigns
stop
test_journal
test_discarded_upload
test_discarded_jobs
test_large_export
test_command_line

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
