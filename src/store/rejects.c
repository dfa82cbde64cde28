/*
 * store/rejects.c
 *	  Rows of gc_fdw.rejected_rows: a stream to a worker, the statement's end of it.
 */
#include "postgres.h"

#include "base/wait.h"
#include "store/job.h"
#include "store/rejects.h"
#include "store/rejects_channel.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "storage/latch.h"
#include "storage/proc.h"
#include "utils/memutils.h"
#include "utils/wait_event.h"

typedef struct Stream
{
	dsm_segment *segment;
	GcRejectsChannel *channel;
	shm_mq_handle *queue;
	BackgroundWorkerHandle *worker;
	uint64 put;		/* rows */
	bool half_sent; /* an error may have cut a row in two */
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

	return pg_atomic_read_u32(&stream->channel->state) == GC_REJECTS_ENDED ||
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

static void
throw_no_worker(const char *detail, const char *hint)
{
	if (stream)
		stream_drop();
	ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_RESOURCES),
					errmsg("could not start a background worker for rejected rows"),
					detail ? errdetail_internal("%s", detail) : 0, errhint("%s", hint)));
}

/* A stream without a worker yet; in the current context. */
static Stream *
stream_make(void)
{
	Stream *made = palloc0(sizeof(Stream));
	Size head = MAXALIGN(sizeof(GcRejectsChannel));
	shm_mq *queue;

	made->segment = dsm_create(head + GC_REJECTS_QUEUE_SIZE, 0);
	dsm_pin_mapping(made->segment);
	made->channel = dsm_segment_address(made->segment);
	pg_atomic_init_u32(&made->channel->state, GC_REJECTS_STARTING);
	pg_atomic_init_u64(&made->channel->committed, 0);
	queue = shm_mq_create(gc_rejects_queue(made->channel), GC_REJECTS_QUEUE_SIZE);
	shm_mq_set_sender(queue, MyProc);
	made->queue = shm_mq_attach(queue, made->segment, NULL);
	return made;
}

static void
stream_open(void)
{
	MemoryContext caller_cxt = MemoryContextSwitchTo(TopTransactionContext);

	stream = stream_make();
	if (!gc_job_start(GC_JOB_REJECTS, stream->segment, true, &stream->worker))
		throw_no_worker(NULL, "You may need to increase \"max_worker_processes\".");
	shm_mq_set_handle(stream->queue, stream->worker);
	MemoryContextSwitchTo(caller_cxt);
}

void
gc_rejects_open(void)
{
	if (stream && worker_ended())
		stream_drop();
	if (stream == NULL)
		stream_open();
	/* An earlier statement of the transaction may have been cancelled while it waited here. */
	while (pg_atomic_read_u32(&stream->channel->state) != GC_REJECTS_READY)
	{
		if (worker_ended())
			throw_no_worker("It ended before it was ready.", "The server's log says why.");
		wait_for_worker();
	}
}

static void
throw_lost(void)
{
	uint64 committed = pg_atomic_read_u64(&stream->channel->committed);
	uint64 put = stream->put;

	stream_drop();
	ereport(ERROR, (errcode(ERRCODE_FDW_ERROR),
					errmsg("could not write all rejected rows to gc_fdw.rejected_rows"),
					errdetail("The background worker has ended. Rows written: " UINT64_FORMAT
							  ", lost: " UINT64_FORMAT ".",
							  committed, put - committed),
					errhint("The server's log says why.")));
}

void
gc_rejects_put(const GcReject *reject)
{
	StringInfoData buf;
	shm_mq_result result;

	initStringInfo(&buf);
	gc_rejects_pack(&buf, reject);
	stream->put++;
	stream->half_sent = true;
	result = shm_mq_send(stream->queue, buf.len, buf.data, false, true);
	stream->half_sent = false;
	if (result != SHM_MQ_SUCCESS)
		throw_lost();
	pfree(buf.data);
}

void
gc_rejects_flush(void)
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
gc_rejects_init(void)
{
	RegisterXactCallback(on_xact, NULL);
	RegisterSubXactCallback(on_subxact, NULL);
}
