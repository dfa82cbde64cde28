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

/* The GUC gc_fdw.show_values. */
extern bool gc_show_values;

#endif /* GC_FDW_DECODE_H */
