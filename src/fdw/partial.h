/*
 * fdw/partial.h
 *	  INSERTs that do not name all columns of their list: the option partial_rows.
 *
 * Whether the platform keeps or blanks the cells that a POST leaves out is not
 * published (DESIGN 2.1).  Such an INSERT may be taken as it comes, be refused, or
 * have its rows merged with the contacts that are there.
 */
#ifndef GC_FDW_PARTIAL_H
#define GC_FDW_PARTIAL_H

#include "postgres.h"

#include "fdw/modify_state.h"

typedef struct GcPartial GcPartial;

/*
 * What is to be done with the rows of an INSERT into an open list that names these
 * columns; NULL: nothing, or only that what becomes of the others is looked at, unless
 * all contacts are new.  Throws 0A000 if it is to be refused.
 */
extern GcPartial *gc_partial_open(const GcModify *modify, const Bitmapset *named,
								  bool all_new);

/* A row goes out, merged with the contact of its id if there is one; not at once. */
extern void gc_partial_row(GcPartial *partial, const GcRow *row);

/* The row with the contact of its id, at once, in the current context.  False: it is rejected. */
extern bool gc_partial_merge(GcPartial *partial, GcRow *row);

#endif /* GC_FDW_PARTIAL_H */
