/*
 * job_lists.c
 *	  Contact lists as dialect "jobs" has them: with fields, and a status.
 */
#include <stdlib.h>

#include "contacts.h"
#include "errors.h"
#include "imports.h"
#include "job_lists.h"
#include "list_check.h"
#include "lists.h"
#include "switches.h"
#include "things.h"

static const char *const statuses[] = {"READY", "PROCESSING", "ERROR"};

static bool
refuse(Request *req, const char *code, const char *message)
{
	reply_error(req, 400, code, "%s", message);
	return false;
}

static const char *
status_of(const List *list)
{
	if (list->status)
		return list->status;
	if (!list_is_ready(list) || list->processing_us > sim_now_us() ||
		(sw_is(SW_JOBS_PROCESSING, "on") && imports_active(list->id, true) > 0))
		return "PROCESSING";
	return "READY";
}

/* What a test said may hold for so many reads. */
static const char *
read_status(List *list)
{
	const char *status = status_of(list);

	if (list->status && list->status_reads > 0 && --list->status_reads == 0)
		list->status = NULL;
	return status;
}

static json_t *
find_named(const json_t *array, const char *member, const char *name)
{
	size_t i;
	json_t *item;

	json_array_foreach((json_t *) array, i, item)
	{
		const char *text = json_string_value(json_object_get(item, member));

		if (text && strcmp(text, name) == 0)
			return item;
	}
	return NULL;
}

/* Of a list that the platform's calls made. */
static json_t *
fields_of(const List *list)
{
	json_t *fields = json_array();

	for (int i = 0; i < list->columns->n; i++)
	{
		const char *name = list->columns->name[i].p;
		json_t *spec = find_named(json_object_get(list->body, "columnDataTypeSpecifications"),
								  "columnName", name);
		const char *kind = json_string_value(json_object_get(spec, "columnDataType"));
		const char *type = kind && strcmp(kind, "NUMERIC") == 0		? "number"
						   : kind && strcmp(kind, "TIMESTAMP") == 0 ? "datetime"
																	: "string";
		json_t *field =
			json_pack("{s:s, s:s, s:b}", "name", name, "type", type, "required", 0);

		if (list->columns->phone[i])
			json_object_set_new(field, "format", json_string("phone"));
		else if (find_named(json_object_get(list->body, "emailColumns"), "columnName", name))
			json_object_set_new(field, "format", json_string("email"));
		json_array_append_new(fields, field);
	}
	return fields;
}

static json_t *
shown_list(List *list)
{
	json_t *shown = json_pack("{s:s, s:s, s:s}", "id", list->id, "name", list->name, "status",
							  read_status(list));
	json_t *schema = list->schema ? json_copy(list->schema) : json_object();

	if (list->schema == NULL)
		json_object_set_new(schema, "fields", fields_of(list));
	json_object_set(shown, "description", json_object_get(schema, "description"));
	json_object_del(schema, "description");
	json_object_set_new(schema, "version", json_integer(list->version));
	json_object_set_new(shown, "schema", schema);
	return shown;
}

static void
reply_list(Request *req, List *list)
{
	reply_json(req, 200, shown_list(list));
}

static bool
is_one_of(const char *text, const char *words)
{
	char *wanted = sim_printf(" %s ", text);
	bool found = strstr(words, wanted) != NULL;

	free(wanted);
	return found;
}

static bool
check_members(Request *req, const json_t *object, const char *known)
{
	const char *name;
	json_t *value;

	json_object_foreach((json_t *) object, name, value)
	{
		if (!is_one_of(name, known))
			return refuse(req, "invalid.property", "A list has no such property.");
	}
	return true;
}

static bool
check_field(Request *req, const json_t *field)
{
	const char *type = json_string_value(json_object_get(field, "type"));
	json_t *required = json_object_get(field, "required");
	json_t *format = json_object_get(field, "format");

	if (!json_is_object(field))
		return refuse(req, "invalid.value", "A field is an object.");
	if (!check_members(req, field, " name type required format "))
		return false;
	if (!json_is_string(json_object_get(field, "name")) || !type)
		return refuse(req, "constraint.validation", "A field has a name and a type.");
	if (!is_one_of(type, " string number boolean date datetime phone email "))
		return refuse(req, "invalid.value", "A field has a type that is not known.");
	return ((!required || json_is_boolean(required)) &&
			(!format || json_is_null(format) || json_is_string(format))) ||
		   refuse(req, "invalid.value", "required is a boolean, format a string.");
}

static bool
check_fields(Request *req, const json_t *fields)
{
	size_t i;
	json_t *field;

	if (!json_is_array(fields))
		return refuse(req, "constraint.validation", "schema.fields is required.");
	json_array_foreach((json_t *) fields, i, field)
	{
		if (!check_field(req, field))
			return false;
	}
	return true;
}

static bool
check_body(Request *req, const json_t *body)
{
	const json_t *schema = json_object_get(body, "schema");
	const json_t *description = json_object_get(body, "description");
	const char *status = json_string_value(json_object_get(body, "status"));

	if (!check_members(req, body, " id name description schema status "))
		return false;
	if (!json_is_object(schema))
		return refuse(req, "constraint.validation", "schema is required.");
	if (description && !json_is_null(description) && !json_is_string(description))
		return refuse(req, "invalid.value", "description must be a string.");
	if (status && !is_one_of(status, " READY PROCESSING ERROR "))
		return refuse(req, "invalid.value", "status is READY, PROCESSING or ERROR.");
	/* The others come by themselves. */
	if (status && strcmp(status, "READY") != 0)
		return refuse(req, "invalid.status.transition",
					  "A list can be asked to be READY, and nothing else.");
	return check_members(req, schema, " name version fields ") &&
		   check_fields(req, json_object_get(schema, "fields"));
}

static void
add_media(json_t *columns, const json_t *field, const char *kind)
{
	const char *type = json_string_value(json_object_get(field, "type"));
	const char *format = json_string_value(json_object_get(field, "format"));

	if (strcmp(type, kind) == 0 || (format && strcmp(format, kind) == 0) ||
		(format && strcmp(kind, "phone") == 0 && strcmp(format, "e164") == 0))
		json_array_append_new(columns,
							  json_pack("{s:O, s:s}", "columnName",
										json_object_get(field, "name"), "type", kind));
}

static void
add_data_type(json_t *specs, const json_t *field)
{
	const char *type = json_string_value(json_object_get(field, "type"));
	const char *kind = strcmp(type, "number") == 0	   ? "NUMERIC"
					   : strncmp(type, "date", 4) == 0 ? "TIMESTAMP"
													   : NULL;

	if (kind)
		json_array_append_new(specs, json_pack("{s:O, s:s}", "columnName",
											   json_object_get(field, "name"),
											   "columnDataType", kind));
}

/* What the platform would call it. */
static json_t *
platform_body(const json_t *body)
{
	json_t *names = json_array();
	json_t *phones = json_array();
	json_t *emails = json_array();
	json_t *types = json_array();
	size_t i;
	json_t *field;

	json_array_foreach(json_object_get(json_object_get(body, "schema"), "fields"), i, field)
	{
		json_array_append(names, json_object_get(field, "name"));
		add_media(phones, field, "phone");
		add_media(emails, field, "email");
		add_data_type(types, field);
	}
	return json_pack("{s:O?, s:o, s:o, s:o, s:o}", "name", json_object_get(body, "name"),
					 "columnNames", names, "phoneColumns", phones, "emailColumns", emails,
					 "columnDataTypeSpecifications", types);
}

/* The schema as it is kept, with what else the platform has no place for. */
static json_t *
kept_schema(const json_t *body)
{
	json_t *schema = json_deep_copy(json_object_get(body, "schema"));

	if (json_is_string(json_object_get(body, "description")))
		json_object_set(schema, "description", json_object_get(body, "description"));
	return schema;
}

/* That a name is taken is a conflict here. */
static bool
has_name(Request *req, const json_t *body, const List *own)
{
	const char *name = json_string_value(json_object_get(body, "name"));
	const List *other = name ? store_find_name(name) : NULL;

	if (other == NULL || other == own)
		return true;
	reply_error(req, 409, "duplicate.name", "A contact list with this name already exists.");
	reply_error_detail(req, (Span){"name", 4}, (Span){other->id, strlen(other->id)});
	return false;
}

/* A new one has the first. */
static bool
is_first_version(Request *req, const json_t *body)
{
	const json_t *version = json_object_get(json_object_get(body, "schema"), "version");

	return (version == NULL ||
			(json_is_integer(version) && json_integer_value(version) == 1)) ||
		   refuse(req, "invalid.schema.version", "The first version of a schema is 1.");
}

void
job_lists_post(Request *req)
{
	json_t *body = thing_body(req);
	json_t *made = NULL;
	char uuid[UUID_SIZE];
	List *list;

	if (body && check_body(req, body) && is_first_version(req, body) &&
		has_name(req, body, NULL) && list_check(req, made = platform_body(body), NULL))
	{
		sim_uuid(uuid);
		list = store_add(uuid, json_incref(made), list_columns(made));
		list->schema = kept_schema(body);
		list->ready_us = sim_now_us() + sw_number(SW_PROVISION_MS) * 1000;
		list->answers_us = sim_now_us() + sw_number(SW_PROVISION_MS) * 500;
		list->contacts_us = list->ready_us + sw_number(SW_PROVISION_CONTACTS_MS) * 1000;
		reply_list(req, list);
	}
	json_decref(made);
	json_decref(body);
}

static List *
find_list(Request *req)
{
	List *list = store_find(req->arg[0]);

	if (list && list->answers_us <= sim_now_us())
		return list;
	if (list && sw_is(SW_PROVISION_STATUS, "409"))
		reply_error(req, 409, "contact.list.not.ready", "The contact list is processing.");
	else
		reply_error(req, 404, "contact.list.not.found", "The contact list was not found.");
	return NULL;
}

void
job_list_get(Request *req)
{
	List *list = find_list(req);

	if (list && list->was && list->was_us > sim_now_us())
		reply_json(req, 200, json_incref(list->was));
	else if (list)
		reply_list(req, list);
}

/* The version that was read; who has read another one has not read this. */
static bool
check_version(Request *req, const json_t *schema, const List *list)
{
	const json_t *version = json_object_get(schema, "version");

	if (!json_is_integer(version))
		return refuse(req, "constraint.validation", "schema.version is required.");
	if (json_integer_value(version) > list->version)
		return refuse(req, "invalid.schema.version",
					  "The schema version is not the one after the last.");
	if (json_integer_value(version) == list->version)
		return true;
	reply_error(req, 409, "invalid.update.wrong.version",
				"The resource has been modified since the last request. Please refresh "
				"and retry.");
	return false;
}

/* Fields can be added, at the end; those there are stay as they are. */
static bool
check_update(Request *req, const json_t *body, const List *list)
{
	const json_t *schema = json_object_get(body, "schema");
	const json_t *fields = json_object_get(schema, "fields");
	json_t *old =
		list->schema ? json_incref(json_object_get(list->schema, "fields")) : fields_of(list);
	bool same = json_array_size(old) <= json_array_size(fields);

	for (size_t i = 0; same && i < json_array_size(old); i++)
		same = json_equal(json_array_get(old, i), json_array_get(fields, i));
	json_decref(old);
	if (!check_version(req, schema, list))
		return false;
	if (!same)
		return refuse(req, "invalid.update",
					  "Fields can be added at the end, and not be changed or removed.");
	if (list->processing_us <= sim_now_us())
		return true;
	reply_error(req, 409, "contact.list.not.ready", "The contact list is processing.");
	return false;
}
static void
change_list(List *list, const json_t *body, json_t *made)
{
	int64_t lag_us = sw_number(SW_SCHEMA_LAG_MS) * 1000;
	bool grew =
		json_array_size(json_object_get(made, "columnNames")) > (size_t) list->columns->n;

	json_decref(list->was);
	list->was = lag_us > 0 ? shown_list(list) : NULL;
	list->was_us = sim_now_us() + lag_us;
	if (grew)
		store_add_columns(list, list_columns(made));
	json_object_update(list->body, made);
	json_decref(list->schema);
	list->schema = kept_schema(body);
	free(list->name);
	list->name = sim_strdup(json_string_value(json_object_get(body, "name")));
	/* One that failed is tried again. */
	list->status = NULL;
	list->version++;
	list->modified_us = sim_now_us();
	if (grew)
		list->processing_us = sim_now_us() + sw_number(SW_PROVISION_MS) * 1000;
}

void
job_list_put(Request *req)
{
	List *list = find_list(req);
	json_t *body = list ? thing_body(req) : NULL;
	json_t *made = NULL;

	if (body && check_body(req, body) && check_update(req, body, list) &&
		has_name(req, body, list) && list_check(req, made = platform_body(body), list))
	{
		change_list(list, body, made);
		reply_list(req, list);
	}
	json_decref(made);
	json_decref(body);
}

List *
job_list_ready(Request *req)
{
	List *list = contacts_list(req);
	const char *status = list ? status_of(list) : NULL;

	if (list == NULL || strcmp(status, "READY") == 0)
		return list;
	reply_error(req, 409, "contact.list.not.ready",
				strcmp(status, "ERROR") == 0 ? "The contact list is in an error state."
											 : "The contact list is processing.");
	return NULL;
}

/* {"listId", "status": "ERROR", "reads": 2}; null: the list's own again. */
void
job_list_seed_status(Request *req)
{
	json_t *body = thing_body(req);
	json_t *id = json_object_get(body, "listId");
	json_t *reads = json_object_get(body, "reads");
	const char *wanted = json_string_value(json_object_get(body, "status"));
	List *list = NULL;

	if (json_is_string(id))
		list = store_find((Span){(char *) json_string_value(id), json_string_length(id)});
	if (body && list == NULL)
		reply_error(req, 404, "not.found", "listId names no list.");
	else if (body)
	{
		list->status = NULL;
		for (size_t i = 0; wanted && i < sizeof(statuses) / sizeof(statuses[0]); i++)
			if (strcmp(statuses[i], wanted) == 0)
				list->status = statuses[i];
		list->status_reads = reads ? json_integer_value(reads) : -1;
		reply_json(req, 200,
				   json_pack("{s:s, s:s}", "listId", list->id, "status", status_of(list)));
	}
	json_decref(body);
}
