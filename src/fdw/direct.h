/*
 * fdw/direct.h
 *	  UPDATE and DELETE as bulk jobs of the platform: direct_modify.
 *
 * Where the WHERE is said exactly by criteria, or names contacts by their ids, and
 * SET gives all of them the same, the platform does it by itself.  Whether it can
 * be said is partly known only with the values and the list's types: the plan has
 * the ordinary scan below it, and goes row by row where it cannot.
 */
#ifndef GC_FDW_DIRECT_H
#define GC_FDW_DIRECT_H

#include "postgres.h"

#include "foreign/fdwapi.h"

extern void gc_direct_routine(FdwRoutine *routine);

#endif /* GC_FDW_DIRECT_H */
