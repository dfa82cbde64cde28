# Part of test.sh: bodies that lie, connections that are reset.

peak_memory() { awk '/VmHWM/ {print $2}' "/proc/$sim_pid/status"; } # kB

test_bodies() {
  fresh
  faults '[{"path":"/contactlists","status":502,"body_kind":"html"}]'
  call GET $lists
  check "html" "502 text/html; charset=utf-8 <!DOCTYPE" "$status $(header Content-Type) ${body:0:9}"
  faults '[{"path":"/contactlists","body_kind":"empty"}]'
  call GET $lists
  check "empty" "200 0 0 " "$status $(header Content-Length) ${#body} $(header Content-Type)"
  faults '[{"path":"/contactlists","body_kind":"deep"}]'
  call GET $lists
  check "deep, 10,000 levels" "200 $(printf '[%.0s' {1..10000})$(printf ']%.0s' {1..10000})" "$status $body"
  faults '[{"path":"/contactlists","body_kind":"deep","body_bytes":3}]'
  call GET $lists
  check "deep, 3 levels" "[[[]]]" "$body"
  faults '[{"path":"/contactlists","body_kind":"huge","body_bytes":300}]'
  call GET $lists
  check "huge: its length" "200 300" "$status ${#body}"
  check "huge: the beginning of JSON" 4 "$(jq -c '.entities | length' <<<"${body%,\{*}]}")"
  local before
  before=$(peak_memory)
  faults '[{"path":"/contactlists","body_kind":"huge"}]'
  check "huge: 1 GB" "200 1073741824" \
    "$(curl -sk -H "Authorization: Bearer $token" -o /dev/null -w '%{http_code} %{size_download}' "$url$lists")"
  check "never whole in memory" true "$([ $(($(peak_memory) - before)) -lt 100000 ] && echo true)"
  faults '[{"path":"/contactlists","body_kind":"huge","truncate":70000}]'
  call GET $lists
  check "huge, truncated" "18 70000" "$curl_rc ${#body}"
  faults '[{"path":"/contactlists","body_kind":"gzip_damaged"}]'
  call GET $lists "" --compressed
  check "gzip_damaged: curl's error 61, bad encoding" "200 gzip 61" "$status $(header Content-Encoding) $curl_rc"
  faults '[{"path":"/contactlists","body_kind":"gzip_bomb"}]'
  call GET $lists
  check "gzip_bomb: small" "gzip true" "$(header Content-Encoding) $([ "$(header Content-Length)" -lt 2000000 ] && echo true)"
  check "inflated, 1 GB" 1073741824 "$(gzip -dc <"$tmp/body" | wc -c)"
  faults '[{"path":"/contactlists","body_kind":"gzip_bomb","body_bytes":300000}]'
  call GET $lists "" --compressed
  check "inflated, another size" '300000 {"entities":[' "${#body} ${body:0:13}"
  # DESIGN: what was done is done, whatever becomes of the answer.
  local kind
  for kind in html deep huge gzip_damaged gzip_bomb empty; do
    faults "[{\"path\":\"/contacts\",\"body_kind\":\"$kind\",\"body_bytes\":1000}]"
    post "[$(row "$kind-without")]"
    check "$kind: no effect" "200 no" "$status $(is_stored "$kind-without")"
    faults "[{\"path\":\"/contacts\",\"body_kind\":\"$kind\",\"body_bytes\":1000,\"effect\":true}]"
    post "[$(row "$kind-with")]"
    check "$kind with effect" "200 yes" "$status $(is_stored "$kind-with")"
  done
  faults '[{"path":"/contacts","body_kind":"empty","effect":true}]'
  post '[{}]'
  check "the status is the real one" "400 0" "$status ${#body}"
}

# A close is an orderly end, a reset is not: curl's errors 52 and 56.
test_resets() {
  fresh
  faults '[{"path":"/contacts","drop":"before"}]'
  post "[$(row r1)]"
  check "drop without rst" 52 "$curl_rc"
  faults '[{"path":"/contacts","drop":"before","rst":true}]'
  post "[$(row r1)]"
  check "reset before: no effect" "56 no" "$curl_rc $(is_stored r1)"
  faults '[{"path":"/contacts","drop":"after","rst":true}]'
  post "[$(row r2)]"
  check "reset after: effect" "56 yes" "$curl_rc $(is_stored r2)"
  faults '[{"path":"/contacts","truncate":10,"rst":true}]'
  post "[$(row r3)]"
  check "reset in the body" "56 yes" "$curl_rc $(is_stored r3)"
  jq -nc '[range(900) | {id: "d\(.)", contactListId: "L1", data: {A: ("x" * 450)}}]' >"$tmp/large"
  call DELETE /_sim/requests
  faults '[{"path":"/contacts","drop":"during"},{"status":503}]'
  post "@$tmp/large"
  check "drop during: no answer, no effect" "000 no" "$status $(is_stored d0)"
  call GET /_sim/requests
  check "before the body had been read" "1 0 true" \
    "$(field "\"\(length) \(.[0].status) \(.[0].body_bytes > 0 and .[0].body_bytes < $(wc -c <"$tmp/large"))\"")"
  check "one fault, one request" "1,0" "$(hits)"
  call GET $contacts/d0
  check "without a body there is no during" 503 "$status"
  faults '[{"path":"/contacts","drop":"during","rst":true,"nth":2}]'
  post "@$tmp/large"
  check "during, not yet" 200 "$status"
  post "@$tmp/large"
  check "reset during: sending fails, or receiving" true "$([ "$curl_rc" = 55 ] || [ "$curl_rc" = 56 ] && echo true)"
  call POST /_sim/faults '[]'
  nobody() { call GET /_sim/state && [ "$(field .in_flight)" = 0 ]; }
  await "nothing is left in flight" nobody
}
