/*
 * funcs/forget_funcs.h
 *	  What forget_contact() needs of the layers beside it.
 */
#ifndef GC_FUNCS_FORGET_FUNCS_H
#define GC_FUNCS_FORGET_FUNCS_H

#include "postgres.h"

#include "nodes/pg_list.h"

/* See gc_staged_forget(); from _PG_init. */
extern void gc_forget_funcs_init(int64 (*staged)(const char *id, const char *server,
												 List **refused));

#endif /* GC_FUNCS_FORGET_FUNCS_H */
