/*
 * fdw/cost.h
 *	  What the ways of reading cost: requests, and the planner's units.
 *
 * Knows a table's size from ANALYZE, from what was seen of it (fdw/size.h), or
 * guesses it from its resource; asks nobody.
 */
#ifndef GC_FDW_COST_H
#define GC_FDW_COST_H

#include "postgres.h"

#include "fdw/pushdown.h"
#include "fdw/relation.h"

#include "nodes/pathnodes.h"

/* An export is asked for, looked at until it is there, and fetched: so many, or some more. */
#define GC_COST_EXPORT_REQUESTS 6

/* Added to what would be refused, so that another way is taken, if there is one. */
#define GC_COST_REFUSED 1.0e10

typedef struct GcReadCost
{
	double requests; /* token and the look at the list aside */
	Cost startup;
	Cost total;
} GcReadCost;

/* The table's rows, conditions aside; has somebody seen how many there are? */
extern double gc_cost_table_rows(const GcRelation *rel);
extern bool gc_cost_is_known(const GcRelation *rel);

/* Rows that all conditions leave of those that the platform says it lets through. */
extern double gc_cost_asked_rows(PlannerInfo *root, RelOptInfo *baserel);

/* How many contacts a clause names, as far as can be told. */
extern double gc_cost_ids(PlannerInfo *root, const GcIdentity *identity);

/* Is that the planner's guess at the rows of a sub-select? */
extern bool gc_cost_ids_are_guessed(PlannerInfo *root, const GcIdentity *identity);

/*
 * To read what the platform lets through of "clauses" (RestrictInfos), by pages or
 * by export; to look up contacts by id, whose "rows" are expected to be found.  "columns": attnums wanted.
 */
extern GcReadCost gc_cost_search(PlannerInfo *root, RelOptInfo *baserel, Bitmapset *columns,
								 List *clauses);
extern GcReadCost gc_cost_export(PlannerInfo *root, RelOptInfo *baserel, List *clauses);
extern GcReadCost gc_cost_by_ids(PlannerInfo *root, RelOptInfo *baserel,
								 const GcIdentity *identity, double rows);

/* To ask how many rows there are; pages of so many rows. */
extern GcReadCost gc_cost_count(RelOptInfo *baserel);
extern double gc_cost_pages(const GcRelation *rel, double rows);

/* Requests of a search beyond which an export would be the cheaper way. */
extern double gc_cost_export_from(RelOptInfo *baserel);

/*
 * Look-ups by ids beyond which one export of a list of so many contacts is the cheaper
 * way, if it has to wait for so long before it can be asked for.
 */
extern double gc_cost_lookups_for_export(Oid user_id, const GcRelation *rel, double contacts,
										 double wait_ms);

/*
 * Seconds that so many requests of a role to a server take, as the quota is now;
 * those of an "export" with the time that it takes to be made.
 */
extern double gc_cost_seconds(Oid user_id, const GcRelation *rel, double requests,
							  bool export);

#endif /* GC_FDW_COST_H */
