/*
 * fdw/decode.h
 *	  From an entity in JSON to a row of a foreign table.
 */
#ifndef GC_FDW_DECODE_H
#define GC_FDW_DECODE_H

#include "postgres.h"

#include "fdw/relation.h"

#include "nodes/bitmapset.h"

typedef struct GcDecoder GcDecoder;

/*
 * A decoder for the columns "wanted" (attnums; NULL: all) of a table.  Lives in
 * the current context, as do the values that a row gets.  "list" may be NULL
 * for resources without one.
 */
extern GcDecoder *gc_decoder_create(GcRelation *rel, const GcList *list, Bitmapset *wanted);

/*
 * Reads the object before the cursor into values and nulls (one for each
 * column of the table; columns not wanted are NULL); an empty cell is NULL.
 * Values are allocated in the current context.  Returns false if the object is
 * malformed (see json->error).  A cell that does not parse is an error naming
 * list, contact and column, with its value only if gc_show_values.
 */
extern bool gc_decoder_row(GcDecoder *decoder, GcJson *json, Datum *values, bool *nulls);

/* The id of the entity read last, as it stands in the JSON; p NULL if it has none. */
extern GcSpan gc_decoder_id(const GcDecoder *decoder);

/* That entity whole, as it stands in the JSON. */
extern GcSpan gc_decoder_raw(const GcDecoder *decoder);

/*
 * For another reader of cells, in a PG_CATCH block: throws the error about a
 * cell of a column anew, as gc_decoder_row() would, or as it is if it is about
 * something else.  "id" is the contact's, UTF-8, "caller_cxt" the context to be
 * in.
 */
extern _Noreturn void gc_decode_rethrow(const GcRelation *rel, const GcColumn *column,
										const GcSpan *id, MemoryContext caller_cxt);

/* The value of a column that is a constant of the table; false if it is none. */
extern bool gc_decode_constant(GcColumn *column, const GcList *list, Datum *value);

#endif /* GC_FDW_DECODE_H */
