/*
 * base/shared.c
 *	  Memory that all backends share, where there is some.
 */
#include "postgres.h"

#include "base/compat.h"
#include "base/shared.h"

#include "miscadmin.h"
#include "storage/ipc.h"
#include "storage/shmem.h"
#include "utils/memutils.h"

#define SHARED_PARTS 8

static GcSharedPart *parts[SHARED_PARTS];
static int part_count = 0;
static bool preloaded = false;

static shmem_request_hook_type prev_shmem_request_hook = NULL;
static shmem_startup_hook_type prev_shmem_startup_hook = NULL;

void
gc_shared_declare(GcSharedPart *part)
{
	Assert(part_count < SHARED_PARTS);
	parts[part_count++] = part;
}

bool
gc_shared_is_shared(void)
{
	return preloaded || GC_COMPAT_NAMED_SEGMENTS;
}

/* Makes the part, in memory that is new. */
static void
part_make(GcSharedPart *part, void *memory, int tranche)
{
	GcSharedHead *head = memory;

	memset(memory, 0, part->size());
	LWLockInitialize(&head->lock, tranche);
	if (part->init)
		part->init(memory);
}

/* Every process has to know the lock's name for itself. */
static void
part_attach(GcSharedPart *part, void *memory)
{
	part->memory = memory;
	if (gc_shared_is_shared())
		LWLockRegisterTranche(part->memory->lock.tranche, "GcFdw");
}

/* ---- preloaded ---- */

static void
request_memory(void)
{
	if (prev_shmem_request_hook)
		prev_shmem_request_hook();
	for (int i = 0; i < part_count; i++)
		RequestAddinShmemSpace(MAXALIGN(parts[i]->size()));
}

static void
make_memory(void)
{
	if (prev_shmem_startup_hook)
		prev_shmem_startup_hook();
	LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
	for (int i = 0; i < part_count; i++)
	{
		bool found;
		void *memory = ShmemInitStruct(parts[i]->name, parts[i]->size(), &found);

		if (!found)
			part_make(parts[i], memory, LWLockNewTrancheId());
		part_attach(parts[i], memory);
	}
	LWLockRelease(AddinShmemInitLock);
}

void
gc_shared_init(void)
{
	preloaded = process_shared_preload_libraries_in_progress;
	if (!preloaded)
		return;
	prev_shmem_request_hook = shmem_request_hook;
	shmem_request_hook = request_memory;
	prev_shmem_startup_hook = shmem_startup_hook;
	shmem_startup_hook = make_memory;
}

/* ---- not preloaded ---- */

#if GC_COMPAT_NAMED_SEGMENTS
/* The segment's maker has no argument of its own. */
static GcSharedPart *part_at_work;

static void
make_segment(void *memory)
{
	part_make(part_at_work, memory, LWLockNewTrancheId());
}

static void *
part_find(GcSharedPart *part)
{
	bool found;

	/* A library of another version, with another layout, has another segment. */
	part_at_work = part;
	return GetNamedDSMSegment(psprintf("%s %zu", part->name, part->size()), part->size(),
							  make_segment, &found);
}
#else
static void *
part_find(GcSharedPart *part)
{
	void *memory = MemoryContextAlloc(TopMemoryContext, part->size());
	static bool told = false;

	if (!told)
		ereport(LOG, (errmsg("gc_fdw: every session keeps a quota of its own"),
					  errhint("Add gc_fdw to \"shared_preload_libraries\", so that they share "
							  "one.")));
	told = true;
	/* Its lock is never taken. */
	part_make(part, memory, LWTRANCHE_FIRST_USER_DEFINED);
	return memory;
}
#endif

void *
gc_shared_get(GcSharedPart *part)
{
	if (part->memory == NULL)
		part_attach(part, part_find(part));
	return part->memory;
}

void
gc_shared_lock(GcSharedPart *part, LWLockMode mode)
{
	if (gc_shared_is_shared())
		LWLockAcquire(&((GcSharedHead *) gc_shared_get(part))->lock, mode);
}

void
gc_shared_unlock(GcSharedPart *part)
{
	if (gc_shared_is_shared())
		LWLockRelease(&part->memory->lock);
}
