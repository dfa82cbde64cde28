/*
 * funcs/list_work.h
 *	  A function that does the same to many lists: its connection, figures and audit row.
 *
 * With the caller's user mapping.  What the platform confirms is counted as it happens, so
 * that an error or a cancel finds it in the audit.
 */
#ifndef GC_FUNCS_LIST_WORK_H
#define GC_FUNCS_LIST_WORK_H

#include "postgres.h"

#include "api/contact_lists.h"
#include "api/each_list.h"
#include "store/audit.h"

#include "foreign/foreign.h"

typedef struct GcListWork
{
	GcConnection *conn;
	GcStat stat;
	GcAudit *audit;
	GcListWatch watch; /* for the api layer */
	void (*confirmed)(const GcListResult *result);
	int64 failed;
} GcListWork;

/*
 * In the current context, which is to go when the work is done.  "confirmed" (or NULL) is
 * told of each list that was changed.
 */
extern GcListWork *gc_list_work_begin(const ForeignServer *server, const char *operation,
									  void (*confirmed)(const GcListResult *result));

/* All lists have been seen to, some of them perhaps in vain: a WARNING says how many. */
extern void gc_list_work_end(GcListWork *work, const char *hint);

/* Throws 22023 for what is no contact's id, or none that a path can have. */
extern void gc_list_work_check_key(const char *key);

/* "waiting" counts the transaction's rows for a list that wait for COMMIT; from _PG_init. */
extern void gc_list_work_init(int64 (*waiting)(const GcList *list));

/* Throws 55000 if there are such: they would come after what is done now. */
extern void gc_list_work_check_waiting(const List *lists);

/* A name or id of the platform's, for whoever reads it; NULL for NULL. */
extern const char *gc_list_work_shown(const char *utf8);

#endif /* GC_FUNCS_LIST_WORK_H */
