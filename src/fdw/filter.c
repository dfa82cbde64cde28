/*
 * fdw/filter.c
 *	  The conditions of a plan with the values of one execution.
 */
#include "postgres.h"

#include <ctype.h>

#include "api/criteria.h"
#include "api/listing.h"
#include "fdw/filter.h"
#include "fdw/pattern.h"
#include "fdw/pushdown.h"

#include "catalog/pg_type.h"
#include "common/int.h"
#include "executor/executor.h"
#include "nodes/nodeFuncs.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"

/* A number with more characters need not be one to the platform. */
#define NUMBER_MAX 30

/* Numbers of more digits may be the same to a platform that takes them for doubles. */
#define EXACT_DIGITS 15

/* More values than this make a request that is too large; then all rows are read. */
#define SET_MAX 1000

/* Conditions that take more bytes than this go into no request; then rows are checked here alone. */
#define CRITERIA_MAX (256 * 1024)

/*
 * A cell without a zone may be a moment of another zone to the platform, and
 * how exactly it compares is not published: a day more on either side.
 */
#define MOMENT_MARGIN_US USECS_PER_DAY

struct GcFilter
{
	PlanState *node;
	const GcRelation *rel;
	List *conditions;
	List *states; /* ExprState of each value */
	Oid *types;
	bool *is_constant;
	Datum *values;
	bool *nulls;
	bool *unknown; /* not evaluated … */
	bool shows;	   /* … and shown by a "?"; else left out */
	int identity;
	bool exactly; /* as far as the plan goes */
	bool exact;	  /* at present; an UNSAID then counts for all */
	bool unsaid;  /* something could not be said exactly */
};

/* What became of a predicate. */
typedef enum Outcome
{
	ADDED,
	NEVER,	/* it cannot hold: its value is NULL */
	UNSAID, /* the platform cannot check it, or not so exactly as is wished */
} Outcome;

GcFilter *
gc_filter_create(PlanState *node, const GcRelation *rel, List *conditions, List *exprs,
				 int identity, bool exactly)
{
	GcFilter *filter = palloc0(sizeof(GcFilter));
	int count = list_length(exprs);
	ListCell *lc;

	filter->node = node;
	filter->rel = rel;
	filter->conditions = conditions;
	filter->states = ExecInitExprList(exprs, node);
	filter->identity = identity;
	filter->exactly = exactly;
	filter->types = palloc(sizeof(Oid) * Max(count, 1));
	filter->values = palloc(sizeof(Datum) * Max(count, 1));
	filter->nulls = palloc(sizeof(bool) * Max(count, 1));
	filter->unknown = palloc0(sizeof(bool) * Max(count, 1));
	filter->is_constant = palloc(sizeof(bool) * Max(count, 1));
	foreach (lc, exprs)
	{
		filter->types[foreach_current_index(lc)] = exprType(lfirst(lc));
		filter->is_constant[foreach_current_index(lc)] = IsA(lfirst(lc), Const);
	}
	return filter;
}

/* Into the current context: arrays may be of the expression's own. */
static void
evaluate(GcFilter *filter, bool constants_only)
{
	ExprContext *econtext =
		filter->node ? filter->node->ps_ExprContext : CreateStandaloneExprContext();
	ListCell *lc;

	foreach (lc, filter->states)
	{
		int i = foreach_current_index(lc);

		filter->unknown[i] = constants_only && !filter->is_constant[i];
		filter->nulls[i] = false;
		if (!filter->unknown[i])
			filter->values[i] = ExecEvalExpr(lfirst(lc), econtext, &filter->nulls[i]);
	}
}

/* A value as the text of a cell; NULL if no cell has such a one. */
static char *
value_text(Oid type, Datum value)
{
	Oid output;
	bool varlena;
	char *printed;

	getTypeOutputInfo(type, &output, &varlena);
	printed = OidOutputFunctionCall(output, value);
	if (type == NUMERICOID &&
		(strspn(printed, "-0123456789.") != strlen(printed) || strlen(printed) > NUMBER_MAX))
		return NULL;
	return gc_value_to_utf8(printed);
}

/* The elements of an array that a cell may have; more than SET_MAX if one cannot be said. */
static int
array_texts(Oid type, Datum value, char ***texts)
{
	ArrayType *array = DatumGetArrayTypeP(value);
	Oid element = get_element_type(type);
	int16 typlen;
	bool typbyval;
	char typalign;
	Datum *values;
	bool *nulls;
	int count;
	int kept = 0;

	get_typlenbyvalalign(element, &typlen, &typbyval, &typalign);
	deconstruct_array(array, element, typlen, typbyval, typalign, &values, &nulls, &count);
	*texts = palloc(sizeof(char *) * Max(count, 1));
	for (int i = 0; i < count; i++)
	{
		char *one = nulls[i] ? NULL : value_text(element, values[i]);

		if (one && *one != '\0')
			(*texts)[kept++] = one;
		else if (one == NULL && !nulls[i])
			return SET_MAX + 1;
	}
	return kept;
}

/* A moment as ISO 8601, a day later or earlier; NULL beyond what a cell can say. */
static char *
moment_text(Datum value, int64 shift)
{
	TimestampTz moment = DatumGetTimestampTz(value);
	struct pg_tm tm;
	fsec_t fraction;

	if (TIMESTAMP_NOT_FINITE(moment) || pg_add_s64_overflow(moment, shift, &moment) ||
		timestamp2tm(moment, NULL, &tm, &fraction, NULL, NULL) != 0 || tm.tm_year < 1 ||
		tm.tm_year > 9999)
		return NULL;
	return psprintf("%04d-%02d-%02dT%02d:%02d:%02dZ", tm.tm_year, tm.tm_mon, tm.tm_mday,
					tm.tm_hour, tm.tm_min, tm.tm_sec);
}

/* How the list compares that column: only like with like is safe. */
static GcColumnType
list_type(const GcList *list, const char *field)
{
	for (int i = 0; i < list->column_count; i++)
		if (strcmp(list->columns[i], field) == 0)
			return list->types[i];
	return GC_COLUMN_TEXT;
}

/* How a test compares, as far as that does not depend on the value; see is_inverted(). */
static GcOperator
test_operator(const GcFilter *filter, GcTest test)
{
	switch (test)
	{
		case GC_TEST_IN:
			return GC_OPERATOR_IN;
		case GC_TEST_LIKE:
			return GC_OPERATOR_CONTAINS;
		case GC_TEST_BEGINS:
			return GC_OPERATOR_BEGINS_WITH;
		case GC_TEST_LESS:
			return filter->exact ? GC_OPERATOR_LESS_THAN : GC_OPERATOR_GREATER_THAN;
		case GC_TEST_AT_MOST:
			return filter->exact ? GC_OPERATOR_LESS_THAN_EQUALS : GC_OPERATOR_GREATER_THAN;
		case GC_TEST_GREATER:
			return filter->exact ? GC_OPERATOR_GREATER_THAN : GC_OPERATOR_LESS_THAN;
		case GC_TEST_AT_LEAST:
			return filter->exact ? GC_OPERATOR_GREATER_THAN_EQUALS : GC_OPERATOR_LESS_THAN;
		case GC_TEST_BEFORE:
			return GC_OPERATOR_AFTER;
		case GC_TEST_AFTER:
			return GC_OPERATOR_BEFORE;
		default:
			return GC_OPERATOR_EQUALS;
	}
}

/*
 * Ranges are asked for by what lies outside of them: a cell that the platform
 * takes for no number or moment (NaN, infinity, a time zone) is in no range
 * there, but may be in one here.  Where the user's word is that there are none,
 * they are asked for as they are: an empty cell is in no range, either.
 */
static bool
is_inverted(const GcFilter *filter, GcTest test)
{
	return !filter->exact && test >= GC_TEST_LESS && test <= GC_TEST_AFTER;
}

static GcColumnType
column_type(const GcColumn *column)
{
	if (column->type.type == TIMESTAMPTZOID)
		return GC_COLUMN_TIMESTAMP;
	return column->type.kind == GC_VALUE_INT || column->type.type == NUMERICOID
			   ? GC_COLUMN_NUMERIC
			   : GC_COLUMN_TEXT;
}

/* May a cell that reads as this value go on with blanks?  A varchar(n) cuts those beyond n. */
static bool
may_be_cut(const GcColumn *column, const char *value)
{
	int32 typmod = column->type.typmod;

	/* In bytes, of which there are no fewer than characters. */
	return column->type.type == VARCHAROID && typmod >= (int32) VARHDRSZ &&
		   strlen(value) >= typmod - VARHDRSZ;
}

/* The operator that also finds cells that go on with blanks. */
static GcOperator
widened(const GcColumn *column, GcOperator op, const char *value)
{
	if (op == GC_OPERATOR_EQUALS && may_be_cut(column, value))
		return GC_OPERATOR_BEGINS_WITH;
	if (op == GC_OPERATOR_ENDS_WITH && column->type.typmod >= 0)
		return GC_OPERATOR_CONTAINS;
	return op;
}

/* Would the platform keep that number apart from all others, even as a double? */
static bool
is_exact_number(const char *number)
{
	int digits = 0;

	for (const char *p = number; *p; p++)
		if (isdigit((unsigned char) *p) && (digits > 0 || *p != '0'))
			digits++;
	return digits <= EXACT_DIGITS;
}

/* Adds "column op value" for a test with one value. */
static Outcome
add_single(GcFilter *filter, GcCriteria *criteria, GcTest test, const GcColumn *column, int i)
{
	bool numeric = column_type(column) == GC_COLUMN_NUMERIC;
	GcOperator op = test_operator(filter, test);
	bool whole = true;
	char *value;

	if (test == GC_TEST_BEFORE || test == GC_TEST_AFTER)
		value = moment_text(filter->values[i],
							test == GC_TEST_BEFORE ? MOMENT_MARGIN_US : -MOMENT_MARGIN_US);
	else
		value = value_text(filter->types[i], filter->values[i]);
	if (value == NULL ||
		(test == GC_TEST_LIKE && !gc_pattern_test(value, &op, &value, &whole)) ||
		(op != GC_OPERATOR_EQUALS && *value == '\0'))
		return UNSAID;
	/* A cell without a text reads as NULL. */
	if (*value == '\0')
		return NEVER;
	if (filter->exact && !(whole && (!numeric || is_exact_number(value))))
		return UNSAID;
	gc_criteria_predicate(criteria, column->field, numeric, widened(column, op, value),
						  is_inverted(filter, test), &value, 1);
	return ADDED;
}

/* Is it in a set?  "i": the array's place among the values. */
static Outcome
add_set(GcFilter *filter, GcCriteria *criteria, const GcColumn *column, GcColumnType type,
		int i)
{
	char **texts;
	int count = array_texts(filter->types[i], filter->values[i], &texts);

	if (count > SET_MAX)
		return UNSAID;
	if (count == 0)
		return NEVER;
	for (int k = 0; k < count; k++)
		if (may_be_cut(column, texts[k]) ||
			(filter->exact && type == GC_COLUMN_NUMERIC && !is_exact_number(texts[k])))
			return UNSAID;
	gc_criteria_predicate(criteria, column->field, type == GC_COLUMN_NUMERIC, GC_OPERATOR_IN,
						  false, texts, count);
	return ADDED;
}

static Outcome
add_predicate(GcFilter *filter, GcCriteria *criteria, const GcList *list, List *predicate)
{
	GcTest test = list_nth_int(predicate, GcPredicateTest);
	const GcColumn *column =
		&filter->rel->columns[list_nth_int(predicate, GcPredicateColumn) - 1];
	int i = list_nth_int(predicate, GcPredicateValue);
	GcColumnType type = list ? list_type(list, column->field) : column_type(column);
	char *empty = "";
	char *unknown = "?";

	if (test == GC_TEST_NULL || test == GC_TEST_NOT_NULL)
	{
		if (type != GC_COLUMN_TEXT)
			return UNSAID;
		gc_criteria_predicate(criteria, column->field, false, GC_OPERATOR_EQUALS,
							  test == GC_TEST_NOT_NULL, &empty, 1);
		return ADDED;
	}
	if (filter->nulls[i])
		return NEVER;
	if (type != column_type(column))
		return UNSAID;
	if (filter->unknown[i] && !filter->shows)
		return UNSAID;
	if (filter->unknown[i])
	{
		gc_criteria_predicate(criteria, column->field, type == GC_COLUMN_NUMERIC,
							  test_operator(filter, test), is_inverted(filter, test), &unknown,
							  1);
		return ADDED;
	}
	if (test != GC_TEST_IN)
		return add_single(filter, criteria, test, column, i);
	return add_set(filter, criteria, column, type, i);
}

/* Takes a clause back that cannot be said. */
static bool
leave_clause(GcFilter *filter, GcCriteria *criteria, const GcCriteria *before)
{
	filter->unsaid = true;
	criteria->clauses = before->clauses;
	criteria->predicates = before->predicates;
	criteria->text.len = before->text.len;
	criteria->text.data[criteria->text.len] = '\0';
	return true;
}

/* Adds a clause; false if it can never hold. */
static bool
add_clause(GcFilter *filter, GcCriteria *criteria, const GcList *list, List *predicates)
{
	GcCriteria before;
	bool added = false;
	ListCell *lc;

	gc_criteria_clause(criteria);
	before = *criteria;
	foreach (lc, predicates)
		switch (add_predicate(filter, criteria, list, lfirst(lc)))
		{
			case ADDED:
				added = true;
				break;
			case NEVER:
				break;
			case UNSAID:
				/* One that cannot be said makes all of the clause so. */
				return leave_clause(filter, criteria, &before);
		}
	if (criteria->text.len > CRITERIA_MAX)
		return leave_clause(filter, criteria, &before);
	return added;
}

/* The ids that the plan names; false if it names none. */
static bool
set_ids(GcFilter *filter, GcSourceRequest *request)
{
	int i = filter->identity;

	if (filter->nulls[i])
		return false;
	if (OidIsValid(get_element_type(filter->types[i])))
		request->id_count = array_texts(filter->types[i], filter->values[i], &request->ids);
	else
	{
		request->ids = palloc(sizeof(char *));
		request->ids[0] = value_text(filter->types[i], filter->values[i]);
		request->id_count = 1;
	}
	return request->id_count > 0;
}

/* ---- listings: conditions as parameters of the query ---- */

/* What a predicate compares with; *count 0: NULL.  False if it cannot be said. */
static bool
listing_values(GcFilter *filter, List *predicate, GcOperator *op, char ***values, int *count)
{
	GcTest test = list_nth_int(predicate, GcPredicateTest);
	int i = list_nth_int(predicate, GcPredicateValue);
	bool whole;

	*op = test == GC_TEST_BEGINS ? GC_OPERATOR_BEGINS_WITH : GC_OPERATOR_EQUALS;
	*count = 0;
	if (filter->nulls[i])
		return true;
	if (test == GC_TEST_IN)
	{
		*count = array_texts(filter->types[i], filter->values[i], values);
		return *count <= SET_MAX;
	}
	*values = palloc(sizeof(char *));
	(*values)[0] = value_text(filter->types[i], filter->values[i]);
	*count = 1;
	return test != GC_TEST_LIKE || gc_pattern_test((*values)[0], op, &(*values)[0], &whole);
}

/* Adds a clause, whose predicates are all about one column, as the parameter of that one. */
static Outcome
add_parameter(GcFilter *filter, StringInfo query, const GcListingFilter *parameter,
			  const GcColumn *column, List *predicates)
{
	GcOperator op = GC_OPERATOR_EQUALS;
	char **all = palloc(sizeof(char *));
	int all_count = 0;
	ListCell *lc;

	foreach (lc, predicates)
	{
		char **values;
		int count;

		if (filter->unknown[list_nth_int(lfirst(lc), GcPredicateValue)])
		{
			if (!filter->shows)
				return UNSAID;
			op = test_operator(filter, list_nth_int(lfirst(lc), GcPredicateTest));
			(void) gc_listing_add(query, parameter, op, NULL, 0);
			return ADDED;
		}
		if (!listing_values(filter, lfirst(lc), &op, &values, &count))
			return UNSAID;
		all = repalloc(all, sizeof(char *) * (all_count + count + 1));
		for (int i = 0; i < count; i++)
		{
			if (may_be_cut(column, values[i]))
				return UNSAID;
			all[all_count++] = values[i];
		}
	}
	if (all_count == 0)
		return NEVER;
	return gc_listing_add(query, parameter, op, all, all_count) ? ADDED : UNSAID;
}

/* The parameters of a listing, NULL for none; false if nothing can match. */
static bool
make_query(GcFilter *filter, const char **query)
{
	List *said = NIL;
	StringInfoData buf;
	ListCell *lc;

	initStringInfo(&buf);
	foreach (lc, filter->conditions)
	{
		List *predicates = lfirst(lc);
		int attnum = list_nth_int(linitial(predicates), GcPredicateColumn);
		const GcColumn *column = &filter->rel->columns[attnum - 1];
		const GcListingFilter *parameter =
			gc_listing_filter(filter->rel->resource, column->attribute);

		/* Of several conditions on a column the platform takes one. */
		if (list_member_ptr(said, parameter))
			continue;
		switch (add_parameter(filter, &buf, parameter, column, predicates))
		{
			case ADDED:
				said = lappend(said, (void *) parameter);
				break;
			case NEVER:
				return false;
			case UNSAID:
				break;
		}
	}
	*query = buf.len > 0 ? buf.data : NULL;
	return true;
}

/* ---- both ---- */

/* What goes out: JSON or parameters, NULL for none; false if nothing can match. */
static bool
try_criteria(GcFilter *filter, const GcList *list, bool exact, const char **json)
{
	GcCriteria criteria;
	ListCell *lc;

	filter->exact = exact;
	filter->unsaid = false;
	if (!filter->rel->resource->has_list)
		return make_query(filter, json);
	gc_criteria_begin(&criteria);
	foreach (lc, filter->conditions)
		if (!add_clause(filter, &criteria, list, lfirst(lc)))
			return false;
	*json = gc_criteria_end(&criteria);
	return true;
}

/* As exactly as is wished, unless that cannot be said: then whatever loses no row. */
static bool
make_criteria(GcFilter *filter, const GcList *list, const char **json)
{
	bool possible = try_criteria(filter, list, filter->exactly, json);

	if (!possible || !filter->exactly || !filter->unsaid)
		return possible;
	return try_criteria(filter, list, false, json);
}

bool
gc_filter_apply(GcFilter *filter, GcSourceRequest *request)
{
	/* What an earlier walk made is gone with its memory. */
	request->ids = NULL;
	request->id_count = 0;
	request->criteria = NULL;
	evaluate(filter, false);
	if (filter->identity >= 0 && !set_ids(filter, request))
		return false;
	if (!make_criteria(filter, request->list, &request->criteria))
		return false;
	request->exact = filter->exact;
	return true;
}

const char *
gc_filter_show(GcFilter *filter, const GcList *list)
{
	const char *json;

	filter->shows = true;
	evaluate(filter, true);
	return make_criteria(filter, list, &json) ? json : NULL;
}

const char *
gc_filter_constants(const GcRelation *rel, List *conditions, List *exprs, const GcList *list)
{
	GcFilter *filter = gc_filter_create(NULL, rel, conditions, exprs, -1, false);
	const char *json;

	evaluate(filter, true);
	return make_criteria(filter, list, &json) ? json : NULL;
}
