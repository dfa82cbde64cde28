/*
 * net/quota.c
 *	  The quota of a client at an API host, shared by all backends.
 */
#include "postgres.h"

#include "base/clock.h"
#include "base/compat.h"
#include "net/quota.h"

#include "common/pg_prng.h"
#include "storage/ipc.h"
#include "utils/memutils.h"

/* Clients at hosts, of the whole server or of one session. */
#define QUOTAS_SHARED 64
#define QUOTAS_OWN	  8

#define QUOTA_KEY_SIZE 256

/* A quota that was not asked for so long may make room for another. */
#define QUOTA_IDLE_US (600 * USECS_PER_SEC)

typedef struct QuotaEntry
{
	char key[QUOTA_KEY_SIZE]; /* hosts, a space, client; empty: free */
	int client_at;			  /* where in the key the client begins */
	uint64 id;
	GcTime used_at;
	GcRateLimit limit;
} QuotaEntry;

typedef struct QuotaMemory
{
	GcSharedHead head;
	uint64 last_id;
	QuotaEntry entries[FLEXIBLE_ARRAY_MEMBER];
} QuotaMemory;

struct GcQuota
{
	QuotaEntry *entry;
	uint64 id;	/* the entry is another's if its id differs */
	bool own;	/* no room in shared memory: this session's own */
	bool asked; /* by somebody with a token: only then he has a say in what others get */
	char key[QUOTA_KEY_SIZE];
	int client_at;
	GcRateSettings settings;
};

static int
quota_count(void)
{
	return gc_shared_is_shared() ? QUOTAS_SHARED : QUOTAS_OWN;
}

static Size
quota_size(void)
{
	return offsetof(QuotaMemory, entries) + sizeof(QuotaEntry) * quota_count();
}

GcSharedPart gc_quota_part = {"gc_fdw quotas", quota_size};

static QuotaMemory *
quota_memory(void)
{
	return (QuotaMemory *) gc_quota_part.memory;
}

static void
quota_lock(GcQuota *quota)
{
	if (!quota->own)
		gc_shared_lock(&gc_quota_part, LW_EXCLUSIVE);
}

static void
quota_unlock(GcQuota *quota)
{
	if (!quota->own)
		gc_shared_unlock(&gc_quota_part);
}

/* Others may go earlier than they were told: they ask again. */
static void
wake_line(GcRateLimit *limit)
{
	for (int i = 0; i < limit->waiting; i++)
		if (limit->line[i].owner != gc_compat_proc_number())
			SetLatch(&ProcGlobal->allProcs[limit->line[i].owner].procLatch);
}

/* A session that ends leaves every line, whatever it was at. */
static void
quota_exit(int code, Datum arg)
{
	gc_shared_lock(&gc_quota_part, LW_EXCLUSIVE);
	for (int i = 0; i < quota_count(); i++)
	{
		GcRateLimit *limit = &quota_memory()->entries[i].limit;

		if (gc_ratelimit_leave_all(limit, gc_compat_proc_number()))
			wake_line(limit);
	}
	gc_shared_unlock(&gc_quota_part);
}

/* ---- entries ---- */

static bool
entry_is_idle(const QuotaEntry *entry, GcTime now)
{
	return entry->limit.waiting == 0 && now - entry->used_at > QUOTA_IDLE_US &&
		   now > entry->limit.closed_until && now > entry->limit.bulk_closed_until;
}

/* The entry of that key, or one that is free for it; NULL if all are in use. */
static QuotaEntry *
entry_find(const char *key, GcTime now)
{
	QuotaEntry *room = NULL;

	for (int i = 0; i < quota_count(); i++)
	{
		QuotaEntry *entry = &quota_memory()->entries[i];

		if (strcmp(entry->key, key) == 0)
			return entry;
		if (room == NULL && (entry->key[0] == '\0' || entry_is_idle(entry, now)))
			room = entry;
	}
	return room;
}

static void
entry_begin(GcQuota *quota, QuotaEntry *entry, uint64 id)
{
	memset(entry, 0, sizeof(QuotaEntry));
	strlcpy(entry->key, quota->key, QUOTA_KEY_SIZE);
	entry->client_at = quota->client_at;
	entry->id = id;
	entry->limit.settings = quota->settings;
}

/* Finds or makes the quota's entry; under the lock. */
static void
quota_attach(GcQuota *quota, GcTime now)
{
	QuotaEntry *entry = entry_find(quota->key, now);

	if (entry && strcmp(entry->key, quota->key) != 0)
		entry_begin(quota, entry, ++quota_memory()->last_id);
	quota->entry = entry;
	if (entry == NULL)
		return;
	quota->id = entry->id;
	entry->used_at = now;
}

/* The state, locked; gc_quota_done ends that. */
static GcRateLimit *
quota_open(GcQuota *quota, GcTime now)
{
	quota_lock(quota);
	if (!quota->own && (quota->entry == NULL || quota->entry->id != quota->id))
		quota_attach(quota, now);
	if (quota->entry == NULL)
	{
		/* All are in use. */
		quota_unlock(quota);
		quota->own = true;
		quota->entry =
			MemoryContextAllocZero(GetMemoryChunkContext(quota), sizeof(QuotaEntry));
		entry_begin(quota, quota->entry, 0);
	}
	quota->entry->used_at = now;
	return &quota->entry->limit;
}

GcQuota *
gc_quota_get(const char *host, const char *client, const GcRateSettings *settings)
{
	static bool registered = false;
	GcQuota *quota = palloc0(sizeof(GcQuota));

	(void) gc_shared_get(&gc_quota_part);
	if (!registered)
		before_shmem_exit(quota_exit, 0);
	registered = true;
	snprintf(quota->key, QUOTA_KEY_SIZE, "%s %s", host, client);
	quota->client_at = Min(strlen(host) + 1, QUOTA_KEY_SIZE - 1);
	quota->settings = *settings;
	gc_shared_lock(&gc_quota_part, LW_EXCLUSIVE);
	quota_attach(quota, gc_clock_now());
	gc_shared_unlock(&gc_quota_part);
	return quota;
}

/* ---- use ---- */

bool
gc_quota_ask(GcQuota *quota, GcRateClass class, uint64 *ticket, GcTime *until)
{
	double random = pg_prng_double(&pg_global_prng_state);
	GcTime now = gc_clock_now();
	GcRateLimit *limit = quota_open(quota, now);
	bool granted;

	if (!quota->asked)
		limit->settings = quota->settings;
	quota->asked = true;
	granted =
		gc_ratelimit_ask(limit, class, ticket, gc_compat_proc_number(), random, now, until);
	quota_unlock(quota);
	return granted;
}

void
gc_quota_leave(GcQuota *quota, uint64 *ticket)
{
	GcRateLimit *limit;

	if (*ticket == 0)
		return;
	limit = quota_open(quota, gc_clock_now());
	if (gc_ratelimit_leave(limit, ticket))
		wake_line(limit);
	quota_unlock(quota);
}

void
gc_quota_observe(GcQuota *quota, int allowed, int used, int reset_seconds)
{
	GcTime now = gc_clock_now();
	GcRateLimit *limit = quota_open(quota, now);

	if (gc_ratelimit_observe(limit, allowed, used, reset_seconds, now))
		wake_line(limit);
	quota_unlock(quota);
}

void
gc_quota_close(GcQuota *quota, bool bulk, GcTime until)
{
	GcRateLimit *limit = quota_open(quota, gc_clock_now());

	gc_ratelimit_close(limit, bulk && limit->settings.bulk_per_minute > 0, until);
	quota_unlock(quota);
}

GcTime
gc_quota_closed_until(GcQuota *quota, GcRateClass class)
{
	GcRateLimit *limit = quota_open(quota, gc_clock_now());
	GcTime until = limit->closed_until;

	if (class.bulk)
		until = Max(until, limit->bulk_closed_until);
	quota_unlock(quota);
	return until;
}

void
gc_quota_pace(GcQuota *quota, GcTime *interval, GcTime *wait)
{
	GcTime now = gc_clock_now();
	GcRateLimit *limit = quota_open(quota, now);
	GcRateSettings settings = limit->settings;

	/* As it will be when this connection asks. */
	if (!quota->asked)
		limit->settings = quota->settings;
	*interval = gc_ratelimit_interval(limit, now);
	limit->settings = settings;
	*wait = Max(limit->closed_until - now, 0) + limit->waiting * *interval;
	quota_unlock(quota);
}

void
gc_quota_forget(GcQuota *quota)
{
	GcRateLimit *limit;

	if (!quota->asked)
		return;
	limit = quota_open(quota, gc_clock_now());
	gc_ratelimit_forget(limit);
	wake_line(limit);
	quota_unlock(quota);
}

/* ---- what is shown ---- */

uint64
gc_quota_id(GcQuota *quota)
{
	return quota->own ? 0 : quota->id;
}

static TimestampTz
shown_moment(GcTime moment, GcTime now)
{
	return moment > now ? gc_clock_of_day(moment) : 0;
}

static void
show_bucket(const QuotaEntry *entry, bool bulk, GcTime now, GcQuotaState *state)
{
	const GcRateLimit *limit = &entry->limit;
	bool window = !bulk && now < limit->window_end;

	memset(state, 0, sizeof(GcQuotaState));
	strlcpy(state->client, entry->key + entry->client_at, sizeof(state->client));
	state->bulk = bulk;
	state->allowed = bulk ? limit->settings.bulk_per_minute : gc_ratelimit_allowed(limit);
	state->used = window ? limit->window_used : -1;
	state->reset_at = window ? shown_moment(limit->window_end, now) : 0;
	state->closed_until =
		shown_moment(bulk ? limit->bulk_closed_until : limit->closed_until, now);
	for (int i = 0; i < limit->waiting; i++)
	{
		if (bulk && !limit->line[i].class.bulk)
			continue;
		state->waiters++;
		state->longest_wait_us = Max(state->longest_wait_us, now - limit->line[i].since);
	}
}

int
gc_quota_show(uint64 id, GcQuotaState states[2])
{
	GcTime now = gc_clock_now();
	int count = 0;

	(void) gc_shared_get(&gc_quota_part);
	gc_shared_lock(&gc_quota_part, LW_SHARED);
	for (int i = 0; i < quota_count(); i++)
	{
		QuotaEntry *entry = &quota_memory()->entries[i];

		if (entry->id != id || entry->key[0] == '\0')
			continue;
		show_bucket(entry, false, now, &states[count++]);
		if (entry->limit.settings.bulk_per_minute > 0)
			show_bucket(entry, true, now, &states[count++]);
	}
	gc_shared_unlock(&gc_quota_part);
	return count;
}
