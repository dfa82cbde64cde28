# Part of test.sh: faults, the record, the control paths and the command line.

faults() { call POST /_sim/faults "$1"; check "faults $1" 200 "$status"; }
hits() { call GET /_sim/faults; field '[.[].hits] | join(",")'; }
statuses() { # how many GETs
  local i out=
  for i in $(seq "$1"); do
    call GET $lists
    out="$out $status"
  done
  echo $out
}

test_faults() {
  fresh
  faults '[{"path":"/contactlists","nth":2,"status":503,"body":"busy","headers":{"Retry-After":"7","X-N":5}}]'
  check "nth" "200 503 200" "$(statuses 3)"
  faults '[{"path":"/contactlists","every":2,"status":500}]'
  check "every" "200 500 200 500" "$(statuses 4)"
  faults '[{"path":"/contactlists","times":2,"status":500}]'
  check "times" "500 500 200" "$(statuses 3)"
  faults '[{"path":"/contactlists","nth":2,"times":2,"status":500}]'
  check "nth and times" "200 500 500 200" "$(statuses 4)"
  faults '[{"nth":2,"status":500},{"nth":2,"status":502},{"every":2,"status":504}]'
  check "the first that is due strikes; all count" "200 500 502 504" "$(statuses 4)"
  check "hits" "1,1,1" "$(hits)"
  faults '[{"method":"POST","status":500}]'
  check "another method" "200" "$(statuses 1)"
  faults '[{"path":"/api/*/contactlists","status":500}]'
  check "glob" "500" "$(statuses 1)"
  call GET $lists/L1
  check "glob, another path" 200 "$status"
  faults '[{"body_contains":"needle","status":409,"body_json":{"code":"x"}}]'
  post "[$(row f1 '{"A":"hay"}')]"
  check "body_contains, without" 200 "$status"
  post "[$(row f2 '{"A":"needle"}')]"
  check "body_contains, with" "409 x" "$(code)"
  faults '[{"status":429,"body":"<html>","content_type":"text/html","headers":{"Retry-After":"7","ININ-Correlation-Id":null}}]'
  call GET $lists
  check "status, body, headers" "429 <html> text/html 7" "$status $body $(header Content-Type) $(header Retry-After)"
  check "a header taken away" "" "$(header ININ-Correlation-Id)"
  check "not counted in the window" "" "$(header inin-ratelimit-count)"
  faults '[{"headers":{"inin-ratelimit-reset":"3"}}]'
  call GET $lists
  check "a header of a real reply" "200 3" "$status $(header inin-ratelimit-reset)"
  faults '[{"path":"/oauth/token","status":502}]'
  call POST /oauth/token "" -u id:secret -d grant_type=client_credentials
  check "on the token call" 502 "$status"
  faults '[]'
  check "an empty list clears" "200" "$(statuses 1)"
  for given in '{}' '[1]' '[{"colour":1}]' '[{"nth":"x"}]' '[{"drop":"never"}]' '[{"percent":0}]' '[{"percent":101}]' \
    '[{"conflict":"K9"}]' '[{"conflict_words":true}]' '[{"body_kind":"odd"}]' '[{"body_bytes":5}]' '[{"rst":true}]' \
    '[{"conflict":"K1","conflict_words":0}]' '['; do
    call POST /_sim/faults "$given"
    check "no fault: $given" 400 "$status"
  done
}

milliseconds() { # a command's time
  local from=${EPOCHREALTIME/./}
  "$@"
  echo $(((${EPOCHREALTIME/./} - from) / 1000))
}

is_stored() { # id: yes or no, whatever faults there are
  call GET "/_sim/contacts?listId=L1"
  field "if any(.id == \"$1\") then \"yes\" else \"no\" end"
}

test_broken_replies() {
  fresh
  local took
  faults '[{"path":"/contacts","drop":"before"}]'
  post "[$(row d1)]"
  check "drop before: no reply, no effect" "000 no" "$status $(is_stored d1)"
  faults '[{"path":"/contacts","drop":"after"}]'
  post "[$(row d2)]"
  check "drop after: no reply, but effect" "000 yes" "$status $(is_stored d2)"
  faults '[{"path":"/contacts","status":504,"effect":true}]'
  post "[$(row d3)]"
  check "status with effect" "504 yes" "$status $(is_stored d3)"
  faults '[{"path":"/contacts","status":504}]'
  post "[$(row d4)]"
  check "status without effect" "504 no" "$status $(is_stored d4)"
  faults '[{"path":"/contacts","truncate":10}]'
  post "[$(row d5)]"
  check "truncate: curl's error 18, 10 bytes, effect" "18 10 yes" "$curl_rc $(wc -c <"$tmp/body") $(is_stored d5)"
  faults '[{"path":"/contacts","truncate":0}]'
  post "[$(row d5)]"
  check "truncate 0" 18 "$curl_rc"
  faults '[{"delay_ms":300}]'
  took=$(milliseconds statuses 1 | tail -1)
  check "delay_ms" true "$([ "$took" -ge 300 ] && echo true)"
  faults '[{"delay_before_ms":300}]'
  took=$(milliseconds statuses 1 | tail -1)
  check "delay_before_ms" true "$([ "$took" -ge 300 ] && echo true)"
  faults '[{"bytes_per_second":2000,"times":1}]'
  took=$(milliseconds statuses 1 | tail -1)
  call GET $lists
  check "bytes_per_second" true "$([ "$took" -ge $(($(wc -c <"$tmp/body") / 3)) ] && echo true)"
  faults '[{"path":"/contacts","stall":true}]'
  call POST $contacts "[$(row d6)]" --max-time 0.3
  check "stall: no reply, no effect" "28 no" "$curl_rc $(is_stored d6)"
  faults '[{"path":"/contacts","stall":true,"effect":true}]'
  call POST $contacts "[$(row d7)]" --max-time 0.3
  check "stall with effect" "28 yes" "$curl_rc $(is_stored d7)"
  nobody() { call GET /_sim/state && [ "$(field .in_flight)" = 0 ]; }
  await "a stall ends when the client goes" nobody
  faults '[{"path":"/contacts","echo_less":1,"echo_patch":{"callable":true,"data":{"B":"x"}}}]'
  post "[$(row e1 '{"A":"1"}' ',"callable":false'),$(row e2)]"
  check "echo_less and echo_patch" 'e1 true {"A":"1","B":"x"}' "$(field '"\([.[].id] | join(",")) \(.[0].callable) \(.[0].data)"')"
  call GET "/_sim/contacts?listId=L1"
  check "what is stored is not patched" false "$(field '.[] | select(.id == "e1") | .callable')"
}

test_record() {
  fresh
  call DELETE /_sim/requests
  set_switch '{"record_bodies":"on"}'
  post "[$(row r1),$(row r2)]" "?priority=true"
  call GET $lists/nope "" -H "X-Request-ID: 42"
  call GET /_sim/requests
  check "requests" "POST:$contacts:priority=true:200:2 GET:$lists/nope::404:null" \
    "$(field '[.[] | "\(.method):\(.path):\(.query):\(.status):\(.rows)"] | join(" ")')"
  check "no secrets" "Bearer" "$(field '.[0].headers.authorization')"
  check "headers" "42" "$(field '.[1].headers["x-request-id"]')"
  check "client" "id" "$(field '.[0].client')"
  local sent
  sent="[$(row r1),$(row r2)]"
  check "body" "$sent" "$(field '.[0].body')"
  check "digest" "$(printf %s "$sent" | sha256sum | cut -d' ' -f1) ${#sent}" "$(field '.[0] | "\(.body_sha256) \(.body_bytes)"')"
  check "time" true "$(field ".[0].at | . > $(date +%s) - 60 and . < $(date +%s) + 2")"
  local last
  last=$(field '.[1].seq')
  login
  call GET "/_sim/requests?since=$last"
  check "since; a token call's form is not kept" "/oauth/token null" "$(field '.[] | "\(.path) \(.body)"')"
  set_switch '{"record_digest":"off"}'
  call GET $lists
  call GET "/_sim/requests"
  check "record_digest off" null "$(field '.[-1].body_sha256')"
  set_switch '{"record_max":2}'
  statuses 3 >/dev/null
  call GET "/_sim/requests"
  check "record_max" 2 "$(field length)"
  call DELETE /_sim/requests
  call GET "/_sim/requests"
  check "cleared" "[]" "$body"
  curl -sk -H "Authorization: Bearer $token" -o /dev/null "$url$lists" -o /dev/null "$url$lists"
  call GET "/_sim/requests"
  check "one connection, kept" 1 "$(field '[.[].connection] | unique | length')"
  set_switch '{"latency_ms":400,"record_max":100}'
  call DELETE /_sim/requests
  local took
  took=$(milliseconds curl -sk -Z --parallel-immediate -H "Authorization: Bearer $token" -o /dev/null "$url$lists" -o /dev/null "$url$lists" \
    -o /dev/null "$url$lists" -o /dev/null "$url$lists" -o /dev/null "$url$lists?x=[1-4]" 2>/dev/null | tail -1)
  check "latency_ms: at least once, and overlapping" true "$([ "$took" -ge 400 ] && [ "$took" -lt 3000 ] && echo true)"
  set_switch '{"latency_ms":0}'
  faults '[{"path":"/contactlists","stall":true}]'
  call DELETE /_sim/requests
  local i pids=
  for i in $(seq 8); do
    curl -sk --max-time 20 -H "Authorization: Bearer $token" "$url$lists" &
    pids="$pids $!"
  done
  all_there() { call GET /_sim/requests && [ "$(field length)" = 8 ]; }
  await "eight at once" all_there
  check "in_flight, connections" "8 8" "$(field '"\([.[].in_flight] | max) \([.[].connection] | unique | length)"')"
  call GET /_sim/state
  check "in_flight, max_in_flight" "8 8" "$(field '"\(.in_flight) \(.max_in_flight)"')"
  # shellcheck disable=SC2086
  kill $pids
  # shellcheck disable=SC2086
  wait $pids 2>/dev/null
  nobody() { call GET /_sim/state && [ "$(field .in_flight)" = 0 ]; }
  await "and none, when they have gone" nobody
}

test_control() {
  fresh
  post "[$(row a),$(row b)]"
  call GET "/_sim/state"
  check "state" "L1 One 2 2 2 0 0 1 0" "$(field '"\(.lists[0].id) \(.lists[0].name) \(.lists[0].contacts) \(.requests) \(.contacts_accepted) \(.rejected) \(.throttled) \(.tokens_issued) \(.in_flight)"')"
  call GET "/_sim/contacts?listId=L1&offset=1&limit=1"
  check "contacts" b "$(field '[.[].id] | join(",")')"
  call GET "/_sim/contacts?listId=nope"
  check "contacts, no list" 404 "$status"
  call GET "/_sim/checksum?listId=L1&columns=Z"
  check "checksum, no column" 400 "$status"
  call GET /_sim/lists
  check "lists" "One 2" "$(field '.[0] | "\(.name) \(.size)"')"
  call POST /_sim/lists "$list_body"
  check "a list twice" 400 "$status"
  call POST /_sim/contacts '{"listId":"L1","id":"z"}'
  check "no such contact" 404 "$status"
  call POST /_sim/contacts '{"listId":"L1","id":"a","colour":1}'
  check "no such attribute" 400 "$status"
  local given
  for given in '{"colour":1}' '{"text_compare":"sometimes"}' '{"read_lag_ms":-1}' '{"read_lag_ms":[]}' '[]'; do
    call POST /_sim/set "$given"
    check "no switch: $given" 400 "$status"
  done
  set_switch '{"gzip":true}'
  call GET $lists "" -H "Accept-Encoding: gzip"
  check "gzip on" "gzip One" "$(header Content-Encoding) $(gzip -dc <"$tmp/body" | jq -r '.entities[0].name')"
  call GET $lists
  check "gzip on, not asked for" "" "$(header Content-Encoding)"
  set_switch '{"gzip":"off"}'
  call GET $lists "" -H "Accept-Encoding: gzip"
  check "gzip off" "" "$(header Content-Encoding)"
  call GET /api/v2/outbound/contacts
  check "unknown path" "404 not.found" "$(code)"
  call GET /elsewhere
  check "no path of ours" "404 not.found" "$(code)"
  call PATCH $lists/L1 '{}'
  check "wrong method" "405 GET, PUT, DELETE" "$status $(header Allow)"
  call GET /_sim/nothing
  check "unknown control path" 404 "$status"
  check "contextId" "$(header ININ-Correlation-Id)" "$(field .contextId)"
  call POST /_sim/reset
  call GET /_sim/state
  check "reset" "0 0 0 ignorecase" "$(field '"\(.lists | length) \(.requests) \(.tokens_issued) \(.switches.text_compare)"')"
}

test_discard() {
  echo "[$list_body]" >"$tmp/lists"
  start --discard --seed-lists "$tmp/lists" --set generated_contacts=250
  login
  local sent
  sent="[$(row a '{"A":"}{][\\\"","B":"\\\\"}'), {\"contactListId\":\"L1\",\"data\":{\"A\":[1,{}]}}]"
  post "$sent"
  check "discard echoes bytes" "200 $sent" "$status $body"
  post "[]"
  check "discard, nothing" "200 []" "$status $body"
  post "[{]"
  check "discard, brackets" 400 "$status"
  jq -nc '[range(1001) | {id: "n\(.)", contactListId: "L1", data: {}}]' >"$tmp/many"
  post "@$tmp/many"
  check "discard, 1,001" "400 too.many.contacts.added" "$(code)"
  call POST $lists/nope/contacts '[]'
  check "discard, no list" 404 "$status"
  search '{"pageNumber":3,"pageSize":100}'
  check "generated page" "50 250 2 contact-000000200 +1000000200" \
    "$(field '"\(.entities | length) \(.total) \(.contactsCount) \(.entities[0].id) \(.entities[0].data.PHONE)"')"
  call GET $contacts/contact-000000007
  check "generated contact" "200 A 000000007" "$status $(field .data.A)"
  call GET $contacts/contact-000000250
  check "no more than there are" 404 "$status"
  call POST $contacts/bulk '["contact-000000001","x"]'
  check "generated, many" 1 "$(field length)"
  call PUT $contacts/contact-000000007 '{"x":1}'
  check "put is taken" '200 {"x":1}' "$status $body"
  call DELETE $contacts/contact-000000007
  check "delete is taken" 200 "$status"
  call GET /_sim/requests
  check "record: rows, no digest" "2 null" "$(field '.[1] | "\(.rows) \(.body_sha256)"')"
  set_switch '{"record_digest":"on"}'
  post "[]"
  call GET /_sim/requests
  check "record_digest on" 64 "$(field '.[-1].body_sha256 | length')"
  stop
}

test_command_line() {
  test_discard
  local bad
  for bad in "" "--port 0 --set x=1" "--port 0 --set x" "--port 0 --limit-scope me" "--port 0 --colour" "--port 0 word" "--port 0 --seed-lists /nowhere" "--port 0 --tls a b" "--port 0 --client-ca /etc/hostname"; do
    # shellcheck disable=SC2086
    $sim $bad >/dev/null 2>"$tmp/err"
    check "refused: $bad" true "$([ $? -ne 0 ] && [ -s "$tmp/err" ] && echo true)"
  done
  start --requests-per-minute 1 --limit-scope org --latency 50 --set unknown_fields=drop
  call GET /_sim/state
  check "options are switches" "1 org 50 drop" "$(field '.switches | "\(.requests_per_minute) \(.limit_scope) \(.latency_ms) \(.unknown_fields)"')"
  set_switch '{"latency_ms":0}'
  call POST /_sim/reset
  call GET /_sim/state
  check "a reset goes back to them" 50 "$(field .switches.latency_ms)"
  faults '[{"path":"/oauth/token","stall":true}]'
  curl -s --max-time 20 -u id:secret -d grant_type=client_credentials "$url/oauth/token" &
  local stalled=$!
  waiting() { call GET /_sim/state && [ "$(field .in_flight)" = 1 ]; }
  await "a stalled request" waiting
  stop
  wait $stalled
  check "and it ended with the simulator" true "$([ $? -ne 28 ] && echo true)"
  openssl req -x509 -newkey rsa:2048 -nodes -keyout "$tmp/key" -out "$tmp/cert" -days 2 -subj /CN=localhost 2>/dev/null
  start --tls "$tmp/cert" "$tmp/key"
  check "https" "https" "${url%%:*}"
  fresh
  post "[$(row tls)]"
  check "over TLS" "200 tls" "$status $(field '.[0].id')"
  faults '[{"path":"/contacts","truncate":3}]'
  post "[$(row tls)]"
  check "truncate over TLS" true "$([ "$curl_rc" -ne 0 ] && echo true)"
  faults '[{"path":"/contacts","drop":"after","rst":true}]'
  post "[$(row tls2)]"
  check "reset over TLS" "true yes" "$([ "$curl_rc" -ne 0 ] && echo true) $(is_stored tls2)"
  stop
  test_client_certificates
}

make_client() { # name, CA: a key and a certificate that it signed
  openssl req -newkey rsa:2048 -nodes -keyout "$tmp/$1.key" -out "$tmp/$1.csr" -subj "/CN=$1" 2>/dev/null
  openssl x509 -req -in "$tmp/$1.csr" -CA "$tmp/$2" -CAkey "$tmp/${2/cert/key}" -CAcreateserial -out "$tmp/$1.pem" -days 2 2>/dev/null
}

# DESIGN: TLS clients.
test_client_certificates() {
  openssl req -x509 -newkey rsa:2048 -nodes -keyout "$tmp/key2" -out "$tmp/cert2" -days 2 -subj /CN=other 2>/dev/null
  make_client good cert
  make_client stranger cert2
  start --tls "$tmp/cert" "$tmp/key" --client-ca "$tmp/cert"
  local who
  call GET /_sim/state
  check "control paths need no certificate" 200 "$status"
  for who in "good 200" "stranger 401"; do
    call POST /oauth/token "" -u id:secret -d grant_type=client_credentials \
      --cert "$tmp/${who% *}.pem" --key "$tmp/${who% *}.key"
    check "certificate, $who" "${who#* }" "$status"
    [ "${who% *}" = stranger ] || token=$(field .access_token)
  done
  call GET $lists "" --cert "$tmp/good.pem" --key "$tmp/good.key"
  check "a call with it" 200 "$status"
  call GET $lists
  check "a good token without" "401 client.certificate.required" "$(code)"
  stop
}
