/*
 * api/list_check.c
 *	  What the platform wants of a contact list that is to be made, before it is asked.
 */
#include "postgres.h"

#include "api/control.h"
#include "api/list_writes.h"
#include "base/cell.h"
#include "base/value.h"

/* SCENARIOS A4 */
#define MAX_NAME_CHARS	  64
#define MAX_COLUMNS		  50
#define MAX_HEADER_CHARS  128
#define MAX_PHONE_COLUMNS 10

static const char *const platform_types[] = {"NUMERIC", "TEXT", "TIMESTAMP", NULL};

/* Members that name columns that can be reached, and how messages call them. */
static const struct
{
	const char *member;
	const char *called;
} media[] = {{"phoneColumns", "phone_columns"},
			 {"emailColumns", "email_columns"},
			 {"whatsAppColumns", "whatsapp_columns"}};

static _Noreturn void
refuse(int sqlstate, const char *failed, const char *detail)
{
	ereport(ERROR,
			(errcode(sqlstate), errmsg("%s", failed), errdetail_internal("%s", detail)));
	pg_unreachable();
}

static _Noreturn void
over_limit(const char *failed, const char *what, int has, int most)
{
	refuse(ERRCODE_PROGRAM_LIMIT_EXCEEDED, failed,
		   psprintf("%s: %d, of which the platform takes at most %d.", what, has, most));
}

static int
count_chars(const char *utf8)
{
	return gc_cell_chars(utf8, strlen(utf8));
}

static const char *
shown(const char *utf8)
{
	return gc_value_display(utf8, NAMEDATALEN);
}

static bool
has_column(json_t *columns, const char *name)
{
	size_t i;
	json_t *column;

	json_array_foreach(columns, i, column)
	{
		if (json_is_string(column) && strcmp(json_string_value(column), name) == 0)
			return true;
	}
	return false;
}

static void
check_name(json_t *list, const char *failed)
{
	const char *name = json_string_value(json_object_get(list, "name"));
	int chars = name ? count_chars(name) : 0;

	if (name == NULL || name[strspn(name, " \t\r\n")] == '\0')
		refuse(ERRCODE_NOT_NULL_VIOLATION, failed, "\"name\" is not given.");
	if (chars > MAX_NAME_CHARS)
		over_limit(failed, "Characters of the name", chars, MAX_NAME_CHARS);
}

static void
check_columns(json_t *columns, const char *failed)
{
	int count = json_array_size(columns);

	if (count == 0)
		refuse(ERRCODE_NOT_NULL_VIOLATION, failed, "\"column_names\" is not given.");
	if (count > MAX_COLUMNS)
		over_limit(failed, "Columns", count, MAX_COLUMNS);
	for (int i = 0; i < count; i++)
	{
		const char *name = json_string_value(json_array_get(columns, i));

		if (name == NULL || *name == '\0')
			refuse(ERRCODE_INVALID_PARAMETER_VALUE, failed,
				   psprintf("Column number %d has no name.", i + 1));
		if (count_chars(name) > MAX_HEADER_CHARS)
			over_limit(failed, psprintf("Characters of the name of column number %d", i + 1),
					   count_chars(name), MAX_HEADER_CHARS);
		for (int k = 0; k < i; k++)
			if (json_equal(json_array_get(columns, i), json_array_get(columns, k)))
				refuse(ERRCODE_DUPLICATE_COLUMN, failed,
					   psprintf("There are two columns \"%s\".", shown(name)));
	}
}

/* Of an array of objects with a columnName each, which is among the columns. */
static void
check_named(json_t *list, const char *member, const char *called, const char *other,
			const char *failed)
{
	json_t *columns = json_object_get(list, "columnNames");
	json_t *array = json_object_get(list, member);
	size_t i;
	json_t *object;

	if (array && !json_is_null(array) && !json_is_array(array))
		refuse(ERRCODE_INVALID_PARAMETER_VALUE, failed,
			   psprintf("\"%s\" is no array.", called));
	json_array_foreach(array, i, object)
	{
		const char *name = json_string_value(json_object_get(object, "columnName"));

		if (name == NULL || !json_is_string(json_object_get(object, other)))
			refuse(ERRCODE_INVALID_PARAMETER_VALUE, failed,
				   psprintf("Each of \"%s\" is an object with \"columnName\" and \"%s\".",
							called, other));
		if (!has_column(columns, name))
			refuse(ERRCODE_UNDEFINED_COLUMN, failed,
				   psprintf("\"%s\" names \"%s\", which is not among the columns.", called,
							shown(name)));
		for (size_t k = 0; k < i; k++)
			if (json_equal(json_object_get(json_array_get(array, k), "columnName"),
						   json_object_get(object, "columnName")))
				refuse(ERRCODE_DUPLICATE_COLUMN, failed,
					   psprintf("\"%s\" names \"%s\" twice.", called, shown(name)));
	}
}

static void
check_media(json_t *list, const char *failed)
{
	int phones = json_array_size(json_object_get(list, "phoneColumns"));

	for (int i = 0; i < lengthof(media); i++)
		check_named(list, media[i].member, media[i].called, "type", failed);
	if (phones > MAX_PHONE_COLUMNS)
		over_limit(failed, "Phone columns", phones, MAX_PHONE_COLUMNS);
}

static void
check_reachable(json_t *list, bool has_whatsapp, const char *failed)
{
	int reached = 0;

	for (int i = 0; i < lengthof(media); i++)
		reached += json_array_size(json_object_get(list, media[i].member));
	if (reached == 0)
		refuse(
			ERRCODE_INVALID_PARAMETER_VALUE, failed,
			has_whatsapp
				? "None of \"phone_columns\", \"email_columns\" and \"whatsapp_columns\" is "
				  "given, of which a list has at least one."
				: "Neither \"phone_columns\" nor \"email_columns\" is given, of which a list "
				  "has "
				  "at least one.");
}

static bool
is_one_of(const char *word, const char *const *words)
{
	for (; *words; words++)
		if (strcmp(*words, word) == 0)
			return true;
	return false;
}

/* NUMERIC, TEXT and TIMESTAMP */
static char *
listed(const char *const *words)
{
	StringInfoData list;

	initStringInfo(&list);
	for (int i = 0; words[i]; i++)
		appendStringInfo(&list, "%s%s", i == 0 ? "" : words[i + 1] ? ", " : " and ", words[i]);
	return list.data;
}

static void
check_types(json_t *list, const char *const *types, const char *failed)
{
	json_t *specs = json_object_get(list, "columnDataTypeSpecifications");
	size_t i;
	json_t *spec;

	check_named(list, "columnDataTypeSpecifications", "column_types", "columnDataType",
				failed);
	json_array_foreach(specs, i, spec)
	{
		const char *type = json_string_value(json_object_get(spec, "columnDataType"));

		if (!is_one_of(type, types))
			refuse(ERRCODE_INVALID_PARAMETER_VALUE, failed,
				   psprintf("\"column_types\" has \"%s\"; there are %s.", shown(type),
							listed(types)));
	}
}

static void
check_zones(json_t *list, const char *failed)
{
	const char *zip = json_string_value(json_object_get(list, "zipCodeColumnName"));

	if (zip == NULL)
		return;
	if (!json_is_true(json_object_get(list, "automaticTimeZoneMapping")))
		refuse(ERRCODE_INVALID_PARAMETER_VALUE, failed,
			   "\"zip_code_column\" wants \"automatic_time_zone_mapping\".");
	if (!has_column(json_object_get(list, "columnNames"), zip))
		refuse(ERRCODE_UNDEFINED_COLUMN, failed,
			   psprintf("\"zip_code_column\" names \"%s\", which is not among the columns.",
						shown(zip)));
}

static void
release(void *arg)
{
	json_decref(arg);
}

void
gc_list_check_columns(json_t *list, const char *const *types, const char *failed)
{
	check_columns(json_object_get(list, "columnNames"), failed);
	check_media(list, failed);
	check_types(list, types, failed);
}

void
gc_list_check_whole(json_t *list, const char *const *types, bool has_whatsapp,
					const char *failed)
{
	check_name(list, failed);
	check_columns(json_object_get(list, "columnNames"), failed);
	check_media(list, failed);
	check_reachable(list, has_whatsapp, failed);
	check_types(list, types, failed);
	check_zones(list, failed);
}

void
gc_list_check_new(const GcEntityWriter *writer, const GcSpan *body, const char *failed)
{
	MemoryContextCallback *callback = palloc(sizeof(MemoryContextCallback));
	json_t *list = json_loadb(body->p, body->len, 0, NULL);

	callback->func = release;
	callback->arg = list;
	MemoryContextRegisterResetCallback(CurrentMemoryContext, callback);
	gc_list_check_whole(list, platform_types, true, failed);
}
