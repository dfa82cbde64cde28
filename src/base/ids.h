/*
 * base/ids.h
 *	  Ids of things of the API, as lists of strings.
 */
#ifndef GC_BASE_IDS_H
#define GC_BASE_IDS_H

#include "postgres.h"

#include "nodes/pg_list.h"

/* Is it among them? */
static inline bool
gc_ids_have(const List *ids, const char *id)
{
	ListCell *lc;

	foreach (lc, ids)
		if (strcmp(lfirst(lc), id) == 0)
			return true;
	return false;
}

#endif /* GC_BASE_IDS_H */
