/*
 * worker/imports.h
 *	  Workers that send imports (DESIGN 4.6).
 */
#ifndef GC_WORKER_IMPORTS_H
#define GC_WORKER_IMPORTS_H

#include "postgres.h"

/* GUC gc_fdw.max_workers: how many send at a time, in all databases. */
extern int gc_max_workers;

/* How an import is sent, and what is done after it (fdw/import_run.h, import_task.h); once, from _PG_init. */
extern void gc_imports_init(void (*run)(int64 id), bool (*task)(void));

/*
 * In a worker for this database, before it connects: whatever ends it before it has seen to
 * all, the launcher starts another one.
 */
extern void gc_imports_expect(Oid database);

/* There are none to see to. */
extern void gc_imports_expect_none(void);

/*
 * In a worker that is connected to its database: once that transaction has ended (0: now),
 * sends the imports that can be sent, until there are none, and does what comes after them.
 */
extern void gc_imports_serve(TransactionId xid);

#endif /* GC_WORKER_IMPORTS_H */
