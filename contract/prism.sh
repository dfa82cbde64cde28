#!/usr/bin/env bash
# The extension's own traffic goes through a validating proxy that knows the API
# description: every request and every reply is of the described shape.  Prints
# "N passed, N failed" last; "skipped: why" without npm or the description.
#
# usage: contract/prism.sh [--in DIR]    (DIR: a work directory of scripts/check)
# GC_OPENAPI: the description (default: ../shared/outbound-openapi.json).

# shellcheck source-path=SCRIPTDIR source=../scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../scripts/lib.sh"

openapi=${GC_OPENAPI:-$root/../shared/outbound-openapi.json}
shopt -s extglob
passed=0
failed=0

skip() {
	echo "skipped: $1"
	echo "0 passed, 0 failed, 1 skipped"
	exit
}

# expect NAME COMMAND...
expect() {
	local name=$1
	shift
	if "$@"; then
		passed=$((passed + 1))
		echo "ok: $name"
	else
		failed=$((failed + 1))
		echo "FAILED: $name"
	fi
}

# checkable <DESCRIPTION: the proxy adds null to the choices of what is nullable;
# with two of them the schema is invalid, and nothing of that shape is checked.
# And where only errors are described, it takes a success for one of them.
checkable() {
	jq 'walk(if type == "object" and .nullable == true and (.enum | type) == "array" then .enum -= [null] else . end)
		| .paths[][] |= if type == "object" and (.responses | type) == "object" and (.responses | keys | any(startswith("2")) | not) then .responses["200"] = {description: ""} else . end'
}

# start_prism: the proxy before the simulator; sets proxy (its address).
start_prism() {
	local port
	port=$(free_port)
	prism_log=$work/log/prism
	checkable <"$openapi" >"$work/out/openapi.json"
	GC_NODE_MODULES=$modules NODE_OPTIONS="--require $src/contract/strict.cjs" \
		"$modules/node_modules/.bin/prism" proxy --errors --port "$port" "$work/out/openapi.json" "$sim_url" \
		</dev/null >"$prism_log" 2>&1 &
	note_pid $!
	for _ in $(seq 300); do
		grep -q 'Prism is listening' "$prism_log" && break
		sleep 0.1
	done
	proxy=http://127.0.0.1:$port
}

# What the proxy objected to, so far.
violations() { grep -iE 'violation|✖' "$prism_log" || true; }

searches() { grep -c 'post .*contacts/search' "$prism_log" || true; }

no_violations() { [ -z "$(violations)" ] || { violations; return 1; }; }

query() { sql -d contract_prism "$@"; }

# The statements, as a file that psql stops in at the first error.
run_statements() { query -v "source=$src" -v "proxy=$proxy" -v "login=$sim_url" -f "$src/contract/prism.sql"; }

# The contract test of the SDK, its calls by way of the proxy.
run_sdk() { GC_NODE_MODULES=$modules GC_SIM_URL=$sim_url GC_API_URL=$proxy node "$src/contract/sdk.mjs"; }

# What only the platform makes, for the tables that show it.
make_objects() {
	sim_call POST /_sim/campaigns "{\"id\": \"spring\", \"name\": \"Spring\", \"contactList\": {\"id\": \"$list\"},
		\"dncLists\": [{\"id\": \"robinson\"}], \"progress\": {\"percentage\": 40}}"
	sim_call POST /_sim/dnclists '{"id": "robinson", "name": "Robinson", "entries": ["+1"]}'
	sim_call POST /_sim/events "{\"code\": \"IMPORT_INVALID_DATA\", \"listId\": \"$list\", \"contactId\": \"AWK-1\"}"
	sim_call POST /_sim/importstatus "{\"listId\": \"$list\", \"state\": \"FAILED\", \"failureReason\": \"IMPORT_TOO_MANY_COLUMNS\"}"
	sim_call POST /_sim/bulkjobs "{\"listId\": \"$list\", \"type\": \"BulkEdit\", \"state\": \"Complete\"}"
}

# status METHOD PATH BODY: of a request that goes through the proxy.
status() {
	curl -s -o /dev/null -w '%{http_code}' -X "$1" -H "Authorization: Bearer $token" \
		-H 'Content-Type: application/json' --data-binary "$3" "$proxy$2"
}

# asked METHOD PATH: the permissions that the simulator asks for, sorted; nothing where it does not have the call.
asked() {
	curl -s -X "$1" -H "Authorization: Bearer $token" "$sim_url$2" |
		jq -r 'select(.code | startswith("missing.")) | .message | capture("\\[(?<names>.*)\\]").names | split(", ") | sort | join(" ")'
}

# Each call that the simulator has asks a client that may do nothing for what the description says.  (Two
# paths that it does not have are taken for ids.)
asks_permissions() {
	local method path wanted got calls=0 rc=0
	sim_call POST /_sim/set '{"client_permissions": {"id": []}}' >"$work/out/permissions"
	while read -r method path wanted; do
		got=$(asked "$method" "${path//\{*([^\}])\}/x}")
		[ -n "$got" ] || continue
		calls=$((calls + 1))
		[ "$got" = "$wanted" ] || { echo "$method $path asks for $got, not $wanted"; rc=1; }
	done < <(jq -r '.paths | to_entries[] | select(.key | test("/(campaigns/all|dnclists/divisionviews)$") | not) | .key as $path | .value | to_entries[]
		| select(.value | type == "object" and has("x-permissions")) | "\(.key | ascii_upcase) \($path) \(.value["x-permissions"] | sort | join(" "))"' "$openapi")
	sim_call POST /_sim/set '{"client_permissions": {"id": null}}' >>"$work/out/permissions"
	echo "$calls calls ask for permissions"
	[ "$calls" -gt 50 ] && [ "$rc" = 0 ]
}

refuses_wrong_request() {
	local before
	before=$(violations | wc -l)
	[ "$(status POST "/api/v2/outbound/contactlists/$list/contacts" '[{"id": "x", "data": "no map"}]')" = 422 ] &&
		[ "$(status POST "/api/v2/outbound/contactlists/$list/contacts/search" '{"pageSize": "many"}')" = 422 ] &&
		[ "$(violations | wc -l)" -gt "$before" ]
}

[ -r "$openapi" ] || skip "the validating proxy, because there is no $openapi: Genesys publishes the API's description at https://api.mypurecloud.com/api/v2/docs/swagger, and GC_OPENAPI names a copy of it"
if ! command -v npm >/dev/null || ! command -v node >/dev/null; then skip "the validating proxy, because npm is not there"; fi
if [ "${1:-}" = --in ]; then
	join_work "$2"
else
	setup_packages
	setup_work
	build
	start_postgres
fi
npm_modules
start_sim
start_prism
list=$(sim_call POST /_sim/lists "$(cat "$src/scripts/demo.d/list.json")" | jq -r .id)
token=$(curl -sS -u id:secret -d grant_type=client_credentials "$sim_url/oauth/token" | jq -r .access_token)
sql -c 'SET client_min_messages = warning' -c 'DROP DATABASE IF EXISTS contract_prism' -c 'CREATE DATABASE contract_prism'

expect "a request through the proxy arrives" \
	test "$(status GET "/api/v2/outbound/contactlists/$list" '')" = 200
expect "the simulator's replies to the SDK are of the described shapes" run_sdk
expect "none of them violates the description" no_violations
make_objects >"$work/out/objects"
searched=$(searches)
expect "the extension's statements succeed through the proxy" run_statements
expect "the proxy saw them" test "$(searches)" -gt "$searched"
expect "no request and no reply violates the description" no_violations
expect "the simulator asks for the permissions that the description names" asks_permissions
expect "a request that does is reported, so these tests can fail" refuses_wrong_request
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
