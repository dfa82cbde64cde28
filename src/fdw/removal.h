/*
 * fdw/removal.h
 *	  A batch of contacts that is deleted, and whether they are gone.
 *
 * A DELETE of several contacts passes over those that a campaign uses without a
 * word, so they are all looked for afterwards, as many a request as a look-up
 * takes.  A DELETE of one says what became of it; where the statement goes on without
 * a contact that a campaign uses, that one is looked at, too.
 */
#ifndef GC_FDW_REMOVAL_H
#define GC_FDW_REMOVAL_H

#include "postgres.h"

#include "api/contact_lists.h"
#include "fdw/batch.h"

/* Did the call that has ended fail because there was no such contact?  That is as good. */
extern bool gc_removal_is_gone(const GcBatch *batch);

/* Did it fail because a campaign uses the one contact? */
extern bool gc_removal_is_refused(const GcBatch *batch);

/* The DELETE is done, or refused so; what it left is to be looked at. */
extern void gc_removal_acted(GcBatch *batch);

/* Books the call that has ended well; returns what is wrong with its answer, or NULL. */
extern const char *gc_removal_book(GcBatch *batch);

/* Is it known of all of them whether they are gone? */
extern bool gc_removal_done(const GcBatch *batch);

/* The next look-up; what it points to lives as long as the batch's rows. */
extern void gc_removal_next(GcBatch *batch, const GcList *list, GcCallSpec *spec);

#endif /* GC_FDW_REMOVAL_H */
