/*
 * fdw/encode_parts.h
 *	  Cells and attributes in JSON, for rows (encode.c) and changes (patch.c).
 */
#ifndef GC_FDW_ENCODE_PARTS_H
#define GC_FDW_ENCODE_PARTS_H

#include "postgres.h"

#include "base/contact_id.h"
#include "fdw/drift.h"
#include "fdw/encode.h"

#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"

typedef struct GcMember
{
	GcColumn *column;
	char *prefix; /* "name":" as it goes into the body */
	int prefix_len;
	bool named; /* by the INSERT: a NULL is sent as well */
	GcCellRule rule;
} GcMember;

struct GcEncoder
{
	GcRelation *rel;
	const GcList *list;
	GcMember *data; /* data columns */
	int data_count;
	GcColumn **attributes;
	int attribute_count;
	char *start; /* {"contactListId":"…","id":" */
	int start_len;
	GcIdPattern *id_pattern;
	const GcColumn *column; /* being encoded, for messages */
	StringInfoData body;	/* of the row at hand */
	StringInfoData data_body;
	int64 rows;	  /* so far */
	bool patches; /* what is encoded are changes */
	char id[GC_CONTACT_ID_MAX * MAX_MULTIBYTE_CHAR_LEN + 1];
};

/* What is wrong with a row, or with one of its columns, which begins the sentence. */
extern GcProblem *gc_encode_problem(const GcColumn *column, int sqlstate, const char *message,
									const char *detail, const char *hint);
extern GcProblem *gc_encode_column_problem(GcEncoder *encoder, const GcColumn *column,
										   int sqlstate, const char *what, const char *hint);

/* Append a cell, or an empty one where that is allowed, to data_body, with a comma behind. */
extern const GcProblem *gc_encode_cell(GcEncoder *encoder, GcMember *member, Datum value);
extern const GcProblem *gc_encode_empty_cell(GcEncoder *encoder, GcMember *member);

/* The problem that a cell is missing which the column wants. */
extern const GcProblem *gc_encode_missing_cell(GcEncoder *encoder, const GcMember *member);

/* Appends an attribute to body, if there is anything to say, with a comma behind. */
extern const GcProblem *gc_encode_attribute(GcEncoder *encoder, GcColumn *column, Datum value,
											GcRow *row);

/* What is to be encoded: a row, or with "patch" the changes of one. */
typedef struct GcEncodeTask
{
	TupleTableSlot *slot;
	GcRow *row;
	const bool *changed;
	GcPatch *patch;
	const GcProblem *(*run)(GcEncoder *encoder, const struct GcEncodeTask *task);
} GcEncodeTask;

/* Runs it; what the server throws about text that does not convert to UTF-8 is a problem, too. */
extern const GcProblem *gc_encode_run(GcEncoder *encoder, const GcEncodeTask *task);

#endif /* GC_FDW_ENCODE_PARTS_H */
