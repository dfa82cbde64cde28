/*
 * fdw/encode.h
 *	  From a row of a foreign table to a contact in JSON.
 *
 * The rules of identity, empty cells and opt-outs (DESIGN 2.1) live here.
 */
#ifndef GC_FDW_ENCODE_H
#define GC_FDW_ENCODE_H

#include "postgres.h"

#include "fdw/relation.h"

#include "executor/tuptable.h"
#include "nodes/bitmapset.h"

typedef struct GcEncoder GcEncoder;

/* What is wrong with a row; strings in the current context. */
typedef struct GcProblem
{
	int sqlstate;
	const char *message;
	const char *detail;
	const char *hint;  /* or NULL */
	const char *code;  /* "invalid.value"; what a program can go by */
	const char *field; /* the column's name; or NULL: it is about the whole row */
} GcProblem;

/* One encoded contact; its bytes stay until the next row. */
typedef struct GcRow
{
	const char *json;
	int len;
	const char *id; /* UTF-8, zero-terminated; all that a bad row has; NULL: not even that */
	bool made_id;	/* a UUID, since the row gave none */
	/* What the row opts out of: the echo must show it. */
	bool not_callable;
	const char *phone_number_status; /* its false parts as JSON; or NULL */
	const char *contactable_status;
} GcRow;

/*
 * "named" are the columns that the INSERT names (attnums offset by
 * FirstLowInvalidHeapAttributeNumber, as the executor has them): of these a
 * NULL is sent, of the others not.
 */
extern GcEncoder *gc_encoder_create(GcRelation *rel, const GcList *list, Bitmapset *named);

/*
 * Encodes a row.  Returns NULL, or what is wrong with it: nothing is thrown
 * for a bad row, so that the caller can say what became of the others.
 * Scratch memory goes to the current context.
 */
extern const GcProblem *gc_encoder_row(GcEncoder *encoder, TupleTableSlot *slot, GcRow *row);

#endif /* GC_FDW_ENCODE_H */
