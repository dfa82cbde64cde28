/*
 * store/import_end.h
 *	  What comes with the end of an import: its audit row, and what is to be done after it.
 */
#ifndef GC_STORE_IMPORT_END_H
#define GC_STORE_IMPORT_END_H

#include "postgres.h"

#include "datatype/timestamp.h"

/* GUC gc_fdw.keep_payloads: how long what was not sent is kept, in seconds. */
extern int gc_keep_payloads;

/*
 * The import has just ended, in this transaction: writes its audit row, and notes what is to
 * be done thereafter: its campaign, after a success, and its webhook.  A worker of its own does
 * that, so that imports need not wait for somebody's slow webhook.
 */
extern void gc_import_ended(int64 id);

/* Payloads of imports that ended long enough ago go. */
extern void gc_import_drop_payloads(void);

/* ---- what is to be done: in a worker, each in a transaction ---- */

typedef struct GcTask
{
	int64 import_id;
	const char *name; /* campaign, webhook */
	int attempts;	  /* this one included */
} GcTask;

/*
 * A task of this place that is due, in the current context; NULL: there is none.  Nobody else
 * takes it for "lease" seconds: if it is not ended by then, it is tried again.
 */
extern GcTask *gc_task_take(int lease);

/* It is done. */
extern void gc_task_done(const GcTask *task);

/* It failed, for that reason, and is tried again after so many seconds; or never, if negative. */
extern void gc_task_failed(const GcTask *task, const char *reason, double retry_after);

/* When the next one is due; DT_NOEND: there is none. */
extern TimestampTz gc_task_next(void);

/* What a webhook is told of an import, as JSON in the database's encoding (SCENARIOS J4). */
extern char *gc_import_summary(int64 id);

#endif /* GC_STORE_IMPORT_END_H */
