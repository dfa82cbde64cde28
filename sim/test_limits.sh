# Part of test.sh: the rate windows.

test_limit() {
  fresh
  call GET $lists
  check "unlimited" "1 1000000" "$(header inin-ratelimit-count) $(header inin-ratelimit-allowed)"
  check "correlation id" 36 "$(header ININ-Correlation-Id | tr -d '\n' | wc -c)"
  set_switch '{"requests_per_minute":3}'
  call GET $lists
  call GET $lists
  check "the window counts" "3 3" "$(header inin-ratelimit-count) $(header inin-ratelimit-allowed)"
  reset=$(header inin-ratelimit-reset)
  check "reset in seconds" true "$([ "$reset" -ge 50 ] && [ "$reset" -le 60 ] && echo true)"
  call GET $lists
  check "window full" "429 too.many.requests.retry.after" "$(code)"
  check "Retry-After is the reset" "$(header inin-ratelimit-reset)" "$(header Retry-After)"
  check "the text has the seconds" "$(header Retry-After)" "$(field .message | sed 's/.*\[//; s/\].*//')"
  check "limit in the error" "client.credentials.token.rate.per.minute 3" "$(field '"\(.limit.key) \(.limit.value)"')"
  set_switch '{"throttle_code":"too.many.requests"}'
  call GET $lists
  check "throttle_code" "429 too.many.requests" "$(code)"
  call GET /_sim/state
  check "throttled are counted" 2 "$(field .throttled)"
  login
  call GET $lists
  check "scope token: a new token, a new window" 200 "$status"
  local scope wanted
  for scope in client org; do
    wanted=$([ $scope = client ] && echo 200 || echo 429)
    fresh
    set_switch "{\"requests_per_minute\":1,\"limit_scope\":\"$scope\"}"
    call GET $lists
    check "scope $scope: first" 200 "$status"
    login
    call GET $lists
    check "scope $scope: another token, the same window" 429 "$status"
    login second word
    call GET $lists
    check "scope $scope: another client" "$wanted" "$status"
  done
  fresh
  set_switch '{"requests_per_minute":1,"rate_window_seconds":1}'
  call GET $lists
  call GET $lists
  check "short window" "429 1" "$status $(header Retry-After)"
  reopened() { call GET $lists && [ "$status" = 200 ]; }
  await "the window opens again" reopened
}

# The windows that were used, as scope:key:client:used:allowed:throttled
windows() {
  call GET /_sim/state
  field '[.windows[] | "\(.scope):\(.key):\(.client):\(.used):\(.allowed):\(.throttled)"] | join(" ")'
}

# SCENARIOS E1: whose the quota is.  Two tokens of one client and one of another.
test_scopes() {
  local scope wanted first other
  while read -r scope wanted; do
    fresh
    set_switch "{\"requests_per_minute\":2,\"limit_scope\":\"$scope\"}"
    first=$token
    login
    other=$token
    call GET $lists
    token=$first
    call GET $lists
    token=$other
    call GET $lists
    login second word
    call GET $lists
    check "windows of scope $scope" "$wanted" "$(windows)"
  done <<'LIST'
token token:3:second:1:2:0 token:2:id:2:2:0 token:1:id:1:2:0
client client:1:second:1:2:0 client:2:id:2:2:1
org org:0:null:2:2:2
LIST
  # The window opens with the first request, and a refused one does not move it.
  fresh
  set_switch '{"requests_per_minute":1}'
  check "no window before a request" "" "$(windows)"
  check "no 429 yet" null "$(field .throttled_at)"
  call GET $lists
  windows >/dev/null
  local opened
  opened=$(field '.windows[0].opened_at')
  call GET $lists
  check "a full window" "token:1:id:1:1:1" "$(windows)"
  check "a fixed window" "$opened" "$(field '.windows[0].opened_at')"
  check "the last 429" true "$(field '.throttled_at as $at | .windows[0] | .throttled_at == $at and $at > .opened_at and $at < .opened_at + 60')"
  check "a token is never shown" "" "$(grep -o "$token" "$tmp/body")"
}

test_bulk_limit() {
  fresh
  set_switch '{"bulk_requests_per_minute":2,"requests_per_minute":4}'
  post "[$(row b1)]"
  check "bulk, first" 200 "$status"
  call POST $contacts/bulk '["b1"]'
  check "bulk, second" 200 "$status"
  post "[$(row b2)]"
  check "bulk, full" "429 too.many.requests.retry.after" "$(code)"
  check "which limit" "outbound.contacts.bulk.rate.per.minute 2" "$(field '"\(.limit.key) \(.limit.value)"')"
  check "Retry-After in seconds" true "$([ "$(header Retry-After)" -ge 50 ] && [ "$(header Retry-After)" -le 60 ] && echo true)"
  check "refused in one, counted in neither" "2 4" "$(header inin-ratelimit-count) $(header inin-ratelimit-allowed)"
  call GET $contacts/b1
  check "what is no bulk goes on" 200 "$status"
  login second word
  post "[$(row b2)]"
  check "the organisation's, whatever the client" 429 "$status"
  check "throttled_bulk" "token:2:second:0:4:0 token:1:id:3:4:0 bulk:0:null:2:2:2" "$(windows)"
  check "apart from the others" "0 2 null" "$(field '"\(.throttled) \(.throttled_bulk) \(.throttled_at)"')"
  fresh
  set_switch '{"bulk_requests_per_minute":2,"requests_per_minute":1}'
  post "[$(row b1)]"
  post "[$(row b1)]"
  check "the rate window, full first" "429 client.credentials.token.rate.per.minute" "$status $(field .limit.key)"
  check "nor counted as bulk" "token:1:id:1:1:1 bulk:0:null:1:2:0" "$(windows)"
}

test_rate_headers() {
  fresh
  local family wanted
  while read -r family wanted; do
    set_switch "{\"requests_per_minute\":9,\"rate_headers\":\"$family\"}"
    login
    call GET $lists
    check "rate_headers $family" "$wanted" \
      "$(header inin-ratelimit-count):$(header inin-ratelimit-allowed):$(header X-RateLimit-Limit):$(header X-RateLimit-Remaining)"
  done <<'LIST'
inin 1:9::
xratelimit ::9:8
both 1:9:9:8
none :::
LIST
  set_switch '{"requests_per_minute":1}'
  call GET $lists
  check "Retry-After whatever the headers" true "$([ "$status" = 429 ] && [ "$(header Retry-After)" -gt 0 ] && echo true)"
}
