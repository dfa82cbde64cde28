# shellcheck shell=bash disable=SC2154,SC2034
# The suites, for scripts/check: pg_regress, the isolation tester and Perl tests.

pgxs_dir() { dirname "$("$bin/pg_config" --pgxs)"; }

# Where pg_regress and pg_isolation_regress find the tests.
tree=

# regress NAME DATABASE TEST...: pg_regress over these tests of sql/.
regress() {
	local out=$work/out/$1 db=$2 rc=0
	shift 2
	as_server mkdir -p "$out"
	as_server "$(pgxs_dir)/../test/regress/pg_regress" --inputdir="${tree:-$src}" --outputdir="$out" --bindir="$bin" \
		--host="$PGHOST" --port="$PGPORT" --user=postgres --dbname="$db" --encoding=UTF8 "$@" 2>&1 |
		quiet_report | tee "$out/report" || rc=$?
	tally "$(grep -cE '^(ok |(test )?.* \.\.\. +ok )' "$out/report" || true)" \
		"$(grep -cE '^not ok |\.\.\. +FAILED' "$out/report" || true)"
	[ "$rc" = 0 ] || cat "$out/regression.diffs"
	return "$rc"
}

# A report of pg_regress without the creation of its database.
quiet_report() { grep -vE '^(SET|(CREATE|DROP|ALTER) DATABASE|=====.*|\(using postmaster.*)$'; }

# names VARIABLE: a list from the Makefile.
names() { as_server make -s -C "$src" PG_CONFIG="$bin/pg_config" "print-$1"; }

check_regression() {
	need extension simulator cluster
	# shellcheck disable=SC2046
	regress regression contrib_regression $(names REGRESS)
}

# The core of the suite under each other setting of what the platform leaves open, two at a
# time: each has a simulator and a cluster of its own.
check_switches() {
	need extension simulator cluster
	local setting core lane=0 lanes=('' '') ports=("$PGPORT" 5434) rc=0
	core=$(names REGRESS_CORE)
	cluster=switches cluster_port=${ports[1]}
	start_postgres "shared_preload_libraries = 'gc_fdw'"
	for setting in $GC_SIM_SWITCHES; do
		lane=$((1 - lane))
		[ -z "${lanes[lane]}" ] || wait "${lanes[lane]}" || rc=1
		lanes[lane]=
		start_sim --set "$setting" || { tally 0 1; continue; }
		use_sim
		PGPORT=${ports[lane]} check_switch "$setting" "$core" &
		lanes[lane]=$!
	done
	for lane in "${lanes[@]}"; do [ -z "$lane" ] || wait "$lane" || rc=1; done
	as_server "$pg_ctl" -s -D "$pgdata" -m fast stop
	return "$rc"
}

# check_switch SETTING TESTS: with the simulator started last, which it ends.
check_switch() {
	local log=$work/log/switch.$1 rc=0
	# shellcheck disable=SC2086
	regress "switch.$1" contrib_regression_switch $2 >"$log" 2>&1 || rc=1
	end_process "$sim_pid" TERM
	echo "== --set $1"
	[ "$rc" = 0 ] || cat "$log"
	return "$rc"
}

# What the platform leaves open, each at another setting than the simulator's own.
GC_SIM_SWITCHES=${GC_SIM_SWITCHES:-absent_cells=blank bad_rows=skip between_bounds=exclusive bulk_completed=all
	bulk_edit_data=replace clear_busy=409 contact_id_chars=any delete_status=200 echo_order=reversed gzip=on in_use_writes=take limit_scope=client limit_scope=org non_string_data=coerce
	overlong_cells=truncate page_past_end=empty page_size_over=refuse provision_status=409 put_absent=reset
	put_missing_status=404 status_parts=replace text_compare=exact throttle_code=too.many.requests token_error_status=401
	token_type=Bearer unknown_fields=drop}

spec_names() { find "$src" -path "$src/specs/*.spec" -printf '%f\n' | sed 's/\.spec$//' | sort; }

check_isolation() {
	need extension simulator cluster
	# shellcheck disable=SC2046
	isolate isolation isolation_regression $(spec_names)
}

# isolate NAME DATABASE SPEC...: pg_isolation_regress over these of specs/.
isolate() {
	local out=$work/out/$1 db=$2 rc=0
	shift 2
	as_server mkdir -p "$out"
	PGOPTIONS="-c sim.url=$GC_SIM_URL -c sim.dialect=${GC_DIALECT:-platform}" \
		as_server "$(pgxs_dir)/../test/isolation/pg_isolation_regress" --inputdir="${tree:-$src}" --outputdir="$out" \
		--bindir="$bin" --host="$PGHOST" --port="$PGPORT" --user=postgres --dbname="$db" \
		--encoding=UTF8 "$@" 2>&1 | quiet_report | tee "$out/report" || rc=$?
	tally "$(grep -cE '^(ok |(test )?.* \.\.\. +ok )' "$out/report" || true)" \
		"$(grep -cE '^not ok |\.\.\. +FAILED' "$out/report" || true)"
	[ "$rc" = 0 ] || cat "$out/regression.diffs" || true
	return "$rc"
}

# Perl tests, which start servers of their own; their settings come by TEMP_CONFIG.
# One kills a postmaster, which must leave no shared memory behind.
check_tap() {
	need extension simulator
	compgen -G "$src/t/[0-9]*.pl" >/dev/null || return 0
	export GC_IMPORT_KILLS=${GC_IMPORT_KILLS:-$((long == 1 ? 50 : 5))}
	prove_tests tap "$src"/t/[0-9]*.pl
}

# setup_cron: pg_cron, which runs a recipe of the documents.  Not there for every other major: the test says so.
setup_cron() {
	local package=postgresql-$major-cron
	if [ -z "${PG_MAJOR:-}" ] || is_known "$package"; then install_packages "$package"; fi
}

# prove_tests NAME FILE...: one more at once than there are processors, for most of the time they
# wait; the last ones, which take longest, first; what a file prints comes when it has ended.
prove_tests() {
	local out=$work/out/$1 rc=0
	shift
	as_server mkdir -p "$out/data" "$out/log" "$out/reports"
	{ cat "$TEMP_CONFIG"; echo "dynamic_shared_memory_type = 'mmap'"; } >"$out.conf"
	cd "$src"
	unset PGHOST PGPORT PGUSER
	# shellcheck disable=SC2016
	printf '%s\n' "${@#"$src"/}" | sort -r |
		PATH=$work/wrapped:$bin:$PATH PERL5LIB=$(pgxs_dir)/../test/perl:$src/t PG_REGRESS=$(pgxs_dir)/../test/regress/pg_regress \
			TEMP_CONFIG=$out.conf TESTDIR=$out TESTDATADIR=$out/data TESTLOGDIR=$out/log top_builddir=$out \
			as_server xargs -P "$(($(nproc) + 1))" -I @ sh -c 'report=$0/$(basename @ .pl)
				prove -v --timer @ >"$report" 2>&1 || rc=1
				flock "$0" cat "$report"
				exit ${rc:-0}' "$out/reports" | tee "$out/report" || rc=$?
	tally "$(grep -E '^ok [0-9]' "$out/report" | grep -vic '# SKIP' || true)" \
		"$(grep -E '^not ok ' "$out/report" | grep -vc '# TODO' || true)" \
		"$(grep -ciE '^ok .*# SKIP' "$out/report" || true)"
	[ "$rc" = 0 ] || explain_tap "$out"
	return "$rc"
}

# explain_tap DIR: the ends of the logs of what failed (where Perl's own errors are, too),
# then all of it in short.
explain_tap() {
	local name
	while IFS= read -r name; do
		find "$1" -name "${name}_*.log" -exec tail -n 20 {} +
		find "$1" -name "regress_log_$name" -exec tail -n 15 {} + -exec grep -h -A 8 'Failed test' {} +
	done < <(sed -nE 's,^t/(.*)\.pl +\(Wstat: .*,\1,p' "$1/report")
	grep '^not ok ' "$1/report" || true
	sed -n '/^Test Summary Report/,/^Result/p' "$1/report"
}

# Random queries, over contact lists and over local tables that hold the same.
check_differential() {
	need extension simulator
	export GC_DIFF_QUERIES=${GC_DIFF_QUERIES:-$((long == 1 ? 20000 : 1000))}
	prove_tests differential "$src/t/differential.pl"
}
