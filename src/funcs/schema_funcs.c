/*
 * funcs/schema_funcs.c
 *	  schema_diff(): a query held against a foreign table and its list.
 *
 * Three looks, each at what the one before it has left: the table beside its
 * list, the query's columns beside the table's, by name, and the query's rows.
 * The query runs twice, read-only and with the caller's rights: once through a
 * cursor, to hold its cells against what strict verification asks for (whatever
 * the table's option says), once grouped by its key.  Values are counted; of
 * repeated keys, which are contact ids, some are shown.
 */
#include "postgres.h"

#include "base/contact_id.h"
#include "base/nearest.h"
#include "base/value.h"
#include "funcs/schema_funcs.h"

#include "executor/spi.h"
#include "funcapi.h"
#include "mb/pg_wchar.h"
#include "parser/parse_coerce.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/plancache.h"

/* Seen through exports.map. */
#pragma GCC visibility push(default)
PG_FUNCTION_INFO_V1(gc_fdw_schema_diff);
#pragma GCC visibility pop

/* Rows of the query at a time. */
#define FETCH_ROWS 1000

/* A column of the query that the table has, too. */
typedef struct Source
{
	const GcSchemaColumn *column; /* NULL: none that its values can go to */
	const char *name;
	GcValueType type;
	int64 faults[GC_CELL_MALFORMED + 1];
	int64 bad_ids;
	int64 unconvertible;
} Source;

typedef struct Diff
{
	ReturnSetInfo *result; /* NULL: what is found goes to … */
	StringInfo problems;   /* … this, a line each */
	const GcTableSchema *schema;
	const char *query;
	GcIdPattern *id_pattern;
	Source *sources; /* by the query's columns */
	int source_count;
	Source *key; /* whose value is a contact's id; NULL: there is none */
} Diff;

static GcTableSchemaReader read_schema = NULL;

void
gc_schema_funcs_init(GcTableSchemaReader reader)
{
	read_schema = reader;
}

static void
put(Diff *diff, const char *column, const char *problem, const char *detail)
{
	Datum values[3] = {0};
	bool nulls[3] = {column == NULL, false, false};

	if (diff->result == NULL)
	{
		appendStringInfo(diff->problems, "%sColumn \"%s\", %s: %s.",
						 diff->problems->len > 0 ? "\n" : "", column, problem, detail);
		return;
	}
	if (column)
		values[0] = CStringGetTextDatum(column);
	values[1] = CStringGetTextDatum(problem);
	values[2] = CStringGetTextDatum(detail);
	tuplestore_putvalues(diff->result->setResult, diff->result->setDesc, values, nulls);
}

/* ---- the query's columns ---- */

static const GcSchemaColumn *
find_column(const GcTableSchema *schema, const char *name, GcNearest *nearest)
{
	gc_nearest_init(nearest, name);
	for (int i = 0; i < schema->column_count; i++)
	{
		const GcSchemaColumn *column = &schema->columns[i];

		if (column->name == NULL)
			continue;
		if (strcmp(column->name, name) == 0)
			return column;
		gc_nearest_offer(nearest, column->name);
	}
	return NULL;
}

static bool
is_given_before(Diff *diff, const Source *source)
{
	for (Source *other = diff->sources; other < source; other++)
		if (strcmp(other->name, source->name) == 0)
			return true;
	return false;
}

/* Where the values of a column of the query go, if they can go anywhere. */
static void
match_column(Diff *diff, Source *source, Oid type, int32 typmod)
{
	GcNearest nearest;
	const GcSchemaColumn *column = find_column(diff->schema, source->name, &nearest);

	if (is_given_before(diff, source))
	{
		put(diff, source->name, "repeated column", "the query gives it more than once");
		/* Of two keys nobody can say which one is meant. */
		if (diff->key && strcmp(diff->key->name, source->name) == 0)
			diff->key = NULL;
	}
	else if (column == NULL)
		put(diff, source->name, "missing in table",
			nearest.best ? psprintf("the table has no such column, but \"%s\"", nearest.best)
						 : "the table has no such column");
	else if (!column->writable)
		put(diff, source->name, "not writable", "it is set by the platform");
	else if (!can_coerce_type(1, &type, &column->type, COERCION_ASSIGNMENT))
		put(diff, source->name, "type",
			psprintf("the query gives %s, and the column is %s", format_type_be(type),
					 format_type_be(column->type)));
	else
	{
		source->column = column;
		gc_value_type_init(&source->type, type, typmod, CurrentMemoryContext);
		if (column->is_key || (column->is_id && diff->key == NULL))
			diff->key = source;
	}
}

static bool
is_given(Diff *diff, const GcSchemaColumn *column)
{
	for (int i = 0; i < diff->source_count; i++)
		if (diff->sources[i].column == column)
			return true;
	return false;
}

/*
 * Columns that a row must have and the query does not give at all.  Whether NOT NULL
 * counts is for the rows' own check, where they are to be sent.
 */
static void
find_missing(Diff *diff)
{
	for (int i = 0; i < diff->schema->column_count; i++)
	{
		const GcSchemaColumn *column = &diff->schema->columns[i];

		if (column->name == NULL || is_given(diff, column))
			continue;
		if (column->is_key)
			put(diff, column->name, "missing in query", "it is the key");
		else if (column->rule.required && column->is_data && diff->result)
			put(diff, column->name, "missing in query", "it is NOT NULL");
	}
}

static void
match_columns(Diff *diff, TupleDesc tupdesc)
{
	diff->source_count = tupdesc->natts;
	diff->sources = palloc0(sizeof(Source) * Max(tupdesc->natts, 1));
	for (int i = 0; i < tupdesc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(tupdesc, i);

		diff->sources[i].name = pstrdup(NameStr(att->attname));
		match_column(diff, &diff->sources[i], att->atttypid, att->atttypmod);
	}
	find_missing(diff);
}

/* ---- its rows ---- */

static void
check_value(Diff *diff, Source *source, Datum value, bool isnull)
{
	const GcSchemaColumn *column = source->column;
	int len = 0;
	const char *cell = isnull ? "" : gc_value_text(&source->type, value, &len);

	if (column->is_key && len == 0)
		source->faults[GC_CELL_EMPTY]++;
	else if (column->is_data)
		source->faults[gc_cell_check(&column->rule, cell, len)]++;
	/* An id may be left out: beside a key, and else one is made. */
	if ((column->is_key && len > 0) || (column->is_id && !isnull))
		source->bad_ids += !gc_id_pattern_matches(diff->id_pattern, cell, len);
}

/* The same where text may fail to convert to UTF-8, which the server reports by throwing. */
static void
check_guarded(Diff *diff, Source *source, Datum value, bool isnull)
{
	MemoryContext caller_cxt = CurrentMemoryContext;

	PG_TRY();
	{
		check_value(diff, source, value, isnull);
	}
	PG_CATCH();
	{
		if (ERRCODE_TO_CATEGORY(geterrcode()) != ERRCODE_DATA_EXCEPTION)
			PG_RE_THROW();
		MemoryContextSwitchTo(caller_cxt);
		FlushErrorState();
		source->unconvertible++;
	}
	PG_END_TRY();
}

static void
check_row(Diff *diff, HeapTuple row, TupleDesc tupdesc)
{
	for (int i = 0; i < diff->source_count; i++)
	{
		Source *source = &diff->sources[i];
		bool isnull;
		Datum value = SPI_getbinval(row, tupdesc, i + 1, &isnull);

		if (source->column == NULL)
			continue;
		if (GetDatabaseEncoding() == PG_UTF8)
			check_value(diff, source, value, isnull);
		else
			check_guarded(diff, source, value, isnull);
	}
}

static void
check_rows(Diff *diff, SPIPlanPtr plan)
{
	Portal cursor = SPI_cursor_open(NULL, plan, NULL, NULL, true);
	MemoryContext row_cxt =
		AllocSetContextCreate(CurrentMemoryContext, "gc_fdw row", ALLOCSET_DEFAULT_SIZES);
	MemoryContext caller_cxt;

	for (SPI_cursor_fetch(cursor, true, FETCH_ROWS); SPI_processed > 0;
		 SPI_cursor_fetch(cursor, true, FETCH_ROWS))
	{
		caller_cxt = MemoryContextSwitchTo(row_cxt);
		for (uint64 row = 0; row < SPI_processed; row++)
		{
			check_row(diff, SPI_tuptable->vals[row], SPI_tuptable->tupdesc);
			MemoryContextReset(row_cxt);
		}
		MemoryContextSwitchTo(caller_cxt);
		SPI_freetuptable(SPI_tuptable);
	}
	SPI_freetuptable(SPI_tuptable);
	SPI_cursor_close(cursor);
}

static void
put_count(Diff *diff, const Source *source, const char *problem, const char *what, int64 rows)
{
	if (rows > 0)
		put(diff, source->name, problem,
			psprintf("%s, in " INT64_FORMAT " %s", what, rows, rows == 1 ? "row" : "rows"));
}

static void
tell_rows(Diff *diff)
{
	for (int i = 0; i < diff->source_count; i++)
	{
		const Source *source = &diff->sources[i];
		const int64 *faults = source->faults;
		const GcCellRule *rule = source->column ? &source->column->rule : NULL;

		if (rule == NULL)
			continue;
		put_count(diff, source, "contact id",
				  psprintf("not matching the pattern %s", diff->schema->id_pattern),
				  source->bad_ids);
		put_count(diff, source, "not null", "NULL or empty", faults[GC_CELL_EMPTY]);
		put_count(diff, source, "encoding", "not convertible to UTF-8", source->unconvertible);
		put_count(diff, source, "too long",
				  psprintf("of more than %d characters", rule->max_chars),
				  faults[GC_CELL_TOO_LONG]);
		put_count(diff, source, "format",
				  psprintf("not %s", gc_cell_format_words(rule->format)),
				  faults[GC_CELL_MALFORMED]);
	}
}

/*
 * K1, K8: keys that come more than once, the first five of them by name.  They are
 * sorted, not hashed, which takes work_mem and no more.
 */
static void
count_keys(Diff *diff)
{
	const char *name = quote_identifier(diff->key->name);
	const char *sorted = psprintf("SELECT q.%s::text COLLATE \"C\" AS k FROM (%s\n) AS q"
								  " WHERE q.%s IS NOT NULL ORDER BY 1",
								  name, diff->query, name);
	const char *command = psprintf(
		"SELECT pg_catalog.count(*), pg_catalog.sum(n)::bigint, pg_catalog.string_agg("
		"  '\"' || pg_catalog.left(k, %d) || '\"', ', ' ORDER BY k) FILTER (WHERE r <= 5)"
		" FROM (SELECT k, n, pg_catalog.row_number() OVER (ORDER BY k) AS r"
		"  FROM (SELECT k, pg_catalog.count(*) AS n FROM (%s) AS o"
		"   GROUP BY k HAVING pg_catalog.count(*) > 1) AS g) AS s",
		GC_CONTACT_ID_MAX, sorted);
	Datum row[3];
	bool nulls[3];

	if (SPI_execute(command, true, 0) != SPI_OK_SELECT || SPI_processed != 1)
		elog(ERROR, "could not count keys");
	for (int i = 0; i < lengthof(row); i++)
		row[i] = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, i + 1, &nulls[i]);
	if (DatumGetInt64(row[0]) > 0)
		put(diff, diff->key->name, "repeated key",
			psprintf(INT64_FORMAT " %s more than once, in " INT64_FORMAT " rows: %s%s",
					 DatumGetInt64(row[0]),
					 DatumGetInt64(row[0]) == 1 ? "key comes" : "keys come",
					 DatumGetInt64(row[1]), TextDatumGetCString(row[2]),
					 DatumGetInt64(row[0]) > 5 ? ", ..." : ""));
	SPI_freetuptable(SPI_tuptable);
}

/* ---- the query ---- */

/* The query without what would end it in the middle of another one. */
static char *
trim_query(const char *query)
{
	int len = strlen(query);

	while (len > 0 && strchr("; \t\r\n", query[len - 1]))
		len--;
	return pnstrdup(query, len);
}

/* Is it one query that does not write? */
static bool
is_query(List *sources)
{
	CachedPlanSource *source = list_length(sources) == 1 ? linitial(sources) : NULL;
	Query *query = source && list_length(source->query_list) == 1
					   ? linitial_node(Query, source->query_list)
					   : NULL;

	return query && query->commandType == CMD_SELECT && !query->hasModifyingCTE;
}

static bool
locks(List *sources)
{
	CachedPlanSource *source = linitial(sources);

	return linitial_node(Query, source->query_list)->rowMarks != NIL;
}

#define QUERY_HINT                                                                            \
	"The second argument is a query that gives the rows to be inserted, such as \"SELECT * "  \
	"FROM leads\"."

/* Of what is no statement at all, such as a table's name, the parser says no more than that. */
static void
hint_at_query(void *arg)
{
	if (geterrcode() == ERRCODE_SYNTAX_ERROR)
		errhint(QUERY_HINT);
}

static SPIPlanPtr
prepare(const char *query, bool may_lock, const char *refusal, TupleDesc *tupdesc)
{
	ErrorContextCallback callback = {.callback = hint_at_query,
									 .previous = error_context_stack};
	SPIPlanPtr plan;
	List *sources;

	error_context_stack = &callback;
	plan = SPI_prepare(query, 0, NULL);
	error_context_stack = callback.previous;
	if (plan == NULL)
		elog(ERROR, "SPI_prepare failed: %s", SPI_result_code_string(SPI_result));
	sources = SPI_plan_get_plan_sources(plan);
	if (!is_query(sources) || (!may_lock && locks(sources)))
		ereport(ERROR, (errcode(ERRCODE_INVALID_CURSOR_DEFINITION),
						errmsg_internal("%s", refusal), errhint(QUERY_HINT)));
	*tupdesc = ((CachedPlanSource *) linitial(sources))->resultDesc;
	return plan;
}

/* ---- the functions ---- */

char *
gc_schema_fit(Oid relid, const char *query, const char *caller)
{
	StringInfoData problems;
	Diff diff = {.problems = &problems};
	char *trimmed = trim_query(query);
	TupleDesc tupdesc;

	initStringInfo(&problems);
	diff.schema = read_schema(relid);
	SPI_connect();
	(void) prepare(trimmed, true,
				   psprintf("%s() takes one query, which must not write", caller), &tupdesc);
	match_columns(&diff, tupdesc);
	if (problems.len > 0)
		ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
						errmsg("the query does not fit %s", diff.schema->label),
						errdetail_internal("%s", problems.data),
						errhint("gc_fdw.schema_diff() shows this, and what is wrong with its "
								"rows.")));
	SPI_finish();
	return trimmed;
}

Datum
gc_fdw_schema_diff(PG_FUNCTION_ARGS)
{
	Diff diff = {.result = (ReturnSetInfo *) fcinfo->resultinfo};
	SPIPlanPtr plan;
	TupleDesc tupdesc;
	ListCell *lc;

	for (int i = 0; i < 2; i++)
		if (PG_ARGISNULL(i))
			ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
							errmsg("\"%s\" of schema_diff() must not be NULL",
								   i == 0 ? "list" : "query")));
	InitMaterializedSRF(fcinfo, 0);
	diff.schema = read_schema(PG_GETARG_OID(0));
	diff.query = trim_query(text_to_cstring(PG_GETARG_TEXT_PP(1)));
	diff.id_pattern = gc_id_pattern_create(diff.schema->id_pattern);
	foreach (lc, diff.schema->drifts)
	{
		GcDrift *drift = lfirst(lc);

		put(&diff, drift->column, drift->problem, drift->detail);
	}
	SPI_connect();
	plan = prepare(diff.query, false,
				   "schema_diff() takes one query, which must not write or lock", &tupdesc);
	match_columns(&diff, tupdesc);
	check_rows(&diff, plan);
	tell_rows(&diff);
	if (diff.key)
		count_keys(&diff);
	SPI_finish();
	return (Datum) 0;
}
