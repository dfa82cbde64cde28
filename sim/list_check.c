/*
 * list_check.c
 *	  The rules that the attributes of a contact list keep.
 */
#include "list_check.h"
#include "errors.h"

#define MAX_NAME		  64
#define MAX_COLUMN_NAME	  128
#define MAX_PHONE_COLUMNS 10

typedef enum Kind
{
	K_TEXT,
	K_BOOL,
	K_NUMBER,
	K_INTEGER,
	K_ARRAY,
	K_OBJECT
} Kind;

static const struct
{
	const char *name;
	Kind kind;
} members[] = {
	{"id", K_TEXT},
	{"name", K_TEXT},
	{"dateCreated", K_TEXT},
	{"dateModified", K_TEXT},
	{"version", K_INTEGER},
	{"division", K_OBJECT},
	{"columnNames", K_ARRAY},
	{"phoneColumns", K_ARRAY},
	{"emailColumns", K_ARRAY},
	{"whatsAppColumns", K_ARRAY},
	{"importStatus", K_OBJECT},
	{"previewModeColumnName", K_TEXT},
	{"previewModeAcceptedValues", K_ARRAY},
	{"size", K_INTEGER},
	{"attemptLimits", K_OBJECT},
	{"automaticTimeZoneMapping", K_BOOL},
	{"zipCodeColumnName", K_TEXT},
	{"columnDataTypeSpecifications", K_ARRAY},
	{"trimWhitespace", K_BOOL},
	{"retentionType", K_TEXT},
	{"retentionDays", K_NUMBER},
	{"dateExpiration", K_TEXT},
	{"timeZone", K_TEXT},
	{"selfUri", K_TEXT},
	{NULL, K_TEXT},
};

static const char *const system_columns[] = {"inin-outbound-id",
											 "ContactCallable",
											 "ZipCodeAutomaticTimeZone",
											 "ContactableByVoice",
											 "ContactableBySms",
											 "ContactableByEmail",
											 NULL};

static bool
refuse(Request *req, const char *code, const char *message)
{
	reply_error(req, 400, code, "%s", message);
	return false;
}

static bool
is_kind(const json_t *value, Kind kind)
{
	switch (kind)
	{
		case K_TEXT:
			return json_is_string(value);
		case K_BOOL:
			return json_is_boolean(value);
		case K_NUMBER:
			return json_is_number(value);
		case K_INTEGER:
			return json_is_integer(value);
		case K_ARRAY:
			return json_is_array(value);
		default:
			return json_is_object(value);
	}
}

static bool
check_members(Request *req, const json_t *json)
{
	const char *name;
	json_t *value;

	if (!json_is_object(json))
		return refuse(req, "bad.request",
					  "The request could not be understood by the server.");
	json_object_foreach((json_t *) json, name, value)
	{
		int i = 0;

		while (members[i].name && strcmp(members[i].name, name) != 0)
			i++;
		if (members[i].name == NULL)
			return refuse(req, "invalid.property", "A contact list has no such property.");
		if (!json_is_null(value) && !is_kind(value, members[i].kind))
			return refuse(req, "invalid.value", "A property has a value of the wrong kind.");
	}
	return true;
}

static size_t
count_chars(const json_t *text)
{
	const char *p = json_string_value(text);
	size_t n = 0;

	for (; *p; p++)
		n += ((unsigned char) *p & 0xc0) != 0x80;
	return n;
}

static bool
check_name(Request *req, const json_t *name, const List *other)
{
	const List *found;

	if (!json_is_string(name) ||
		strspn(json_string_value(name), " \t\r\n") == json_string_length(name))
		return refuse(req, "name.cannot.be.blank", "The name cannot be blank.");
	if (count_chars(name) > MAX_NAME)
		return refuse(req, "name.length.exceeded", "The name has over 64 characters.");
	found = store_find_name(json_string_value(name));
	return !found || found == other ||
		   refuse(req, "duplicate.name", "A contact list with this name already exists.");
}

static bool
has_text(const json_t *array, const json_t *text)
{
	size_t i;
	json_t *item;

	json_array_foreach(array, i, item)
	{
		if (json_equal(item, text))
			return true;
	}
	return false;
}

static bool
has_duplicates(const json_t *array)
{
	for (size_t i = 0; i < json_array_size(array); i++)
		for (size_t j = 0; j < i; j++)
			if (json_equal(json_array_get(array, i), json_array_get(array, j)))
				return true;
	return false;
}

static bool
check_columns(Request *req, const json_t *columns)
{
	size_t i;
	json_t *name;

	if (json_array_size(columns) == 0)
		return refuse(req, "no.contact.columns.defined", "A contact list wants columns.");
	if (json_array_size(columns) > MAX_COLUMNS)
		return refuse(req, "contact.columns.limit.exceeded",
					  "A contact list has at most 50 columns.");
	json_array_foreach(columns, i, name)
	{
		if (!json_is_string(name) || json_string_length(name) == 0)
			return refuse(req, "invalid.value", "Column names are strings and not empty.");
		if (count_chars(name) > MAX_COLUMN_NAME)
			return refuse(req, "contact.column.length.limit.exceeded",
						  "A column name has over 128 characters.");
	}
	return !has_duplicates(columns) ||
		   refuse(req, "not.unique.contact.columns", "Two columns have the same name.");
}

static bool
is_system_column(const char *name)
{
	for (int i = 0; system_columns[i]; i++)
		if (strcmp(system_columns[i], name) == 0)
			return true;
	return false;
}

/* Phone, email or WhatsApp columns: the codes are known for phone columns only. */
static bool
check_media_column(Request *req, const json_t *column, const json_t *columns, bool phone)
{
	const char *name = json_string_value(json_object_get(column, "columnName"));

	if (!name || !json_is_string(json_object_get(column, "type")))
		return refuse(req, "constraint.validation", "columnName and type are required.");
	if (phone && is_system_column(name))
		return refuse(req, "system.column.phone.column",
					  "A system column cannot be a phone column.");
	return has_text(columns, json_object_get(column, "columnName")) ||
		   refuse(req, phone ? "invalid.contact.phone.column" : "invalid.create",
				  "A phone, email or WhatsApp column is not among the columns.");
}

static bool
check_media(Request *req, const json_t *json, const char *member, bool phone)
{
	json_t *list = json_object_get(json, member);
	json_t *names = json_array();
	size_t i;
	json_t *column;
	bool good = true;

	json_array_foreach(list, i, column)
	{
		good = good &&
			   check_media_column(req, column, json_object_get(json, "columnNames"), phone);
		json_array_append(names, json_object_get(column, "columnName"));
	}
	if (good && phone && json_array_size(list) > MAX_PHONE_COLUMNS)
		good = refuse(req, "invalid.create", "A contact list has at most 10 phone columns.");
	if (good && has_duplicates(names))
		good = refuse(req, phone ? "not.unique.phone.columns" : "invalid.create",
					  "Two phone, email or WhatsApp columns are the same.");
	json_decref(names);
	return good;
}

static bool
check_all_media(Request *req, const json_t *json)
{
	if (json_array_size(json_object_get(json, "phoneColumns")) +
			json_array_size(json_object_get(json, "emailColumns")) +
			json_array_size(json_object_get(json, "whatsAppColumns")) ==
		0)
		return refuse(req, "no.phone.columns", "A phone, email or WhatsApp column is needed.");
	return check_media(req, json, "phoneColumns", true) &&
		   check_media(req, json, "emailColumns", false) &&
		   check_media(req, json, "whatsAppColumns", false);
}

static bool
check_zones(Request *req, const json_t *json)
{
	bool mapped = json_is_true(json_object_get(json, "automaticTimeZoneMapping"));
	json_t *zip = json_object_get(json, "zipCodeColumnName");
	size_t i;
	json_t *column;

	if (json_is_string(zip) && !mapped)
		return refuse(req, "cannot.have.zip.code.column.without.automatic.time.zone.mapping",
					  "A zip code column wants automatic time zone mapping.");
	if (json_is_string(zip) && !has_text(json_object_get(json, "columnNames"), zip))
		return refuse(req, "invalid.zip.code.column",
					  "The zip code column is not among the columns.");
	json_array_foreach(json_object_get(json, "phoneColumns"), i, column)
	{
		if (mapped && (json_is_string(json_object_get(column, "callableTimeColumn")) ||
					   json_is_string(json_object_get(column, "callableTimeColumnName"))))
			return refuse(
				req, "cannot.have.callable.time.column.with.automatic.time.zone.mapping",
				"A callable time column cannot go with automatic time zone mapping.");
	}
	return true;
}

static bool
check_types(Request *req, const json_t *json)
{
	size_t i;
	json_t *spec;

	json_array_foreach(json_object_get(json, "columnDataTypeSpecifications"), i, spec)
	{
		const char *type = json_string_value(json_object_get(spec, "columnDataType"));

		if (!has_text(json_object_get(json, "columnNames"),
					  json_object_get(spec, "columnName")))
			return refuse(req, "contact.columns.dont.match",
						  "A data type is given for what is not a column.");
		if (!type || (strcmp(type, "NUMERIC") != 0 && strcmp(type, "TEXT") != 0 &&
					  strcmp(type, "TIMESTAMP") != 0))
			return refuse(req, "invalid.value",
						  "columnDataType is NUMERIC, TEXT or TIMESTAMP.");
	}
	return true;
}

bool
list_check(Request *req, const json_t *json, const List *other)
{
	return check_members(req, json) && check_name(req, json_object_get(json, "name"), other) &&
		   check_columns(req, json_object_get(json, "columnNames")) &&
		   check_all_media(req, json) && check_zones(req, json) && check_types(req, json);
}

/* Absent, null, false and an empty array are all the same nothing. */
static bool
same(const json_t *a, const json_t *b, const char *member)
{
	json_t *one = json_object_get(a, member);
	json_t *two = json_object_get(b, member);
	bool no_one = !one || json_is_null(one) || json_is_false(one) ||
				  (json_is_array(one) && json_array_size(one) == 0);
	bool no_two = !two || json_is_null(two) || json_is_false(two) ||
				  (json_is_array(two) && json_array_size(two) == 0);

	return no_one || no_two ? no_one == no_two : json_equal(one, two);
}

bool
list_check_update(Request *req, const json_t *json, const List *list)
{
	const json_t *old = list->body;

	if (!list_check(req, json, list))
		return false;
	if (json_integer_value(json_object_get(json, "version")) != list->version)
	{
		reply_error(req, 409, "invalid.update.wrong.version",
					"The version given does not match the current version %d.", list->version);
		return false;
	}
	if (!same(json, old, "columnNames"))
		return refuse(
			req, "cannot.update.contact.column.names",
			"An attempt was made to update a ContactList in an invalid way. Details: "
			"Contact column names are different");
	if (!same(json, old, "phoneColumns"))
		return refuse(
			req, "cannot.update.phone.columns",
			"An attempt was made to update a ContactList in an invalid way. Details: "
			"Phone number columns are different");
	if (!same(json, old, "automaticTimeZoneMapping") || !same(json, old, "zipCodeColumnName"))
		return refuse(req, "cannot.edit.automatic.time.zone.mapping.settings",
					  "Automatic time zone mapping cannot be changed.");
	return same(json, old, "columnDataTypeSpecifications") ||
		   refuse(req, "invalid.update", "Data types of columns cannot be changed.");
}

Columns *
list_columns(const json_t *json)
{
	return columns_create(json_object_get(json, "columnNames"),
						  json_object_get(json, "phoneColumns"),
						  json_string_value(json_object_get(json, "zipCodeColumnName")));
}
