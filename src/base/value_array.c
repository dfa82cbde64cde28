/*
 * base/value_array.c
 *	  Arrays to and from JSON text.
 */
#include "postgres.h"

#include "base/json.h"
#include "base/value_array.h"

#include "catalog/pg_type.h"
#include "utils/array.h"

/*
 * Does the element stand bare?  NaN and Infinity are no JSON; and jsonb is
 * written as a string of JSON, since a bare "[1]" would be another dimension and
 * a bare null no element.
 */
static bool
element_is_bare(GcValueType *element, const char *cell, int len)
{
	switch (element->kind)
	{
		case GC_VALUE_BOOL:
		case GC_VALUE_INT:
			return true;
		case GC_VALUE_FLOAT4:
		case GC_VALUE_FLOAT8:
			break;
		default:
			if (element->type != NUMERICOID)
				return false;
	}
	return len > 0 && (isdigit((unsigned char) cell[len - 1]));
}

static void
append_element(GcValueType *element, Datum value, bool isnull, StringInfo buf)
{
	const char *cell;
	int len;

	if (isnull)
	{
		appendStringInfoString(buf, "null");
		return;
	}
	cell = gc_value_text(element, value, &len);
	if (element_is_bare(element, cell, len))
		appendBinaryStringInfo(buf, cell, len);
	else
	{
		appendStringInfoChar(buf, '"');
		gc_json_escape(buf, cell, len);
		appendStringInfoChar(buf, '"');
	}
}

/* Appends one dimension; "next" runs over the elements in storage order. */
static void
append_dimension(GcValueType *element, int ndim, const int *dims, Datum *values, bool *nulls,
				 int *next, StringInfo buf)
{
	appendStringInfoChar(buf, '[');
	for (int i = 0; i < dims[0]; i++)
	{
		if (i > 0)
			appendStringInfoChar(buf, ',');
		if (ndim > 1)
			append_dimension(element, ndim - 1, dims + 1, values, nulls, next, buf);
		else
		{
			append_element(element, values[*next], nulls[*next], buf);
			(*next)++;
		}
	}
	appendStringInfoChar(buf, ']');
}

void
gc_value_array_text(GcValueType *vt, Datum value, StringInfo buf)
{
	ArrayType *array = DatumGetArrayTypeP(value);
	GcValueType *element = vt->element;
	Datum *values;
	bool *nulls;
	int count;
	int next = 0;

	if (ARR_NDIM(array) == 0)
	{
		appendStringInfoString(buf, "[]");
		return;
	}
	deconstruct_array(array, ARR_ELEMTYPE(array), element->typlen, element->typbyval,
					  element->typalign, &values, &nulls, &count);
	append_dimension(element, ARR_NDIM(array), ARR_DIMS(array), values, nulls, &next, buf);
}
typedef struct ArrayRead
{
	GcValueType *element;
	int ndim;
	int dims[MAXDIM]; /* -1: not known yet */
	Datum *values;
	bool *nulls;
	int count;
	int room;
} ArrayRead;

static void
array_error(const char *detail)
{
	ereport(ERROR, (errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
					errmsg("malformed JSON array"), errdetail("%s", detail)));
}

static void
read_element(ArrayRead *read, GcJson *json)
{
	GcSpan span;
	int len;
	char *cell;

	if (!gc_json_value(json, &span))
		array_error(json->error);
	if (read->count == read->room)
	{
		read->room *= 2;
		read->values = repalloc(read->values, read->room * sizeof(Datum));
		read->nulls = repalloc(read->nulls, read->room * sizeof(bool));
	}
	cell = gc_value_span_text(&span, &len);
	if (cell == NULL && span.type == '"' && read->element->kind == GC_VALUE_TEXT)
	{
		cell = pstrdup("");
		len = 0;
	}
	read->nulls[read->count] = cell == NULL;
	read->values[read->count] =
		cell == NULL ? (Datum) 0 : gc_value_parse(read->element, cell, len);
	read->count++;
}

static void
read_dimension(ArrayRead *read, GcJson *json, int depth)
{
	int length = 0;

	if (depth >= MAXDIM)
		array_error("It has too many dimensions.");
	if (depth == read->ndim)
		read->dims[read->ndim++] = -1;
	if (!gc_json_enter(json, '['))
		array_error(json->error);
	while (gc_json_element(json))
	{
		bool deeper = gc_json_peek(json) == '[';

		/* An array where elements are, here or elsewhere; or an element where arrays are. */
		if (deeper ? depth == read->ndim - 1 && (length > 0 || read->count > 0)
				   : depth != read->ndim - 1)
			array_error("Its dimensions differ in depth.");
		if (deeper)
			read_dimension(read, json, depth + 1);
		else
			read_element(read, json);
		length++;
	}
	if (json->error)
		array_error(json->error);
	if (read->dims[depth] >= 0 && read->dims[depth] != length)
		array_error("Its dimensions differ in length.");
	read->dims[depth] = length;
}

Datum
gc_value_array_parse(GcValueType *vt, char *cell, int len)
{
	ArrayRead read = {0};
	int lower_bounds[MAXDIM];
	GcJson json;

	read.element = vt->element;
	read.room = 16;
	read.values = palloc(read.room * sizeof(Datum));
	read.nulls = palloc(read.room * sizeof(bool));
	gc_json_init(&json, cell, len);
	read_dimension(&read, &json, 0);
	if (!gc_json_end(&json))
		array_error("There is something behind its end.");
	if (read.count == 0)
		return PointerGetDatum(construct_empty_array(vt->element->type));
	for (int i = 0; i < read.ndim; i++)
		lower_bounds[i] = 1;
	return PointerGetDatum(construct_md_array(
		read.values, read.nulls, read.ndim, read.dims, lower_bounds, vt->element->type,
		vt->element->typlen, vt->element->typbyval, vt->element->typalign));
}
