# Part of test.sh: conflicts of each kind, faults at random, Retry-After.

# SCENARIOS K1 to K8: the code tells the kind, and so do the words alone.
test_conflicts() {
  fresh
  local kind wanted number words
  while IFS='|' read -r kind wanted number words; do
    faults "[{\"path\":\"/contacts\",\"conflict\":\"$kind\",\"conflict_words\":$number}]"
    post "[$(row c1)]"
    check "$kind, words $number" "$wanted conflict" "$(code)"
    check "$kind has the words $words" true "$(field ".message | test(\"$words\"; \"i\")")"
    faults "[{\"path\":\"/contacts\",\"conflict\":\"$kind\"}]"
    post "[$(row c1)]"
    check "$kind, a full error" \
      '["code","contextId","details","entityId","entityName","errors","message","messageParams","messageWithParams","status"]' \
      "$(field keys)"
    check "$kind, its status and id" "$status $(header ININ-Correlation-Id) L1" "$(field '"\(.status) \(.contextId) \(.entityId)"')"
  done <<'LIST'
K1|409|true|external id .* already exists
K2|409|true|locked
K2|409|2|processing
K2|409|3|import in progress
K3|409|true|being dialed
K4|409|1|has been modified since
K4|409|2|does not match the current version
K4|409|3|Unexpected version
K5|409|true|concurrent
K6|400|true|already exists
K7|409|1|does not exist
K7|409|2|incompatible
K8|409|9|duplicate contact
LIST
  while read -r kind wanted; do
    faults "[{\"path\":\"/contacts\",\"conflict\":\"$kind\"}]"
    call PUT $contacts/c1 "$(row c1)"
    check "$kind, code, entity and field" "$wanted" "$(field '"\(.status):\(.code):\(.entityName):\(.details[0].fieldName):\(.details[0].entityId)"')"
  done <<'LIST'
K1 409:duplicate.external.id:Contact:externalId:c1
K2 409:contact.list.not.ready:ContactList:null:c1
K3 409:contact.in.use:Contact:null:c1
K4 409:invalid.update.wrong.version:ContactList:version:c1
K5 409:too.many.import.jobs:ContactList:null:c1
K6 400:duplicate.name:ContactList:name:c1
K7 409:referential.integrity.error:Campaign:contactList:c1
K8 409:duplicate.contact.id:Contact:id:c1
LIST
  check "a conflict: no effect" no "$(is_stored c1)"
  faults '[{"path":"/contacts","conflict":"K2","effect":true}]'
  post "[$(row c2)]"
  check "a conflict with effect" "409 yes" "$status $(is_stored c2)"
}

# DESIGN: a run with faults at random can be made again, as it was.
test_random_faults() {
  fresh
  local mix='[{"percent":20,"status":503},{"percent":10,"status":500},{"percent":20.5,"status":502}]'
  local once again
  faults "$mix"
  once=$(statuses 60)
  faults "$mix"
  again=$(statuses 60)
  check "the same seed, the same faults" "$once" "$again"
  check "of every kind, and none" "200 500 502 503" "$(tr ' ' '\n' <<<"$once" | sort -u | xargs)"
  set_switch '{"seed":2}'
  faults "$mix"
  check "another seed, others" true "$([ "$(statuses 60)" != "$once" ] && echo true)"
  faults '[{"percent":40,"status":500},{"percent":60,"status":502}]'
  check "percentages add up: to 100" "500 502" "$(statuses 40 | tr ' ' '\n' | sort -u | xargs)"
  faults '[{"percent":100,"status":500,"times":2}]'
  check "percent and times" "500 500 200" "$(statuses 3)"
  faults '[{"percent":2.5,"status":500},{"percent":2.5,"status":502}]'
  curl -sk -H "Authorization: Bearer $token" -o /dev/null "$url$lists?x=[1-2000]"
  call GET /_sim/faults
  check "5% of 2,000" true "$(field '[.[].hits] | add as $n | $n > 60 and $n < 140 and min > 20')"
}

# SCENARIOS E2: Retry-After in every shape a gateway may give it.
test_retry_after() {
  fresh
  local given
  faults '[{"path":"/contactlists","status":429}]'
  call GET $lists
  check "Retry-After absent" "429 " "$status $(grep -i '^retry-after' "$tmp/head")"
  for given in 0 -5 soon 99999999999999999999 1.5 "Wed, 21 Oct 2026 07:28:00 GMT" ""; do
    faults "[{\"path\":\"/contactlists\",\"status\":429,\"headers\":{\"Retry-After\":\"$given\"}}]"
    call GET $lists
    check "Retry-After '$given'" "429 1 $given" \
      "$status $(grep -ic '^retry-after:' "$tmp/head") $(header Retry-After | sed 's/ *$//')"
  done
  set_switch '{"requests_per_minute":1}'
  faults '[{"path":"/contactlists","headers":{"Retry-After":null}}]'
  call GET $lists
  call GET $lists
  check "Retry-After taken from a real 429" "429 " "$status $(header Retry-After)"
}
