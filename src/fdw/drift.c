/*
 * fdw/drift.c
 *	  A foreign table held against its list, before anything is written to it.
 */
#include "postgres.h"

#include "api/dialect.h"
#include "base/nearest.h"
#include "base/option.h"
#include "fdw/drift.h"

#include "access/table.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

/* Of one contact; the public API's own. */
#define MAX_DATA_COLUMNS 50

/* ---- differences ---- */

static const char *
type_word(GcColumnType type)
{
	return type == GC_COLUMN_NUMERIC	 ? "NUMERIC"
		   : type == GC_COLUMN_TIMESTAMP ? "TIMESTAMP"
										 : "TEXT";
}

/*
 * Can a value of that type be what the list's column holds?  Text can be anything,
 * and so can what nobody knows.
 */
static bool
fits(Oid type, GcColumnType wanted)
{
	Oid base = getBaseType(type);
	char category;
	bool preferred;

	if (wanted == GC_COLUMN_TEXT)
		return true;
	if (base == UUIDOID || base == JSONOID || base == JSONBOID || base == TIMEOID ||
		base == TIMETZOID)
		return false;
	get_type_category_preferred(base, &category, &preferred);
	switch (category)
	{
		case TYPCATEGORY_NUMERIC:
			return wanted == GC_COLUMN_NUMERIC;
		case TYPCATEGORY_DATETIME:
			return wanted == GC_COLUMN_TIMESTAMP;
		case TYPCATEGORY_ARRAY:
		case TYPCATEGORY_BOOLEAN:
		case TYPCATEGORY_NETWORK:
		case TYPCATEGORY_RANGE:
		case TYPCATEGORY_TIMESPAN:
			return false;
		default:
			return true;
	}
}

static List *
add_drift(List *drifts, const GcColumn *column, int sqlstate, const char *problem,
		  const char *detail)
{
	GcDrift *drift = palloc(sizeof(GcDrift));

	*drift = (GcDrift){column ? column->name : NULL, sqlstate, problem, detail};
	return lappend(drifts, drift);
}

static const char *
missing_detail(const GcRelation *rel, const GcColumn *column, const GcList *list)
{
	const char *field = column->field ? column->field : column->attribute_column;
	const char *nearest = gc_relation_nearest(column, list);

	return psprintf("the list has no column \"%s\"%s", gc_value_display(field, NAMEDATALEN),
					nearest ? psprintf(", but \"%s\"", nearest) : "");
}

static List *
compare_column(const GcRelation *rel, const GcColumn *column, const GcList *list, List *drifts)
{
	const char *field = column->field ? column->field : column->attribute_column;
	int found = field ? gc_list_column(list, field) : -1;

	if (field == NULL)
		return drifts;
	if (found < 0)
		return add_drift(drifts, column, ERRCODE_UNDEFINED_COLUMN, "missing in list",
						 missing_detail(rel, column, list));
	if (column->attnum == rel->key && list->is_phone[found])
		drifts = add_drift(drifts, column, ERRCODE_FDW_INVALID_ATTRIBUTE_VALUE, "key",
						   "a phone column cannot be the key");
	if (column->field && !fits(column->type.type, list->types[found]))
		drifts = add_drift(drifts, column, ERRCODE_DATATYPE_MISMATCH, "type",
						   psprintf("it is %s, and the list's column \"%s\" is %s",
									format_type_be(column->type.type),
									gc_value_display(field, NAMEDATALEN),
									type_word(list->types[found])));
	return drifts;
}

static bool
has_field(const GcRelation *rel, const char *field)
{
	for (int i = 0; i < rel->column_count; i++)
	{
		const GcColumn *column = &rel->columns[i];

		if (column->attnum != 0 && column->field && strcmp(column->field, field) == 0)
			return true;
	}
	return false;
}

/* B6: what the list requires of each contact, and no row of the table can have. */
static List *
find_required(const GcRelation *rel, const GcList *list, List *drifts)
{
	for (int i = 0; i < list->column_count; i++)
	{
		GcColumn wanted = {0};

		if (!list->is_required[i] || has_field(rel, list->columns[i]))
			continue;
		wanted.name = gc_value_display(list->columns[i], NAMEDATALEN);
		drifts = add_drift(drifts, &wanted, ERRCODE_NOT_NULL_VIOLATION, "missing in table",
						   "the list requires it, and the table has no column for it");
	}
	return drifts;
}

/*
 * All differences, those of one column after the other; NIL: none.  Whoever makes contacts
 * ("strict" and "inserts") has a column for all that the list requires.
 */
static List *
compare(const GcRelation *rel, const GcList *list, bool strict, bool inserts)
{
	List *drifts = NIL;
	int data_columns = 0;

	for (int i = 0; i < rel->column_count; i++)
	{
		const GcColumn *column = &rel->columns[i];

		if (column->attnum == 0)
			continue;
		data_columns += column->field != NULL;
		drifts = compare_column(rel, column, list, drifts);
	}
	if (data_columns > MAX_DATA_COLUMNS && strict)
		drifts = add_drift(drifts, NULL, ERRCODE_TOO_MANY_COLUMNS, "too many columns",
						   psprintf("it has %d columns of the list, and a contact holds %d",
									data_columns, MAX_DATA_COLUMNS));
	if (strict && inserts)
		drifts = find_required(rel, list, drifts);
	return drifts;
}

static const char *
hint_for(const GcRelation *rel, int sqlstate)
{
	const char *grow_hint = gc_dialect(rel->server_options)->grow_hint;

	switch (sqlstate)
	{
		case ERRCODE_UNDEFINED_COLUMN:
			if (grow_hint)
				return grow_hint;
			return "The columns of a list cannot change: set the column's option field, leave "
				   "it out of the table, or make a new list.";
		case ERRCODE_DATATYPE_MISMATCH:
			return "Give the column a type that the list's column can hold, or text.";
		case ERRCODE_FDW_INVALID_ATTRIBUTE_VALUE:
			return "The platform normalises phone numbers, so one person would get several "
				   "contacts. Use a column that never changes.";
		case ERRCODE_NOT_NULL_VIOLATION:
			return "Give the table the column (ALTER FOREIGN TABLE ... ADD COLUMN ... OPTIONS "
				   "(field ...)), or set verification to 'relaxed'.";
		default:
			return "Leave columns out of the table.";
	}
}

/* The error is that of its first difference, but a column that is missing goes before. */
static int
sqlstate_of(List *drifts)
{
	ListCell *lc;

	foreach (lc, drifts)
		if (((GcDrift *) lfirst(lc))->sqlstate == ERRCODE_UNDEFINED_COLUMN)
			return ERRCODE_UNDEFINED_COLUMN;
	return ((GcDrift *) linitial(drifts))->sqlstate;
}

/* What is required comes last: if the error is about that, all differences are. */
static char *
refusal(const GcRelation *rel, int sqlstate, const GcDrift *first)
{
	if (sqlstate == ERRCODE_NOT_NULL_VIOLATION)
		return psprintf("column \"%s\" of %s is required and must have a value", first->column,
						rel->label);
	return psprintf("foreign table \"%s\" does not fit %s", rel->name, rel->label);
}

static void
refuse(const GcRelation *rel, List *drifts)
{
	int sqlstate = sqlstate_of(drifts);
	StringInfoData detail;
	ListCell *lc;

	initStringInfo(&detail);
	foreach (lc, drifts)
	{
		GcDrift *drift = lfirst(lc);

		if (detail.len > 0)
			appendStringInfoChar(&detail, '\n');
		if (drift->column)
			appendStringInfo(&detail, "Column \"%s\": %s.", drift->column, drift->detail);
		else
			appendStringInfo(&detail, "The table: %s.", drift->detail);
	}
	ereport(ERROR,
			(errcode(sqlstate),
			 errmsg_internal("%s", refusal(rel, sqlstate, linitial(drifts))),
			 errdetail_internal("%s", detail.data), errhint("%s", hint_for(rel, sqlstate))));
}

GcList *
gc_drift_list(GcConnection *conn, GcStat *stat, GcRelation *rel, bool inserts)
{
	int max_age = gc_option_ms(rel->options, rel->server_options, "list_freshness");
	GcTime since = gc_clock_now();
	GcList *list = gc_list_current(conn, stat, rel->list_id, rel->list_name, max_age);
	List *drifts;

	drifts = compare(rel, list, rel->strict, inserts);
	if (drifts != NIL)
	{
		list = gc_list_grown(conn, stat, list, since);
		drifts = compare(rel, list, rel->strict, inserts);
	}
	gc_relation_call(rel, list);
	if (drifts != NIL)
		refuse(rel, drifts);
	return list;
}

/* ---- what may be written ---- */

static GcCellRule
strict_rule(const GcRelation *rel, const GcColumn *column, const GcList *list)
{
	GcCellRule rule = {.required = TupleDescAttr(rel->tupdesc, column->attnum - 1)->attnotnull,
					   .format = column->format,
					   .max_chars = GC_CELL_MAX_CHARS};
	int found = gc_list_column(list, column->field);

	if (rule.format == GC_CELL_ANY && list->zip_column &&
		strcmp(list->zip_column, column->field) == 0)
		rule.format = GC_CELL_ZIP;
	if (found >= 0 && list->max_chars[found] > 0)
		rule.max_chars = list->max_chars[found];
	if (found >= 0 && list->is_required[found])
		rule.required = true;
	return rule;
}

GcCellRule
gc_drift_rule(const GcRelation *rel, const GcColumn *column, const GcList *list)
{
	return rel->strict ? strict_rule(rel, column, list)
					   : (GcCellRule){.max_chars = GC_CELL_MAX_CHARS};
}

static void
describe_column(const GcRelation *rel, const GcColumn *column, const GcList *list,
				GcSchemaColumn *described)
{
	if (column->attnum == 0)
		return;
	described->name = pstrdup(column->name);
	described->type = column->type.type;
	described->is_data = column->field != NULL;
	described->is_key = column->attnum == rel->key;
	described->is_id = column->attnum == rel->id;
	described->writable = column->field || column->attribute->role != GC_ROLE_PLAIN;
	if (column->field)
		described->rule = strict_rule(rel, column, list);
}

/* Throws unless the current role may insert into it, and it is a foreign table. */
static void
check_access(Relation relation)
{
	Oid relid = RelationGetRelid(relation);

	if (relation->rd_rel->relkind != RELKIND_FOREIGN_TABLE)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" is not a foreign table", RelationGetRelationName(relation))));
	if (pg_class_aclcheck(relid, GetUserId(), ACL_INSERT) != ACLCHECK_OK &&
		pg_attribute_aclcheck_all(relid, GetUserId(), ACL_INSERT, ACLMASK_ANY) != ACLCHECK_OK)
		aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_FOREIGN_TABLE,
					   RelationGetRelationName(relation));
}

/* What differs, with what can be done about it where that is more than to see it. */
static List *
explained(const GcRelation *rel, List *drifts)
{
	ListCell *lc;

	foreach (lc, drifts)
	{
		GcDrift *drift = lfirst(lc);

		if (drift->sqlstate == ERRCODE_UNDEFINED_COLUMN &&
			gc_dialect(rel->server_options)->grow_hint)
			drift->detail =
				psprintf("%s; an UPDATE of the list's column_names can add it", drift->detail);
	}
	return drifts;
}

/* Which has to be a list's. */
static GcRelation *
load_contacts(Relation relation)
{
	GcRelation *rel;

	check_access(relation);
	rel = gc_relation_load(relation);
	if (!rel->resource->has_list)
		ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE),
						errmsg("foreign table \"%s\" shows no contacts", rel->name)));
	return rel;
}

char *
gc_drift_list_name(Oid relid, char **column)
{
	Relation relation = table_open(relid, AccessShareLock);
	GcRelation *rel = load_contacts(relation);
	GcStat stat = {0};
	GcList *list = gc_list_get(gc_connection_get(GetUserId(), rel->server_id), &stat,
							   rel->list_id, rel->list_name);

	*column = NULL;
	for (int i = 0; i < rel->column_count; i++)
	{
		const GcColumn *one = &rel->columns[i];

		if (one->attnum != 0 && one->attribute && one->attribute->role == GC_ROLE_LIST_NAME)
			*column = pstrdup(one->name);
	}
	table_close(relation, NoLock);
	return pstrdup(gc_value_from_utf8(pstrdup(list->name), strlen(list->name)));
}

GcTableSchema *
gc_drift_schema(Oid relid)
{
	Relation relation = table_open(relid, AccessShareLock);
	GcTableSchema *schema = palloc0(sizeof(GcTableSchema));
	GcStat stat = {0};
	GcConnection *conn;
	GcRelation *rel;
	GcList *list;

	rel = load_contacts(relation);
	conn = gc_connection_get(GetUserId(), rel->server_id);
	list = gc_list_current(conn, &stat, rel->list_id, rel->list_name, 0);
	gc_relation_call(rel, list);
	schema->label = rel->label;
	schema->id_pattern = pstrdup(gc_option_string(rel->options, NIL, "contact_id_pattern"));
	schema->drifts = explained(rel, compare(rel, list, true, true));
	schema->column_count = rel->column_count;
	schema->columns = palloc0(sizeof(GcSchemaColumn) * Max(rel->column_count, 1));
	for (int i = 0; i < rel->column_count; i++)
		describe_column(rel, &rel->columns[i], list, &schema->columns[i]);
	table_close(relation, NoLock);
	return schema;
}
