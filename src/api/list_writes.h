/*
 * api/list_writes.h
 *	  Contact lists as they are made, changed and deleted.
 */
#ifndef GC_API_LIST_WRITES_H
#define GC_API_LIST_WRITES_H

#include "postgres.h"

#include "api/entity.h"

extern const GcEntityKind gc_list_kind;

/*
 * Throws if a list that is to be made is none that the platform takes: its limits, and
 * columns that are named and not there (SCENARIOS A4).
 */
extern void gc_list_check_new(const GcEntityWriter *writer, const GcSpan *body,
							  const char *failed);

#endif /* GC_API_LIST_WRITES_H */
