/*
 * fdw/encode.c
 *	  From a row of a foreign table to a contact in JSON.
 */
#include "postgres.h"

#include "api/contacts.h"
#include "api/optout.h"
#include "base/contact_id.h"
#include "base/option.h"
#include "fdw/drift.h"
#include "fdw/encode.h"

#include "access/sysattr.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/uuid.h"

/* Of a value that gc_fdw.show_values lets a message show. */
#define SHOWN_MAX_CHARS 100

typedef struct Member
{
	GcColumn *column;
	char *prefix; /* "name":" as it goes into the body */
	int prefix_len;
	bool named; /* by the INSERT: a NULL is sent as well */
	GcCellRule rule;
} Member;

struct GcEncoder
{
	GcRelation *rel;
	const GcList *list;
	Member *data; /* data columns */
	int data_count;
	GcColumn **attributes;
	int attribute_count;
	char *start; /* {"contactListId":"…","id":" */
	int start_len;
	GcIdPattern *id_pattern;
	const GcColumn *column; /* being encoded, for messages */
	StringInfoData body;	/* of the row at hand */
	StringInfoData data_body;
	int64 rows; /* so far */
	char id[GC_CONTACT_ID_MAX * MAX_MULTIBYTE_CHAR_LEN + 1];
};

static void
add_member(GcEncoder *encoder, GcColumn *column, Bitmapset *named)
{
	Member *member = &encoder->data[encoder->data_count++];
	StringInfoData prefix;

	initStringInfo(&prefix);
	appendStringInfoChar(&prefix, '"');
	gc_json_escape(&prefix, column->field, strlen(column->field));
	appendStringInfoString(&prefix, "\":\"");
	member->column = column;
	member->prefix = prefix.data;
	member->prefix_len = prefix.len;
	member->named = bms_is_member(column->attnum - FirstLowInvalidHeapAttributeNumber, named);
	member->rule = gc_drift_rule(encoder->rel, column, encoder->list);
}

GcEncoder *
gc_encoder_create(GcRelation *rel, const GcList *list, Bitmapset *named)
{
	GcEncoder *encoder = palloc0(sizeof(GcEncoder));
	StringInfoData start;

	encoder->rel = rel;
	encoder->list = list;
	encoder->data = palloc0(sizeof(Member) * Max(rel->column_count, 1));
	encoder->attributes = palloc0(sizeof(GcColumn *) * Max(rel->column_count, 1));
	for (int i = 0; i < rel->column_count; i++)
	{
		GcColumn *column = &rel->columns[i];

		if (column->attnum == 0)
			continue;
		if (column->field)
			add_member(encoder, column, named);
		else
			encoder->attributes[encoder->attribute_count++] = column;
	}
	initStringInfo(&start);
	appendStringInfoString(&start, "{\"contactListId\":\"");
	gc_json_escape(&start, list->id, strlen(list->id));
	appendStringInfoString(&start, "\",\"id\":\"");
	encoder->start = start.data;
	encoder->start_len = start.len;
	initStringInfo(&encoder->body);
	initStringInfo(&encoder->data_body);
	encoder->id_pattern =
		gc_id_pattern_create(gc_option_string(rel->options, NIL, "contact_id_pattern"));
	return encoder;
}

/* ---- problems ---- */

/* What a program can go by, in the manner of the platform's own codes. */
static const char *
code_of(int sqlstate)
{
	switch (sqlstate)
	{
		case ERRCODE_NOT_NULL_VIOLATION:
			return "value.required";
		case ERRCODE_STRING_DATA_RIGHT_TRUNCATION:
			return "value.too.long";
		case ERRCODE_INVALID_PARAMETER_VALUE:
			return "invalid.value";
		case ERRCODE_CHECK_VIOLATION:
			return "wrong.list";
		case ERRCODE_GENERATED_ALWAYS:
			return "read.only";
		default:
			return "invalid.encoding";
	}
}

static GcProblem *
problem(const GcColumn *column, int sqlstate, const char *message, const char *detail,
		const char *hint)
{
	GcProblem *result = palloc(sizeof(GcProblem));

	*result = (GcProblem){sqlstate, message, detail, hint, code_of(sqlstate), column->name};
	return result;
}

/* Of which contact: its id, if the row had one. */
static const char *
which(GcEncoder *encoder)
{
	if (encoder->id[0] == '\0')
		return psprintf("It is row " INT64_FORMAT
						" of the statement, and has no contact id yet.",
						encoder->rows);
	return psprintf("Contact id: \"%s\".", gc_value_display(encoder->id, GC_CONTACT_ID_MAX));
}

static GcProblem *
column_problem(GcEncoder *encoder, const GcColumn *column, int sqlstate, const char *what,
			   const char *hint)
{
	return problem(column, sqlstate,
				   psprintf("column \"%s\" of %s %s", column->name, encoder->rel->label, what),
				   which(encoder), hint);
}

/* ---- identity ---- */

static const GcProblem *
check_id(GcEncoder *encoder, const GcColumn *column, const char *id, int len)
{
	if (len == 0)
		return column_problem(encoder, column, ERRCODE_INVALID_PARAMETER_VALUE,
							  "is the contact's id and must not be empty", NULL);
	if (len >= sizeof(encoder->id) || !gc_id_pattern_matches(encoder->id_pattern, id, len))
		return problem(column, ERRCODE_INVALID_PARAMETER_VALUE,
					   psprintf("invalid contact id in column \"%s\" of %s", column->name,
								encoder->rel->label),
					   psprintf("The id \"%s\" does not match the pattern %s.",
								gc_value_display(pnstrdup(id, Min(len, GC_CONTACT_ID_MAX * 2)),
												 GC_CONTACT_ID_MAX),
								gc_id_pattern_source(encoder->id_pattern)),
					   "The table option contact_id_pattern says what an id may look like.");
	return NULL;
}

/* Takes a value as the contact's id; it must agree with one taken before. */
static const GcProblem *
take_id(GcEncoder *encoder, GcColumn *column, Datum value)
{
	int len;
	const char *id;
	const GcProblem *bad;

	encoder->column = column;
	id = gc_value_text(&column->type, value, &len);
	bad = check_id(encoder, column, id, len);
	if (bad)
		return bad;
	if (encoder->id[0] != '\0' &&
		(strlen(encoder->id) != len || memcmp(encoder->id, id, len) != 0))
		return column_problem(encoder, column, ERRCODE_INVALID_PARAMETER_VALUE,
							  "is the key and differs from the contact id that the row gives",
							  "Leave the contact id out, or make it the key's value.");
	memcpy(encoder->id, id, len);
	encoder->id[len] = '\0';
	return NULL;
}

static void
make_id(GcEncoder *encoder)
{
	Datum uuid = DirectFunctionCall1(gen_random_uuid, (Datum) 0);

	strlcpy(encoder->id, DatumGetCString(DirectFunctionCall1(uuid_out, uuid)),
			sizeof(encoder->id));
}

static const GcProblem *
find_id(GcEncoder *encoder, TupleTableSlot *slot, GcRow *row)
{
	GcRelation *rel = encoder->rel;
	const GcProblem *bad = NULL;

	encoder->id[0] = '\0';
	row->made_id = false;
	if (rel->id && !slot->tts_isnull[rel->id - 1])
		bad = take_id(encoder, &rel->columns[rel->id - 1], slot->tts_values[rel->id - 1]);
	if (bad)
		return bad;
	if (rel->key)
	{
		GcColumn *column = &rel->columns[rel->key - 1];

		if (slot->tts_isnull[rel->key - 1])
			return column_problem(encoder, column, ERRCODE_NOT_NULL_VIOLATION,
								  "is the key and must not be NULL", NULL);
		return take_id(encoder, column, slot->tts_values[rel->key - 1]);
	}
	if (encoder->id[0] == '\0')
	{
		make_id(encoder);
		row->made_id = true;
	}
	return NULL;
}

/* ---- cells and attributes ---- */

/* A cell that its column does not allow; the value itself is personal data. */
static const GcProblem *
cell_problem(GcEncoder *encoder, const Member *member, GcCellFault fault, const char *cell,
			 int len)
{
	const GcCellRule *rule = &member->rule;
	GcProblem *result;

	switch (fault)
	{
		case GC_CELL_EMPTY:
			return column_problem(encoder, member->column, ERRCODE_NOT_NULL_VIOLATION,
								  "is NOT NULL and must have a value", NULL);
		case GC_CELL_TOO_LONG:
			result =
				column_problem(encoder, member->column, ERRCODE_STRING_DATA_RIGHT_TRUNCATION,
							   psprintf("has a value of %d characters, and a cell holds %d",
										gc_cell_chars(cell, len), rule->max_chars),
							   NULL);
			break;
		default:
			result = column_problem(
				encoder, member->column, ERRCODE_INVALID_PARAMETER_VALUE,
				psprintf("has a value that is not %s", gc_cell_format_words(rule->format)),
				gc_cell_format_hint(rule->format));
			break;
	}
	if (gc_show_values)
		result->detail = psprintf("%s Value: \"%s\".", result->detail,
								  gc_value_display(pnstrdup(cell, len), SHOWN_MAX_CHARS));
	return result;
}

static const GcProblem *
add_cell(GcEncoder *encoder, Member *member, Datum value)
{
	StringInfo buf = &encoder->data_body;
	int len;
	const char *cell;
	GcCellFault fault;

	encoder->column = member->column;
	cell = gc_value_text(&member->column->type, value, &len);
	fault = gc_cell_check(&member->rule, cell, len);
	if (unlikely(fault != GC_CELL_FINE))
		return cell_problem(encoder, member, fault, cell, len);
	appendBinaryStringInfo(buf, member->prefix, member->prefix_len);
	gc_json_escape(buf, cell, len);
	appendBinaryStringInfo(buf, "\",", 2);
	return NULL;
}

static const GcProblem *
add_data(GcEncoder *encoder, TupleTableSlot *slot)
{
	for (int i = 0; i < encoder->data_count; i++)
	{
		Member *member = &encoder->data[i];
		int index = member->column->attnum - 1;

		if (!slot->tts_isnull[index])
		{
			const GcProblem *bad = add_cell(encoder, member, slot->tts_values[index]);

			if (bad)
				return bad;
		}
		else if (member->rule.required)
			return cell_problem(encoder, member, GC_CELL_EMPTY, NULL, 0);
		else if (member->named)
		{
			appendBinaryStringInfo(&encoder->data_body, member->prefix, member->prefix_len);
			appendBinaryStringInfo(&encoder->data_body, "\",", 2);
		}
	}
	return NULL;
}

static bool
is_phone_column(const GcList *list, const char *name)
{
	for (int i = 0; i < list->column_count; i++)
		if (list->is_phone[i] && strcmp(list->columns[i], name) == 0)
			return true;
	return false;
}

/* An opt-out of a phone column that the list lacks would protect nobody. */
static const GcProblem *
check_phones(GcEncoder *encoder, GcColumn *column, const char *parts)
{
	GcJson json;
	GcSpan key;
	GcSpan value;

	gc_json_init(&json, parts, strlen(parts));
	(void) gc_json_enter(&json, '{');
	while (gc_json_key(&json, &key) && gc_json_value(&json, &value))
	{
		int len;
		char *name = gc_value_span_text(&key, &len);

		if (name == NULL || !is_phone_column(encoder->list, name))
			return column_problem(
				encoder, column, ERRCODE_INVALID_PARAMETER_VALUE,
				psprintf("names \"%s\", which is no phone column of the list",
						 gc_value_display(name ? name : "", NAMEDATALEN)),
				NULL);
		if (value.type != '{')
			return column_problem(encoder, column, ERRCODE_INVALID_PARAMETER_VALUE,
								  "must be like {\"Phone\": {\"callable\": false}}", NULL);
	}
	return NULL;
}

/* Sends a status' false parts, if it has any. */
static const GcProblem *
add_status(GcEncoder *encoder, GcColumn *column, Datum value, GcRow *row)
{
	int len;
	const char *json = gc_value_text(&column->type, value, &len);
	bool valid;
	char *parts = gc_optout_parts(pnstrdup(json, len), &valid);
	bool phone = strcmp(column->attribute->path, "phoneNumberStatus") == 0;

	if (!valid)
		return column_problem(encoder, column, ERRCODE_INVALID_PARAMETER_VALUE,
							  "must be a JSON object", NULL);
	if (parts == NULL)
		return NULL;
	if (phone)
	{
		const GcProblem *bad = check_phones(encoder, column, parts);

		if (bad)
			return bad;
	}
	appendStringInfo(&encoder->body, "\"%s\":%s,", column->attribute->path, parts);
	if (phone)
		row->phone_number_status = parts;
	else
		row->contactable_status = parts;
	return NULL;
}

/* Sends "callable" only if false: a new contact is callable anyway, and an opt-out survives. */
static const GcProblem *
add_callable(GcEncoder *encoder, GcColumn *column, Datum value, GcRow *row)
{
	int len;
	const char *given = gc_value_text(&column->type, value, &len);

	if (len == 4 && memcmp(given, "true", 4) == 0)
		return NULL;
	if (len != 5 || memcmp(given, "false", 5) != 0)
		return column_problem(encoder, column, ERRCODE_INVALID_PARAMETER_VALUE,
							  "must be true or false", "Declare the column as boolean.");
	appendStringInfoString(&encoder->body, "\"callable\":false,");
	row->not_callable = true;
	return NULL;
}

static const GcProblem *
check_constant(GcEncoder *encoder, GcColumn *column, Datum value)
{
	int len;
	const char *given = gc_value_text(&column->type, value, &len);
	const char *constant = gc_relation_constant(column, encoder->list);

	if (strlen(constant) == len && memcmp(constant, given, len) == 0)
		return NULL;
	return column_problem(encoder, column, ERRCODE_CHECK_VIOLATION,
						  psprintf("must be \"%s\" or NULL", gc_value_display(constant, 100)),
						  NULL);
}

static const GcProblem *
add_attribute(GcEncoder *encoder, GcColumn *column, Datum value, GcRow *row)
{
	encoder->column = column;
	switch (column->attribute->role)
	{
		case GC_ROLE_ID:
			return NULL; /* in place already */
		case GC_ROLE_CALLABLE:
			return add_callable(encoder, column, value, row);
		case GC_ROLE_STATUS:
			return add_status(encoder, column, value, row);
		case GC_ROLE_LIST_ID:
		case GC_ROLE_LIST_NAME:
			return check_constant(encoder, column, value);
		case GC_ROLE_PLAIN:
			break;
	}
	return column_problem(encoder, column, ERRCODE_GENERATED_ALWAYS,
						  "is set by the platform and cannot be written",
						  "Leave the column out of the INSERT.");
}

static const GcProblem *
encode(GcEncoder *encoder, TupleTableSlot *slot, GcRow *row)
{
	StringInfo body = &encoder->body;
	const GcProblem *bad = find_id(encoder, slot, row);

	if (bad)
		return bad;
	resetStringInfo(body);
	appendBinaryStringInfo(body, encoder->start, encoder->start_len);
	gc_json_escape(body, encoder->id, strlen(encoder->id));
	appendBinaryStringInfo(body, "\",", 2);
	for (int i = 0; i < encoder->attribute_count; i++)
	{
		GcColumn *column = encoder->attributes[i];
		int index = column->attnum - 1;

		if (slot->tts_isnull[index])
			continue;
		bad = add_attribute(encoder, column, slot->tts_values[index], row);
		if (bad)
			return bad;
	}
	resetStringInfo(&encoder->data_body);
	bad = add_data(encoder, slot);
	if (bad)
		return bad;
	if (encoder->data_body.len > 0)
		encoder->data_body.len--; /* the last comma */
	appendStringInfoString(body, "\"data\":{");
	appendBinaryStringInfo(body, encoder->data_body.data, encoder->data_body.len);
	appendBinaryStringInfo(body, "}}", 2);
	row->json = body->data;
	row->len = body->len;
	row->id = encoder->id;
	return NULL;
}

/* The same where text may fail to convert to UTF-8, which the server reports by throwing. */
static const GcProblem *
encode_guarded(GcEncoder *encoder, TupleTableSlot *slot, GcRow *row)
{
	MemoryContext caller_cxt = CurrentMemoryContext;
	const GcProblem *volatile bad = NULL;

	PG_TRY();
	{
		bad = encode(encoder, slot, row);
	}
	PG_CATCH();
	{
		ErrorData *error;

		MemoryContextSwitchTo(caller_cxt);
		error = CopyErrorData();
		if (ERRCODE_TO_CATEGORY(error->sqlerrcode) != ERRCODE_DATA_EXCEPTION)
			PG_RE_THROW();
		FlushErrorState();
		bad =
			problem(encoder->column, error->sqlerrcode,
					psprintf("could not convert column \"%s\" of %s to UTF-8",
							 encoder->column->name, encoder->rel->label),
					psprintf("%s The server says: %s.", which(encoder), error->message), NULL);
	}
	PG_END_TRY();
	return bad;
}

const GcProblem *
gc_encoder_row(GcEncoder *encoder, TupleTableSlot *slot, GcRow *row)
{
	const GcProblem *bad;

	memset(row, 0, sizeof(*row));
	encoder->rows++;
	slot_getallattrs(slot);
	if (GetDatabaseEncoding() == PG_UTF8)
		bad = encode(encoder, slot, row);
	else
		bad = encode_guarded(encoder, slot, row);
	if (bad && encoder->id[0] != '\0')
		row->id = encoder->id;
	return bad;
}
