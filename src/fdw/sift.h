/*
 * fdw/sift.h
 *	  Which entities of a listing a query wants, before further calls are made for them.
 *
 * The executor drops rows by the conditions that the platform does not check, but only when
 * they are whole.  Conditions on what the listing itself has can be known before.
 */
#ifndef GC_FDW_SIFT_H
#define GC_FDW_SIFT_H

#include "postgres.h"

#include "api/expand.h"
#include "fdw/relation.h"

#include "nodes/execnodes.h"

/*
 * For a scan that has begun, in the current context; NULL: it takes no further calls, or no
 * condition helps.  "columns" are those that the query uses (attnums).
 */
extern const GcSift *gc_sift_create(ForeignScanState *node, GcRelation *rel,
									Bitmapset *columns);

#endif /* GC_FDW_SIFT_H */
