/*
 * fdw/import_wait.h
 *	  What all methods that hand over a part, and wait for what becomes of it, have in common.
 */
#ifndef GC_FDW_IMPORT_WAIT_H
#define GC_FDW_IMPORT_WAIT_H

#include "postgres.h"

#include "api/request.h"
#include "base/clock.h"
#include "fdw/import_parts.h"

/* J3: between two looks at what is at work. */
#define GC_POLL_FIRST_MS 1000
#define GC_POLL_CAP_MS	 30000

/* G2: while somebody else is at work on the list. */
#define GC_POLL_OTHERS_MS 5000

/* How long nothing may move, as submit_import() was told. */
extern int64 gc_import_stall_us(const GcImport *import);

/* Sleeps for a while, a random half of it less. */
extern void gc_import_pause(GcCalls *calls, int ms);

/* Nothing has moved since: throws when that has lasted too long. */
extern void gc_import_check_stall(const GcImportRun *run, int64 stall_us, GcTime moved,
								  const char *detail);

/* The part has failed, and with it the import. */
extern void gc_import_part_fail(GcImportRun *run, GcPartResult *result, const char *code,
								const char *reason);

/* F2: does the import halt, when the platform has refused so many rows of a part? */
extern bool gc_import_halts(const GcImportRun *run, int64 rejected);

/* UTF-8 for messages and rejected_rows; NULL for NULL. */
extern const char *gc_import_shown(const char *utf8);

#endif /* GC_FDW_IMPORT_WAIT_H */
