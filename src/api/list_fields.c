/*
 * api/list_fields.c
 *	  The fields of a list's schema, and the columns that a table shows in their place.
 */
#include "postgres.h"

#include "api/control.h"
#include "api/entity_parts.h"
#include "api/list_fields.h"
#include "api/list_shape.h"
#include "api/list_writes.h"
#include "base/value.h"

/* Members of a listing, which changes are made of. */
#define NAMES  "columnNames"
#define PHONES "phoneColumns"
#define EMAILS "emailColumns"
#define TYPES  "columnDataTypeSpecifications"

/* The status that is asked for, of whatever is written. */
#define READY "\"READY\""

/* Types of fields, and what a table calls them. */
static const struct
{
	const char *field;
	const char *column;
} type_names[] = {{"string", "TEXT"},
				  {"number", "NUMERIC"},
				  {"datetime", "TIMESTAMP"},
				  {"date", "DATE"},
				  {"boolean", "BOOLEAN"}};
static const char *const column_types[] = {"TEXT", "NUMERIC", "TIMESTAMP",
										   "DATE", "BOOLEAN", NULL};

/* ---- trees ---- */

static void
release(void *arg)
{
	json_decref(arg);
}

/* Not json_object(): the server has a function of that name. */
static json_t *
new_object(void)
{
	return json_pack("{}");
}

/* A tree that goes with the current context. */
static json_t *
owned(json_t *tree)
{
	MemoryContextCallback *callback = palloc(sizeof(MemoryContextCallback));

	callback->func = release;
	callback->arg = tree;
	MemoryContextRegisterResetCallback(CurrentMemoryContext, callback);
	return tree;
}

static json_t *
load(const GcSpan *object)
{
	return object->p ? owned(json_loadb(object->p, object->len, 0, NULL)) : NULL;
}

/* JSON of a tree, in the current context. */
static char *
dump(json_t *tree)
{
	char *json = json_dumps(tree, JSON_COMPACT | JSON_ENCODE_ANY);
	char *copy = pstrdup(json ? json : "null");

	free(json);
	return copy;
}

static const char *
string_of(json_t *object, const char *member)
{
	return json_string_value(json_object_get(object, member));
}

/* The object of an array whose member has that value, or NULL. */
static json_t *
find(json_t *array, const char *member, const char *value)
{
	size_t i;
	json_t *object;

	json_array_foreach(array, i, object)
	{
		const char *has = string_of(object, member);

		if (has && strcmp(has, value) == 0)
			return object;
	}
	return NULL;
}

static bool
has_name(json_t *names, const char *name)
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
	return type_names[0].column;
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

/* Adds what is to be said of a field beside its name, if there is anything. */
static void
add_type(json_t *types, json_t *field)
{
	const char *type = column_type(string_of(field, "type"));
	bool required = json_is_true(json_object_get(field, "required"));
	json_t *format = own_format(field);
	json_t *spec;

	if (strcmp(type, type_names[0].column) == 0 && !required && format == NULL)
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

	view = listing ? json_copy(listing) : new_object();
	json_object_update(view, list);
	json_array_foreach(fields, i, field)
	{
		json_array_append(names, json_object_get(field, "name"));
		if (gc_list_field_is_phone(field))
			add_medium(phones, field, "phone");
		if (gc_list_field_is_email(field))
			add_medium(emails, field, "email");
		add_type(types, field);
	}
	json_object_set(view, "version", json_object_get(schema, "version"));
	json_object_set_new(view, NAMES, names);
	json_object_set_new(view, PHONES, phones);
	json_object_set_new(view, EMAILS, emails);
	json_object_set_new(view, TYPES, types);
	if (json_is_array(fields) && json_array_size(names) == json_array_size(fields))
		return view;
	json_decref(view);
	return NULL;
}

char *
gc_list_fields_shown(const char *object)
{
	json_t *list = owned(json_loads(object, 0, NULL));
	json_t *view = list ? gc_list_fields_view(list, NULL) : NULL;

	return view ? dump(owned(view)) : pstrdup(object);
}

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

	if (strcmp(path, NAMES) == 0)
		value = &wanted->names, given = &wanted->has_names;
	else if (strcmp(path, PHONES) == 0)
		value = &wanted->phones, given = &wanted->has_phones;
	else if (strcmp(path, EMAILS) == 0)
		value = &wanted->emails, given = &wanted->has_emails;
	else if (strcmp(path, TYPES) == 0)
		value = &wanted->types, given = &wanted->has_types;
	else
		return false;
	tree = json ? owned(json_loads(json, JSON_DECODE_ANY, NULL)) : NULL;
	*value = json_is_array(tree) ? tree : NULL;
	*given = true;
	return true;
}

/* The type of a field for a column of that type; NULL: there is none. */
static const char *
field_type(const char *column_type)
{
	for (int i = 0; i < lengthof(type_names); i++)
		if (strcmp(type_names[i].column, column_type) == 0)
			return type_names[i].field;
	return NULL;
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
							"has not.",
							called, shown(member), shown(string_of(spec, "columnName"))),
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
		const char *name = string_of(spec, "columnName");
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
		if (string_of(spec, "columnDataType") &&
			strcmp(string_of(spec, "columnDataType"), type_names[0].column) != 0 &&
			(find(wanted->phones, "columnName", name) ||
			 find(wanted->emails, "columnName", name)))
			refuse(wanted, ERRCODE_INVALID_PARAMETER_VALUE,
				   psprintf("Column \"%s\" has phone numbers or addresses, which are TEXT.",
							shown(name)),
				   NULL);
	}
}

void
gc_list_fields_check(const GcEntityWriter *writer, const GcSpan *body, const char *failed)
{
	json_t *list = load(body);
	const Wanted wanted = {.failed = failed,
						   .phones = json_object_get(list, PHONES),
						   .emails = json_object_get(list, EMAILS),
						   .types = json_object_get(list, TYPES)};

	gc_list_check_whole(list, column_types, failed);
	check_specs(&wanted);
}

/* The field that a column becomes. */
static json_t *
make_field(const Wanted *wanted, const char *name)
{
	json_t *spec = find(wanted->types, "columnName", name);
	const char *wants = spec ? string_of(spec, "columnDataType") : NULL;
	const char *type = wants ? field_type(wants) : NULL;
	json_t *field;

	if (find(wanted->phones, "columnName", name))
		type = "phone";
	else if (find(wanted->emails, "columnName", name))
		type = "email";
	field =
		json_pack("{s:s, s:s, s:b}", "name", name, "type", type ? type : type_names[0].field,
				  "required", json_is_true(json_object_get(spec, "required")));
	if (json_is_string(json_object_get(spec, "format")))
		json_object_set(field, "format", json_object_get(spec, "format"));
	return field;
}

/* ---- what there is already ---- */

static bool
same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

/* Do two say the same of a column?  NULL: TEXT, and no more. */
static bool
same_type(json_t *a, json_t *b)
{
	const char *one = a ? string_of(a, "columnDataType") : NULL;
	const char *two = b ? string_of(b, "columnDataType") : NULL;

	return strcmp(one ? one : type_names[0].column, two ? two : type_names[0].column) == 0 &&
		   json_is_true(json_object_get(a, "required")) ==
			   json_is_true(json_object_get(b, "required")) &&
		   same_text(string_of(a, "format"), string_of(b, "format"));
}

/* Is each of one array in the other?  Types are compared, of the others the names. */
static bool
is_within(json_t *array, json_t *other, bool types)
{
	size_t i;
	json_t *object;

	json_array_foreach(array, i, object)
	{
		const char *name = string_of(object, "columnName");
		json_t *found = name ? find(other, "columnName", name) : NULL;

		if (types ? !same_type(object, found) : found == NULL)
			return false;
	}
	return true;
}

bool
gc_list_fields_same(const GcEntityChange *change, const GcSpan *has, const GcSpan *wants)
{
	const char *path = change->member.path;
	bool types = strcmp(path, TYPES) == 0;
	json_t *there;
	json_t *wanted;

	if (!types && strcmp(path, PHONES) != 0 && strcmp(path, EMAILS) != 0)
		return gc_json_same(has, wants);
	there = load(has);
	wanted = load(wants);
	return is_within(there, wanted, types) && is_within(wanted, there, types);
}

/* Is a field as the statement wants it: as far as it says, or, of a new one, altogether? */
static bool
fits(const Wanted *wanted, json_t *field, bool is_new)
{
	const char *name = string_of(field, "name");
	json_t *types = json_array();
	bool same;

	add_type(types, field);
	same = (!(is_new || wanted->has_phones) ||
			gc_list_field_is_phone(field) ==
				(find(wanted->phones, "columnName", name) != NULL)) &&
		   (!(is_new || wanted->has_emails) ||
			gc_list_field_is_email(field) ==
				(find(wanted->emails, "columnName", name) != NULL)) &&
		   (!(is_new || wanted->has_types) ||
			same_type(json_array_get(types, 0), find(wanted->types, "columnName", name)));
	json_decref(types);
	return same;
}

/* Is a field meant that may have come since the list was read? */
static bool
is_meant(const Wanted *wanted, json_t *seen, const char *name)
{
	if (wanted->has_names)
		return has_name(wanted->names, name);
	return has_name(json_object_get(seen, NAMES), name) ||
		   find(wanted->phones, "columnName", name) ||
		   find(wanted->emails, "columnName", name) || find(wanted->types, "columnName", name);
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
	const char *name = string_of(field, "name");
	bool was = has_name(json_object_get(seen, NAMES), name);
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
	if (!was || (fields && !json_equal(find(fields, "name", name), field)))
		changed_meanwhile(wanted, name);
	refuse(wanted, ERRCODE_FEATURE_NOT_SUPPORTED,
		   psprintf("Field \"%s\" cannot become another one.", shown(name)), GC_FIELDS_HINT);
}

/* The fields that there are, and behind them those that are wanted besides. */
static json_t *
merge(const Wanted *wanted, json_t *seen, json_t *now)
{
	json_t *fields = json_object_get(json_object_get(now, "schema"), "fields");
	json_t *merged = owned(json_is_array(fields) ? json_copy(fields) : json_array());
	size_t i;
	json_t *field;
	json_t *name;

	json_array_foreach(fields, i, field)
	{
		if (string_of(field, "name"))
			check_field(wanted, seen, field);
	}
	json_array_foreach(wanted->names, i, name)
	{
		const char *wants = json_string_value(name);

		if (wants == NULL || find(merged, "name", wants))
			continue;
		if (has_name(json_object_get(seen, NAMES), wants))
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
	json_t *list = owned(new_object());
	json_t *names = json_array();
	size_t i;
	json_t *field;

	json_array_foreach(fields, i, field)
	{
		json_array_append(names, json_object_get(field, "name"));
	}
	json_object_set_new(list, NAMES, names);
	json_object_set(list, PHONES, wanted->phones);
	json_object_set(list, EMAILS, wanted->emails);
	json_object_set(list, TYPES, wanted->types);
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
	json_t *there = load(now);
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
		fields = merge(&wanted, load(seen), there);
		check_grown(&wanted, fields);
		check_specs(&wanted);
		combined[n++] = made_of("schema/fields", "column_names", dump(fields));
	}
	if (now->p == NULL)
		n = complete(combined, n);
	else if (is_change(writer->kind, now, combined, n))
		combined[n++] = made_of("status", "status", pstrdup(READY));
	*count = n;
	return combined;
}
