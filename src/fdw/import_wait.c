/*
 * fdw/import_wait.c
 *	  What all methods that hand over a part, and wait for what becomes of it, have in common.
 */
#include "postgres.h"

#include "base/json_pick.h"
#include "base/value.h"
#include "fdw/import_wait.h"
#include "fdw/reject.h"

#include "common/pg_prng.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#define STALL_TIMEOUT "30min"

int64
gc_import_stall_us(const GcImport *import)
{
	static const char *const path = "stall_timeout";
	GcSpan options = {.p = import->options, .len = strlen(import->options), .type = '{'};
	GcSpan given = gc_pick_member(&options, &path, 1);
	const char *wanted =
		given.p && given.type != 'n' ? pnstrdup(given.p, given.len) : STALL_TIMEOUT;
	int ms;

	/* submit_import() has checked it. */
	if (!parse_int(wanted, &ms, GUC_UNIT_MS, NULL))
		elog(ERROR, "invalid stall_timeout of an import");
	return ms * INT64CONST(1000);
}

void
gc_import_pause(GcCalls *calls, int ms)
{
	int64 us = ms * INT64CONST(1000);

	us -= pg_prng_double(&pg_global_prng_state) * us / 2;
	(void) gc_calls_sleep(calls, gc_clock_now() + us, GC_WAIT_BACKOFF, true);
}

void
gc_import_check_stall(const GcImportRun *run, int64 stall_us, GcTime moved, const char *detail)
{
	if (gc_clock_now() - moved < stall_us)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_CONNECTION_FAILURE),
			 errmsg("an import of %s does not move", run->rel->label),
			 errdetail("%s  Waited for " INT64_FORMAT " s (limit: stall_timeout).", detail,
					   stall_us / USECS_PER_SEC),
			 errhint("Run resume_imports() when it does: what is there is not sent again.")));
}

void
gc_import_part_fail(GcImportRun *run, GcPartResult *result, const char *code,
					const char *reason)
{
	result->state = "failed";
	result->failure_code = MemoryContextStrdup(run->cxt, code);
	result->failure_reason = MemoryContextStrdup(run->cxt, reason);
}

bool
gc_import_halts(const GcImportRun *run, int64 rejected)
{
	return rejected > 0 && (!gc_reject_goes_on(run->rel) ||
							run->settings.rejected + rejected > gc_reject_max(run->rel));
}

const char *
gc_import_shown(const char *utf8)
{
	return utf8 ? gc_value_display(utf8, strlen(utf8)) : NULL;
}
