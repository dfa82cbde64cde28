/*
 * store/import_lock.c
 *	  Who sends what: locks of imports, lists and places among the workers.
 */
#include "postgres.h"

#include "store/import_lock.h"

#include "common/hashfn.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "storage/lock.h"

/* What a lock is about: beside the 1 and 2 of pg_advisory_lock(), which has a database. */
enum
{
	ABOUT_LIST = 0x6701,
	ABOUT_PLACE,
	ABOUT_TASKS
};

static void
tag_list(LOCKTAG *tag, const char *list_id)
{
	uint64 hash = hash_bytes_extended((const unsigned char *) list_id, strlen(list_id), 0);

	SET_LOCKTAG_ADVISORY(*tag, InvalidOid, (uint32) (hash >> 32), (uint32) hash, ABOUT_LIST);
}

bool
gc_lock_list(const char *list_id)
{
	LOCKTAG tag;

	tag_list(&tag, list_id);
	return LockAcquire(&tag, ExclusiveLock, true, true) != LOCKACQUIRE_NOT_AVAIL;
}

void
gc_unlock_list(const char *list_id)
{
	LOCKTAG tag;

	tag_list(&tag, list_id);
	LockRelease(&tag, ExclusiveLock, true);
}

int
gc_lock_place(int places)
{
	for (int place = 0; place < places; place++)
	{
		LOCKTAG tag;

		SET_LOCKTAG_ADVISORY(tag, InvalidOid, 0, place, ABOUT_PLACE);
		if (LockAcquire(&tag, ExclusiveLock, true, true) != LOCKACQUIRE_NOT_AVAIL)
			return place;
	}
	return -1;
}

void
gc_unlock_place(int place)
{
	LOCKTAG tag;

	SET_LOCKTAG_ADVISORY(tag, InvalidOid, 0, place, ABOUT_PLACE);
	LockRelease(&tag, ExclusiveLock, true);
}

bool
gc_lock_tasks(void)
{
	LOCKTAG tag;

	SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, 0, 0, ABOUT_TASKS);
	return LockAcquire(&tag, ExclusiveLock, true, true) != LOCKACQUIRE_NOT_AVAIL;
}

void
gc_unlock_tasks(void)
{
	LOCKTAG tag;

	SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, 0, 0, ABOUT_TASKS);
	LockRelease(&tag, ExclusiveLock, true);
}
