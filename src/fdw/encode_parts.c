/*
 * fdw/encode_parts.c
 *	  Cells and attributes in JSON, for rows (encode.c) and changes (patch.c).
 */
#include "postgres.h"

#include "api/contacts.h"
#include "api/optout.h"
#include "fdw/encode_parts.h"

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
		case ERRCODE_FEATURE_NOT_SUPPORTED:
			return "read.only";
		default:
			return "invalid.encoding";
	}
}

GcProblem *
gc_encode_problem(const GcColumn *column, int sqlstate, const char *message,
				  const char *detail, const char *hint)
{
	GcProblem *result = palloc(sizeof(GcProblem));

	*result =
		(GcProblem){sqlstate, message, detail, hint, code_of(sqlstate), column->name, message};
	return result;
}

static bool
has_id(const GcEncoder *encoder)
{
	return encoder->id[0] != '\0';
}

/* Of which contact: its id, if the row had one. */
static const char *
which(GcEncoder *encoder)
{
	if (!has_id(encoder))
		return psprintf("It is row " INT64_FORMAT
						" of the statement, and has no contact id yet.",
						encoder->rows);
	return psprintf("Contact id: \"%s\".", gc_value_display(encoder->id, GC_CONTACT_ID_MAX));
}

GcProblem *
gc_encode_column_problem(GcEncoder *encoder, const GcColumn *column, int sqlstate,
						 const char *what, const char *hint)
{
	GcProblem *result = gc_encode_problem(
		column, sqlstate,
		psprintf("column \"%s\" of %s %s", column->name, encoder->rel->label, what),
		which(encoder), hint);

	if (!has_id(encoder))
		result->reason = psprintf("%s (row " INT64_FORMAT " of the statement)",
								  result->message, encoder->rows);
	return result;
}

/* ---- cells and attributes ---- */

/* A cell that its column does not allow; the value itself is personal data. */
static const GcProblem *
cell_problem(GcEncoder *encoder, const GcMember *member, GcCellFault fault, const char *cell,
			 int len)
{
	const GcCellRule *rule = &member->rule;
	GcProblem *result;

	switch (fault)
	{
		case GC_CELL_EMPTY:
			return gc_encode_column_problem(
				encoder, member->column, ERRCODE_NOT_NULL_VIOLATION,
				member->column->not_null ? "is NOT NULL and must have a value"
										 : "is required and must have a value",
				NULL);
		case GC_CELL_TOO_LONG:
			result = gc_encode_column_problem(
				encoder, member->column, ERRCODE_STRING_DATA_RIGHT_TRUNCATION,
				psprintf("has a value of %d characters, and a cell holds %d",
						 gc_cell_chars(cell, len), rule->max_chars),
				NULL);
			break;
		default:
			result = gc_encode_column_problem(
				encoder, member->column, ERRCODE_INVALID_PARAMETER_VALUE,
				psprintf("has a value that is not %s", gc_cell_format_words(rule->format)),
				gc_cell_format_hint(rule->format));
			break;
	}
	if (gc_show_values)
		result->detail = psprintf("%s Value: \"%s\".", result->detail,
								  gc_value_display(pnstrdup(cell, len), GC_SHOWN_MAX_CHARS));
	return result;
}

const GcProblem *
gc_encode_cell(GcEncoder *encoder, GcMember *member, Datum value)
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

const GcProblem *
gc_encode_missing_cell(GcEncoder *encoder, const GcMember *member)
{
	return cell_problem(encoder, member, GC_CELL_EMPTY, NULL, 0);
}

const GcProblem *
gc_encode_empty_cell(GcEncoder *encoder, GcMember *member)
{
	if (member->rule.required)
		return gc_encode_missing_cell(encoder, member);
	appendBinaryStringInfo(&encoder->data_body, member->prefix, member->prefix_len);
	appendBinaryStringInfo(&encoder->data_body, "\",", 2);
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
			return gc_encode_column_problem(
				encoder, column, ERRCODE_INVALID_PARAMETER_VALUE,
				psprintf("names \"%s\", which is no phone column of the list",
						 gc_value_display(name ? name : "", NAMEDATALEN)),
				NULL);
		if (value.type != '{')
			return gc_encode_column_problem(encoder, column, ERRCODE_INVALID_PARAMETER_VALUE,
											"must be like {\"Phone\": {\"callable\": false}}",
											NULL);
	}
	return NULL;
}

/* A load sends a status' false parts, if it has any; an UPDATE what it was asked to. */
static const GcProblem *
add_status(GcEncoder *encoder, GcColumn *column, Datum value, GcRow *row)
{
	int len;
	const char *json = gc_value_text(&column->type, value, &len);
	bool valid;
	char *parts = gc_optout_parts(pnstrdup(json, len), &valid);
	const char *sent;
	bool phone = strcmp(column->attribute->path, "phoneNumberStatus") == 0;

	if (!valid)
		return gc_encode_column_problem(encoder, column, ERRCODE_INVALID_PARAMETER_VALUE,
										"must be a JSON object", NULL);
	sent = encoder->patches ? pnstrdup(json, len) : parts;
	if (sent == NULL)
		return NULL;
	if (phone)
	{
		const GcProblem *bad = check_phones(encoder, column, sent);

		if (bad)
			return bad;
	}
	appendStringInfo(&encoder->body, "\"%s\":%s,", column->attribute->path, sent);
	if (phone)
		row->phone_number_status = parts;
	else
		row->contactable_status = parts;
	return NULL;
}

/*
 * A load sends "callable" only if false: a new contact is callable anyway, and an
 * opt-out survives.  An UPDATE sends what it was asked to.
 */
static const GcProblem *
add_callable(GcEncoder *encoder, GcColumn *column, Datum value, GcRow *row)
{
	int len;
	const char *given = gc_value_text(&column->type, value, &len);

	if (len == 4 && memcmp(given, "true", 4) == 0)
	{
		if (encoder->patches)
		{
			appendStringInfoString(&encoder->body, "\"callable\":true,");
			row->callable = 't';
		}
		return NULL;
	}
	if (len != 5 || memcmp(given, "false", 5) != 0)
		return gc_encode_column_problem(encoder, column, ERRCODE_INVALID_PARAMETER_VALUE,
										"must be true or false",
										"Declare the column as boolean.");
	appendStringInfoString(&encoder->body, "\"callable\":false,");
	row->callable = 'f';
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
	return gc_encode_column_problem(
		encoder, column, ERRCODE_CHECK_VIOLATION,
		psprintf("must be \"%s\" or NULL", gc_value_display(constant, 100)), NULL);
}

const GcProblem *
gc_encode_attribute(GcEncoder *encoder, GcColumn *column, Datum value, GcRow *row)
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
	return gc_encode_column_problem(encoder, column, ERRCODE_GENERATED_ALWAYS,
									"is set by the platform and cannot be written",
									encoder->patches ? "Leave the column as it is."
													 : "Leave the column out of the INSERT.");
}

/* ---- conversion ---- */

/* The same where text may fail to convert to UTF-8, which the server reports by throwing. */
static const GcProblem *
run_guarded(GcEncoder *encoder, const GcEncodeTask *task)
{
	MemoryContext caller_cxt = CurrentMemoryContext;
	const GcProblem *volatile bad = NULL;
	GcProblem *unsaid;

	PG_TRY();
	{
		bad = task->run(encoder, task);
	}
	PG_CATCH();
	{
		ErrorData *error;

		MemoryContextSwitchTo(caller_cxt);
		error = CopyErrorData();
		if (ERRCODE_TO_CATEGORY(error->sqlerrcode) != ERRCODE_DATA_EXCEPTION)
			PG_RE_THROW();
		FlushErrorState();
		unsaid = gc_encode_problem(
			encoder->column, error->sqlerrcode,
			psprintf("could not convert column \"%s\" of %s to UTF-8", encoder->column->name,
					 encoder->rel->label),
			psprintf("%s The server says: %s.", which(encoder), error->message), NULL);
		unsaid->reason = psprintf("%s: %s", unsaid->message, error->message);
		bad = unsaid;
	}
	PG_END_TRY();
	return bad;
}

const GcProblem *
gc_encode_run(GcEncoder *encoder, const GcEncodeTask *task)
{
	encoder->rows++;
	encoder->patches = task->patch != NULL;
	slot_getallattrs(task->slot);
	if (GetDatabaseEncoding() == PG_UTF8)
		return task->run(encoder, task);
	return run_guarded(encoder, task);
}
