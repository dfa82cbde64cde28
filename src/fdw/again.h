/*
 * fdw/again.h
 *	  Contacts that may have been sent already: only what the platform does not show goes again.
 *
 * After a crash nobody knows what became of a part of an import (DESIGN 3).  Its
 * contacts are looked up by id; one that shows all that was to be sent is left alone,
 * whatever else it has got since.
 */
#ifndef GC_FDW_AGAIN_H
#define GC_FDW_AGAIN_H

#include "postgres.h"

#include "fdw/deliver.h"

typedef struct GcAgain GcAgain;

/* In the current context; a row that has to be sent goes to send(), or by the target if it is NULL. */
extern GcAgain *gc_again_create(GcTarget *target, const GcRelation *rel, const GcList *list,
								int max_in_flight, void (*send)(void *arg, const GcRow *row),
								void *arg);

/* Takes a row, which may be looked up and sent later. */
extern void gc_again_row(GcAgain *again, const GcRow *row);

/* Looks up the last of them; how many of all were there. */
extern int64 gc_again_finish(GcAgain *again);

#endif /* GC_FDW_AGAIN_H */
