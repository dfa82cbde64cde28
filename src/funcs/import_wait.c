/*
 * funcs/import_wait.c
 *	  Waiting for the end of an import: await_import() and wait_for_import().
 *
 * Woken by who ends it, through shared memory where there is some (store/import_wake.h).
 * What no worker sees to, because there was none to be had or it has crashed, gets one.
 */
#include "postgres.h"

#include "funcs/import_look.h"
#include "store/import_wake.h"
#include "store/job.h"

#include "access/xlog.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

/* Seen through exports.map. */
#pragma GCC visibility push(default)
PG_FUNCTION_INFO_V1(gc_fdw_await_import);
PG_FUNCTION_INFO_V1(gc_fdw_wait_for_import);
#pragma GCC visibility pop

#define LOOK_MS	   1000	 /* nobody tells of a crash */
#define WORKER_MS  1000	 /* before one is started, and … */
#define WORKERS_MS 10000 /* … from then on */
#define NOTICE_MS  5000

typedef struct Wait
{
	int64 id;
	bool between; /* between transactions: no snapshot is held */
	MemoryContext look_cxt;
	GcLook seen;
	TimestampTz until;
	TimestampTz began;
	TimestampTz told;	   /* of its progress */
	TimestampTz worker_at; /* one is started then, if need be */
	int64 first_settled;
} Wait;

static TimestampTz
later(TimestampTz at, int64 ms)
{
	return TimestampTzPlusMilliseconds(at, ms);
}

static void
wait_init(Wait *wait, int64 id, Datum timeout)
{
	TimestampTz now = GetCurrentTimestamp();

	wait->id = id;
	wait->began = wait->told = now;
	wait->until = DatumGetTimestampTz(
		DirectFunctionCall2(timestamptz_pl_interval, TimestampTzGetDatum(now), timeout));
	wait->worker_at = later(now, WORKER_MS);
	wait->look_cxt =
		AllocSetContextCreate(CurrentMemoryContext, "gc_fdw await", ALLOCSET_DEFAULT_SIZES);
}

static void
look(Wait *wait)
{
	MemoryContext caller_cxt;

	MemoryContextReset(wait->look_cxt);
	caller_cxt = MemoryContextSwitchTo(wait->look_cxt);
	gc_look(wait->id, &wait->seen);
	MemoryContextSwitchTo(caller_cxt);
}

static bool
is_state(const Wait *wait, const char *state)
{
	return strcmp(wait->seen.state, state) == 0;
}

/* It has ended, or does not go on by itself. */
static bool
is_over(const Wait *wait)
{
	return !(is_state(wait, "staged") || is_state(wait, "running") ||
			 (is_state(wait, "paused") && wait->seen.retry_at != 0));
}

static void
check_committed(const Wait *wait)
{
	if (wait->seen.is_ours)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("import " INT64_FORMAT " was submitted or changed by this transaction",
						wait->id),
				 errdetail("It goes on when the transaction is committed."),
				 errhint("Wait for it thereafter.")));
}

/* How long the rest takes, at the pace since the wait began. */
static const char *
time_left(const Wait *wait, double rate)
{
	int64 seconds;

	if (rate <= 0)
		return "unknown";
	seconds = (wait->seen.rows_total - wait->seen.rows_settled) / rate;
	return psprintf("%02d:%02d:%02d", (int) (seconds / 3600), (int) (seconds / 60 % 60),
					(int) (seconds % 60));
}

static void
tell_progress(Wait *wait, TimestampTz now)
{
	const GcLook *seen = &wait->seen;
	double seconds = (now - wait->began) / 1000000.0;
	double rate = (seen->rows_settled - wait->first_settled) / seconds;

	if (is_state(wait, "paused"))
		ereport(NOTICE, (errmsg("import " INT64_FORMAT " is tried again at %s", wait->id,
								timestamptz_to_str(seen->retry_at)),
						 seen->reason ? errdetail_internal("%s", seen->reason) : 0));
	else
		ereport(NOTICE,
				(errmsg("import " INT64_FORMAT ": %.1f%%, %.0f rows/s, time left: %s",
						wait->id, 100.0 * seen->rows_settled / Max(seen->rows_total, 1), rate,
						time_left(wait, rate))));
	wait->told = now;
}

/* There may be nobody who sends it. */
static void
start_worker(Wait *wait, TimestampTz now)
{
	if (wait->seen.retry_at <= now && !RecoveryInProgress())
		(void) gc_job_start_imports(MyDatabaseId);
	wait->worker_at = later(now, WORKERS_MS);
}

/* Sleeps for a while; false: the time is over. */
static bool
sleep_on(Wait *wait)
{
	TimestampTz now = GetCurrentTimestamp();
	TimestampTz wake;

	if (now >= wait->until)
		return false;
	if (now >= wait->worker_at)
		start_worker(wait, now);
	if (now >= later(wait->told, NOTICE_MS))
		tell_progress(wait, now);
	wake = Min(later(now, LOOK_MS), wait->until);
	wake = Min(wake, Min(wait->worker_at, later(wait->told, NOTICE_MS)));
	if (wait->between)
		SPI_commit();
	gc_import_wait(Max(TimestampDifferenceMilliseconds(now, wake), 1));
	return true;
}

static void
wait_for_end(Wait *wait)
{
	gc_import_wait_begin();
	look(wait);
	wait->first_settled = wait->seen.rows_settled;
	while (!is_over(wait))
	{
		check_committed(wait);
		if (!sleep_on(wait))
			break;
		look(wait);
	}
	gc_import_wait_end();
}

Datum
gc_fdw_await_import(PG_FUNCTION_ARGS)
{
	Wait wait = {0};

	wait_init(&wait, PG_GETARG_INT64(0), PG_GETARG_DATUM(1));
	wait_for_end(&wait);
	PG_RETURN_DATUM(datumCopy(wait.seen.row, false, -1));
}

/* ---- the procedure ---- */

static void
check_outside(FunctionCallInfo fcinfo)
{
	if (fcinfo->context && IsA(fcinfo->context, CallContext) &&
		!castNode(CallContext, fcinfo->context)->atomic)
		return;
	ereport(ERROR, (errcode(ERRCODE_ACTIVE_SQL_TRANSACTION),
					errmsg("wait_for_import cannot run inside a transaction block"),
					errhint("Use gc_fdw.await_import there.")));
}

static void
check_arguments(FunctionCallInfo fcinfo)
{
	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
						errmsg("wait_for_import needs an import and a timeout")));
}

Datum
gc_fdw_wait_for_import(PG_FUNCTION_ARGS)
{
	MemoryContext caller_cxt = CurrentMemoryContext;
	Wait wait = {.between = true};
	TupleDesc tupdesc;
	Datum values[1];
	bool nulls[1] = {false};

	check_outside(fcinfo);
	check_arguments(fcinfo);
	if (SPI_connect_ext(SPI_OPT_NONATOMIC) != SPI_OK_CONNECT)
		elog(ERROR, "could not connect to SPI");
	wait_init(&wait, PG_GETARG_INT64(0), PG_GETARG_DATUM(1));
	wait_for_end(&wait);
	MemoryContextSwitchTo(caller_cxt);
	values[0] = CStringGetTextDatum(wait.seen.state);
	SPI_finish();
	if (get_call_result_type(fcinfo, NULL, &tupdesc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(tupdesc, values, nulls)));
}
