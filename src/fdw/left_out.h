/*
 * fdw/left_out.h
 *	  Cells that an INSERT leaves out: what the first echoes say became of them.
 *
 * Whether the platform keeps or blanks such cells of a contact that is there is not
 * published (DESIGN 2.1).  A value in one of them shows that it keeps them.  If none of
 * the contacts that have been there for long has any, it may have blanked them: that is
 * a WARNING, once for each list in a session.
 */
#ifndef GC_FDW_LEFT_OUT_H
#define GC_FDW_LEFT_OUT_H

#include "postgres.h"

#include "fdw/deliver.h"

/* From now on the answers to the target's POSTs are looked at; in the current context. */
extern void gc_left_out_watch(GcTarget *target, const GcRelation *rel, const GcList *list);

#endif /* GC_FDW_LEFT_OUT_H */
