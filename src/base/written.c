/*
 * base/written.c
 *	  When this cluster last wrote to a list, as long as it is one of the latest.
 */
#include "postgres.h"

#include "base/written.h"

#include "common/hashfn.h"

typedef struct Written
{
	uint64 list; /* a hash of where it is; 0: free */
	GcTime at;
} Written;

typedef struct WrittenMemory
{
	GcSharedHead head;
	Written lists[FLEXIBLE_ARRAY_MEMBER];
} WrittenMemory;

/* An organisation has a thousand lists at most. */
static int
room(void)
{
	return gc_shared_is_shared() ? 1024 : 64;
}

static Size
written_size(void)
{
	return offsetof(WrittenMemory, lists) + sizeof(Written) * room();
}

GcSharedPart gc_written_part = {"gc_fdw writes", written_size};

static uint64
list_hash(const char *api_url, const char *list_id)
{
	uint64 host = hash_bytes_extended((const unsigned char *) api_url, strlen(api_url), 0);

	return hash_bytes_extended((const unsigned char *) list_id, strlen(list_id), host) | 1;
}

/* The list's entry, or the one that has been of no use for longest. */
static Written *
entry_of(uint64 list)
{
	Written *lists = ((WrittenMemory *) gc_written_part.memory)->lists;
	Written *oldest = lists;

	for (Written *entry = lists; entry < lists + room(); entry++)
	{
		if (entry->list == list)
			return entry;
		if (entry->at < oldest->at)
			oldest = entry;
	}
	return oldest;
}

void
gc_written_note(const char *api_url, const char *list_id)
{
	uint64 list = list_hash(api_url, list_id);

	(void) gc_shared_get(&gc_written_part);
	gc_shared_lock(&gc_written_part, LW_EXCLUSIVE);
	*entry_of(list) = (Written){.list = list, .at = gc_clock_now()};
	gc_shared_unlock(&gc_written_part);
}

GcTime
gc_written_last(const char *api_url, const char *list_id)
{
	uint64 list = list_hash(api_url, list_id);
	const Written *entry;
	GcTime at;

	(void) gc_shared_get(&gc_written_part);
	gc_shared_lock(&gc_written_part, LW_SHARED);
	entry = entry_of(list);
	at = entry->list == list ? entry->at : 0;
	gc_shared_unlock(&gc_written_part);
	return at;
}

GcTime
gc_written_shown(const char *api_url, const char *list_id, int64 lag_ms)
{
	GcTime written = gc_written_last(api_url, list_id);

	return written == 0 ? 0 : written + lag_ms * INT64CONST(1000);
}
