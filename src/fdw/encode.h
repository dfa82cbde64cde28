/*
 * fdw/encode.h
 *	  From a row of a foreign table to a contact in JSON.
 *
 * The rules of identity, empty cells and opt-outs (DESIGN 2.1) live here.
 */
#ifndef GC_FDW_ENCODE_H
#define GC_FDW_ENCODE_H

#include "postgres.h"

#include "base/clock.h"
#include "fdw/relation.h"

#include "executor/tuptable.h"
#include "nodes/bitmapset.h"

typedef struct GcEncoder GcEncoder;

/* Of a row whose contact is there already, or in an earlier row: GcProblem's "code". */
#define GC_CODE_DUPLICATE "duplicate.contact.id"

/* What is wrong with a row; strings in the current context. */
typedef struct GcProblem
{
	int sqlstate;
	const char *message;
	const char *detail;
	const char *hint;	/* or NULL */
	const char *code;	/* "invalid.value"; what a program can go by */
	const char *field;	/* the column's name; or NULL: it is about the whole row */
	const char *reason; /* for rejected_rows, beside the key; NULL: message and detail */
	bool taken;			/* the row has been counted as taken from the executor */
} GcProblem;

/* One encoded contact; its bytes stay until the next row. */
typedef struct GcRow
{
	const char *json;
	int len;
	const char *id; /* UTF-8, zero-terminated; all that a bad row has; NULL: not even that */
	bool made_id;	/* a UUID, since the row gave none */
	bool noted;		/* its batch is to know the id */
	int attributes; /* where in "json" they begin, … */
	int cells;		/* … and where the cells do, which end two bytes before its end */
	/* What the echo must show: whether it is callable ('t', 'f', or 0), and opt-outs. */
	char callable;
	char was_callable;				 /* as it was read; 0: it was not */
	const char *phone_number_status; /* its false parts as JSON; or NULL */
	const char *contactable_status;
	const char *was_phone_status; /* the same parts as they were read; or NULL */
	const char *was_contactable_status;
	GcTime absent_at; /* it was not there then, and must be new; 0: it may be there */
	/* UPDATE: */
	const char *created; /* dateCreated as it was read; NULL: it had none */
	GcTime read_at;		 /* … when */
	bool taken;			 /* it has been counted as taken from the executor */
} GcRow;

/* What an UPDATE changes of a contact, encoded. */
typedef struct GcPatch
{
	const char *attributes; /* members, each with a comma behind */
	const char *cells;		/* members of "data", commas between */
	const char **fields;	/* which these are, UTF-8 */
	int field_count;
	bool sets_callable;
	bool sets_phone_status;
	bool sets_contactable_status;
	GcRow shown;		  /* what the echo must show; nothing else of it is set */
	const char *row_data; /* on_error 'reject': the row as gc_fdw.rejected_rows has it */
} GcPatch;

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

/*
 * The same for the changes to the contact with that id: of the columns whose
 * place in "changed" (by attnum - 1) is true.  What it returns and fills is in the
 * current context.
 */
extern const GcProblem *gc_encoder_patch(GcEncoder *encoder, TupleTableSlot *slot,
										 const bool *changed, const char *id, GcPatch *patch);

#endif /* GC_FDW_ENCODE_H */
