/*
 * base/progress.h
 *	  How far the statements at work have come, for all to see.
 *
 * One slot in shared memory for each list that a statement reads or writes; it
 * is updated with each batch or page, and freed with a memory context.
 */
#ifndef GC_BASE_PROGRESS_H
#define GC_BASE_PROGRESS_H

#include "postgres.h"

#include "base/shared.h"
#include "base/stat.h"

/* The memory, for the composition root to declare. */
extern GcSharedPart gc_progress_part;

#define GC_PROGRESS_NAME_SIZE 128

typedef struct GcProgressState
{
	GcStatOwner owner;
	int pid;						  /* 0: free */
	char list[GC_PROGRESS_NAME_SIZE]; /* in UTF-8 */
	char operation[16];				  /* INSERT, SELECT … */
	int64 rows_done;
	int64 rows_total; /* -1: not known */
	int64 requests;
	int64 quota_wait_us;
	TimestampTz since;
} GcProgressState;

typedef struct GcProgress GcProgress;

/*
 * Shows a statement's work on a list until the current context is reset.  If
 * all slots are taken it is not shown; the functions below then do nothing.
 */
extern GcProgress *gc_progress_begin(const GcStatOwner *owner, const char *list,
									 const char *operation);

/* "rows_total" -1: not known. */
extern void gc_progress_update(GcProgress *progress, int64 rows_done, int64 rows_total,
							   int64 requests, int64 quota_wait_us);

/* The slots in use; in the current context. */
extern GcProgressState *gc_progress_show(int *count);

#endif /* GC_BASE_PROGRESS_H */
