/*
 * store/stream.h
 *	  Rows of the extension's tables that outlive a ROLLBACK: a stream to a worker, which
 *	  commits them at once.
 *
 * A transaction has one stream, for rows of several tables, and the worker serves it to its
 * end; it commits whenever it has caught up.  Rows are kept by nobody else: who cannot hand
 * one over, or is not told that all were committed, fails.  A statement that fails for
 * another reason does not wait; what it has handed over is committed.
 */
#ifndef GC_STORE_STREAM_H
#define GC_STORE_STREAM_H

#include "postgres.h"

#include "store/table.h"

#include "lib/stringinfo.h"
#include "storage/dsm.h"

/* Which table a row is for. */
typedef enum GcStreamKind
{
	GC_STREAM_REJECTS, /* store/rejects.h */
	GC_STREAM_CHANGES, /* store/contact_audit.h */
	GC_STREAM_KINDS
} GcStreamKind;

/* A table whose rows come by the stream. */
typedef struct GcStreamTable
{
	const GcTableLayout *layout;
	const char *rows; /* what they are called: "rejected rows" */
	void (*write)(GcTable *table, const char *bytes);
} GcStreamTable;

extern const GcStreamTable gc_stream_rejects;
extern const GcStreamTable gc_stream_changes;

/* Makes sure that there is a worker; throws if there can be none. */
extern void gc_stream_open(GcStreamKind kind);

/* The same; false: there can be none. */
extern bool gc_stream_try(GcStreamKind kind);

/* Hands over a row.  Waits while the worker is behind. */
extern void gc_stream_put(GcStreamKind kind, const char *bytes, int len);

/* Waits until all rows are committed. */
extern void gc_stream_flush(void);

/* Registers the transaction callbacks; once, from _PG_init. */
extern void gc_stream_init(void);

/* In the worker: takes the stream, before it connects to the database; writes its rows, thereafter. */
extern void gc_stream_take(dsm_segment *segment);
extern void gc_stream_receive(dsm_segment *segment);

/* ---- rows as bytes ---- */

/* A text, or none (NULL), zero-terminated. */
extern void gc_stream_pack_text(StringInfo buf, const char *string);

/* The same back; it points into the bytes, which go on behind it. */
extern const char *gc_stream_unpack_text(const char **bytes);

/* A text, or none, as a column's value. */
extern void gc_stream_set_text(Datum *value, bool *isnull, const char *string);

/* The table, in a transaction; throws if there is none any more. */
extern GcTable *gc_stream_table(const GcStreamTable *table);

#endif /* GC_STORE_STREAM_H */
