/*
 * base/stat.h
 *	  What was done over the network: by a statement, and by the whole server.
 *
 * A statement counts in a GcStat of its own, for EXPLAIN and messages.  What
 * ended is also booked in shared memory (base/shared.h), by server and role,
 * for the views; their reference is docs/reference.md.  Knows of requests only
 * what it is told: no header, body, token or cell ever comes here.
 */
#ifndef GC_BASE_STAT_H
#define GC_BASE_STAT_H

#include "postgres.h"

#include "base/shared.h"

#include "datatype/timestamp.h"

typedef struct GcStat
{
	int64 requests;		  /* HTTP requests sent, retries and token calls included */
	int64 retries;		  /* of these, repeats of an earlier one */
	int64 throttled;	  /* replies with status 429 */
	int64 bytes_sent;	  /* request bodies */
	int64 bytes_received; /* reply bodies, decompressed */
	int64 wait_us;		  /* time the backend slept: network, quota, backoff, read_lag */
	int64 lag_us;		  /* of that, until searches show what was written: read_lag */
	int64 quota_wait_us;  /* of that, with nothing in flight: quota and backoff */
	int64 export_age_us;  /* of the export that was read last, as it was begun; 0: none was */
	int64 *spent; /* requests of the whole statement, token calls aside; NULL: of none */
} GcStat;

/* The memory, for the composition root to declare. */
extern GcSharedPart gc_stat_part;

/* For whom something was done. */
typedef struct GcStatOwner
{
	Oid database;
	Oid server;
	Oid role; /* whose user mapping was used */
} GcStatOwner;

#define GC_STAT_BUCKETS 8

/* Upper ends of the buckets of a request's time, in ms; the last one has none. */
extern const int gc_stat_bucket_ms[GC_STAT_BUCKETS - 1];

/* A request that has ended. */
typedef struct GcStatRequest
{
	const char *method;
	const char *path;	  /* without the host, with the query */
	const char *endpoint; /* the path's pattern, without ids */
	int status;			  /* 0: no answer */
	int64 us;
	int attempt; /* from 1 */
	int64 bytes_sent;
	int64 bytes_received;
	const char *request_id;		/* ours; NULL: none */
	const char *correlation_id; /* the platform's; NULL: none */
	bool token;					/* it asked for a token */
} GcStatRequest;

extern void gc_stat_request(const GcStatOwner *owner, const GcStatRequest *request);

/* Bytes of a download, beyond those that gc_stat_request() was told of. */
extern void gc_stat_received(const GcStatOwner *owner, int64 bytes);

/* Rows that were accepted or read, and time slept for quota and backoff. */
extern void gc_stat_rows(const GcStatOwner *owner, int64 sent, int64 received);
extern void gc_stat_quota_wait(const GcStatOwner *owner, int64 us);

/* Which quota (gc_quota_id) the owner uses. */
extern void gc_stat_quota(const GcStatOwner *owner, uint64 quota_id);

/* ---- for the views: copies, in the current context ---- */

typedef struct GcStatServer
{
	GcStatOwner owner; /* server InvalidOid: free */
	uint64 quota_id;
	int64 requests;
	int64 retries;
	int64 throttled;
	int64 errors; /* no answer, or a status of 400 and more, 429 aside */
	int64 rows_sent;
	int64 rows_received;
	int64 bytes_sent;
	int64 bytes_received;
	int64 quota_wait_us;
	int64 network_us;
	int64 tokens;
	TimestampTz since;
} GcStatServer;

#define GC_STAT_ENDPOINT_SIZE 96
#define GC_STAT_METHOD_SIZE	  8

typedef struct GcStatEndpoint
{
	GcStatOwner owner;
	int status_class; /* 2 for 2xx …; 0: no answer */
	char method[GC_STAT_METHOD_SIZE];
	char endpoint[GC_STAT_ENDPOINT_SIZE];
	/* what is above is the key */
	int64 count;
	int64 us;
	int64 buckets[GC_STAT_BUCKETS];
} GcStatEndpoint;

#define GC_STAT_PATH_SIZE 200
#define GC_STAT_ID_SIZE	  40

typedef struct GcStatRecent
{
	GcStatOwner owner;
	TimestampTz at;
	int pid;
	char method[GC_STAT_METHOD_SIZE];
	char path[GC_STAT_PATH_SIZE];
	int status;
	int64 us;
	int attempt;
	char request_id[GC_STAT_ID_SIZE];
	char correlation_id[GC_STAT_ID_SIZE];
} GcStatRecent;

extern GcStatServer *gc_stat_servers(int *count);
extern GcStatEndpoint *gc_stat_endpoints(int *count);

/* The latest requests, oldest first. */
extern GcStatRecent *gc_stat_recent(int *count);

/* Forgets everything about servers of a database. */
extern void gc_stat_reset(Oid database);

#endif /* GC_BASE_STAT_H */
