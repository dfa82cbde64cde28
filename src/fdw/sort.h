/*
 * fdw/sort.h
 *	  Orders that the platform sorts by as PostgreSQL does.
 *
 * Those of numbers, in columns that are declared NOT NULL, as the option
 * exact_filters has it that their cells are numbers: what the platform does with
 * others, and by which collation it sorts texts, is not published.  Since a wrong
 * order would be wrong answers without a sign, rows are held against it as they
 * come.
 */
#ifndef GC_FDW_SORT_H
#define GC_FDW_SORT_H

#include "postgres.h"

#include "fdw/relation.h"

#include "nodes/pathnodes.h"
#include "nodes/pg_list.h"

/* So much of the order that the query wants as the platform can sort by; NIL: nothing. */
extern List *gc_sort_pathkeys(PlannerInfo *root, RelOptInfo *baserel);

/* These pathkeys as a plan carries them: for each an IntList of attnum, and whether it goes down. */
extern List *gc_sort_plan(RelOptInfo *baserel, List *pathkeys);

/* What to ask for, for such a list; NULL for an empty one.  In the current context. */
extern const char *gc_sort_json(const GcRelation *rel, List *sorts);

typedef struct GcSort GcSort;

/* Holds rows against the order; lives in the current context. */
extern GcSort *gc_sort_create(const GcRelation *rel, List *sorts);

/* Throws if a row does not stand where it should, after those before it. */
extern void gc_sort_check(GcSort *sort, const Datum *values, const bool *nulls);

#endif /* GC_FDW_SORT_H */
