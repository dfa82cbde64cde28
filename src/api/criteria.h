/*
 * api/criteria.h
 *	  Conditions of a search of contacts, as the platform's JSON has them.
 *
 * Two levels: clauses that must all hold, each of predicates of which one must.
 * Texts are UTF-8.
 */
#ifndef GC_API_CRITERIA_H
#define GC_API_CRITERIA_H

#include "postgres.h"

#include "lib/stringinfo.h"

typedef enum GcOperator
{
	GC_OPERATOR_EQUALS,
	GC_OPERATOR_IN,
	GC_OPERATOR_BEGINS_WITH,
	GC_OPERATOR_ENDS_WITH,
	GC_OPERATOR_CONTAINS,
	GC_OPERATOR_LESS_THAN,
	GC_OPERATOR_LESS_THAN_EQUALS,
	GC_OPERATOR_GREATER_THAN,
	GC_OPERATOR_GREATER_THAN_EQUALS,
	GC_OPERATOR_BEFORE,
	GC_OPERATOR_AFTER,
} GcOperator;

typedef struct GcCriteria
{
	StringInfoData text; /* an object, once gc_criteria_end has been called */
	int clauses;
	int predicates; /* of the clause at hand */
} GcCriteria;

extern void gc_criteria_begin(GcCriteria *criteria);

/* Begins another clause; one that got no predicate is left out. */
extern void gc_criteria_clause(GcCriteria *criteria);

/*
 * Adds a predicate to the clause: IN takes several values, all others one.
 * "numeric" compares numbers, else texts (or moments, for BEFORE and AFTER).
 */
extern void gc_criteria_predicate(GcCriteria *criteria, const char *column, bool numeric,
								  GcOperator op, bool inverted, char *const *values,
								  int value_count);

/* The whole as JSON; NULL if there is no clause. */
extern const char *gc_criteria_end(GcCriteria *criteria);

/* Two of these as one, in which the clauses of both must hold. */
extern char *gc_criteria_both(const char *one, const char *other);

/* A search is sorted by so many columns at most. */
#define GC_SORTS_MAX 4

/* Appends what to sort by next, JSON with a comma before it if there is something already. */
extern void gc_criteria_sort(StringInfo sorts, const char *column, bool descending,
							 bool numeric);

#endif /* GC_API_CRITERIA_H */
