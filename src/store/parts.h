/*
 * store/parts.h
 *	  The rows of an import, as its table keeps them until they are sent.
 *
 * A part is what is sent and settled at once, with a method of its own; its payload
 * lies in chunks of whole rows, which the server compresses.  A part of method
 * "contacts" holds a contact in JSON a line; one of method "upload" a CSV file.
 */
#ifndef GC_STORE_PARTS_H
#define GC_STORE_PARTS_H

#include "postgres.h"

#include "store/imports.h"

/* The most that a chunk holds, but for a row that is longer by itself. */
#define GC_CHUNK_BYTES (1024 * 1024)

/* ---- staging, in the transaction that submits ---- */

typedef struct GcPartWriter GcPartWriter;

/*
 * Begins parts of an import, in the current context; to be closed under the same
 * resource owner.  Throws where the extension's tables are not there.
 */
extern GcPartWriter *gc_parts_open(int64 import_id);

/* Begins a part; ends the one before. */
extern void gc_parts_begin(GcPartWriter *writer, const char *method);

/* Adds to the part at hand; "rows": 0 (a header) or 1. */
extern void gc_parts_add(GcPartWriter *writer, const char *bytes, size_t len, int rows);

/* Is the part at hand of that method? */
extern bool gc_parts_is_of(const GcPartWriter *writer, const char *method);

/* Of the part at hand; 0 before the first one. */
extern int64 gc_parts_rows(const GcPartWriter *writer);
extern int64 gc_parts_bytes(const GcPartWriter *writer);

/* Ends the last part; how many there are. */
extern int gc_parts_close(GcPartWriter *writer);

/* ---- sending, in a worker ---- */

/*
 * A chunk's payload from that table, in a transaction; NULL: there is none behind the last
 * one.  In the current context.  The table may be dropped meanwhile: throws if it was, even
 * if there is another of its name.
 */
extern char *gc_parts_chunk(Oid table, int64 import_id, int part, int chunk, int *len);

/* So many rows were in its chunks: throws XX001 if some have been lost. */
extern void gc_parts_check_rows(const GcPart *part, int64 rows);

/* It is not dropped any more until the transaction ends; throws if it was. */
extern void gc_parts_keep(Oid table);

#endif /* GC_STORE_PARTS_H */
