/*
 * fdw/encode.c
 *	  From a row of a foreign table to a contact in JSON.
 */
#include "postgres.h"

#include "api/contacts.h"
#include "base/option.h"
#include "fdw/encode_parts.h"

#include "access/sysattr.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/uuid.h"

static void
add_member(GcEncoder *encoder, GcColumn *column, Bitmapset *named)
{
	GcMember *member = &encoder->data[encoder->data_count++];
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
	encoder->data = palloc0(sizeof(GcMember) * Max(rel->column_count, 1));
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

/* ---- identity ---- */

static const GcProblem *
malformed_id(GcEncoder *encoder, const GcColumn *column, const char *id, int len)
{
	const char *pattern = gc_id_pattern_source(encoder->id_pattern);
	const char *shown =
		gc_value_display(pnstrdup(id, Min(len, GC_CONTACT_ID_MAX * 2)), GC_CONTACT_ID_MAX);
	GcProblem *result = gc_encode_problem(
		column, ERRCODE_INVALID_PARAMETER_VALUE,
		psprintf("invalid contact id in column \"%s\" of %s", column->name,
				 encoder->rel->label),
		psprintf("The id \"%s\" does not match the pattern %s.", shown, pattern),
		"The table option contact_id_pattern says what an id may look like.");

	result->reason =
		psprintf("%s: \"%s\" does not match the pattern %s", result->message, shown, pattern);
	return result;
}

static const GcProblem *
check_id(GcEncoder *encoder, const GcColumn *column, const char *id, int len)
{
	if (len == 0)
		return gc_encode_column_problem(encoder, column, ERRCODE_INVALID_PARAMETER_VALUE,
										"is the contact's id and must not be empty", NULL);
	if (len >= sizeof(encoder->id) || !gc_id_pattern_matches(encoder->id_pattern, id, len))
		return malformed_id(encoder, column, id, len);
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
		return gc_encode_column_problem(
			encoder, column, ERRCODE_INVALID_PARAMETER_VALUE,
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
			return gc_encode_column_problem(encoder, column, ERRCODE_NOT_NULL_VIOLATION,
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

static const GcProblem *
add_data(GcEncoder *encoder, TupleTableSlot *slot)
{
	for (int i = 0; i < encoder->data_count; i++)
	{
		GcMember *member = &encoder->data[i];
		int index = member->column->attnum - 1;

		if (!slot->tts_isnull[index])
		{
			const GcProblem *bad = gc_encode_cell(encoder, member, slot->tts_values[index]);

			if (bad)
				return bad;
		}
		else if (member->rule.required)
			return gc_encode_missing_cell(encoder, member);
		else if (member->named)
			(void) gc_encode_empty_cell(encoder, member);
	}
	return NULL;
}

static const GcProblem *
encode(GcEncoder *encoder, const GcEncodeTask *task)
{
	TupleTableSlot *slot = task->slot;
	GcRow *row = task->row;
	StringInfo body = &encoder->body;
	const GcProblem *bad = find_id(encoder, slot, row);

	if (bad)
		return bad;
	resetStringInfo(body);
	appendBinaryStringInfo(body, encoder->start, encoder->start_len);
	gc_json_escape(body, encoder->id, strlen(encoder->id));
	appendBinaryStringInfo(body, "\",", 2);
	row->attributes = body->len;
	for (int i = 0; i < encoder->attribute_count; i++)
	{
		GcColumn *column = encoder->attributes[i];
		int index = column->attnum - 1;

		if (slot->tts_isnull[index])
			continue;
		bad = gc_encode_attribute(encoder, column, slot->tts_values[index], row);
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
	row->cells = body->len;
	appendBinaryStringInfo(body, encoder->data_body.data, encoder->data_body.len);
	appendBinaryStringInfo(body, "}}", 2);
	row->json = body->data;
	row->len = body->len;
	row->id = encoder->id;
	return NULL;
}

const GcProblem *
gc_encoder_row(GcEncoder *encoder, TupleTableSlot *slot, GcRow *row)
{
	const GcProblem *bad;

	memset(row, 0, sizeof(*row));
	bad = gc_encode_run(encoder, &(GcEncodeTask){.slot = slot, .row = row, .run = encode});
	if (bad && encoder->id[0] != '\0')
		row->id = encoder->id;
	return bad;
}
