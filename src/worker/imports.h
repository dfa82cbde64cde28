/*
 * worker/imports.h
 *	  Workers that send imports (DESIGN 4.6).
 */
#ifndef GC_WORKER_IMPORTS_H
#define GC_WORKER_IMPORTS_H

#include "postgres.h"

/* GUC gc_fdw.max_workers: how many send at a time, in all databases. */
extern int gc_max_workers;

/* How an import is sent (fdw/import_run.h); once, from _PG_init. */
extern void gc_imports_init(void (*run)(int64 id));

/*
 * In a worker that is connected to its database: once that transaction has ended (0: now),
 * sends the imports that can be sent, until there are none.
 */
extern void gc_imports_serve(TransactionId xid);

#endif /* GC_WORKER_IMPORTS_H */
