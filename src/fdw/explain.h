/*
 * fdw/explain.h
 *	  What EXPLAIN says of our nodes.
 */
#ifndef GC_FDW_EXPLAIN_H
#define GC_FDW_EXPLAIN_H

#include "postgres.h"

#include "base/stat.h"
#include "fdw/relation.h"
#include "fdw/source.h"
#include "fdw/verb.h"

#include "commands/explain.h"

/* "list_id" is NULL where it is not known without a request. */
extern void gc_explain_scan(ExplainState *es, const GcSourceRequest *request,
							const GcSourceOps *ops, const char *criteria);
extern void gc_explain_modify(ExplainState *es, GcRelation *rel, const char *list_id,
							  GcVerb verb, int batch_rows);

/* Of a bulk job: "criteria" NULL: by ids; "patch" NULL: a removal. */
extern void gc_explain_direct(ExplainState *es, const GcSourceRequest *request, bool edit,
							  const char *criteria, const char *patch);

/* What is expected of one walk over the rows, at the present quota. */
extern void gc_explain_requests(ExplainState *es, int requests, double seconds);

/* What an INSERT does with contacts that are there; "single": row by row. */
extern void gc_explain_duplicates(ExplainState *es, GcRelation *rel, const char *list_id,
								  const char *mode, bool single);

/* EXPLAIN ANALYZE: what really happened. */
extern void gc_explain_stat(ExplainState *es, const GcStat *stat);

#endif /* GC_FDW_EXPLAIN_H */
