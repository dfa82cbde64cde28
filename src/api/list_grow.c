/*
 * api/list_grow.c
 *	  Fields for the columns that a statement wants, behind those that a list has.
 */
#include "postgres.h"

#include "api/control.h"
#include "api/entity_parts.h"
#include "api/list_fields_parts.h"
#include "api/list_shape.h"
#include "api/list_writes.h"
#include "base/value.h"

/* The status that is asked for, of whatever is written. */
#define READY "\"READY\""

static const char *const column_types[] = {"TEXT", "NUMERIC", "TIMESTAMP",
										   "DATE", "BOOLEAN", NULL};

/* ---- what is wanted ---- */

/* What of columns a statement gives; NULL: it does not, or gives NULL. */
typedef struct Wanted
{
	const char *failed; /* what could not be done */
	json_t *names;
	json_t *phones;
	json_t *emails;
	json_t *types;
	bool has_names;
	bool has_phones;
	bool has_emails;
	bool has_types;
} Wanted;

static _Noreturn void
refuse(const Wanted *wanted, int sqlstate, const char *detail, const char *hint)
{
	ereport(ERROR, (errcode(sqlstate), errmsg("%s", wanted->failed),
					errdetail_internal("%s", detail), hint ? errhint("%s", hint) : 0));
	pg_unreachable();
}

static const char *
shown(const char *utf8)
{
	return gc_value_display(utf8, NAMEDATALEN);
}

/* Takes it, if it is about columns. */
static bool
take_change(Wanted *wanted, const GcEntityChange *change)
{
	const char *path = change->member.path;
	const char *json = change->member.json;
	json_t *tree;
	json_t **value;
	bool *given;

	if (strcmp(path, GC_LISTED_NAMES) == 0)
		value = &wanted->names, given = &wanted->has_names;
	else if (strcmp(path, GC_LISTED_PHONES) == 0)
		value = &wanted->phones, given = &wanted->has_phones;
	else if (strcmp(path, GC_LISTED_EMAILS) == 0)
		value = &wanted->emails, given = &wanted->has_emails;
	else if (strcmp(path, GC_LISTED_TYPES) == 0)
		value = &wanted->types, given = &wanted->has_types;
	else
		return false;
	tree = json ? gc_fields_owned(json_loads(json, JSON_DECODE_ANY, NULL)) : NULL;
	*value = json_is_array(tree) ? tree : NULL;
	*given = true;
	return true;
}

/* Throws if an object of one of the arrays says what a field cannot hold. */
static void
check_spec(const Wanted *wanted, json_t *spec, const char *called, const char *known)
{
	const char *member;
	json_t *value;

	json_object_foreach(spec, member, value)
	{
		if (strstr(known, psprintf(" %s ", member)) == NULL && !json_is_null(value))
			refuse(wanted, ERRCODE_FEATURE_NOT_SUPPORTED,
				   psprintf("\"%s\" gives \"%s\" of column \"%s\", which the server's dialect "
							"does not have.",
							called, shown(member),
							shown(gc_fields_string(spec, "columnName"))),
				   NULL);
	}
}

static void
check_specs(const Wanted *wanted)
{
	size_t i;
	json_t *spec;

	json_array_foreach(wanted->phones, i, spec)
	{
		check_spec(wanted, spec, "phone_columns", " columnName type ");
	}
	json_array_foreach(wanted->emails, i, spec)
	{
		check_spec(wanted, spec, "email_columns", " columnName type ");
	}
	json_array_foreach(wanted->types, i, spec)
	{
		const char *name = gc_fields_string(spec, "columnName");
		json_t *required = json_object_get(spec, "required");
		json_t *format = json_object_get(spec, "format");

		check_spec(wanted, spec, "column_types",
				   " columnName columnDataType required format ");
		if (required && !json_is_boolean(required) && !json_is_null(required))
			refuse(wanted, ERRCODE_INVALID_PARAMETER_VALUE,
				   psprintf("\"required\" of column \"%s\" is neither true nor false.",
							shown(name)),
				   NULL);
		if (format && !json_is_string(format) && !json_is_null(format))
			refuse(wanted, ERRCODE_INVALID_PARAMETER_VALUE,
				   psprintf("\"format\" of column \"%s\" is no string.", shown(name)), NULL);
		if (gc_fields_string(spec, "columnDataType") &&
			strcmp(gc_fields_string(spec, "columnDataType"), GC_FIELDS_TEXT) != 0 &&
			(gc_fields_find(wanted->phones, "columnName", name) ||
			 gc_fields_find(wanted->emails, "columnName", name)))
			refuse(wanted, ERRCODE_INVALID_PARAMETER_VALUE,
				   psprintf("Column \"%s\" has phone numbers or addresses, which are TEXT.",
							shown(name)),
				   NULL);
	}
}

void
gc_list_fields_check(const GcEntityWriter *writer, const GcSpan *body, const char *failed)
{
	json_t *list = gc_fields_load(body);
	const Wanted wanted = {.failed = failed,
						   .phones = json_object_get(list, GC_LISTED_PHONES),
						   .emails = json_object_get(list, GC_LISTED_EMAILS),
						   .types = json_object_get(list, GC_LISTED_TYPES)};

	gc_list_check_whole(list, column_types, false, failed);
	check_specs(&wanted);
}

/* The field that a column becomes. */
static json_t *
make_field(const Wanted *wanted, const char *name)
{
	json_t *spec = gc_fields_find(wanted->types, "columnName", name);
	const char *wants = spec ? gc_fields_string(spec, "columnDataType") : NULL;
	const char *type = wants ? gc_fields_type(wants) : NULL;
	json_t *field;

	if (gc_fields_find(wanted->phones, "columnName", name))
		type = "phone";
	else if (gc_fields_find(wanted->emails, "columnName", name))
		type = "email";
	field = json_pack("{s:s, s:s, s:b}", "name", name, "type",
					  type ? type : gc_fields_type(GC_FIELDS_TEXT), "required",
					  json_is_true(json_object_get(spec, "required")));
	if (json_is_string(json_object_get(spec, "format")))
		json_object_set(field, "format", json_object_get(spec, "format"));
	return field;
}

/* ---- what there is already ---- */

/* Is a field as the statement wants it: as far as it says, or, of a new one, altogether? */
static bool
fits(const Wanted *wanted, json_t *field, bool is_new)
{
	const char *name = gc_fields_string(field, "name");
	json_t *types = json_array();
	bool same;

	gc_fields_add_type(types, field);
	same = (!(is_new || wanted->has_phones) ||
			gc_list_field_is_phone(field) ==
				(gc_fields_find(wanted->phones, "columnName", name) != NULL)) &&
		   (!(is_new || wanted->has_emails) ||
			gc_list_field_is_email(field) ==
				(gc_fields_find(wanted->emails, "columnName", name) != NULL)) &&
		   (!(is_new || wanted->has_types) ||
			gc_fields_same_type(json_array_get(types, 0),
								gc_fields_find(wanted->types, "columnName", name)));
	json_decref(types);
	return same;
}

/* Is a field meant that may have come since the list was read? */
static bool
is_meant(const Wanted *wanted, json_t *seen, const char *name)
{
	if (wanted->has_names)
		return gc_fields_has_name(wanted->names, name);
	return gc_fields_has_name(json_object_get(seen, GC_LISTED_NAMES), name) ||
		   gc_fields_find(wanted->phones, "columnName", name) ||
		   gc_fields_find(wanted->emails, "columnName", name) ||
		   gc_fields_find(wanted->types, "columnName", name);
}

static _Noreturn void
changed_meanwhile(const Wanted *wanted, const char *name)
{
	refuse(wanted, ERRCODE_T_R_SERIALIZATION_FAILURE,
		   psprintf("Somebody else has changed field \"%s\" since it was read.", shown(name)),
		   "Run it again.");
}

/* Throws if a field that is there is not to be there, or another one. */
static void
check_field(const Wanted *wanted, json_t *seen, json_t *field)
{
	const char *name = gc_fields_string(field, "name");
	bool was = gc_fields_has_name(json_object_get(seen, GC_LISTED_NAMES), name);
	json_t *fields = json_object_get(json_object_get(seen, "schema"), "fields");

	if (!is_meant(wanted, seen, name))
	{
		if (was)
			refuse(wanted, ERRCODE_FEATURE_NOT_SUPPORTED,
				   psprintf("Field \"%s\" cannot be removed.", shown(name)), GC_FIELDS_HINT);
		return; /* somebody else's, and it stays */
	}
	if (fits(wanted, field, wanted->has_names && !was))
		return;
	if (!was || (fields && !json_equal(gc_fields_find(fields, "name", name), field)))
		changed_meanwhile(wanted, name);
	refuse(wanted, ERRCODE_FEATURE_NOT_SUPPORTED,
		   psprintf("Field \"%s\" cannot become another one.", shown(name)), GC_FIELDS_HINT);
}

/* The fields that there are, and behind them those that are wanted besides. */
static json_t *
merge(const Wanted *wanted, json_t *seen, json_t *now)
{
	json_t *fields = json_object_get(json_object_get(now, "schema"), "fields");
	json_t *merged = gc_fields_owned(json_is_array(fields) ? json_copy(fields) : json_array());
	size_t i;
	json_t *field;
	json_t *name;

	json_array_foreach(fields, i, field)
	{
		if (gc_fields_string(field, "name"))
			check_field(wanted, seen, field);
	}
	json_array_foreach(wanted->names, i, name)
	{
		const char *wants = json_string_value(name);

		if (wants == NULL || gc_fields_find(merged, "name", wants))
			continue;
		if (gc_fields_has_name(json_object_get(seen, GC_LISTED_NAMES), wants))
			changed_meanwhile(wanted, wants);
		json_array_append_new(merged, make_field(wanted, wants));
	}
	return merged;
}

/* ---- what is written ---- */

static GcEntityChange
made_of(const char *path, const char *name, char *json)
{
	return (GcEntityChange){
		.member = {.path = path, .json = json}, .name = name, .merged = true};
}

/* Throws if what is wanted makes a list that the platform does not take. */
static void
check_grown(const Wanted *wanted, json_t *fields)
{
	json_t *list = gc_fields_owned(gc_fields_object());
	json_t *names = json_array();
	size_t i;
	json_t *field;

	json_array_foreach(fields, i, field)
	{
		json_array_append(names, json_object_get(field, "name"));
	}
	json_object_set_new(list, GC_LISTED_NAMES, names);
	json_object_set(list, GC_LISTED_PHONES, wanted->phones);
	json_object_set(list, GC_LISTED_EMAILS, wanted->emails);
	json_object_set(list, GC_LISTED_TYPES, wanted->types);
	gc_list_check_columns(list, column_types, wanted->failed);
}

/* All that a new list has besides what the row gives. */
static int
complete(GcEntityChange *changes, int n)
{
	const char *name = NULL;

	for (int i = 0; i < n; i++)
		if (strcmp(changes[i].member.path, "name") == 0)
			name = changes[i].member.json;
	changes[n++] = made_of("schema/name", "name", pstrdup(name ? name : "null"));
	changes[n++] = made_of("schema/version", "version", pstrdup("1"));
	changes[n++] = made_of("status", "status", pstrdup(READY));
	return n;
}

static bool
is_change(const GcEntityKind *kind, const GcSpan *now, const GcEntityChange *changes,
		  int count)
{
	for (int i = 0; i < count; i++)
		if (!gc_entity_has(kind, now, &changes[i]))
			return true;
	return false;
}

GcEntityChange *
gc_list_fields_combine(const GcEntityWriter *writer, const GcSpan *seen, const GcSpan *now,
					   const GcEntityChange *changes, int *count, const char *failed)
{
	GcEntityChange *combined = palloc0(sizeof(GcEntityChange) * (*count + 4));
	json_t *there = gc_fields_load(now);
	Wanted wanted = {.failed = failed};
	json_t *fields;
	bool about_columns = false;
	int n = 0;

	for (int i = 0; i < *count; i++)
	{
		if (take_change(&wanted, &changes[i]))
			about_columns = true;
		else
			combined[n++] = changes[i];
	}
	if (about_columns || now->p == NULL)
	{
		fields = merge(&wanted, gc_fields_load(seen), there);
		check_grown(&wanted, fields);
		check_specs(&wanted);
		combined[n++] = made_of("schema/fields", "column_names", gc_fields_dump(fields));
	}
	if (now->p == NULL)
		n = complete(combined, n);
	else if (is_change(writer->kind, now, combined, n))
		combined[n++] = made_of("status", "status", pstrdup(READY));
	*count = n;
	return combined;
}
