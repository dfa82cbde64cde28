# shellcheck shell=bash disable=SC2034,SC2119
# bench/lib.sh: what the benchmarks share: set-up, repeated runs, the table.
# To be sourced.

# shellcheck source-path=SCRIPTDIR source=../scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../scripts/lib.sh"

rows=1000000
runs=3
with_sdk=1
in_dir=

# parse_options "$@": --rows N, --runs N, --no-sdk, --in DIR, --help.
parse_options() {
	while [ $# -gt 0 ]; do
		case $1 in
			--rows) need_number "$@" && rows=$2 && shift ;;
			--runs) need_number "$@" && runs=$2 && shift ;;
			--in)
				need_argument --in "a directory" "${2:-}"
				is_work "$2" || usage_error "$2 is no work directory of scripts/check --keep"
				in_dir=$2
				shift
				;;
			--no-sdk) with_sdk=0 ;;
			--help | -h) usage && exit ;;
			*) usage_error "what is $1?" ;;
		esac
		shift
	done
}

# open_work: the given work directory, or one of our own, with all built.
open_work() {
	if [ -n "$in_dir" ]; then
		join_work "$in_dir"
	else
		setup_packages
		setup_work
		build
	fi
}

# set_up DATABASE: build and servers, or those of the given work directory.
set_up() {
	open_work
	[ -n "$in_dir" ] || start_postgres "shared_preload_libraries = 'gc_fdw'"
	set_up_database "$1"
}

# set_up_database NAME: the leads' generator and the extension in a database of its own,
# over a simulator of its own.
set_up_database() {
	start_sim --discard
	sql -c 'SET client_min_messages = warning' -c "DROP DATABASE IF EXISTS $1 WITH (FORCE)" -c "CREATE DATABASE $1"
	export PGDATABASE=$1
	sql -f "$src/bench/leads.sql"
	list_id=$(sim_call POST /_sim/lists "$(cat "$src/bench/list.json")" | jq -r .id)
	sql -v "url=$sim_url" -v "list=$list_id" -f "$src/bench/connect.sql"
	token=$(curl -sS -u id:secret -d grant_type=client_credentials "$sim_url/oauth/token" | jq -r .access_token)
}

floor="floor: one curl process"
tight="one libcurl handle (bench/floor.c)"

# curl_config PATH: reads what each request has as its data from stdin, one a line
# (@FILE, or the text itself), and writes what curl --config needs to send them all
# over one connection.  The path is that of the list's, or begins with a slash.
curl_config() {
	local url=$sim_url/api/v2/outbound/contactlists/$list_id/$1
	[[ $1 != /* ]] || url=$sim_url$1
	sed 's/["\\]/\\&/g' | awk -v url="$url" -v token="$token" '{
		if (NR > 1) print "next"
		printf "url = \"%s\"\nheader = \"Authorization: Bearer %s\"\nheader = \"Content-Type: application/json\"\n", url, token
		printf "header = \"Expect:\"\noutput = /dev/null\nfail\ndata-binary = \"%s\"\n", $0 }'
}

build_floor() {
	as_server cc -O2 -o "$work/out/floor" "$src/bench/floor.c" -lcurl
}

# find_sdk: whether the SDK is to run; says why not.
find_sdk() {
	[ "$with_sdk" = 1 ] || return 1
	if ! command -v npm >/dev/null || ! command -v node >/dev/null; then
		say "without the SDK: npm is not there"
		return 1
	fi
	npm_modules
}

declare -A times=()
order=()

# measure NAME ROWS COMMAND...: runs it $runs times; keeps the seconds each took,
# scaled to $rows if ROWS is less.  A command that prints "seconds: N" is
# believed (it leaves out its own set-up).
measure() {
	local name=$1 n=$2 i begun took
	shift 2
	order+=("$name")
	for i in $(seq "$runs"); do
		begun=$(now)
		run "$@" >"$work/out/measured" 2>&1 || { cat "$work/out/measured"; die "$name failed"; }
		took=$(awk -v a="$begun" -v b="$(now)" '/^seconds: / { s = $2 } END { print s ? s : b - a }' "$work/out/measured")
		times[$name]+=" $(awk -v t="$took" -v all="$rows" -v n="$n" 'BEGIN { printf "%.3f", t * all / n }')"
		say "$name: run $i of $runs, $took s"
	done
}

failed=0

# Aims that are times are held by a quiet machine.  scripts/check, which runs on any, allows
# this many times as much, so that it fails for what is wrong and not for what else is at work.
slack=${GC_BENCH_SLACK:-1}

# judge NAME VALUE [AIM CONDITION]: a line of a table with its verdict, by a condition as
# awk knows them; without one it is told for information.
judge() {
	local verdict=
	if [ $# -gt 2 ]; then
		verdict=ok
		awk "BEGIN { exit !($4) }" || { verdict="TOO BAD" failed=1; }
	fi
	printf '%-62s %12s   %-18s %s\n' "$1" "$2" "${3:-}" "$verdict" | sed 's/ *$//'
}

# cpu_ns PID...: CPU that they have used so far.  (Not /proc/PID/stat, which rounds down to
# whole jiffies for each process.)
cpu_ns() {
	local pid
	for pid in "$@"; do cat "/proc/$pid/schedstat"; done | awk '{ s += $1 } END { printf "%.0f", s }'
}

# cpu_percent NANOSECONDS SECONDS: of one core.
cpu_percent() { awk -v ns="$1" -v s="$2" 'BEGIN { printf "%.2f", ns / s / 1e7 }'; }

# rss_of PID: its own memory (kB): shared buffers do not count.
rss_of() { awk '/^RssAnon:/ { print $2 }' "/proc/$1/status"; }

# Those that watch a process do so while it lives, and this file is there.
is_watching() { [ -e "$work/out/watching" ] && [ -e "/proc/$1/status" ]; }

# watch_rss PID: keeps the greatest of it in $work/out/peak.rss.
watch_rss() {
	local key kb peak=0
	while is_watching "$1"; do
		while read -r key kb _; do
			if [ "$key" = RssAnon: ] && [ "$kb" -gt "$peak" ]; then peak=$kb; fi
		done <"/proc/$1/status" || true
		echo "$peak" >"$work/out/peak.rss"
		sleep 0.02
	done 2>/dev/null
}

# watch_contexts PID: asks the server for the total of its memory contexts, again and again, …
watch_contexts() {
	while is_watching "$1"; do
		sql -At -c "SELECT pg_log_backend_memory_contexts($1)" >/dev/null 2>&1 || true
		sleep 0.2
	done
}

# contexts_of PID: … of which this is the greatest (kB).
contexts_of() {
	grep -F "[$1] LOG:  Grand total:" "$work/log/postgres" |
		sed -E 's/.*Grand total: ([0-9]+) bytes.*/\1/' | sort -n | tail -n 1 | awk '{ printf "%d\n", $1 / 1024 }'
}

# The median of the runs of a name.
median() { tr ' ' '\n' <<<"${times[$1]}" | grep . | sort -n | awk '{ t[NR] = $1 } END { print t[int((NR + 1) / 2)] }'; }
fastest() { tr ' ' '\n' <<<"${times[$1]}" | grep . | sort -n | head -n 1; }

# table SDK: all that was measured; ratios are of medians.
table() {
	local name least sdk=
	least=$(median "$floor")
	[ -z "${times[$1]:-}" ] || sdk=$(median "$1")
	printf '\n%-44s %8s %8s %10s %8s %9s\n' "" "min s" "median s" "rows/s" "x floor" "SDK / it"
	for name in "${order[@]}"; do
		awk -v name="$name" -v min="$(fastest "$name")" -v med="$(median "$name")" -v n="$rows" -v f="$least" -v s="$sdk" \
			'BEGIN { printf "%-44s %8.2f %8.2f %10.0f %8.1f %9s\n", name, min, med, n / med, med / f, s ? sprintf("%.1f", s / med) : "-" }'
	done
}

# verdict NAME SDK TIMES_FLOOR TIMES_SDK: says whether the aims are reached.
verdict() {
	awk -v med="$(median "$1")" -v f="$(median "$floor")" -v most="$3" 'BEGIN {
		printf "%s: %.1f x the floor (aim: at most %s)\n", (med / f <= most ? "reached" : "missed"), med / f, most }'
	[ -z "${times[$2]:-}" ] || awk -v med="$(median "$1")" -v s="$(median "$2")" -v least="$4" 'BEGIN {
		printf "%s: %.1f x as fast as the SDK (aim: at least %s)\n", (s / med >= least ? "reached" : "missed"), s / med, least }'
}
