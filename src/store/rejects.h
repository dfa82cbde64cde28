/*
 * store/rejects.h
 *	  Rows of gc_fdw.rejected_rows: a stream to a worker, which commits them at once.
 *
 * What went on without a row must not lose it to a later ROLLBACK.  A statement
 * under on_error 'reject' therefore has a worker before it sends anything, or
 * fails; the worker serves the transaction to its end, and commits whenever it
 * has caught up.  Rows are kept by nobody else: a statement that cannot hand one
 * over, or is not told that all were committed, fails.  A statement that fails
 * for another reason does not wait; what it has handed over is committed.
 */
#ifndef GC_STORE_REJECTS_H
#define GC_STORE_REJECTS_H

#include "postgres.h"

#include "datatype/timestamp.h"
#include "nodes/pg_list.h"
#include "storage/dsm.h"

/* A row; text in the database's encoding. */
typedef struct GcReject
{
	TimestampTz at;
	const char *by_role;
	const char *list_id;
	const char *source;	  /* statement, import, sync */
	int64 source_id;	  /* 0: none */
	const char *key;	  /* or NULL */
	const char *row_data; /* JSON */
	const char *code;
	const char *reason;
	const char *field;			/* or NULL */
	const char *correlation_id; /* or NULL */
} GcReject;

/* Makes sure that there is a worker; throws if there can be none. */
extern void gc_rejects_open(void);

/* Hands over a row.  Waits while the worker is behind. */
extern void gc_rejects_put(const GcReject *reject);

/* Writes a row in this very transaction, for who rolls back his own part of it with it. */
extern void gc_rejects_write(const GcReject *reject);

/* Those of one transaction, kept beyond it in a context, up to a size. */
typedef struct GcRejectsKept
{
	MemoryContext cxt;
	List *rows;
	Size bytes;
} GcRejectsKept;

extern void gc_rejects_keep(GcRejectsKept *kept, const GcReject *reject);

/* Writes them once more, since that transaction was rolled back; how many. */
extern int gc_rejects_write_kept(const GcRejectsKept *kept);

/* Forgets them. */
extern void gc_rejects_drop_kept(GcRejectsKept *kept);

/* Waits until all rows are committed. */
extern void gc_rejects_flush(void);

/* Registers the transaction callbacks; once, from _PG_init. */
extern void gc_rejects_init(void);

/* In the worker: takes the stream, before it connects to the database; writes its rows, thereafter. */
extern void gc_rejects_take(dsm_segment *segment);
extern void gc_rejects_receive(dsm_segment *segment);

#endif /* GC_STORE_REJECTS_H */
