# shellcheck shell=bash disable=SC2154
# The matrix dialect × suite, for scripts/check: what the suites say with servers of dialect
# "jobs".  One source: sql/ and specs/ are the same files, and what is expected is the same,
# but for the differences in expected/jobs/; Perl tests take the dialect from GC_DIALECT.
# docs/coverage.md has a table of what is not run so, and why.

# The rate headers are those of that dialect, too.
dialect_sim() { start_sim --set rate_headers=xratelimit && use_sim; }

# dialect_rows: "FILE<tab>VERDICT" of each row of the table.
dialect_rows() {
	sed -n '/^## Dialects/,/^## /p' "$src/docs/coverage.md" |
		sed -nE 's/^\| `([^`]+)` \| (.*) \|$/\1\t\2/p'
}

# dialect_verdict FILE: "yes", "with `--long`", or why not; nothing if the table does not have it.
dialect_verdict() { dialect_rows | awk -F '\t' -v file="$1" '$1 == file { print $2 }'; }

# Every Perl test has one row of the table, and what has one exists; others are run unless they have.
dialect_table_is_whole() {
	local file rc=0
	while IFS= read -r file; do
		echo "docs/coverage.md: under Dialects $file should be once" && rc=1
	done < <({ dialect_rows | cut -f 1 | sort | uniq -d
		(cd "$src" && ls t/[0-9]*.pl) | grep -vxFf <(dialect_rows | cut -f 1); } | sort -u)
	return "$rc"
}

# dialect_runs FILE: whether it is run now.
dialect_runs() {
	case $(dialect_verdict "$1") in
		'' | yes*) return 0 ;;
		with*) [ "$long" = 1 ] ;;
		*) return 1 ;;
	esac
}

# dialect_tree DIR: the tests, with what is expected of the dialect.
dialect_tree() {
	local file rc=0
	as_server mkdir -p "$1"
	as_server cp -r "$src/sql" "$src/specs" "$src/expected" "$1"
	for file in "$src"/expected/jobs/*.diff; do
		as_server patch -s --no-backup-if-mismatch "$1/expected/$(basename "$file" .diff).out" "$file" ||
			{ echo "expected/jobs/${file##*/} does not apply" && rc=1; }
	done
	return "$rc"
}

# dialect_sql: regression and isolation, in a cluster of their own.
dialect_sql() {
	local name tests=() specs=() rc=0
	tree=$work/out/dialect
	dialect_tree "$tree" || rc=1
	cluster=dialects cluster_port=5435
	start_postgres "shared_preload_libraries = 'gc_fdw'"
	dialect_sim
	for name in $(names REGRESS); do ! dialect_runs "sql/$name.sql" || tests+=("$name"); done
	for name in $(spec_names); do ! dialect_runs "specs/$name.spec" || specs+=("$name"); done
	regress regression.jobs dialect_regression "${tests[@]}" || rc=1
	isolate isolation.jobs dialect_isolation "${specs[@]}" || rc=1
	as_server "$pg_ctl" -s -D "$pgdata" -m fast stop
	return "$rc"
}

dialect_tap() {
	local file files=()
	for file in "$src"/t/[0-9]*.pl; do ! dialect_runs "t/${file##*/}" || files+=("$file"); done
	GC_IMPORT_KILLS=${GC_IMPORT_KILLS:-$((long == 1 ? 50 : 2))} prove_tests tap.jobs "${files[@]}"
}

# Both at once.
check_dialects() {
	need extension simulator
	local lane pids=() rc=0
	export GC_DIALECT=jobs
	for lane in sql tap; do
		"dialect_$lane" >"$work/log/dialect.$lane" 2>&1 &
		pids+=($!)
	done
	for lane in sql tap; do
		wait "${pids[0]}" || { without_passed "$work/log/dialect.$lane" | tail -n 100 && rc=1; }
		pids=("${pids[@]:1}")
	done
	dialect_matrix
	return "$rc"
}

# outcome SUITE FILE: what that suite's report says.
outcome() {
	local report=$work/out/$1/report name=${2##*/}
	[ -e "$report" ] || { echo "not run" && return; }
	name=${name%.*}
	case $2 in
		t/*)
			if ! grep -qE "(^|\] )$2 \.\." "$report"; then
				echo "not run"
			elif grep -qE "^$2 .*(Failed: [1-9]|Wstat: [1-9])" "$report"; then
				echo "FAILED"
			elif grep -A 1 -E "(^|\] )$2 \.\." "$report" | grep -i '1\.\.0 # skip' >/dev/null; then
				echo "skipped"
			else
				echo "passed"
			fi
			;;
		*)
			if grep -qE "^(not ok.* |test )$name .*FAILED|^not ok .* $name " "$report"; then
				echo "FAILED"
			elif grep -qE "^(ok .* |test )$name " "$report"; then
				echo "passed"
			else
				echo "not run"
			fi
			;;
	esac
}

# matrix_row SUITE FILE
matrix_row() {
	local under why=
	under=$(outcome "$1.jobs" "$2")
	[ "$under" != "not run" ] || why=$(dialect_verdict "$2")
	case $why in
		with*) under='with --long' ;;
		?*) under="n.a.: ${why#no: }" ;;
	esac
	printf '%-10s  %-28s  %-8s  %s\n' "$1" "$2" "$(outcome "$1" "$2")" "$under"
}

# The platform's column is of the steps regression, isolation and tap, if they have been run.
dialect_matrix() {
	local name matrix=$work/out/matrix
	{
		printf '%-10s  %-28s  %-8s  %s\n' suite file platform jobs
		for name in $(names REGRESS); do matrix_row regression "sql/$name.sql"; done
		for name in $(spec_names); do matrix_row isolation "specs/$name.spec"; done
		for name in "$src"/t/[0-9]*.pl; do matrix_row tap "t/${name##*/}"; done
	} >"$matrix"
	cat "$matrix"
	awk 'NR > 1 { suites[$1]; total[$1]++; platform[$1] += $3 == "passed"; jobs[$1] += $4 == "passed" || $5 == "passed" && $3 == "not" }
		END { for (s in suites) printf "%-10s: of %d files, platform %d passed, jobs %d passed\n", s, total[s], platform[s], jobs[s] }' "$matrix" | sort
}
