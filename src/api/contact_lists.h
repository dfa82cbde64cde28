/*
 * api/contact_lists.h
 *	  What a contact list is: its name, columns and types.
 *
 * Columns of a list never change on the platform, so what was read of a list
 * is kept for the session with the connection, by id; a list that is no longer
 * found is forgotten (gc_list_forget), as its name may stand for another one
 * by then.
 */
#ifndef GC_API_CONTACT_LISTS_H
#define GC_API_CONTACT_LISTS_H

#include "postgres.h"

#include "api/request.h"

typedef enum GcColumnType
{
	GC_COLUMN_TEXT,
	GC_COLUMN_NUMERIC,
	GC_COLUMN_TIMESTAMP,
} GcColumnType;

/* Strings are UTF-8, as the platform has them. */
typedef struct GcList
{
	char *id;
	char *name;
	int64 size; /* contacts when it was read; -1: not known */
	int column_count;
	char **columns;
	GcColumnType *types;
	bool *is_phone;
	char *zip_column; /* whose postal codes tell time zones; NULL: none */
	bool forgotten;
} GcList;

/*
 * The list with that id, or that name if "id" is NULL.  Throws HV00R with the
 * nearest names as a hint if there is none.
 */
extern GcList *gc_list_get(GcConnection *conn, GcStat *stat, const char *id, const char *name);

/* The same without a request: NULL unless it has been read in this session. */
extern GcList *gc_list_known(GcConnection *conn, const char *id, const char *name);

/* All lists of the organisation whose name begins with "prefix" (NULL: all), as GcList *. */
extern List *gc_list_all(GcConnection *conn, GcStat *stat, const char *prefix);

/* The platform no longer finds it. */
extern void gc_list_forget(GcList *list);

#endif /* GC_API_CONTACT_LISTS_H */
