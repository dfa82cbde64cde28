/*
 * fdw/relation.c
 *	  A foreign table: which resource, which list, and what each column is.
 */
#include "postgres.h"

#include "api/dialect.h"
#include "api/entities.h"
#include "base/nearest.h"
#include "base/option.h"
#include "fdw/relation.h"

#include "catalog/pg_type.h"
#include "foreign/foreign.h"
#include "utils/lsyscache.h"

/* A list's name has at most this many characters (the public API's own). */
#define LIST_NAME_MAX 64

static void
invalid_table(const GcRelation *rel, const char *problem, const char *hint)
{
	ereport(ERROR, (errcode(ERRCODE_FDW_INVALID_ATTRIBUTE_VALUE),
					errmsg("foreign table \"%s\" is not usable: %s", rel->name, problem),
					hint ? errhint("%s", hint) : 0));
}

/* What says how contacts are written means nothing of anything else. */
static const char *const of_contacts[] = {
	"key", "priority", "do_not_queue", "clear_system_data", "contact_id_pattern", NULL};

static const char *const of_entities[] = {
	"path",			 "items", "id_field",	   "natural_key",
	"version_field", "paged", "update_method", NULL};

static void
check_only(List *options, const char *const *names, const char *object, const char *whose)
{
	for (; *names; names++)
		if (gc_option_given(options, *names))
			ereport(ERROR, (errcode(ERRCODE_FDW_INVALID_OPTION_NAME),
							errmsg("object \"%s\" takes no option \"%s\"", object, *names),
							errhint("It is for tables with object \"%s\".", whose)));
}

static void
check_path(List *options, const char *object)
{
	const char *path = gc_option_string(options, NIL, "path");

	if (path == NULL)
		ereport(ERROR, (errcode(ERRCODE_FDW_OPTION_NAME_NOT_FOUND),
						errmsg("a foreign table with object \"%s\" needs the option \"%s\"",
							   object, "path")));
	if (gc_entities_path_problem(path))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("invalid value for option \"%s\": \"%s\"", "path", path),
						errhint("%s", gc_entities_path_problem(path))));
}

void
gc_relation_check_options(List *options)
{
	const char *object = gc_option_string(options, NIL, "object");
	bool has_list =
		gc_option_given(options, "list_id") || gc_option_given(options, "list_name");
	bool has_dnc_list =
		gc_option_given(options, "dnc_list_id") || gc_option_given(options, "dnc_list_name");

	if (object == NULL)
		ereport(ERROR, (errcode(ERRCODE_FDW_OPTION_NAME_NOT_FOUND),
						errmsg("a foreign table needs the option \"%s\"", "object"),
						errhint("Objects are %s.", gc_resource_names())));
	if (gc_resource_by_name(object)->has_list && !has_list)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_OPTION_NAME_NOT_FOUND),
				 errmsg("a foreign table with object \"%s\" needs the option \"%s\" or \"%s\"",
						object, "list_id", "list_name")));
	if (has_list && !gc_resource_by_name(object)->has_list)
		ereport(ERROR, (errcode(ERRCODE_FDW_INVALID_OPTION_NAME),
						errmsg("object \"%s\" belongs to no contact list", object),
						errhint("Leave out the option list_id or list_name.")));
	if (gc_resource_by_name(object)->has_dnc_list && !has_dnc_list)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_OPTION_NAME_NOT_FOUND),
				 errmsg("a foreign table with object \"%s\" needs the option \"%s\" or \"%s\"",
						object, "dnc_list_id", "dnc_list_name")));
	if (has_dnc_list && !gc_resource_by_name(object)->has_dnc_list)
		ereport(ERROR, (errcode(ERRCODE_FDW_INVALID_OPTION_NAME),
						errmsg("object \"%s\" belongs to no DNC list", object),
						errhint("Leave out the option dnc_list_id or dnc_list_name.")));
	if (!gc_resource_by_name(object)->has_list)
		check_only(options, of_contacts, object, "contacts");
	if (gc_resource_by_name(object)->by_options)
		check_path(options, object);
	else
		check_only(options, of_entities, object, "entities");
}

static void
read_dnc_options(GcRelation *rel)
{
	const char *id = gc_option_string(rel->options, NIL, "dnc_list_id");
	const char *name = gc_option_string(rel->options, NIL, "dnc_list_name");

	rel->dnc_list_id = id ? gc_value_to_utf8(id) : NULL;
	rel->dnc_list_name = name ? gc_value_to_utf8(name) : NULL;
	rel->list_label = id ? id : name;
	rel->label = psprintf("DNC list \"%s\"", rel->list_label);
}

static void
read_list_options(GcRelation *rel)
{
	const char *id = gc_option_string(rel->options, NIL, "list_id");
	const char *name = gc_option_string(rel->options, NIL, "list_name");

	rel->label = rel->resource->comment;
	if (rel->resource->has_dnc_list)
		read_dnc_options(rel);
	if (!rel->resource->has_list)
		return;
	rel->list_id = id ? gc_value_to_utf8(id) : NULL;
	rel->list_name = name ? gc_value_to_utf8(name) : NULL;
	rel->list_label = id ? id : name;
	rel->label = psprintf("contact list \"%s\"", rel->list_label);
}

static const char *
utf8_option(const GcRelation *rel, const char *name)
{
	const char *value = gc_option_string(rel->options, NIL, name);

	return value ? gc_value_to_utf8(value) : NULL;
}

static const GcResource *
read_entities_options(const GcRelation *rel)
{
	const GcEntitiesOptions options = {
		.path = utf8_option(rel, "path"),
		.items = utf8_option(rel, "items"),
		.id_field = utf8_option(rel, "id_field"),
		.natural_key = utf8_option(rel, "natural_key"),
		.version_field = utf8_option(rel, "version_field"),
		.paged = gc_option_bool(rel->options, NIL, "paged"),
		.patches = strcmp(gc_option_string(rel->options, NIL, "update_method"), "patch") == 0,
	};

	return gc_entities_resource(&options);
}

/* Is a value of the type text to JSON, or what it is itself? */
static bool
is_quoted(Oid type)
{
	Oid base = getBaseType(type);

	if (OidIsValid(get_element_type(base)))
		return false;
	switch (base)
	{
		case BOOLOID:
		case INT2OID:
		case INT4OID:
		case INT8OID:
		case FLOAT4OID:
		case FLOAT8OID:
		case NUMERICOID:
		case JSONOID:
		case JSONBOID:
			return false;
		default:
			return true;
	}
}

/* The member that a column of an entity is: its option "field", a path, or its own name. */
static const GcAttribute *
entity_column(GcRelation *rel, const char *field, const GcColumn *column, Oid type)
{
	const char *path = gc_value_to_utf8(field ? field : column->name);
	int depth = 1;

	for (const char *p = path; *p; p++)
		depth += *p == '/';
	if (depth > GC_ENTITIES_DEPTH || path[0] == '/' || path[strlen(path) - 1] == '/' ||
		strstr(path, "//"))
		invalid_table(rel, psprintf("its column \"%s\" is no member", column->name),
					  "A member is a name, or up to eight of them with \"/\" between.");
	return gc_entities_attribute(rel->resource, column->name, path, is_quoted(type));
}

/* The attribute that a column of an object without a list stands for. */
static const GcAttribute *
object_column(GcRelation *rel, const char *name)
{
	const char *part;
	GcNearest nearest;
	const GcAttribute *attribute = gc_resource_find(rel->resource, name, &part, &nearest);

	if (attribute == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("object \"%s\" of foreign table \"%s\" has no column \"%s\"",
						rel->resource->object, rel->name, name),
				 nearest.best ? errhint("Perhaps you meant \"%s\".", nearest.best) : 0));
	return attribute;
}

/* What a column is, by its options and the resource. */
static void
read_column(GcRelation *rel, Form_pg_attribute att, GcColumn *column)
{
	List *options = GetForeignColumnOptions(rel->relid, att->attnum);
	const char *field = gc_option_string(options, NIL, "field");
	const char *attribute = gc_option_string(options, NIL, "attribute");

	column->attnum = att->attnum;
	column->not_null = att->attnotnull;
	column->name = NameStr(att->attname);
	/* Only a list has columns of its own; elsewhere a column is an attribute by its name. */
	if (rel->resource->by_options && attribute)
		invalid_table(rel,
					  psprintf("its column \"%s\" has the option attribute", column->name),
					  "The option field names a member of an entity.");
	if (rel->resource->by_options)
		column->attribute = entity_column(rel, field, column, att->atttypid);
	else if (attribute == NULL && !rel->resource->has_list)
		column->attribute = object_column(rel, field ? field : column->name);
	else if (attribute)
	{
		const char *part;

		column->attribute = gc_resource_attribute(rel->resource, attribute, &part);
		column->attribute_column = part ? gc_value_to_utf8(part) : NULL;
	}
	else
		column->field = gc_value_to_utf8(field ? field : column->name);
	column->format = gc_cell_format(gc_option_string(options, NIL, "format"));
	if (column->format != GC_CELL_ANY && !rel->resource->has_list &&
		!column->attribute->has_format)
		invalid_table(
			rel, psprintf("its column \"%s\" has the option format", column->name),
			"Only columns of a contact list have a format, and the entries of a DNC list.");
	gc_value_type_init(&column->type, att->atttypid, att->atttypmod, CurrentMemoryContext);
}

static bool
same_source(const GcColumn *a, const GcColumn *b)
{
	if (a->attribute && b->attribute && a->attribute->path && b->attribute->path &&
		a->attribute != b->attribute)
		return strcmp(a->attribute->path, b->attribute->path) == 0 &&
			   a->attribute->derive == b->attribute->derive;
	if (a->attribute != b->attribute)
		return false;
	if (a->field)
		return b->field && strcmp(a->field, b->field) == 0;
	if (a->attribute_column == NULL)
		return true;
	return strcmp(a->attribute_column, b->attribute_column) == 0;
}

static void
check_duplicates(GcRelation *rel, const GcColumn *column)
{
	for (const GcColumn *other = rel->columns; other < column; other++)
		if (other->attnum != 0 && same_source(other, column))
			ereport(ERROR,
					(errcode(ERRCODE_DUPLICATE_COLUMN),
					 errmsg("columns \"%s\" and \"%s\" of foreign table \"%s\" stand for the "
							"same remote column",
							other->name, column->name, rel->name),
					 errhint("Give them different options field or attribute.")));
}

static void
read_columns(GcRelation *rel)
{
	rel->column_count = rel->tupdesc->natts;
	rel->columns = palloc0(sizeof(GcColumn) * Max(rel->column_count, 1));
	for (int i = 0; i < rel->column_count; i++)
	{
		Form_pg_attribute att = TupleDescAttr(rel->tupdesc, i);
		GcColumn *column = &rel->columns[i];

		if (att->attisdropped)
			continue;
		read_column(rel, att, column);
		check_duplicates(rel, column);
		if (column->attribute && column->attribute->role == GC_ROLE_ID)
			rel->id = column->attnum;
	}
}

static void
read_key(GcRelation *rel)
{
	const char *key = gc_option_string(rel->options, NIL, "key");
	GcNearest nearest;

	if (key == NULL)
		return;
	gc_nearest_init(&nearest, key);
	for (int i = 0; i < rel->column_count; i++)
	{
		GcColumn *column = &rel->columns[i];

		if (column->attnum == 0)
			continue;
		gc_nearest_offer(&nearest, column->name);
		/* IMPORT takes the remote name of a key, a table its own. */
		if (column->field && strcmp(column->field, key) == 0)
			nearest = (GcNearest){.word = key, .best = column->name};
		if (strcmp(column->name, key) != 0)
			continue;
		if (column->field == NULL)
			invalid_table(rel, psprintf("its key \"%s\" is not a column of the list", key),
						  "A key is a data column, not an attribute.");
		rel->key = column->attnum;
		return;
	}
	invalid_table(rel, psprintf("its key \"%s\" is not a column of the table", key),
				  nearest.best ? psprintf("Perhaps you meant \"%s\".", nearest.best) : NULL);
}

/* Misspelt, each INSERT would make what is there a second time. */
static void
check_natural_key(GcRelation *rel)
{
	const char *key = gc_option_string(rel->options, NIL, "natural_key");
	GcNearest nearest;

	if (key == NULL)
		return;
	gc_nearest_init(&nearest, key);
	for (int i = 0; i < rel->column_count; i++)
	{
		const GcColumn *column = &rel->columns[i];
		const char *member =
			column->attnum != 0 ? gc_value_display(column->attribute->path, MAXPGPATH) : NULL;

		if (member && strcmp(member, key) == 0)
			return;
		if (member)
			gc_nearest_offer(&nearest, member);
	}
	invalid_table(rel,
				  psprintf("its natural_key \"%s\" is not a member that a column is", key),
				  nearest.best ? psprintf("Perhaps you meant \"%s\".", nearest.best) : NULL);
}

GcRelation *
gc_relation_load(Relation relation)
{
	GcRelation *rel = palloc0(sizeof(GcRelation));
	ForeignTable *table = GetForeignTable(RelationGetRelid(relation));
	ForeignServer *server = GetForeignServer(table->serverid);

	rel->relid = RelationGetRelid(relation);
	rel->server_id = table->serverid;
	rel->name = pstrdup(RelationGetRelationName(relation));
	rel->options = table->options;
	rel->server_options = server->options;
	rel->tupdesc = RelationGetDescr(relation);
	rel->asked_rows = -1;
	rel->analyzed_rows = relation->rd_rel->reltuples;
	gc_relation_check_options(table->options); /* the wrapper may have had no validator */
	rel->resource = gc_dialect_resource(
		gc_dialect(rel->server_options),
		gc_resource_by_name(gc_option_string(table->options, NIL, "object")));
	if (rel->resource->by_options)
		rel->resource = read_entities_options(rel);
	rel->strict = strcmp(gc_option_string(rel->options, rel->server_options, "verification"),
						 "strict") == 0;
	read_list_options(rel);
	read_columns(rel);
	read_key(rel);
	check_natural_key(rel);
	return rel;
}

const char *
gc_relation_nearest(const GcColumn *column, const GcList *list)
{
	const char *field = column->field ? column->field : column->attribute_column;
	GcNearest nearest;

	/* Distances are counted in the database's encoding. */
	gc_nearest_init(&nearest, gc_value_display(field, NAMEDATALEN));
	for (int i = 0; i < list->column_count; i++)
		if (column->field || list->is_phone[i]) /* attributes are of phone columns */
			gc_nearest_offer(&nearest, gc_value_display(list->columns[i], NAMEDATALEN));
	return nearest.best;
}

static void
unknown_field(const GcRelation *rel, const GcList *list, const GcColumn *column,
			  const char *field)
{
	const char *nearest = gc_relation_nearest(column, list);
	const char *grow_hint = gc_dialect(rel->server_options)->grow_hint;

	ereport(
		ERROR,
		(errcode(ERRCODE_UNDEFINED_COLUMN),
		 errmsg("%s has no column \"%s\"", rel->label, gc_value_display(field, NAMEDATALEN)),
		 errdetail("Column \"%s\" of foreign table \"%s\" stands for it.", column->name,
				   rel->name),
		 nearest
			 ? errhint("Perhaps you meant \"%s\": set the column's option %s, or leave the "
					   "column out of the table.",
					   nearest, column->field ? "field" : "attribute")
			 : errhint("%s", grow_hint
								 ? grow_hint
								 : "The columns of a list cannot change: leave the column "
								   "out of the table, or make a new list.")));
}

void
gc_relation_call(GcRelation *rel, const GcList *list)
{
	rel->label = psprintf("contact list \"%s\"", gc_value_display(list->name, LIST_NAME_MAX));
}

bool
gc_relation_lacks(const GcRelation *rel, const GcList *list)
{
	for (int i = 0; i < rel->column_count; i++)
	{
		const GcColumn *column = &rel->columns[i];
		const char *field = column->field ? column->field : column->attribute_column;

		if (column->attnum != 0 && field && gc_list_column(list, field) < 0)
			return true;
	}
	return false;
}

void
gc_relation_check(GcRelation *rel, const GcList *list)
{
	gc_relation_call(rel, list);
	for (int i = 0; i < rel->column_count; i++)
	{
		GcColumn *column = &rel->columns[i];
		const char *field = column->field ? column->field : column->attribute_column;
		int found;

		if (column->attnum == 0 || field == NULL)
			continue;
		found = gc_list_column(list, field);
		if (found < 0)
			unknown_field(rel, list, column, field);
		if (column->attnum == rel->key && list->is_phone[found])
			invalid_table(rel, psprintf("its key \"%s\" is a phone column", column->name),
						  "The platform normalises phone numbers, so one person would get "
						  "several contacts. Use a column that never changes.");
	}
}

/* Those for many at once first: what a query stops early has then cost the least. */
static int
add_expansion(const GcExpansion **found, int count, const GcExpansion *expansion)
{
	int place = count;

	for (int i = 0; i < count; i++)
		if (found[i] == expansion)
			return count;
	for (; place > 0 && found[place - 1]->entities < expansion->entities; place--)
		found[place] = found[place - 1];
	found[place] = expansion;
	return count + 1;
}

int
gc_relation_expansions(const GcRelation *rel, Bitmapset *columns, const GcExpansion **found)
{
	int count = 0;

	if (rel->resource->expansion)
		return add_expansion(found, 0, rel->resource->expansion);
	for (int i = 0; i < rel->column_count; i++)
	{
		const GcColumn *column = &rel->columns[i];

		if (column->attnum != 0 && column->attribute && column->attribute->expanded &&
			bms_is_member(column->attnum, columns))
			count = add_expansion(found, count, column->attribute->expanded);
	}
	return count;
}

const char *
gc_relation_constant(const GcColumn *column, const GcList *list)
{
	if (column->attribute == NULL || list == NULL)
		return NULL;
	if (column->attribute->role == GC_ROLE_LIST_ID)
		return list->id;
	if (column->attribute->role == GC_ROLE_LIST_NAME)
		return list->name;
	return NULL;
}
