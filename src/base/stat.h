/*
 * base/stat.h
 *	  What one statement did over the network, for EXPLAIN and messages.
 */
#ifndef GC_BASE_STAT_H
#define GC_BASE_STAT_H

#include "postgres.h"

typedef struct GcStat
{
	int64 requests;		  /* HTTP requests sent, retries and token calls included */
	int64 retries;		  /* of these, repeats of an earlier one */
	int64 throttled;	  /* replies with status 429 */
	int64 bytes_sent;	  /* request bodies */
	int64 bytes_received; /* reply bodies, decompressed */
	int64 wait_us;		  /* time the backend slept: network, quota and backoff */
} GcStat;

#endif /* GC_BASE_STAT_H */
