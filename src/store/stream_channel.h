/*
 * store/stream_channel.h
 *	  What a stream of rows is made of; for its two ends alone.
 */
#ifndef GC_STORE_STREAM_CHANNEL_H
#define GC_STORE_STREAM_CHANNEL_H

#include "postgres.h"

#include "store/stream.h"

#include "port/atomics.h"
#include "storage/shm_mq.h"

#define GC_STREAM_QUEUE_SIZE 65536

typedef enum GcStreamState
{
	GC_STREAM_STARTING,
	GC_STREAM_READY,
	GC_STREAM_ENDED
} GcStreamState;

/* At the head of the segment; the queue is behind it.  Each change sets the sender's latch. */
typedef struct GcStreamChannel
{
	pg_atomic_uint32 state;		/* of the worker */
	pg_atomic_uint64 committed; /* rows */
} GcStreamChannel;

static inline shm_mq *
gc_stream_queue(GcStreamChannel *channel)
{
	return (shm_mq *) ((char *) channel + MAXALIGN(sizeof(GcStreamChannel)));
}

/* The table of a kind of rows. */
extern const GcStreamTable *gc_stream_kind(GcStreamKind kind);

#endif /* GC_STORE_STREAM_CHANNEL_H */
