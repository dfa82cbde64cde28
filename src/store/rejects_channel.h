/*
 * store/rejects_channel.h
 *	  What a stream of rejected rows is made of; for its two ends alone.
 */
#ifndef GC_STORE_REJECTS_CHANNEL_H
#define GC_STORE_REJECTS_CHANNEL_H

#include "postgres.h"

#include "store/rejects.h"

#include "lib/stringinfo.h"
#include "port/atomics.h"
#include "storage/shm_mq.h"

#define GC_REJECTS_QUEUE_SIZE 65536

typedef enum GcRejectsState
{
	GC_REJECTS_STARTING,
	GC_REJECTS_READY,
	GC_REJECTS_ENDED
} GcRejectsState;

/* At the head of the segment; the queue is behind it.  Each change sets the sender's latch. */
typedef struct GcRejectsChannel
{
	pg_atomic_uint32 state;		/* of the worker */
	pg_atomic_uint64 committed; /* rows */
} GcRejectsChannel;

static inline shm_mq *
gc_rejects_queue(GcRejectsChannel *channel)
{
	return (shm_mq *) ((char *) channel + MAXALIGN(sizeof(GcRejectsChannel)));
}

/* A row as one message, and back: strings point into the bytes. */
extern void gc_rejects_pack(StringInfo buf, const GcReject *reject);
extern void gc_rejects_unpack(const char *bytes, GcReject *reject);

#endif /* GC_STORE_REJECTS_CHANNEL_H */
