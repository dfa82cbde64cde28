/*
 * api/list_fields.c
 *	  The fields of a list's schema, and the columns that a table shows in their place.
 */
#include "postgres.h"

#include "api/control.h"
#include "api/list_fields_parts.h"
#include "api/list_shape.h"

/* Types of fields, and what a table calls them. */
static const struct
{
	const char *field;
	const char *column;
} type_names[] = {{"string", GC_FIELDS_TEXT},
				  {"number", "NUMERIC"},
				  {"datetime", "TIMESTAMP"},
				  {"date", "DATE"},
				  {"boolean", "BOOLEAN"}};

/* ---- trees ---- */

static void
release(void *arg)
{
	json_decref(arg);
}

/* Not json_object(): the server has a function of that name. */
json_t *
gc_fields_object(void)
{
	return json_pack("{}");
}

json_t *
gc_fields_owned(json_t *tree)
{
	MemoryContextCallback *callback = palloc(sizeof(MemoryContextCallback));

	callback->func = release;
	callback->arg = tree;
	MemoryContextRegisterResetCallback(CurrentMemoryContext, callback);
	return tree;
}

json_t *
gc_fields_load(const GcSpan *object)
{
	return object->p ? gc_fields_owned(json_loadb(object->p, object->len, 0, NULL)) : NULL;
}

char *
gc_fields_dump(json_t *tree)
{
	char *json = json_dumps(tree, JSON_COMPACT | JSON_ENCODE_ANY);
	char *copy = pstrdup(json ? json : "null");

	free(json);
	return copy;
}

const char *
gc_fields_string(json_t *object, const char *member)
{
	return json_string_value(json_object_get(object, member));
}

json_t *
gc_fields_find(json_t *array, const char *member, const char *value)
{
	size_t i;
	json_t *object;

	json_array_foreach(array, i, object)
	{
		const char *has = gc_fields_string(object, member);

		if (has && strcmp(has, value) == 0)
			return object;
	}
	return NULL;
}

bool
gc_fields_has_name(json_t *names, const char *name)
{
	size_t i;
	json_t *one;

	json_array_foreach(names, i, one)
	{
		if (json_is_string(one) && strcmp(json_string_value(one), name) == 0)
			return true;
	}
	return false;
}

/* ---- as a table shows it ---- */

static const char *
column_type(const char *field_type)
{
	for (int i = 0; field_type && i < lengthof(type_names); i++)
		if (strcmp(type_names[i].field, field_type) == 0)
			return type_names[i].column;
	return GC_FIELDS_TEXT;
}

/* A format that says more than that it is a phone or email column. */
static json_t *
own_format(json_t *field)
{
	json_t *format = json_object_get(field, "format");

	if (!json_is_string(format) || gc_list_field_is_phone(field) ||
		gc_list_field_is_email(field))
		return NULL;
	return format;
}

void
gc_fields_add_type(json_t *types, json_t *field)
{
	const char *type = column_type(gc_fields_string(field, "type"));
	bool required = json_is_true(json_object_get(field, "required"));
	json_t *format = own_format(field);
	json_t *spec;

	if (strcmp(type, GC_FIELDS_TEXT) == 0 && !required && format == NULL)
		return;
	spec = json_pack("{s:O, s:s}", "columnName", json_object_get(field, "name"),
					 "columnDataType", type);
	if (required)
		json_object_set_new(spec, "required", json_true());
	if (format)
		json_object_set(spec, "format", format);
	json_array_append_new(types, spec);
}

static void
add_medium(json_t *columns, json_t *field, const char *type)
{
	json_array_append_new(columns, json_pack("{s:O, s:s}", "columnName",
											 json_object_get(field, "name"), "type", type));
}

json_t *
gc_list_fields_view(json_t *list, json_t *listing)
{
	json_t *schema = json_object_get(list, "schema");
	json_t *fields = json_object_get(schema, "fields");
	json_t *view;
	json_t *names = json_array();
	json_t *phones = json_array();
	json_t *emails = json_array();
	json_t *types = json_array();
	size_t i;
	json_t *field;

	view = listing ? json_copy(listing) : gc_fields_object();
	json_object_update(view, list);
	json_array_foreach(fields, i, field)
	{
		json_array_append(names, json_object_get(field, "name"));
		if (gc_list_field_is_phone(field))
			add_medium(phones, field, "phone");
		if (gc_list_field_is_email(field))
			add_medium(emails, field, "email");
		gc_fields_add_type(types, field);
	}
	json_object_set(view, "version", json_object_get(schema, "version"));
	json_object_set_new(view, GC_LISTED_NAMES, names);
	json_object_set_new(view, GC_LISTED_PHONES, phones);
	json_object_set_new(view, GC_LISTED_EMAILS, emails);
	json_object_set_new(view, GC_LISTED_TYPES, types);
	if (json_is_array(fields) && json_array_size(names) == json_array_size(fields))
		return view;
	json_decref(view);
	return NULL;
}

char *
gc_list_fields_shown(const char *object)
{
	json_t *list = gc_fields_owned(json_loads(object, 0, NULL));
	json_t *view = list ? gc_list_fields_view(list, NULL) : NULL;

	return view ? gc_fields_dump(gc_fields_owned(view)) : pstrdup(object);
}

const char *
gc_fields_type(const char *column_type)
{
	for (int i = 0; i < lengthof(type_names); i++)
		if (strcmp(type_names[i].column, column_type) == 0)
			return type_names[i].field;
	return NULL;
}

/* ---- held against what is wanted ---- */

static bool
same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

bool
gc_fields_same_type(json_t *a, json_t *b)
{
	const char *one = a ? gc_fields_string(a, "columnDataType") : NULL;
	const char *two = b ? gc_fields_string(b, "columnDataType") : NULL;

	return strcmp(one ? one : GC_FIELDS_TEXT, two ? two : GC_FIELDS_TEXT) == 0 &&
		   json_is_true(json_object_get(a, "required")) ==
			   json_is_true(json_object_get(b, "required")) &&
		   same_text(gc_fields_string(a, "format"), gc_fields_string(b, "format"));
}

/* Is each of one array in the other?  Types are compared, of the others the names. */
static bool
is_within(json_t *array, json_t *other, bool types)
{
	size_t i;
	json_t *object;

	json_array_foreach(array, i, object)
	{
		const char *name = gc_fields_string(object, "columnName");
		json_t *found = name ? gc_fields_find(other, "columnName", name) : NULL;

		if (types ? !gc_fields_same_type(object, found) : found == NULL)
			return false;
	}
	return true;
}

bool
gc_list_fields_same(const GcEntityChange *change, const GcSpan *has, const GcSpan *wants)
{
	const char *path = change->member.path;
	bool types = strcmp(path, GC_LISTED_TYPES) == 0;
	json_t *there;
	json_t *wanted;

	if (!types && strcmp(path, GC_LISTED_PHONES) != 0 && strcmp(path, GC_LISTED_EMAILS) != 0)
		return gc_json_same(has, wants);
	there = gc_fields_load(has);
	wanted = gc_fields_load(wants);
	return is_within(there, wanted, types) && is_within(wanted, there, types);
}
