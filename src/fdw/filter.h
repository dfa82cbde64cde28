/*
 * fdw/filter.h
 *	  The conditions of a plan with the values of one execution.
 */
#ifndef GC_FDW_FILTER_H
#define GC_FDW_FILTER_H

#include "postgres.h"

#include "fdw/source.h"

#include "nodes/execnodes.h"

typedef struct GcFilter GcFilter;

/*
 * "conditions" as gc_pushdown makes them; "identity" is the index of the value
 * that names contacts, in "exprs"; -1: none does.  "exactly": they are to hold for
 * the very rows for which they hold here, where that can be said.  Lives in the
 * current context.
 */
extern GcFilter *gc_filter_create(PlanState *node, const GcRelation *rel, List *conditions,
								  List *exprs, int identity, bool exactly);

/*
 * Evaluates the values and says what to ask for: sets criteria and ids of the
 * request, in the current context.  A condition that the list's own column types
 * do not let the platform check is left to the executor.  Sets "exact": are they
 * all said exactly, as was wished?  False if no row at all can match, because a
 * value is NULL.
 */
extern bool gc_filter_apply(GcFilter *filter, GcSourceRequest *request);

/*
 * The criteria of those conditions whose values are constants, for the planner, in
 * the current context; NULL if there are none.
 */
extern const char *gc_filter_constants(const GcRelation *rel, List *conditions, List *exprs,
									   const GcList *list);

/*
 * The criteria for EXPLAIN, in the current context, without evaluating anything
 * but constants: other values stand as "?".  "list" NULL: its types are not known
 * yet.  NULL if the platform checks nothing.
 */
extern const char *gc_filter_show(GcFilter *filter, const GcList *list);

#endif /* GC_FDW_FILTER_H */
