/*
 * fdw/import_schema.c
 *	  IMPORT FOREIGN SCHEMA outbound: a table for each object and each list.
 */
#include "postgres.h"

#include "api/contact_lists.h"
#include "api/dialect.h"
#include "api/dnc_entries.h"
#include "api/dnc_lists.h"
#include "api/resource.h"
#include "base/names.h"
#include "base/nearest.h"
#include "base/option.h"
#include "base/value.h"
#include "fdw/import_schema.h"
#include "fdw/size.h"

#include "foreign/foreign.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"

/* The one schema there is: the platform's area of that name. */
#define REMOTE_SCHEMA "outbound"

typedef struct Import
{
	ImportForeignSchemaStmt *stmt;
	Oid server_id;
	const char *server_name;
	const char *key; /* a remote column, UTF-8; or NULL */
	bool snake;		 /* else exact names */
	bool all_attributes;
	List *commands;
} Import;

/* One column of a table to be made. */
typedef struct ImportColumn
{
	const char *type;
	const char *option; /* "field" or "attribute" */
	const char *value;
	const char *format; /* the option of that name; or NULL */
	bool not_null;
} ImportColumn;

/* A name or value from the platform in the database's encoding; throws if it has none there. */
static char *
from_platform(const char *utf8)
{
	return pstrdup(gc_value_from_utf8(pstrdup(utf8), strlen(utf8)));
}

static void
append_option(StringInfo sql, const char *name, const char *value)
{
	if (sql->data[sql->len - 1] != '(')
		appendStringInfoString(sql, ", ");
	appendStringInfo(sql, "%s %s", name, quote_literal_cstr(value));
}

static void
append_column(StringInfo sql, const char *name, const ImportColumn *column)
{
	bool named;

	if (sql->data[sql->len - 1] != '(')
		appendStringInfoChar(sql, ',');
	appendStringInfo(sql, "\n  %s %s", quote_identifier(name), column->type);
	/* What the column's name says by itself needs no option. */
	named = strcmp(column->option, "field") == 0 && strcmp(name, column->value) == 0;
	if (!named || column->format)
	{
		appendStringInfoString(sql, " OPTIONS (");
		if (!named)
			append_option(sql, column->option, column->value);
		if (column->format)
			append_option(sql, "format", column->format);
		appendStringInfoChar(sql, ')');
	}
	if (column->not_null)
		appendStringInfoString(sql, " NOT NULL");
}

/* Is a table of that name wanted?  The server filters too, but not the requests. */
static bool
wanted(Import *import, const char *table)
{
	ListCell *lc;
	bool listed = false;

	foreach (lc, import->stmt->table_list)
		if (strcmp(((RangeVar *) lfirst(lc))->relname, table) == 0)
			listed = true;
	switch (import->stmt->list_type)
	{
		case FDW_IMPORT_SCHEMA_LIMIT_TO:
			return listed;
		case FDW_IMPORT_SCHEMA_EXCEPT:
			return !listed;
		default:
			return true;
	}
}

/* ---- objects without a list ---- */

/* All of the command but for more options and its end; "format" is that of cells which have one. */
static void
begin_object(Import *import, const GcResource *resource, const char *table, const char *format,
			 StringInfo sql)
{
	appendStringInfo(sql, "CREATE FOREIGN TABLE %s (", quote_identifier(table));
	for (int i = 0; i < resource->attribute_count; i++)
	{
		const GcAttribute *attribute = &resource->attributes[i];

		if (attribute->asked_for && !import->all_attributes)
			continue;
		append_column(sql, attribute->name,
					  &(ImportColumn){attribute->type, "field", attribute->name,
									  attribute->has_format ? format : NULL});
	}
	appendStringInfo(sql, ")\nSERVER %s OPTIONS (", quote_identifier(import->server_name));
	append_option(sql, "object", resource->object);
}

static void
import_object(Import *import, const GcResource *resource)
{
	StringInfoData sql;

	if (!wanted(import, resource->object))
		return;
	initStringInfo(&sql);
	begin_object(import, resource, resource->object, NULL, &sql);
	appendStringInfoChar(&sql, ')');
	import->commands = lappend(import->commands, sql.data);
}

/* ---- contacts of a list ---- */

static const char *
column_sql_type(GcColumnType type)
{
	switch (type)
	{
		case GC_COLUMN_NUMERIC:
			return "numeric";
		case GC_COLUMN_TIMESTAMP:
			return "timestamptz";
		default:
			return "text";
	}
}

/* Adds an attribute: once, or once for each phone column as <column>_<attribute>. */
static void
add_attribute(const GcAttribute *attribute, const GcList *list, GcName *names,
			  ImportColumn *columns, int *count)
{
	if (!attribute->per_column)
	{
		names[*count] =
			(GcName){.remote = attribute->name,
					 .own_id = attribute->name,
					 .reserved = attribute->column ? attribute->column : attribute->name};
		columns[(*count)++] = (ImportColumn){attribute->type, "attribute", attribute->name};
		return;
	}
	for (int i = 0; i < list->column_count; i++)
	{
		char *column;

		if (!list->is_phone[i])
			continue;
		column = from_platform(list->columns[i]);
		names[*count] =
			(GcName){.remote = psprintf("%s_%s", column, attribute->name),
					 .own_id = psprintf("%s:%s", attribute->name, list->columns[i])};
		columns[(*count)++] = (ImportColumn){attribute->type, "attribute",
											 psprintf("%s:%s", attribute->name, column)};
	}
}

static int
list_columns(Import *import, const GcList *list, GcName *names, ImportColumn *columns)
{
	int count = 0;

	for (int i = 0; i < list->column_count; i++)
	{
		names[count] =
			(GcName){.remote = from_platform(list->columns[i]), .own_id = list->columns[i]};
		columns[count] =
			(ImportColumn){column_sql_type(list->types[i]), "field", names[count].remote,
						   list->is_phone[i]   ? "e164"
						   : list->is_email[i] ? "email"
											   : NULL,
						   list->is_required[i]};
		count++;
	}
	for (int i = 0; i < gc_contacts.attribute_count; i++)
		if (gc_contacts.attributes[i].common ||
			(import->all_attributes &&
			 !gc_attribute_is_export_only(&gc_contacts.attributes[i])))
			add_attribute(&gc_contacts.attributes[i], list, names, columns, &count);
	gc_names_make(names, count, import->snake);
	return count;
}

/* The key's SQL name, or NULL if this list does not have it. */
static const char *
key_column(Import *import, const GcList *list, GcName *names)
{
	for (int i = 0; import->key && i < list->column_count; i++)
	{
		if (strcmp(list->columns[i], import->key) != 0)
			continue;
		if (list->is_phone[i])
			ereport(
				ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("column \"%s\" of contact list \"%s\" is a phone column and cannot "
						"be its key",
						from_platform(import->key), from_platform(list->name)),
				 errhint("The platform normalises phone numbers, so one person would get "
						 "several contacts. Use a column that never changes.")));
		return names[i].sql;
	}
	return NULL;
}

/* One without a column that has no name here would not be the list's. */
static void
check_columns(const GcList *list, const char *table)
{
	for (int i = 0; i < list->column_count; i++)
		if (gc_value_fitting(list->columns[i]) == NULL)
			ereport(ERROR,
					(errcode(ERRCODE_UNTRANSLATABLE_CHARACTER),
					 errmsg("could not make a table of contact list \"%s\"",
							from_platform(list->name)),
					 errdetail("Its column \"%s\" has characters that encoding %s of this "
							   "database has not.",
							   gc_value_display(list->columns[i], NAMEDATALEN),
							   GetDatabaseEncodingName()),
					 errhint("IMPORT FOREIGN SCHEMA ... EXCEPT (%s) leaves it out; CREATE "
							 "FOREIGN TABLE makes a table of the other columns.",
							 quote_identifier(table))));
}

static void
import_list(Import *import, const GcList *list, const char *table)
{
	int room = list->column_count * 4 + gc_contacts.attribute_count;
	GcName *names = palloc0(sizeof(GcName) * room);
	ImportColumn *columns = palloc0(sizeof(ImportColumn) * room);
	const char *key;
	StringInfoData sql;
	int count;

	check_columns(list, table);
	count = list_columns(import, list, names, columns);
	key = key_column(import, list, names);
	initStringInfo(&sql);
	appendStringInfo(&sql, "CREATE FOREIGN TABLE %s (", quote_identifier(table));
	for (int i = 0; i < count; i++)
		append_column(&sql, names[i].sql, &columns[i]);
	appendStringInfo(&sql, ")\nSERVER %s OPTIONS (", quote_identifier(import->server_name));
	append_option(&sql, "object", gc_contacts.object);
	append_option(&sql, "list_id", from_platform(list->id));
	if (key)
		append_option(&sql, "key", key);
	appendStringInfoChar(&sql, ')');
	import->commands = lappend(import->commands, sql.data);
	gc_size_note_list(import->server_id, list->id, list->size);
}

static void
import_entries(Import *import, const GcDncList *list, const char *table)
{
	StringInfoData sql;

	initStringInfo(&sql);
	begin_object(import, &gc_dnc_entries, table, gc_dnc_format(list), &sql);
	append_option(&sql, "dnc_list_id", from_platform(list->id));
	appendStringInfoChar(&sql, ')');
	import->commands = lappend(import->commands, sql.data);
}

/* Can a table have its name?  None of those that are wanted by name can be one that cannot. */
static bool
can_be_named(Import *import, const char *object, const char *id, const char *name)
{
	bool is_contacts = strcmp(object, gc_contacts.object) == 0;

	if (gc_value_fitting(name))
		return true;
	if (import->stmt->list_type != FDW_IMPORT_SCHEMA_LIMIT_TO)
		ereport(
			WARNING,
			(errcode(ERRCODE_UNTRANSLATABLE_CHARACTER),
			 errmsg("no table is made of %s \"%s\"", is_contacts ? "contact list" : "DNC list",
					gc_value_display(name, NAMEDATALEN)),
			 errdetail("Its name has characters that encoding %s of this database has "
					   "not. Its id is %s.",
					   GetDatabaseEncodingName(), gc_value_display(id, NAMEDATALEN)),
			 errhint("CREATE FOREIGN TABLE with the option \"%s\" makes one.",
					 is_contacts ? "list_id" : "dnc_list_id")));
	return false;
}

static List *
nameable_lists(Import *import, List *lists)
{
	List *nameable = NIL;
	ListCell *lc;

	foreach (lc, lists)
	{
		GcList *list = lfirst(lc);

		if (can_be_named(import, gc_contacts.object, list->id, list->name))
			nameable = lappend(nameable, list);
	}
	return nameable;
}

static List *
nameable_dnc_lists(Import *import, List *lists)
{
	List *nameable = NIL;
	ListCell *lc;

	foreach (lc, lists)
	{
		GcDncList *list = lfirst(lc);

		if (can_be_named(import, gc_dnc_entries.object, list->id, list->name))
			nameable = lappend(nameable, list);
	}
	return nameable;
}

/* Lists never get the name of an object, whether that is imported or not. */
static GcName *
table_names(Import *import, List *lists, List *dnc_lists)
{
	int count = list_length(lists) + list_length(dnc_lists);
	int objects = 0;
	GcName *names;
	ListCell *lc;
	int i;

	while (gc_resources[objects])
		objects++;
	names = palloc0(sizeof(GcName) * (count + objects));
	foreach (lc, lists)
	{
		GcList *list = lfirst(lc);

		i = foreach_current_index(lc);
		names[i].remote = from_platform(list->name);
		names[i].own_id = list->id;
	}
	foreach (lc, dnc_lists)
	{
		GcDncList *list = lfirst(lc);

		i = list_length(lists) + foreach_current_index(lc);
		names[i].remote = from_platform(list->name);
		names[i].own_id = list->id;
	}
	for (i = 0; i < objects; i++)
		names[count + i].reserved = gc_resources[i]->object;
	gc_names_make(names, count + objects, import->snake);
	return names;
}

static void
import_lists(Import *import, GcConnection *conn, GcStat *stat, List *lists, List *dnc_lists)
{
	GcName *names;
	ListCell *lc;

	lists = nameable_lists(import, lists);
	dnc_lists = nameable_dnc_lists(import, dnc_lists);
	names = table_names(import, lists, dnc_lists);

	foreach (lc, lists)
	{
		const char *table = names[foreach_current_index(lc)].sql;

		if (wanted(import, table))
			import_list(import, gc_list_whole(conn, stat, lfirst(lc)), table);
	}
	foreach (lc, dnc_lists)
	{
		const char *table = names[list_length(lists) + foreach_current_index(lc)].sql;

		if (wanted(import, table))
			import_entries(import, lfirst(lc), table);
	}
}

/* The DNC lists, which are no reason to fail for who may not see them. */
static List *
read_dnc_lists(GcConnection *conn, GcStat *stat, const char *prefix)
{
	bool refused = false;
	List *lists = gc_dnc_list_all(conn, stat, prefix, &refused);

	if (refused)
		ereport(WARNING,
				(errmsg("no tables are made of DNC lists"),
				 errdetail("This OAuth client may not see them (outbound:dncList:view).")));
	return lists;
}

/* A key that no list has is a misspelt one; loads would double every contact. */
static void
check_key(Import *import, List *lists)
{
	GcNearest nearest;
	ListCell *lc;

	if (import->key == NULL || lists == NIL)
		return;
	gc_nearest_init(&nearest, gc_value_display(import->key, NAMEDATALEN));
	foreach (lc, lists)
	{
		GcList *list = lfirst(lc);

		for (int i = 0; i < list->column_count; i++)
		{
			if (strcmp(list->columns[i], import->key) == 0)
				return;
			gc_nearest_offer(&nearest, gc_value_display(list->columns[i], NAMEDATALEN));
		}
	}
	ereport(ERROR, (errcode(ERRCODE_FDW_COLUMN_NAME_NOT_FOUND),
					errmsg("no contact list has a column \"%s\"",
						   gc_value_display(import->key, NAMEDATALEN)),
					nearest.best ? errhint("Perhaps you meant \"%s\".", nearest.best) : 0));
}

/* Can a list have one of the names that are wanted?  None gets an object's. */
static bool
wants_lists(const ImportForeignSchemaStmt *stmt)
{
	ListCell *lc;

	if (stmt->list_type != FDW_IMPORT_SCHEMA_LIMIT_TO)
		return true;
	foreach (lc, stmt->table_list)
	{
		bool is_object = false;

		for (int i = 0; gc_resources[i] && !is_object; i++)
			is_object =
				strcmp(((RangeVar *) lfirst(lc))->relname, gc_resources[i]->object) == 0;
		if (!is_object)
			return true;
	}
	return false;
}

static List *
gcImportForeignSchema(ImportForeignSchemaStmt *stmt, Oid server_id)
{
	ForeignServer *server = GetForeignServer(server_id);
	Import import = {.stmt = stmt, .server_id = server_id, .server_name = server->servername};
	const char *prefix;
	const char *key;
	GcStat stat = {0};
	GcConnection *conn;
	List *lists;
	List *dnc_lists = NIL;
	const GcDialect *dialect = gc_dialect(server->options);
	bool objects;

	gc_option_validate(stmt->options, GC_PLACE_IMPORT);
	if (strcmp(stmt->remote_schema, REMOTE_SCHEMA) != 0)
		ereport(ERROR, (errcode(ERRCODE_FDW_SCHEMA_NOT_FOUND),
						errmsg("remote schema \"%s\" does not exist", stmt->remote_schema),
						errhint("The only one is \"%s\".", REMOTE_SCHEMA)));
	prefix = gc_option_string(stmt->options, NIL, "list_prefix");
	key = gc_option_string(stmt->options, NIL, "key");
	import.key = key ? gc_value_to_utf8(key) : NULL;
	import.snake = strcmp(gc_option_string(stmt->options, NIL, "names"), "snake") == 0;
	import.all_attributes =
		strcmp(gc_option_string(stmt->options, NIL, "attributes"), "all") == 0;
	objects = gc_option_bool(stmt->options, NIL, "objects");
	if (objects)
		for (int i = 0; gc_resources[i]; i++)
			if (!gc_resources[i]->has_list && !gc_resources[i]->has_dnc_list &&
				!gc_resources[i]->by_options)
				import_object(&import, gc_dialect_resource(dialect, gc_resources[i]));
	conn = gc_connection_get(GetUserId(), server_id);
	if (!wants_lists(stmt))
		return import.commands;
	prefix = prefix ? gc_value_to_utf8(prefix) : NULL;
	lists = gc_list_all(conn, &stat, prefix);
	check_key(&import, lists);
	if (objects)
		dnc_lists = read_dnc_lists(conn, &stat, prefix);
	import_lists(&import, conn, &stat, lists, dnc_lists);
	if (prefix && lists == NIL)
		ereport(NOTICE, (errmsg("no contact list has a name that begins with \"%s\"",
								gc_value_display(prefix, NAMEDATALEN))));
	return import.commands;
}

void
gc_import_routine(FdwRoutine *routine)
{
	routine->ImportForeignSchema = gcImportForeignSchema;
}
