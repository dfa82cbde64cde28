/*
 * store/import_lock.h
 *	  Who sends what: locks of imports, lists and places among the workers.
 *
 * Heavyweight locks of no database, so that they count in the whole cluster; of the
 * session, so that they outlive its transactions.  They go with the process.
 */
#ifndef GC_STORE_IMPORT_LOCK_H
#define GC_STORE_IMPORT_LOCK_H

#include "postgres.h"

/* A contact list: whoever sends an import to it holds it. */
extern bool gc_lock_list(const char *list_id);
extern void gc_unlock_list(const char *list_id);

/* One of "places"; returns which, or -1 if all are taken. */
extern int gc_lock_place(int places);
extern void gc_unlock_place(int place);

/* Who stays for tasks of this database that are to be tried again: one worker at a time. */
extern bool gc_lock_tasks(void);
extern void gc_unlock_tasks(void);

#endif /* GC_STORE_IMPORT_LOCK_H */
