/*
 * store/stream.c
 *	  Rows of the extension's tables in a stream to a worker: the statement's end of it.
 */
#include "postgres.h"

#include "base/wait.h"
#include "store/job.h"
#include "store/stream_channel.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "storage/latch.h"
#include "storage/proc.h"
#include "utils/memutils.h"
#include "utils/wait_event.h"

typedef struct Stream
{
	dsm_segment *segment;
	GcStreamChannel *channel;
	shm_mq_handle *queue;
	BackgroundWorkerHandle *worker;
	GcStreamKind kind; /* of the rows that it was last wanted for */
	uint64 put;		   /* rows */
	bool half_sent;	   /* an error may have cut a row in two */
} Stream;

/* The transaction's, in TopTransactionContext; NULL: none is open. */
static Stream *stream = NULL;

/* The worker commits what it has got by then, and ends. */
static void
stream_drop(void)
{
	dsm_segment *segment = stream->segment;

	stream = NULL;
	dsm_detach(segment);
}

static bool
worker_ended(void)
{
	pid_t pid;

	return pg_atomic_read_u32(&stream->channel->state) == GC_STREAM_ENDED ||
		   GetBackgroundWorkerPid(stream->worker, &pid) == BGWH_STOPPED;
}

static void
wait_for_worker(void)
{
	/* The worker and the postmaster set the latch; the timeout is for what they may forget. */
	(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, 1000,
					 gc_wait_event(GC_WAIT_WORKER));
	ResetLatch(MyLatch);
	CHECK_FOR_INTERRUPTS();
}

static _Noreturn void
throw_no_worker(const char *rows, bool started)
{
	ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_RESOURCES),
					errmsg("could not start a background worker for %s", rows),
					started ? errdetail_internal("It ended before it was ready.") : 0,
					started ? errhint("The server's log says why.")
							: errhint("You may need to increase \"max_worker_processes\".")));
}

/* A stream without a worker yet; in the current context. */
static Stream *
stream_make(void)
{
	Stream *made = palloc0(sizeof(Stream));
	Size head = MAXALIGN(sizeof(GcStreamChannel));
	shm_mq *queue;

	made->segment = dsm_create(head + GC_STREAM_QUEUE_SIZE, 0);
	dsm_pin_mapping(made->segment);
	made->channel = dsm_segment_address(made->segment);
	pg_atomic_init_u32(&made->channel->state, GC_STREAM_STARTING);
	pg_atomic_init_u64(&made->channel->committed, 0);
	queue = shm_mq_create(gc_stream_queue(made->channel), GC_STREAM_QUEUE_SIZE);
	shm_mq_set_sender(queue, MyProc);
	made->queue = shm_mq_attach(queue, made->segment, NULL);
	return made;
}

/* False: there is no worker to be had. */
static bool
stream_start(void)
{
	MemoryContext caller_cxt = MemoryContextSwitchTo(TopTransactionContext);
	bool started;

	stream = stream_make();
	started = gc_job_start(GC_JOB_STREAM, stream->segment, true, &stream->worker);
	if (started)
		shm_mq_set_handle(stream->queue, stream->worker);
	else
		stream_drop();
	MemoryContextSwitchTo(caller_cxt);
	return started;
}

/* False: it has ended. */
static bool
stream_await(void)
{
	/* An earlier statement of the transaction may have been cancelled while it waited here. */
	while (pg_atomic_read_u32(&stream->channel->state) != GC_STREAM_READY)
	{
		if (worker_ended())
		{
			stream_drop();
			return false;
		}
		wait_for_worker();
	}
	return true;
}

static _Noreturn void
throw_lost(void)
{
	uint64 committed = pg_atomic_read_u64(&stream->channel->committed);
	uint64 put = stream->put;
	const GcStreamTable *table = gc_stream_kind(stream->kind);

	stream_drop();
	ereport(ERROR,
			(errcode(ERRCODE_FDW_ERROR),
			 errmsg("could not write all %s to gc_fdw.%s", table->rows, table->layout->name),
			 errdetail("The background worker has ended. Rows written: " UINT64_FORMAT
					   ", lost: " UINT64_FORMAT ".",
					   committed, put - committed),
			 errhint("The server's log says why.")));
}

/* One that has ended makes room for another, if it has written all that it was given. */
static void
drop_ended(void)
{
	if (stream == NULL || !worker_ended())
		return;
	if (pg_atomic_read_u64(&stream->channel->committed) < stream->put)
		throw_lost();
	stream_drop();
}

bool
gc_stream_try(GcStreamKind kind)
{
	drop_ended();
	if (stream == NULL && !stream_start())
		return false;
	stream->kind = kind;
	return stream_await();
}

void
gc_stream_open(GcStreamKind kind)
{
	const char *rows = gc_stream_kind(kind)->rows;

	drop_ended();
	if (stream == NULL && !stream_start())
		throw_no_worker(rows, false);
	stream->kind = kind;
	if (!stream_await())
		throw_no_worker(rows, true);
}

void
gc_stream_put(GcStreamKind kind, const char *bytes, int len)
{
	char name = (char) kind;
	shm_mq_iovec row[] = {{&name, sizeof(name)}, {bytes, len}};
	shm_mq_result result;

	stream->put++;
	stream->half_sent = true;
	result = shm_mq_sendv(stream->queue, row, lengthof(row), false, true);
	stream->half_sent = false;
	if (result != SHM_MQ_SUCCESS)
		throw_lost();
}

void
gc_stream_flush(void)
{
	while (stream && pg_atomic_read_u64(&stream->channel->committed) < stream->put)
	{
		/* It may have committed just before it ended. */
		if (worker_ended() && pg_atomic_read_u64(&stream->channel->committed) < stream->put)
			throw_lost();
		wait_for_worker();
	}
}

static void
on_xact(XactEvent event, void *arg)
{
	if (stream && (event == XACT_EVENT_COMMIT || event == XACT_EVENT_ABORT ||
				   event == XACT_EVENT_PREPARE))
		stream_drop();
}

static void
on_subxact(SubXactEvent event, SubTransactionId mine, SubTransactionId parent, void *arg)
{
	if (stream && stream->half_sent && event == SUBXACT_EVENT_ABORT_SUB)
		stream_drop();
}

void
gc_stream_init(void)
{
	RegisterXactCallback(on_xact, NULL);
	RegisterSubXactCallback(on_subxact, NULL);
}
