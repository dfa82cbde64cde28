/*
 * funcs/parent_funcs.h
 *	  create_list_parent(): one table over many lists.
 */
#ifndef GC_FUNCS_PARENT_FUNCS_H
#define GC_FUNCS_PARENT_FUNCS_H

#include "postgres.h"

/* Of a foreign table of contacts: its list's name, and its column that has it (NULL: none). */
typedef char *(*GcListNamer)(Oid relid, char **column);

/* From whom it learns that; once, from _PG_init. */
extern void gc_parent_funcs_init(GcListNamer namer);

#endif /* GC_FUNCS_PARENT_FUNCS_H */
