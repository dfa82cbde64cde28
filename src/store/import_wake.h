/*
 * store/import_wake.h
 *	  Who waits for imports is told of their ends; the launcher, of what is due.
 *
 * In shared memory (base/shared.h).  Without any, who waits looks again every now and
 * then, and there is no launcher.
 */
#ifndef GC_STORE_IMPORT_WAKE_H
#define GC_STORE_IMPORT_WAKE_H

#include "postgres.h"

#include "base/shared.h"

#include "datatype/timestamp.h"

/* The memory, for the composition root to declare. */
extern GcSharedPart gc_import_wake_part;

/* Registers the transaction callback; once, from _PG_init. */
extern void gc_import_wake_init(void);

/* When this transaction is committed, who waits for imports looks again. */
extern void gc_import_changed(void);

/*
 * Sleeps until an import has changed, but up to so long; what happened since the call of
 * gc_import_wait_begin() counts.  Serves interrupts.
 */
extern void gc_import_wait_begin(void);
extern void gc_import_wait(long timeout_ms);
extern void gc_import_wait_end(void);

/* A worker is to be started for the database at that time, or before. */
extern void gc_import_set_due(Oid database, TimestampTz due);

/* One is to be started for this database when this transaction is committed. */
extern void gc_import_set_due_at_commit(void);

/* What workers have one at a time, in the whole cluster (store/import_lock.h). */
typedef enum GcImportWant
{
	GC_WANT_LIST,
	GC_WANT_PLACE,
	GC_WANTS
} GcImportWant;

/* This database needs one that others have: one is to be started when they let go of any. */
extern void gc_import_want(GcImportWant what);

/* This worker has let go of one. */
extern void gc_import_freed(GcImportWant what);

/* ---- in the launcher ---- */

/* From now on its latch is set when something becomes due. */
extern void gc_import_launcher_begin(void);

/* When one is to be started for the database; if that is by now, it is taken as done. */
extern TimestampTz gc_import_take_due(Oid database, TimestampTz now);

/* Forgets what is due anywhere: all databases that are served get a worker now. */
extern void gc_import_forget_due(void);

#endif /* GC_STORE_IMPORT_WAKE_H */
