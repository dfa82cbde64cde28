/*
 * fdw/id_sort.h
 *	  Ids in ascending order of their bytes, each with a number; beyond its share
 *	  of work_mem on disk.
 */
#ifndef GC_FDW_ID_SORT_H
#define GC_FDW_ID_SORT_H

#include "postgres.h"

typedef struct GcIdSort GcIdSort;

/* An empty one in the current context; "memory" in kB, as work_mem. */
extern GcIdSort *gc_id_sort_create(int memory);

extern void gc_id_sort_put(GcIdSort *sort, const char *id, int len, int64 number);

/* All are there. */
extern void gc_id_sort_finish(GcIdSort *sort);

/* The next one, of the same ids that with the lowest number; it stays until the one after it. */
extern bool gc_id_sort_next(GcIdSort *sort, const char **id, int *len, int64 *number);

extern void gc_id_sort_end(GcIdSort *sort);

#endif /* GC_FDW_ID_SORT_H */
