/*
 * fdw/pushdown.c
 *	  Which conditions of a query the platform can check as well.
 */
#include "postgres.h"

#include "api/listing.h"
#include "base/option.h"
#include "fdw/pattern.h"
#include "fdw/pushdown.h"

#include "access/stratnum.h"
#include "catalog/pg_type.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/clauses.h"
#include "optimizer/optimizer.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"

/* The pieces of "column operator value", whichever way round it stands. */
typedef struct Comparison
{
	const GcColumn *column;
	Expr *value;
	Oid op; /* as if the column stood on the left */
	Oid collation;
} Comparison;

typedef struct Pushdown
{
	PlannerInfo *root;
	const GcRelation *rel;
	Index relid;
	List **exprs;
	bool exact_filters; /* the option */
	bool exact;
} Pushdown;

/* The column that an expression is; NULL if it is something else. */
static const GcColumn *
column_of(const GcRelation *rel, Index relid, Node *node)
{
	Var *var;

	while (IsA(node, RelabelType))
		node = (Node *) ((RelabelType *) node)->arg;
	var = (Var *) node;
	if (!IsA(node, Var) || var->varno != relid || var->varlevelsup != 0 || var->varattno <= 0)
		return NULL;
	return &rel->columns[var->varattno - 1];
}

/* Is it the same for all rows of a scan? */
static bool
is_value(PlannerInfo *root, Index relid, Node *node)
{
	return !bms_is_member(relid, pull_varnos(root, node)) &&
		   !contain_volatile_functions(node) && !contain_subplans(node);
}

static bool
match_operands(PlannerInfo *root, const GcRelation *rel, Index relid, List *args, Oid opno,
			   Oid collation, bool commute, Comparison *result)
{
	Node *left = linitial(args);
	Node *right = lsecond(args);

	result->collation = collation;
	result->op = opno;
	result->column = column_of(rel, relid, left);
	result->value = (Expr *) right;
	if (result->column == NULL && commute)
	{
		result->column = column_of(rel, relid, right);
		result->value = (Expr *) left;
		result->op = get_commutator(opno);
	}
	return result->column != NULL && OidIsValid(result->op) &&
		   is_value(root, relid, (Node *) result->value);
}

/* A column of text that is compared byte by byte, as the platform may do it, too. */
static bool
is_plain_text(const GcColumn *column, Oid collation)
{
	return (column->type.type == TEXTOID || column->type.type == VARCHAROID) &&
		   (!OidIsValid(collation) || get_collation_isdeterministic(collation));
}

/* The operator's place in the order of numbers or moments; 0: it has none. */
static int
ordered_strategy(const Comparison *comparison)
{
	const GcColumn *column = comparison->column;
	Oid type = column->type.type;

	if (column->type.kind != GC_VALUE_INT && type != NUMERICOID && type != TIMESTAMPTZOID)
		return 0;
	/* A scale rounds the cells: what equals a number here need not do so there. */
	if (type == NUMERICOID && column->type.typmod >= 0)
		return 0;
	if (type == TIMESTAMPTZOID && exprType((Node *) comparison->value) != TIMESTAMPTZOID)
		return 0;
	return get_op_opfamily_strategy(
		comparison->op, lookup_type_cache(type, TYPECACHE_BTREE_OPFAMILY)->btree_opf);
}

/* The test that a comparison of texts is; false if it is none. */
static bool
text_test(const Comparison *comparison, GcTest *test)
{
	switch (get_opcode(comparison->op))
	{
		case F_TEXTEQ:
			*test = GC_TEST_EQUALS;
			return true;
		case F_TEXTLIKE:
			*test = GC_TEST_LIKE;
			return true;
		case F_STARTS_WITH:
			*test = GC_TEST_BEGINS;
			return true;
		default:
			return false;
	}
}

/* The same for a column of a listing, which has parameters for some of them. */
static bool
listing_test(const GcRelation *rel, const Comparison *comparison, GcTest *test)
{
	const GcListingFilter *filter =
		gc_listing_filter(rel->resource, comparison->column->attribute);

	return filter && is_plain_text(comparison->column, comparison->collation) &&
		   text_test(comparison, test) && (filter->by_name || *test == GC_TEST_EQUALS);
}

/* The test that a comparison is; false if the platform cannot make it. */
static bool
test_of(const GcRelation *rel, const Comparison *comparison, GcTest *test)
{
	const GcColumn *column = comparison->column;
	bool moment = column->type.type == TIMESTAMPTZOID;

	if (column->type.is_domain)
		return false;
	if (column->field == NULL)
		return listing_test(rel, comparison, test);
	if (is_plain_text(column, comparison->collation))
		return text_test(comparison, test);
	switch (ordered_strategy(comparison))
	{
		case BTLessStrategyNumber:
			*test = moment ? GC_TEST_BEFORE : GC_TEST_LESS;
			return true;
		case BTLessEqualStrategyNumber:
			*test = moment ? GC_TEST_BEFORE : GC_TEST_AT_MOST;
			return true;
		case BTEqualStrategyNumber:
			*test = GC_TEST_EQUALS;
			return !moment;
		case BTGreaterEqualStrategyNumber:
			*test = moment ? GC_TEST_AFTER : GC_TEST_AT_LEAST;
			return true;
		case BTGreaterStrategyNumber:
			*test = moment ? GC_TEST_AFTER : GC_TEST_GREATER;
			return true;
		default:
			return false;
	}
}

/* Of a pattern that is known, whether it is all said; of another one the execution tells. */
static bool
may_be_whole(Expr *pattern)
{
	Const *constant = (Const *) pattern;
	GcOperator op;
	char *literal;
	bool whole;

	if (!IsA(pattern, Const) || constant->constisnull)
		return true;
	return gc_pattern_test(TextDatumGetCString(constant->constvalue), &op, &literal, &whole) &&
		   whole;
}

/*
 * Does the platform tell by that test the very rows for which it holds?
 *
 * That a text is there: both "is empty" and its inverse are pushed, and each
 * would lose rows unless it held for all that it should hold for; as one is the
 * complement of the other, neither can hold for more.  All else is a superset,
 * unless the user has given his word: texts may be compared without regard to
 * case, and a cell of a numeric column may be no number.  A varchar(n) cuts
 * blanks, and moments have a margin, so these never are.
 */
static bool
is_exact(const Pushdown *push, GcTest test, const GcColumn *column, Expr *value)
{
	bool has_text = column->type.type == TEXTOID || column->type.type == VARCHAROID;

	/* A listing may give more than what its parameters ask for. */
	if (column->field == NULL)
		return false;
	switch (test)
	{
		case GC_TEST_NULL:
		case GC_TEST_NOT_NULL:
			return has_text;
		case GC_TEST_BEFORE:
		case GC_TEST_AFTER:
			return false;
		case GC_TEST_LIKE:
			if (!may_be_whole(value))
				return false;
			break;
		default:
			break;
	}
	return push->exact_filters && !(has_text && column->type.typmod >= 0);
}

static List *
predicate(Pushdown *push, GcTest test, const GcColumn *column, Expr *value)
{
	int index = -1;

	if (!is_exact(push, test, column, value))
		push->exact = false;
	if (value)
	{
		index = list_length(*push->exprs);
		*push->exprs = lappend(*push->exprs, value);
	}
	return list_make1(list_make3_int(test, column->attnum, index));
}

static List *
push_operator(Pushdown *push, OpExpr *expr)
{
	Comparison comparison;
	GcTest test;

	if (list_length(expr->args) != 2 ||
		!match_operands(push->root, push->rel, push->relid, expr->args, expr->opno,
						expr->inputcollid, true, &comparison) ||
		!test_of(push->rel, &comparison, &test))
		return NIL;
	return predicate(push, test, comparison.column, comparison.value);
}

static List *
push_array(Pushdown *push, ScalarArrayOpExpr *expr)
{
	Comparison comparison;
	GcTest test;

	if (!expr->useOr ||
		!match_operands(push->root, push->rel, push->relid, expr->args, expr->opno,
						expr->inputcollid, false, &comparison) ||
		!test_of(push->rel, &comparison, &test) || test != GC_TEST_EQUALS)
		return NIL;
	return predicate(push, GC_TEST_IN, comparison.column, comparison.value);
}

static List *
push_null_test(Pushdown *push, NullTest *expr)
{
	const GcColumn *column = column_of(push->rel, push->relid, (Node *) expr->arg);

	if (column == NULL || column->field == NULL || expr->argisrow)
		return NIL;
	return predicate(push, expr->nulltesttype == IS_NULL ? GC_TEST_NULL : GC_TEST_NOT_NULL,
					 column, NULL);
}

/* Predicates of which one holds wherever the expression does; NIL if there are none. */
static List *
push_expression(Pushdown *push, Node *node)
{
	List *all = NIL;
	ListCell *lc;

	switch (nodeTag(node))
	{
		case T_RestrictInfo:
			return push_expression(push, (Node *) ((RestrictInfo *) node)->clause);
		case T_OpExpr:
			return push_operator(push, (OpExpr *) node);
		case T_ScalarArrayOpExpr:
			return push_array(push, (ScalarArrayOpExpr *) node);
		case T_NullTest:
			return push_null_test(push, (NullTest *) node);
		case T_BoolExpr:
			break;
		default:
			return NIL;
	}
	foreach (lc, ((BoolExpr *) node)->args)
	{
		List *one = push_expression(push, lfirst(lc));

		switch (((BoolExpr *) node)->boolop)
		{
			case AND_EXPR:
				/* Any arm of an AND holds wherever all of it does, and elsewhere. */
				push->exact = false;
				if (one != NIL)
					return one;
				break;
			case OR_EXPR:
				if (one == NIL)
					return NIL;
				all = list_concat(all, one);
				break;
			default:
				return NIL;
		}
	}
	return all;
}

/* Are all of them about one column that is equal to something?  A parameter says no more. */
static bool
is_one_parameter(List *predicates)
{
	int column = list_nth_int(linitial(predicates), GcPredicateColumn);
	ListCell *lc;

	if (list_length(predicates) == 1)
		return true;
	foreach (lc, predicates)
	{
		GcTest test = list_nth_int(lfirst(lc), GcPredicateTest);

		if (list_nth_int(lfirst(lc), GcPredicateColumn) != column ||
			(test != GC_TEST_EQUALS && test != GC_TEST_IN))
			return false;
	}
	return true;
}

List *
gc_pushdown(PlannerInfo *root, const GcRelation *rel, Index relid, List *clauses, List **exprs,
			bool *exact)
{
	Pushdown push = {
		.root = root,
		.rel = rel,
		.relid = relid,
		.exprs = exprs,
		.exact_filters = gc_option_bool(rel->options, rel->server_options, "exact_filters"),
		.exact = true,
	};
	List *pushed = NIL;
	ListCell *lc;

	foreach (lc, clauses)
	{
		List *predicates = push_expression(&push, lfirst(lc));

		if (predicates != NIL && (rel->resource->has_list || is_one_parameter(predicates)))
			pushed = lappend(pushed, predicates);
		else
			push.exact = false;
	}
	if (exact)
		*exact = push.exact;
	return pushed;
}

bool
gc_pushdown_identity(PlannerInfo *root, const GcRelation *rel, Index relid, Expr *clause,
					 GcIdentity *identity)
{
	Comparison comparison;
	bool found = false;

	identity->is_array = IsA(clause, ScalarArrayOpExpr);
	if (identity->is_array)
	{
		ScalarArrayOpExpr *expr = (ScalarArrayOpExpr *) clause;

		found = expr->useOr && match_operands(root, rel, relid, expr->args, expr->opno,
											  expr->inputcollid, false, &comparison);
	}
	else if (IsA(clause, OpExpr) && list_length(((OpExpr *) clause)->args) == 2)
	{
		OpExpr *expr = (OpExpr *) clause;

		found = match_operands(root, rel, relid, expr->args, expr->opno, expr->inputcollid,
							   true, &comparison);
	}
	if (!found || get_opcode(comparison.op) != F_TEXTEQ ||
		!is_plain_text(comparison.column, comparison.collation))
		return false;
	identity->column = comparison.column->attnum;
	identity->value = comparison.value;
	identity->is_key = identity->column == rel->key && rel->key != 0;
	return identity->is_key || (identity->column == rel->id && rel->id != 0);
}
