/*
 * store/import_control.h
 *	  What users do with imports: resume and cancel them, pause lists and servers.
 *
 * In the caller's transaction, whose end wakes workers and who waits.  Nobody's
 * privileges are checked here.
 */
#ifndef GC_STORE_IMPORT_CONTROL_H
#define GC_STORE_IMPORT_CONTROL_H

#include "postgres.h"

#include "utils/array.h"

/*
 * What is paused can be sent again, and what was submitted elsewhere belongs here now: that
 * import.  False: it is over, or there is none.
 */
extern bool gc_import_resume(int64 id);

/*
 * All of this place that were submitted by these roles (name[]), but for those that are
 * tried again later by themselves; how many can be sent now.
 */
extern int64 gc_import_resume_all(ArrayType *roles);

/*
 * No more of it is sent.  It ends at once if nobody sends it, else when what is under way
 * has been answered.  False: it is over.
 */
extern bool gc_import_cancel(int64 id);

/* A contact list, by its id or else its name, or a server, if both are NULL. */
typedef struct GcImportPause
{
	const char *server;
	const char *list_id;   /* or NULL */
	const char *list_name; /* or NULL */
} GcImportPause;

/* Imports to it wait, after the part that is under way.  Again: the new reason counts. */
extern void gc_import_hold(const GcImportPause *pause, const char *reason);

/* They go on.  False: there is no such pause. */
extern bool gc_import_release(const GcImportPause *pause);

#endif /* GC_STORE_IMPORT_CONTROL_H */
