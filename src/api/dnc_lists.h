/*
 * api/dnc_lists.h
 *	  Which do-not-call lists there are.
 */
#ifndef GC_API_DNC_LISTS_H
#define GC_API_DNC_LISTS_H

#include "postgres.h"

#include "api/request.h"

/* Strings are UTF-8, as the platform has them. */
typedef struct GcDncList
{
	char *id;
	char *name;
} GcDncList;

/* The id of the list with that name; throws HV00R if there is none. */
extern char *gc_dnc_list_find(GcConnection *conn, GcStat *stat, const char *name);

/* Throws HV00R: there is no list with that id or name. */
extern _Noreturn void gc_dnc_list_missing(const char *wanted);

/*
 * All lists whose name begins with "prefix" (NULL: all), as GcDncList *.  Sets
 * *refused, and gives none, if the platform shows none to this client.
 */
extern List *gc_dnc_list_all(GcConnection *conn, GcStat *stat, const char *prefix,
							 bool *refused);

#endif /* GC_API_DNC_LISTS_H */
