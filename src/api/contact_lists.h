/*
 * api/contact_lists.h
 *	  What a contact list is: its name, columns and types.
 *
 * Columns of a list never change on the platform, so what was read of a list, or written,
 * is kept for the session with the connection, by id.  Its name may pass to
 * another list, though: whoever writes asks anew now and then
 * (gc_list_current), and a list of which the platform says that it is not
 * there, or has other columns, is forgotten (gc_list_forget).  Where columns can be added,
 * one that a list lacks may have come since (gc_list_grown).
 */
#ifndef GC_API_CONTACT_LISTS_H
#define GC_API_CONTACT_LISTS_H

#include "postgres.h"

#include "api/request.h"
#include "base/cell.h"
#include "base/clock.h"

#define GC_LISTS_PATH "/api/v2/outbound/contactlists"

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
	int *max_chars; /* of a cell, where the list says so; 0: it does not */
	bool *is_phone;
	bool *is_email;
	bool *is_required; /* the list says that it must have a value */
	bool trims;		   /* the cells of files */
	char *zip_column;  /* whose postal codes tell time zones; NULL: none */
	GcTime read_at;	   /* when it was last seen to be so */
	bool forgotten;
} GcList;

/*
 * The list with that id, or that name if "id" is NULL.  Throws HV00R with the
 * nearest names as a hint if there is none.
 */
extern GcList *gc_list_get(GcConnection *conn, GcStat *stat, const char *id, const char *name);

/*
 * The same for who is about to write to it: asks again if what is known was read
 * longer ago than that.
 */
extern GcList *gc_list_current(GcConnection *conn, GcStat *stat, const char *id,
							   const char *name, int max_age_ms);

/* The same without a request: NULL unless it has been read in this session. */
extern GcList *gc_list_known(GcConnection *conn, const char *id, const char *name);

/*
 * One that lacks a column: if columns can be added in the server's dialect, and it was read
 * before "since", the list as it is now.
 */
extern GcList *gc_list_grown(GcConnection *conn, GcStat *stat, GcList *list, GcTime since);

/* One of gc_list_all() with all that the dialect says of it, by a call if need be. */
extern GcList *gc_list_whole(GcConnection *conn, GcStat *stat, GcList *listed);

/* All lists of the organisation whose name begins with "prefix" (NULL: all), as GcList *. */
extern List *gc_list_all(GcConnection *conn, GcStat *stat, const char *prefix);

/* The list's column of that name, or -1. */
extern int gc_list_column(const GcList *list, const char *name);

/* A list as it was written by this session just now, JSON; NULL: it is deleted. */
extern void gc_list_note(GcConnection *conn, const char *id, const char *object);

/* One that is so old: its contacts may not be found yet (A2). */
extern void gc_list_expect(GcConnection *conn, const char *id, int64 age_us);

/* The platform no longer finds it. */
extern void gc_list_forget(GcList *list);

/* Does the failure of a call about a list say that it is gone, or has other columns? */
static inline bool
gc_list_is_doubted(const GcFailure *failure)
{
	return failure->cause == GC_CAUSE_NOT_FOUND || failure->cause == GC_CAUSE_COLUMNS;
}

#endif /* GC_API_CONTACT_LISTS_H */
