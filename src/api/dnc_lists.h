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
	char *source_type;	  /* "rds", …; NULL: it does not say */
	char *contact_method; /* "Phone", …; NULL: it does not say */
} GcDncList;

/* Where they are, and one of them. */
#define GC_DNC_LISTS_PATH "/api/v2/outbound/dnclists"
#define GC_DNC_LIST_ONE	  GC_DNC_LISTS_PATH "/{dncListId}"

/* The list with that id or, if it is NULL, that name; throws HV00R if there is none. */
extern GcDncList *gc_dnc_list_get(GcConnection *conn, GcStat *stat, const char *id,
								  const char *name);

/* Throws HV00R: there is no list with that id or name. */
extern _Noreturn void gc_dnc_list_missing(const char *wanted);

/*
 * All lists whose name begins with "prefix" (NULL: all), as GcDncList *.  Sets
 * *refused, and gives none, if the platform shows none to this client.
 */
extern List *gc_dnc_list_all(GcConnection *conn, GcStat *stat, const char *prefix,
							 bool *refused);

#endif /* GC_API_DNC_LISTS_H */
