/*
 * funcs/parent_funcs.c
 *	  create_list_parent(): one table over many lists.
 *
 * A table that is partitioned by the lists' names.  A partition has the columns of its
 * parent and no others, so the parent has those that all lists' tables have, and a table
 * that has more gets a foreign table beside it, of the same list, with the common ones.
 * Everything is done by statements, with the caller's rights, and only pg_catalog in the
 * search_path (as the script declares it).
 */
#include "postgres.h"

#include "funcs/parent_funcs.h"

#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "commands/defrem.h"
#include "executor/spi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

/* Seen through exports.map. */
#pragma GCC visibility push(default)
PG_FUNCTION_INFO_V1(gc_fdw_create_list_parent);
#pragma GCC visibility pop

/* How IMPORT and the documents call the column. */
#define LIST_NAME "list_name"

typedef struct Member
{
	Oid relid;
	char *list_name;
} Member;

typedef struct Parent
{
	char *name; /* qualified and quoted */
	const char *schema;
	const char *plain; /* as it was given */
	Datum lists;	   /* regclass[] */
	int count;
	Member *members;
} Parent;

static GcListNamer list_namer = NULL;

void
gc_parent_funcs_init(GcListNamer namer)
{
	list_namer = namer;
}

/* ---- statements ---- */

static void
execute(const char *statement)
{
	int result = SPI_execute(statement, false, 0);

	if (result != SPI_OK_UTILITY)
		elog(ERROR, "SPI_execute failed: %s", SPI_result_code_string(result));
}

/* Asks about the lists' tables ($1), and another value ($2); how many rows. */
static int
ask(const char *query, const Parent *parent, Oid type, Datum value)
{
	Oid types[] = {REGCLASSARRAYOID, type};
	Datum values[] = {parent->lists, value};
	int result = SPI_execute_with_args(query, 2, types, values, NULL, true, 0);

	if (result != SPI_OK_SELECT)
		elog(ERROR, "SPI_execute_with_args failed: %s", SPI_result_code_string(result));
	return SPI_processed;
}

/* A column of a row of the answer, in the procedure's memory; NULL: it is NULL. */
static char *
cell(int row, int column)
{
	return SPI_getvalue(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column);
}

static char *
table_name(Oid relid)
{
	return quote_qualified_identifier(get_namespace_name(get_rel_namespace(relid)),
									  get_rel_name(relid));
}

/* ---- the lists ---- */

/* All tables of contacts of a schema, in the order of their names. */
static Datum
tables_of(const char *schema)
{
	Oid types[] = {NAMEOID};
	Datum values[] = {CStringGetDatum(schema)};
	bool isnull;

	if (SPI_execute_with_args(
			"SELECT array_agg(c.oid::regclass ORDER BY c.relname) "
			"FROM pg_class c JOIN pg_foreign_table t ON t.ftrelid = c.oid "
			"JOIN pg_foreign_server s ON s.oid = t.ftserver "
			"JOIN pg_foreign_data_wrapper w ON w.oid = s.srvfdw "
			"WHERE c.relnamespace = (SELECT n.oid FROM pg_namespace n "
			"                        WHERE n.nspname = $1) "
			"AND NOT c.relispartition AND 'object=contacts' = ANY (t.ftoptions) "
			"AND w.fdwhandler = 'gc_fdw.gc_fdw_handler()'::regprocedure",
			1, types, values, NULL, true, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not look for the tables of a schema");
	values[0] = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);
	if (isnull)
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_TABLE),
						errmsg("schema \"%s\" has no foreign tables of contacts", schema),
						errhint("IMPORT FOREIGN SCHEMA outbound makes them.")));
	return values[0];
}

static void
check_member(const Parent *parent, const Member *member, const char *column)
{
	char *table = table_name(member->relid);

	if (column == NULL || strcmp(column, LIST_NAME) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("foreign table %s has no column \"%s\" with its list's name", table,
						LIST_NAME),
				 errhint("ALTER FOREIGN TABLE %s ADD COLUMN %s text OPTIONS (attribute '%s');",
						 table, LIST_NAME, LIST_NAME)));
	for (const Member *other = parent->members; other < member; other++)
		if (strcmp(other->list_name, member->list_name) == 0)
			ereport(ERROR, (errcode(ERRCODE_DUPLICATE_OBJECT),
							errmsg("foreign tables %s and %s are both of contact list \"%s\"",
								   table_name(other->relid), table, member->list_name),
							errhint("Name one of them in \"lists\".")));
}

static void
read_members(Parent *parent)
{
	Datum *oids;
	bool *nulls;

	deconstruct_array(DatumGetArrayTypeP(parent->lists), REGCLASSOID, sizeof(Oid), true,
					  TYPALIGN_INT, &oids, &nulls, &parent->count);
	if (parent->count == 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("\"lists\" of create_list_parent() is empty")));
	parent->members = palloc0(sizeof(Member) * parent->count);
	for (int i = 0; i < parent->count; i++)
	{
		char *column = NULL;

		if (nulls[i])
			ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
							errmsg("\"lists\" of create_list_parent() has a NULL")));
		parent->members[i].relid = DatumGetObjectId(oids[i]);
		parent->members[i].list_name = list_namer(parent->members[i].relid, &column);
		check_member(parent, &parent->members[i], column);
	}
}

/* ---- columns ---- */

/* The columns that all tables have; $1 is the tables. */
#define COMMON                                                                                \
	"WITH common AS (SELECT a.attname FROM pg_attribute a "                                   \
	"WHERE a.attrelid = ANY ($1) AND a.attnum > 0 AND NOT a.attisdropped "                    \
	"GROUP BY a.attname HAVING count(*) = cardinality($1)) "

/* One name, one type. */
static void
check_types(const Parent *parent)
{
	if (ask(COMMON "SELECT a.attname, a.attrelid::regclass, "
				   " format_type(a.atttypid, a.atttypmod), "
				   " b.attrelid::regclass, format_type(b.atttypid, b.atttypmod) "
				   "FROM pg_attribute a JOIN pg_attribute b USING (attname) "
				   "WHERE a.attrelid = ($1)[1] AND b.attrelid = ANY ($1) "
				   "AND a.attname IN (SELECT attname FROM common) "
				   "AND (a.atttypid, a.atttypmod, a.attcollation) IS DISTINCT FROM "
				   " (b.atttypid, b.atttypmod, b.attcollation) "
				   "ORDER BY a.attnum, $2 LIMIT 1",
			parent, INT4OID, Int32GetDatum(0)) == 0)
		return;
	ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
					errmsg("column \"%s\" is %s in foreign table %s, and %s in %s", cell(0, 1),
						   cell(0, 3), cell(0, 2), cell(0, 5), cell(0, 4)),
					errhint("Give it the same type and collation in all of them, or another "
							"name in one.")));
}

/* The columns of a table among the common ones, as a definition; whole, or for the parent. */
static char *
definition(const Parent *parent, Oid relid, bool whole)
{
	static const char *const options =
		"coalesce((SELECT ' OPTIONS (' || string_agg(format('%I %L', option_name, "
		" option_value), ', ') || ')' FROM pg_options_to_table(a.attfdwoptions)), '')";
	static const char *const not_null = "CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END";

	(void) ask(
		psprintf(COMMON
				 "SELECT string_agg(quote_ident(a.attname) || ' ' || "
				 " format_type(a.atttypid, a.atttypmod) || %s || "
				 " coalesce((SELECT format(' COLLATE %%I.%%I', n.nspname, l.collname) "
				 "  FROM pg_collation l JOIN pg_namespace n ON n.oid = l.collnamespace "
				 "  WHERE l.oid = a.attcollation AND l.oid <> y.typcollation), '') || %s, "
				 " ', ' ORDER BY a.attnum) "
				 "FROM pg_attribute a JOIN pg_type y ON y.oid = a.atttypid "
				 "WHERE a.attrelid = $2 AND a.attname IN (SELECT attname FROM common)",
				 whole ? options : "''", whole ? not_null : "''"),
		parent, OIDOID, ObjectIdGetDatum(relid));
	return cell(0, 1);
}

/* Has the table more columns than the common ones?  Then its key must be among those. */
static bool
has_more(const Parent *parent, Oid relid)
{
	if (ask(COMMON "SELECT o.option_value FROM pg_foreign_table t, "
				   "pg_options_to_table(t.ftoptions) o "
				   "WHERE t.ftrelid = $2 AND o.option_name = 'key' "
				   "AND o.option_value NOT IN (SELECT attname FROM common)",
			parent, OIDOID, ObjectIdGetDatum(relid)) > 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("the key of foreign table %s, \"%s\", is not in all of the lists",
						table_name(relid), cell(0, 1)),
				 errhint("Name the lists in \"lists\" that have the same key.")));
	return ask(COMMON
			   "SELECT FROM pg_attribute a WHERE a.attrelid = $2 AND a.attnum > 0 "
			   "AND NOT a.attisdropped AND a.attname NOT IN (SELECT attname FROM common)",
			   parent, OIDOID, ObjectIdGetDatum(relid)) > 0;
}

/* ---- tables ---- */

/* A foreign table of the same list with the common columns alone; its name, quoted. */
static char *
create_beside(const Parent *parent, Oid relid)
{
	char *name = quote_qualified_identifier(
		parent->schema, makeObjectName(parent->plain, get_rel_name(relid), NULL));
	char *columns = definition(parent, relid, true);

	(void) ask("SELECT format('SERVER %I OPTIONS (%s)', s.srvname, "
			   " (SELECT string_agg(format('%I %L', option_name, option_value), ', ') "
			   "  FROM pg_options_to_table(t.ftoptions))) "
			   "FROM pg_foreign_table t JOIN pg_foreign_server s ON s.oid = t.ftserver "
			   "WHERE t.ftrelid = $2 AND cardinality($1) > 0",
			   parent, OIDOID, ObjectIdGetDatum(relid));
	execute(psprintf("CREATE FOREIGN TABLE %s (%s) %s", name, columns, cell(0, 1)));
	return name;
}

static void
attach(const Parent *parent, const Member *member)
{
	char *partition = has_more(parent, member->relid) ? create_beside(parent, member->relid)
													  : table_name(member->relid);

	execute(psprintf("ALTER TABLE %s ATTACH PARTITION %s FOR VALUES IN (%s)", parent->name,
					 partition, quote_literal_cstr(member->list_name)));
}

/* CREATE TABLE would say so too, with all columns of the parent behind it. */
static void
check_name(const Parent *parent)
{
	Oid schema = get_namespace_oid(parent->schema, true);

	if (OidIsValid(schema) && OidIsValid(get_relname_relid(parent->plain, schema)))
		ereport(ERROR, (errcode(ERRCODE_DUPLICATE_TABLE),
						errmsg("relation \"%s\" already exists", parent->plain),
						errhint("Give the parent a name that no list's table has, or drop the "
								"parent that is there.")));
}

Datum
gc_fdw_create_list_parent(PG_FUNCTION_ARGS)
{
	Parent parent = {0};
	Oid relid;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
						errmsg("\"schema\" and \"name\" of create_list_parent() must not be "
							   "NULL")));
	parent.schema = NameStr(*PG_GETARG_NAME(0));
	parent.plain = NameStr(*PG_GETARG_NAME(1));
	parent.name = quote_qualified_identifier(parent.schema, parent.plain);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	parent.lists = PG_ARGISNULL(2) ? tables_of(parent.schema) : PG_GETARG_DATUM(2);
	check_name(&parent);
	read_members(&parent);
	check_types(&parent);
	execute(psprintf("CREATE TABLE %s (%s) PARTITION BY LIST (%s)", parent.name,
					 definition(&parent, parent.members[0].relid, false), LIST_NAME));
	for (int i = 0; i < parent.count; i++)
		attach(&parent, &parent.members[i]);
	relid = get_relname_relid(parent.plain, get_namespace_oid(parent.schema, false));
	SPI_finish();
	PG_RETURN_OID(relid);
}
