/*
 * store/rejects.h
 *	  Rows of gc_fdw.rejected_rows.
 *
 * What went on without a row must not lose it to a later ROLLBACK.  A statement
 * under on_error 'reject' therefore has a worker before it sends anything
 * (store/stream.h), or fails.
 */
#ifndef GC_STORE_REJECTS_H
#define GC_STORE_REJECTS_H

#include "postgres.h"

#include "datatype/timestamp.h"
#include "nodes/pg_list.h"

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

/* Hands over a row, by the stream that is open (store/stream.h). */
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

#endif /* GC_STORE_REJECTS_H */
