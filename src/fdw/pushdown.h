/*
 * fdw/pushdown.h
 *	  Which conditions of a query the platform can check as well.
 *
 * Where rows are returned, what is pushed is always checked again by the
 * executor, so it only has to be sure that the platform returns no less than what
 * is wanted (DESIGN 4.4): text may be compared without regard to case there, so
 * equality is pushed but not its negation, nor an order of texts; numbers are
 * compared as doubles, so < is pushed as <=.
 *
 * Where nothing is checked again (COUNT(*)), or few rows are asked for because
 * none will be dropped (LIMIT), conditions have to be exact: to hold there for
 * the very rows for which they hold here.
 */
#ifndef GC_FDW_PUSHDOWN_H
#define GC_FDW_PUSHDOWN_H

#include "postgres.h"

#include "fdw/relation.h"

#include "nodes/pathnodes.h"
#include "nodes/pg_list.h"

/* What the platform is to test; the value is an expression, but for the last two. */
typedef enum GcTest
{
	GC_TEST_EQUALS,
	GC_TEST_IN,		/* the value is an array */
	GC_TEST_LIKE,	/* the value is a pattern */
	GC_TEST_BEGINS, /* ^@ */
	GC_TEST_LESS,
	GC_TEST_AT_MOST,
	GC_TEST_GREATER,
	GC_TEST_AT_LEAST,
	GC_TEST_BEFORE,
	GC_TEST_AFTER,
	GC_TEST_NULL,
	GC_TEST_NOT_NULL,
} GcTest;

/* A predicate, as a plan carries it: an IntList. */
enum GcPredicatePart
{
	GcPredicateTest,
	GcPredicateColumn, /* attnum */
	GcPredicateValue,  /* index into the plan's fdw_exprs; -1: none */
};

/*
 * The clauses (bare expressions, AND) that the platform can check: a list of
 * lists of predicates, of which one has to hold.  Appends values to *exprs.
 * *exact (may be NULL): they say all that the clauses say, exactly, as far as
 * that can be told without values and the list's types; see gc_filter_apply().
 */
extern List *gc_pushdown(PlannerInfo *root, const GcRelation *rel, Index relid, List *clauses,
						 List **exprs, bool *exact);

/* "contact_id = value" or "= ANY (array)": which contacts by name. */
typedef struct GcIdentity
{
	AttrNumber column; /* the attribute "id", or the key */
	bool is_key;	   /* contacts with that key may have other ids, too */
	bool is_array;
	Expr *value;
} GcIdentity;

/* Does the clause name contacts?  Fills *identity if so. */
extern bool gc_pushdown_identity(PlannerInfo *root, const GcRelation *rel, Index relid,
								 Expr *clause, GcIdentity *identity);

#endif /* GC_FDW_PUSHDOWN_H */
