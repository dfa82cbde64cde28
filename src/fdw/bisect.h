/*
 * fdw/bisect.h
 *	  Batches that are refused for some of their contacts: which ones.
 *
 * The platform refuses a batch whole.  One that is too large, or that holds a
 * contact of the dialler's, goes again as two halves, both at once.  One that is to
 * write contacts, and that is refused for what a contact says, is searched:
 * parts of it go one after the other, in the place on the wire that the batch had,
 * until the first refused contact is found, which takes as many requests as the
 * batch can be halved; then the rest is sent whole.  A contact that is refused by
 * itself is rejected (gc_deliver_on_refusal), or fails the statement.
 *
 * Where nearly all are refused, that would take many requests: see bisect.c.
 */
#ifndef GC_FDW_BISECT_H
#define GC_FDW_BISECT_H

#include "postgres.h"

#include "fdw/deliver_parts.h"

/*
 * Sees to a batch that has ended and is off the wire, if it is refused for some of
 * its contacts; false: it is not, or they are to fail the statement.
 */
extern bool gc_bisect_refused(GcBatch *batch);

/* A batch's contacts are there: goes on with that which it is a part of, or gives it back. */
extern void gc_bisect_accepted(GcBatch *batch);

/* Rejects the one contact of a batch; false: it is not refused, or is to fail the statement. */
extern bool gc_bisect_reject_single(GcBatch *batch);

/* Is it refused for what one of its contacts says? */
extern bool gc_bisect_is_row(const GcBatch *batch, const GcFailure *failure);

#endif /* GC_FDW_BISECT_H */
