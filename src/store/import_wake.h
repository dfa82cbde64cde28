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

/* Is one to be started by now?  Then that is taken as done. */
extern bool gc_import_take_due(Oid database, TimestampTz now);

#endif /* GC_STORE_IMPORT_WAKE_H */
