/*
 * base/stat.c
 *	  What was done over the network, in shared memory.
 *
 * Two hash tables by open addressing (servers, endpoints), which only ever
 * grow until stat_reset, and a ring of the latest requests.
 */
#include "postgres.h"

#include "base/stat.h"

#include "common/hashfn.h"
#include "common/string.h"
#include "miscadmin.h"
#include "utils/timestamp.h"

const int gc_stat_bucket_ms[GC_STAT_BUCKETS - 1] = {10, 30, 100, 300, 1000, 3000, 10000};

typedef struct StatMemory
{
	GcSharedHead head;
	bool told_full;
	int64 recent_count; /* ever; the ring has the last ones */
	char tables[FLEXIBLE_ARRAY_MEMBER];
} StatMemory;

/* How many of each, shared or not. */
static int
room_servers(void)
{
	return gc_shared_is_shared() ? 256 : 16;
}

static int
room_endpoints(void)
{
	return gc_shared_is_shared() ? 1024 : 128;
}

static int
room_recent(void)
{
	return gc_shared_is_shared() ? 1000 : 100;
}

static Size
stat_size(void)
{
	return MAXALIGN(offsetof(StatMemory, tables)) + sizeof(GcStatServer) * room_servers() +
		   sizeof(GcStatEndpoint) * room_endpoints() + sizeof(GcStatRecent) * room_recent();
}

GcSharedPart gc_stat_part = {"gc_fdw statistics", stat_size};

static StatMemory *
stat_memory(void)
{
	return gc_shared_get(&gc_stat_part);
}

static GcStatServer *
servers(void)
{
	return (GcStatServer *) ((char *) stat_memory() + MAXALIGN(offsetof(StatMemory, tables)));
}

static GcStatEndpoint *
endpoints(void)
{
	return (GcStatEndpoint *) (servers() + room_servers());
}

static GcStatRecent *
recent(void)
{
	return (GcStatRecent *) (endpoints() + room_endpoints());
}

/*
 * The entry with that key (the first bytes of an entry, from its owner on), made
 * if it is not there; NULL if the table is full.
 */
static void *
table_entry(void *table, int room, Size entry_size, const void *key, Size key_size)
{
	uint32 hash = hash_bytes(key, key_size);

	for (int i = 0; i < room; i++)
	{
		char *entry = (char *) table + ((hash + i) % room) * entry_size;

		if (((GcStatOwner *) entry)->server == InvalidOid)
			memcpy(entry, key, key_size);
		else if (memcmp(entry, key, key_size) != 0)
			continue;
		return entry;
	}
	return NULL;
}

static GcStatServer *
server_entry(const GcStatOwner *owner)
{
	GcStatServer *entry =
		table_entry(servers(), room_servers(), sizeof(GcStatServer), owner, sizeof(*owner));

	if (entry && entry->since == 0)
		entry->since = GetCurrentTimestamp();
	return entry;
}

/* Booking begins and ends with these; a table that is full says so once. */
static void
book_begin(void)
{
	(void) stat_memory();
	gc_shared_lock(&gc_stat_part, LW_EXCLUSIVE);
}

static void
book_end(bool full)
{
	bool tell = full && !stat_memory()->told_full;

	stat_memory()->told_full |= full;
	gc_shared_unlock(&gc_stat_part);
	if (tell)
		ereport(LOG, (errmsg("gc_fdw: there is no room for more statistics"),
					  errhint("Call gc_fdw.stat_reset().")));
}

static bool
book_server(const GcStatOwner *owner, const GcStatRequest *request)
{
	GcStatServer *entry = server_entry(owner);

	if (entry == NULL)
		return false;
	entry->requests++;
	entry->retries += request->attempt > 1;
	entry->throttled += request->status == 429;
	entry->errors +=
		request->status == 0 || (request->status >= 400 && request->status != 429);
	entry->bytes_sent += request->bytes_sent;
	entry->bytes_received += request->bytes_received;
	entry->network_us += request->us;
	entry->tokens += request->token && request->status / 100 == 2;
	return true;
}

static bool
book_endpoint(const GcStatOwner *owner, const GcStatRequest *request)
{
	GcStatEndpoint key;
	GcStatEndpoint *entry;
	int bucket = 0;

	memset(&key, 0, sizeof(key));
	key.owner = *owner;
	key.status_class = request->status / 100;
	strlcpy(key.method, request->method, sizeof(key.method));
	strlcpy(key.endpoint, request->endpoint, sizeof(key.endpoint));
	entry = table_entry(endpoints(), room_endpoints(), sizeof(key), &key,
						offsetof(GcStatEndpoint, count));
	if (entry == NULL)
		return false;
	while (bucket < GC_STAT_BUCKETS - 1 &&
		   request->us > gc_stat_bucket_ms[bucket] * INT64CONST(1000))
		bucket++;
	entry->count++;
	entry->us += request->us;
	entry->buckets[bucket]++;
	return true;
}

static void
book_recent(const GcStatOwner *owner, const GcStatRequest *request)
{
	GcStatRecent *entry = &recent()[stat_memory()->recent_count++ % room_recent()];
	int len = strlen(request->path);

	memset(entry, 0, sizeof(GcStatRecent));
	entry->owner = *owner;
	entry->at = GetCurrentTimestamp();
	entry->pid = MyProcPid;
	strlcpy(entry->method, request->method, sizeof(entry->method));
	/* Escaped as URLs are, so it is ASCII and may be cut anywhere. */
	memcpy(entry->path, request->path, Min(len, sizeof(entry->path) - 1));
	entry->status = request->status;
	entry->us = request->us;
	entry->attempt = request->attempt;
	if (request->request_id)
		strlcpy(entry->request_id, request->request_id, sizeof(entry->request_id));
	if (request->correlation_id && pg_is_ascii(request->correlation_id))
		strlcpy(entry->correlation_id, request->correlation_id, sizeof(entry->correlation_id));
}

void
gc_stat_request(const GcStatOwner *owner, const GcStatRequest *request)
{
	bool booked;

	book_begin();
	booked = book_server(owner, request);
	booked &= book_endpoint(owner, request);
	book_recent(owner, request);
	book_end(!booked);
}

void
gc_stat_received(const GcStatOwner *owner, int64 bytes)
{
	GcStatServer *entry;

	book_begin();
	entry = server_entry(owner);
	if (entry)
		entry->bytes_received += bytes;
	book_end(entry == NULL);
}

void
gc_stat_rows(const GcStatOwner *owner, int64 sent, int64 received)
{
	GcStatServer *entry;

	book_begin();
	entry = server_entry(owner);
	if (entry)
	{
		entry->rows_sent += sent;
		entry->rows_received += received;
	}
	book_end(entry == NULL);
}

void
gc_stat_quota_wait(const GcStatOwner *owner, int64 us)
{
	GcStatServer *entry;

	book_begin();
	entry = server_entry(owner);
	if (entry)
		entry->quota_wait_us += us;
	book_end(entry == NULL);
}

void
gc_stat_quota(const GcStatOwner *owner, uint64 quota_id)
{
	GcStatServer *entry;

	book_begin();
	entry = server_entry(owner);
	if (entry)
		entry->quota_id = quota_id;
	book_end(entry == NULL);
}

/* ---- for the views ---- */

/* A copy of what is used of a table. */
static void *
table_copy(const void *table, int room, Size entry_size, int *count)
{
	char *copy = palloc(room * entry_size);

	*count = 0;
	for (int i = 0; i < room; i++)
	{
		const char *entry = (const char *) table + i * entry_size;

		if (((const GcStatOwner *) entry)->server != InvalidOid)
			memcpy(copy + (*count)++ * entry_size, entry, entry_size);
	}
	return copy;
}

GcStatServer *
gc_stat_servers(int *count)
{
	GcStatServer *copy;

	(void) stat_memory();
	gc_shared_lock(&gc_stat_part, LW_SHARED);
	copy = table_copy(servers(), room_servers(), sizeof(GcStatServer), count);
	gc_shared_unlock(&gc_stat_part);
	return copy;
}

GcStatEndpoint *
gc_stat_endpoints(int *count)
{
	GcStatEndpoint *copy;

	(void) stat_memory();
	gc_shared_lock(&gc_stat_part, LW_SHARED);
	copy = table_copy(endpoints(), room_endpoints(), sizeof(GcStatEndpoint), count);
	gc_shared_unlock(&gc_stat_part);
	return copy;
}

GcStatRecent *
gc_stat_recent(int *count)
{
	GcStatRecent *copy = palloc(room_recent() * sizeof(GcStatRecent));
	int64 last;

	(void) stat_memory();
	gc_shared_lock(&gc_stat_part, LW_SHARED);
	last = stat_memory()->recent_count;
	*count = 0;
	for (int64 i = Max(last - room_recent(), 0); i < last; i++)
		if (recent()[i % room_recent()].pid != 0)
			copy[(*count)++] = recent()[i % room_recent()];
	gc_shared_unlock(&gc_stat_part);
	return copy;
}

/* Takes a database's entries out; the others are put in anew, for open addressing has no holes. */
static void
table_reset(void *table, int room, Size entry_size, Size key_size, Oid database)
{
	int count;
	char *copy = table_copy(table, room, entry_size, &count);

	memset(table, 0, room * entry_size);
	for (int i = 0; i < count; i++)
	{
		char *entry = copy + i * entry_size;

		if (((GcStatOwner *) entry)->database != database)
			memcpy(table_entry(table, room, entry_size, entry, key_size), entry, entry_size);
	}
}

void
gc_stat_reset(Oid database)
{
	(void) stat_memory();
	gc_shared_lock(&gc_stat_part, LW_EXCLUSIVE);
	table_reset(servers(), room_servers(), sizeof(GcStatServer), sizeof(GcStatOwner),
				database);
	table_reset(endpoints(), room_endpoints(), sizeof(GcStatEndpoint),
				offsetof(GcStatEndpoint, count), database);
	for (int i = 0; i < room_recent(); i++)
		if (recent()[i].owner.database == database)
			memset(&recent()[i], 0, sizeof(GcStatRecent));
	stat_memory()->told_full = false;
	gc_shared_unlock(&gc_stat_part);
}
