/*
 * net/quota.h
 *	  The quota of a client at an API host, shared by all backends.
 *
 * Puts net/ratelimit.h's arithmetic into shared memory, under a lock, with the
 * clock and the latches of those who wait.  Never sleeps: who has to wait is
 * told until when, waits on his latch, which is set if his turn comes earlier,
 * and asks again.
 */
#ifndef GC_NET_QUOTA_H
#define GC_NET_QUOTA_H

#include "postgres.h"

#include "base/shared.h"
#include "net/ratelimit.h"

#include "datatype/timestamp.h"

/* The memory, for the composition root to declare. */
extern GcSharedPart gc_quota_part;

typedef struct GcQuota GcQuota;

/*
 * The quota of a client at a host, or at several; in the current context.
 * Servers that share all share it: the settings of the session that was the last
 * to begin to ask hold.  To be asked only by who has a token: until then nothing
 * that others have is touched.
 */
extern GcQuota *gc_quota_get(const char *host, const char *client,
							 const GcRateSettings *settings);

/* See gc_ratelimit_ask. */
extern bool gc_quota_ask(GcQuota *quota, GcRateClass class, uint64 *ticket, GcTime *until);

/* Gives up a place in line. */
extern void gc_quota_leave(GcQuota *quota, uint64 *ticket);

/* What a reply's headers say; see gc_ratelimit_observe. */
extern void gc_quota_observe(GcQuota *quota, int allowed, int used, int reset_seconds);

/* Nobody goes before that moment; "bulk" closes only the second bucket, if there is one. */
extern void gc_quota_close(GcQuota *quota, bool bulk, GcTime until);

/* Until when nobody of that class goes. */
extern GcTime gc_quota_closed_until(GcQuota *quota, GcRateClass class);

/* How long from one request to the next, as things are, and until the next newcomer's turn. */
extern void gc_quota_pace(GcQuota *quota, GcTime *interval, GcTime *wait);

/* Forgets what replies said, for all backends, if this one has asked. */
extern void gc_quota_forget(GcQuota *quota);

/* Names the quota for as long as the server runs: for gc_quota_show. */
extern uint64 gc_quota_id(GcQuota *quota);

/* One bucket, as things are. */
typedef struct GcQuotaState
{
	char client[9]; /* its first 8 characters */
	bool bulk;
	int allowed;			  /* requests a minute */
	int used;				  /* of the platform's window; -1: not known */
	TimestampTz reset_at;	  /* 0: not known */
	TimestampTz closed_until; /* 0: it is open */
	int waiters;
	int64 longest_wait_us; /* of those who wait now */
} GcQuotaState;

/* The buckets of the quota with that id; returns how many there are (0: it is gone). */
extern int gc_quota_show(uint64 id, GcQuotaState states[2]);

#endif /* GC_NET_QUOTA_H */
