/*
 * base/progress.c
 *	  How far the statements at work have come, for all to see.
 */
#include "postgres.h"

#include "base/progress.h"

#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "storage/ipc.h"
#include "utils/timestamp.h"

typedef struct ProgressMemory
{
	GcSharedHead head;
	GcProgressState slots[FLEXIBLE_ARRAY_MEMBER];
} ProgressMemory;

struct GcProgress
{
	GcProgressState *slot; /* NULL: none was free */
	MemoryContextCallback on_reset;
};

static int
room(void)
{
	return gc_shared_is_shared() ? 256 : 16;
}

static Size
progress_size(void)
{
	return offsetof(ProgressMemory, slots) + sizeof(GcProgressState) * room();
}

GcSharedPart gc_progress_part = {"gc_fdw progress", progress_size};

static GcProgressState *
slots(void)
{
	return ((ProgressMemory *) gc_progress_part.memory)->slots;
}

static void
progress_reset(void *arg)
{
	GcProgress *progress = arg;

	gc_shared_lock(&gc_progress_part, LW_EXCLUSIVE);
	if (progress->slot && progress->slot->pid == MyProcPid)
		progress->slot->pid = 0;
	gc_shared_unlock(&gc_progress_part);
	progress->slot = NULL;
}

/* A session that ends leaves no slot, whatever it was at. */
static void
progress_exit(int code, Datum arg)
{
	gc_shared_lock(&gc_progress_part, LW_EXCLUSIVE);
	for (int i = 0; i < room(); i++)
		if (slots()[i].pid == MyProcPid)
			slots()[i].pid = 0;
	gc_shared_unlock(&gc_progress_part);
}

static GcProgressState *
slot_take(void)
{
	for (int i = 0; i < room(); i++)
		if (slots()[i].pid == 0)
		{
			memset(&slots()[i], 0, sizeof(GcProgressState));
			slots()[i].pid = MyProcPid;
			return &slots()[i];
		}
	return NULL;
}

GcProgress *
gc_progress_begin(const GcStatOwner *owner, const char *list, const char *operation)
{
	static bool registered = false;
	GcProgress *progress = palloc0(sizeof(GcProgress));
	GcProgressState *slot;

	(void) gc_shared_get(&gc_progress_part);
	if (!registered)
		before_shmem_exit(progress_exit, 0);
	registered = true;
	progress->on_reset.func = progress_reset;
	progress->on_reset.arg = progress;
	MemoryContextRegisterResetCallback(CurrentMemoryContext, &progress->on_reset);
	gc_shared_lock(&gc_progress_part, LW_EXCLUSIVE);
	slot = progress->slot = slot_take();
	if (slot)
	{
		int len =
			pg_encoding_mbcliplen(PG_UTF8, list, strlen(list), GC_PROGRESS_NAME_SIZE - 1);

		slot->owner = *owner;
		memcpy(slot->list, list, len);
		strlcpy(slot->operation, operation, sizeof(slot->operation));
		slot->rows_total = -1;
		slot->since = GetCurrentTimestamp();
	}
	gc_shared_unlock(&gc_progress_part);
	return progress;
}

void
gc_progress_update(GcProgress *progress, int64 rows_done, int64 rows_total, int64 requests,
				   int64 quota_wait_us)
{
	if (progress->slot == NULL)
		return;
	gc_shared_lock(&gc_progress_part, LW_EXCLUSIVE);
	progress->slot->rows_done = rows_done;
	progress->slot->rows_total = rows_total;
	progress->slot->requests = requests;
	progress->slot->quota_wait_us = quota_wait_us;
	gc_shared_unlock(&gc_progress_part);
}

GcProgressState *
gc_progress_show(int *count)
{
	GcProgressState *copy = palloc(sizeof(GcProgressState) * room());

	(void) gc_shared_get(&gc_progress_part);
	*count = 0;
	gc_shared_lock(&gc_progress_part, LW_SHARED);
	for (int i = 0; i < room(); i++)
		if (slots()[i].pid != 0)
			copy[(*count)++] = slots()[i];
	gc_shared_unlock(&gc_progress_part);
	return copy;
}
