/*
 * api/list_shape.c
 *	  A contact list as an answer has it.
 */
#include "postgres.h"

#include <jansson.h>

#include "api/list_shape.h"

/* The object of an array that has that name as its "columnName", or NULL. */
static json_t *
find_named(json_t *array, const char *column)
{
	size_t i;
	json_t *object;

	json_array_foreach(array, i, object)
	{
		const char *name = json_string_value(json_object_get(object, "columnName"));

		if (name && strcmp(name, column) == 0)
			return object;
	}
	return NULL;
}

/* What a list says of the cells of its column number n. */
static void
read_specification(GcList *list, int n, json_t *spec)
{
	const char *type = json_string_value(json_object_get(spec, "columnDataType"));
	json_int_t most = json_integer_value(json_object_get(spec, "maxLength"));

	if (type && pg_strcasecmp(type, "NUMERIC") == 0)
		list->types[n] = GC_COLUMN_NUMERIC;
	else if (type && pg_strcasecmp(type, "TIMESTAMP") == 0)
		list->types[n] = GC_COLUMN_TIMESTAMP;
	else if (most > 0 && most <= GC_CELL_MAX_CHARS)
		list->max_chars[n] = most;
}

static void
make_columns(GcList *list, size_t count)
{
	list->columns = palloc0(sizeof(char *) * (count + 1));
	list->types = palloc0(sizeof(GcColumnType) * (count + 1));
	list->max_chars = palloc0(sizeof(int) * (count + 1));
	list->is_phone = palloc0(sizeof(bool) * (count + 1));
	list->is_email = palloc0(sizeof(bool) * (count + 1));
	list->is_required = palloc0(sizeof(bool) * (count + 1));
}

GcList *
gc_list_from_listing(json_t *entity)
{
	const char *id = json_string_value(json_object_get(entity, "id"));
	const char *name = json_string_value(json_object_get(entity, "name"));
	json_t *columns = json_object_get(entity, "columnNames");
	json_t *size = json_object_get(entity, "size");
	const char *zip_column = json_string_value(json_object_get(entity, "zipCodeColumnName"));
	GcList *list;

	if (id == NULL || name == NULL || !json_is_array(columns))
		return NULL;
	list = palloc0(sizeof(GcList));
	list->id = pstrdup(id);
	list->name = pstrdup(name);
	list->zip_column = zip_column ? pstrdup(zip_column) : NULL;
	list->size = json_is_integer(size) ? Max(json_integer_value(size), -1) : -1;
	list->trims = !json_is_false(json_object_get(entity, "trimWhitespace"));
	list->read_at = gc_clock_now();
	make_columns(list, json_array_size(columns));
	for (size_t i = 0; i < json_array_size(columns); i++)
	{
		const char *column = json_string_value(json_array_get(columns, i));
		int n = list->column_count;

		if (column == NULL)
			return NULL;
		list->columns[n] = pstrdup(column);
		read_specification(
			list, n,
			find_named(json_object_get(entity, "columnDataTypeSpecifications"), column));
		list->is_phone[n] =
			find_named(json_object_get(entity, "phoneColumns"), column) != NULL;
		list->is_email[n] =
			find_named(json_object_get(entity, "emailColumns"), column) != NULL;
		list->column_count++;
	}
	return list;
}

/* ---- by fields ---- */

static bool
is_word(const char *word, const char *wanted)
{
	return word && pg_strcasecmp(word, wanted) == 0;
}

/* Is that its type, or its format, which may have another word for it? */
static bool
holds(json_t *field, const char *medium, const char *format)
{
	const char *type = json_string_value(json_object_get(field, "type"));
	const char *has = json_string_value(json_object_get(field, "format"));

	return is_word(type, medium) || is_word(has, medium) || is_word(has, format);
}

bool
gc_list_field_is_phone(json_t *field)
{
	return holds(field, "phone", "e164");
}

bool
gc_list_field_is_email(json_t *field)
{
	return holds(field, "email", "email");
}

/* False: it is no field. */
static bool
read_field(GcList *list, json_t *field)
{
	int n = list->column_count;
	const char *name = json_string_value(json_object_get(field, "name"));
	const char *type = json_string_value(json_object_get(field, "type"));

	if (name == NULL)
		return false;
	list->columns[n] = pstrdup(name);
	if (is_word(type, "number"))
		list->types[n] = GC_COLUMN_NUMERIC;
	else if (is_word(type, "date") || is_word(type, "datetime"))
		list->types[n] = GC_COLUMN_TIMESTAMP;
	list->is_phone[n] = gc_list_field_is_phone(field);
	list->is_email[n] = gc_list_field_is_email(field);
	list->is_required[n] = json_is_true(json_object_get(field, "required"));
	list->column_count++;
	return true;
}

GcList *
gc_list_from_fields(json_t *entity)
{
	const char *id = json_string_value(json_object_get(entity, "id"));
	const char *name = json_string_value(json_object_get(entity, "name"));
	json_t *fields = json_object_get(json_object_get(entity, "schema"), "fields");
	GcList *list;

	if (id == NULL || name == NULL || !json_is_array(fields))
		return NULL;
	list = palloc0(sizeof(GcList));
	list->id = pstrdup(id);
	list->name = pstrdup(name);
	list->size = -1;
	list->trims = true;
	list->read_at = gc_clock_now();
	make_columns(list, json_array_size(fields));
	for (size_t i = 0; i < json_array_size(fields); i++)
		if (!read_field(list, json_array_get(fields, i)))
			return NULL;
	return list;
}

void
gc_list_complete(GcList *list, const GcList *listed)
{
	list->size = listed->size;
	list->trims = listed->trims;
	list->zip_column = listed->zip_column ? pstrdup(listed->zip_column) : NULL;
	for (int i = 0; i < list->column_count; i++)
		for (int j = 0; j < listed->column_count; j++)
			if (strcmp(list->columns[i], listed->columns[j]) == 0)
				list->max_chars[i] = listed->max_chars[j];
}
