/*
 * store/stream_receive.c
 *	  Rows of the extension's tables in a stream to a worker: the worker's end of it.
 */
#include "postgres.h"

#include "store/stream_channel.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "storage/ipc.h"
#include "storage/proc.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

/* Rows of one transaction at most. */
#define BATCH_ROWS 1000

/* A transaction of the worker's, and the tables that it has open. */
typedef struct Batch
{
	GcTable *tables[GC_STREAM_KINDS]; /* NULL: no row has come for it */
	int rows;
} Batch;

const GcStreamTable *
gc_stream_kind(GcStreamKind kind)
{
	static const GcStreamTable *const kinds[GC_STREAM_KINDS] = {
		[GC_STREAM_REJECTS] = &gc_stream_rejects,
		[GC_STREAM_CHANGES] = &gc_stream_changes,
	};

	return kinds[kind];
}

/* ---- rows as bytes ---- */

void
gc_stream_pack_text(StringInfo buf, const char *string)
{
	appendStringInfoChar(buf, string != NULL);
	if (string)
		appendBinaryStringInfo(buf, string, strlen(string) + 1);
}

const char *
gc_stream_unpack_text(const char **bytes)
{
	const char *string = NULL;

	if (*(*bytes)++)
	{
		string = *bytes;
		*bytes += strlen(string) + 1;
	}
	return string;
}

void
gc_stream_set_text(Datum *value, bool *isnull, const char *string)
{
	*isnull = string == NULL;
	if (string)
		*value = CStringGetTextDatum(string);
}

GcTable *
gc_stream_table(const GcStreamTable *kind)
{
	GcTable *table = gc_table_open(kind->layout);

	if (table == NULL)
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_TABLE),
						errmsg("there is no table gc_fdw.%s any more", kind->layout->name)));
	return table;
}

/* ---- batches ---- */

/* Wakes whoever waits at the other end. */
static void
tell_sender(GcStreamChannel *channel)
{
	SetLatch(&shm_mq_get_sender(gc_stream_queue(channel))->procLatch);
}

/* One table at a time is open: each is opened as its owner. */
static void
write_row(Batch *batch, const char *bytes)
{
	GcStreamKind kind = (GcStreamKind) bytes[0];

	for (int other = 0; other < GC_STREAM_KINDS; other++)
		if (other != kind && batch->tables[other])
		{
			gc_table_close(batch->tables[other]);
			batch->tables[other] = NULL;
		}
	if (batch->tables[kind] == NULL)
	{
		MemoryContext row_cxt = MemoryContextSwitchTo(TopTransactionContext);

		batch->tables[kind] = gc_stream_table(gc_stream_kind(kind));
		MemoryContextSwitchTo(row_cxt);
	}
	gc_stream_kind(kind)->write(batch->tables[kind], bytes + 1);
	batch->rows++;
}

static void
commit_batch(GcStreamChannel *channel, Batch *batch)
{
	for (int kind = 0; kind < GC_STREAM_KINDS; kind++)
		if (batch->tables[kind])
			gc_table_close(batch->tables[kind]);
	CommitTransactionCommand();
	pg_atomic_fetch_add_u64(&channel->committed, batch->rows);
	tell_sender(channel);
}

/* The sender begins when it is known that rows can be written. */
static void
check_tables(GcStreamChannel *channel)
{
	Batch none = {0};

	StartTransactionCommand();
	for (int kind = 0; kind < GC_STREAM_KINDS; kind++)
		gc_table_close(gc_stream_table(gc_stream_kind(kind)));
	commit_batch(channel, &none);
}

/* Takes rows until there are none for now, or enough; commits them.  False: there will be no more. */
static bool
receive_batch(GcStreamChannel *channel, shm_mq_handle *queue, MemoryContext row_cxt)
{
	Batch batch = {0};
	shm_mq_result result;
	Size len;
	void *bytes;

	while (batch.rows < BATCH_ROWS &&
		   (result = shm_mq_receive(queue, &len, &bytes, batch.rows > 0)) == SHM_MQ_SUCCESS)
	{
		MemoryContext caller_cxt;

		if (batch.rows == 0)
			StartTransactionCommand();
		caller_cxt = MemoryContextSwitchTo(row_cxt);
		write_row(&batch, bytes);
		MemoryContextSwitchTo(caller_cxt);
		MemoryContextReset(row_cxt);
		CHECK_FOR_INTERRUPTS();
	}
	if (batch.rows > 0)
		commit_batch(channel, &batch);
	return result != SHM_MQ_DETACHED;
}

/* ---- the worker ---- */

static void
channel_ended(int code, Datum arg)
{
	GcStreamChannel *channel = dsm_segment_address((dsm_segment *) DatumGetPointer(arg));

	pg_atomic_write_u32(&channel->state, GC_STREAM_ENDED);
	tell_sender(channel);
}

void
gc_stream_take(dsm_segment *segment)
{
	before_shmem_exit(channel_ended, PointerGetDatum(segment));
	shm_mq_set_receiver(gc_stream_queue(dsm_segment_address(segment)), MyProc);
}

void
gc_stream_receive(dsm_segment *segment)
{
	GcStreamChannel *channel = dsm_segment_address(segment);
	MemoryContext row_cxt =
		AllocSetContextCreate(TopMemoryContext, "gc_fdw stream row", ALLOCSET_DEFAULT_SIZES);
	shm_mq_handle *queue;

	check_tables(channel);
	MemoryContextSwitchTo(TopMemoryContext);
	queue = shm_mq_attach(gc_stream_queue(channel), segment, NULL);
	pg_atomic_write_u32(&channel->state, GC_STREAM_READY);
	tell_sender(channel);
	while (receive_batch(channel, queue, row_cxt))
		MemoryContextSwitchTo(TopMemoryContext);
}
