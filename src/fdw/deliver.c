/*
 * fdw/deliver.c
 *	  Delivery of encoded contacts: batches, overlapped requests, counts.
 *
 * A batch is open (taking rows), on the wire, or spare.  A batch that holds an
 * id which is still on the wire waits for it, so that the last write wins, in
 * order; a row whose id is in the open batch sends that batch first.
 *
 * Everything lives in the context of the statement's executor state; what must
 * outlive it, the counts for a WARNING and the audit, is in store/audit.c.
 */
#include "postgres.h"

#include "api/request.h"
#include "base/progress.h"
#include "base/written.h"
#include "fdw/batch.h"
#include "fdw/deliver.h"
#include "fdw/size.h"
#include "fdw/statement.h"

#include "lib/ilist.h"
#include "utils/memutils.h"

typedef struct Writer
{
	dlist_node node; /* in writers */
	EState *estate;
	GcConnection *conn;
	GcCalls *calls;
	GcStat stat; /* the time spent waiting; requests are counted by target */
	MemoryContext cxt;
	MemoryContext scratch; /* reset after each reply */
	List *targets;
	int64 open_bytes; /* of all open batches */
	dlist_head wire;  /* batches on the wire, oldest first */
	int wire_count;
	dlist_head spares;
	MemoryContextCallback on_reset;
} Writer;

struct GcTarget
{
	Writer *writer;
	GcRelation *rel;
	GcList *list;
	GcTargetSettings settings;
	const char *path;
	GcBatch *open;	 /* NULL: no rows yet */
	GcBatch *single; /* gc_deliver_now's last one, … */
	GcJson echo;	 /* … and a cursor into its answer */
	GcStat stat;
	int64 taken; /* rows, from the executor */
	int64 accepted;
	int64 in_doubt; /* of calls that ended so */
	bool has_twin;	/* another target of the statement is the same list */
	GcAudit *audit;
	GcProgress *progress;
};

static dlist_head writers = DLIST_STATIC_INIT(writers);

/* ---- writers and targets ---- */

static void
writer_reset(void *arg)
{
	Writer *writer = arg;
	ListCell *lc;

	foreach (lc, writer->targets)
		gc_audit_release(((GcTarget *) lfirst(lc))->audit);
	dlist_delete(&writer->node);
}

static Writer *
writer_for(EState *estate, GcConnection *conn)
{
	MemoryContext caller_cxt;
	Writer *writer;
	dlist_iter iter;

	dlist_foreach (iter, &writers)
	{
		writer = dlist_container(Writer, node, iter.cur);
		if (writer->estate == estate && writer->conn == conn)
			return writer;
	}
	caller_cxt = MemoryContextSwitchTo(estate->es_query_cxt);
	writer = palloc0(sizeof(Writer));
	writer->estate = estate;
	writer->conn = conn;
	writer->cxt = estate->es_query_cxt;
	writer->scratch =
		AllocSetContextCreate(writer->cxt, "gc_fdw replies", ALLOCSET_DEFAULT_SIZES);
	dlist_init(&writer->wire);
	dlist_init(&writer->spares);
	writer->stat.spent = gc_statement_spent(estate);
	writer->calls = gc_calls_open(conn, &writer->stat);
	writer->on_reset.func = writer_reset;
	writer->on_reset.arg = writer;
	MemoryContextRegisterResetCallback(writer->cxt, &writer->on_reset);
	dlist_push_tail(&writers, &writer->node);
	MemoryContextSwitchTo(caller_cxt);
	return writer;
}

GcTarget *
gc_deliver_open(EState *estate, GcConnection *conn, GcRelation *rel, GcList *list,
				const GcTargetSettings *settings)
{
	Writer *writer = writer_for(estate, conn);
	MemoryContext caller_cxt = MemoryContextSwitchTo(writer->cxt);
	GcTarget *target = palloc0(sizeof(GcTarget));
	const char *operation = estate->es_plannedstmt ? "INSERT" : "COPY";
	ListCell *lc;

	foreach (lc, writer->targets)
	{
		GcTarget *other = lfirst(lc);

		if (strcmp(other->list->id, list->id) == 0)
			target->has_twin = other->has_twin = true;
	}
	target->writer = writer;
	target->rel = rel;
	target->list = list;
	target->settings = *settings;
	target->path = gc_contacts_post_path(list->id, &settings->flags);
	target->audit = gc_audit_begin(rel->label, list->id, operation, &target->stat);
	target->progress = gc_progress_begin(&conn->owner, list->name, operation);
	writer->targets = lappend(writer->targets, target);
	MemoryContextSwitchTo(caller_cxt);
	return target;
}

void
gc_deliver_count(GcTarget *target, const GcStat *stat)
{
	target->stat = *stat;
}

GcStat
gc_deliver_stat(GcTarget *target)
{
	GcStat stat = target->stat;

	stat.wait_us += target->writer->stat.wait_us;
	stat.quota_wait_us += target->writer->stat.quota_wait_us;
	return stat;
}

GcAudit *
gc_deliver_audit(GcTarget *target)
{
	return target->audit;
}

/* An empty batch of the target, new or used before. */
static GcBatch *
batch_take(GcTarget *target)
{
	Writer *writer = target->writer;
	GcBatch *batch;

	if (dlist_is_empty(&writer->spares))
	{
		MemoryContext caller_cxt = MemoryContextSwitchTo(writer->cxt);

		batch = gc_batch_create(GC_CONTACTS_MAX_ROWS);
		MemoryContextSwitchTo(caller_cxt);
	}
	else
	{
		batch = dlist_container(GcBatch, node, dlist_pop_head_node(&writer->spares));
		gc_batch_reset(batch);
	}
	batch->owner = target;
	return batch;
}

static void
batch_give_back(GcBatch *batch)
{
	Writer *writer = ((GcTarget *) batch->owner)->writer;

	if (batch->call)
		gc_call_free(batch->call);
	batch->call = NULL;
	dlist_push_head(&writer->spares, &batch->node);
}

/* ---- failure ---- */

static const char *
not_inserted(GcTarget *target, int rows)
{
	return psprintf(ngettext("could not insert %d contact into %s",
							 "could not insert %d contacts into %s", rows),
					rows, target->rel->label);
}

/* The three counts of a target; from here on no WARNING repeats them. */
static const char *
tell_counts(GcTarget *target)
{
	gc_audit_told(target->audit, target->taken, target->accepted, target->in_doubt);
	return psprintf("Contacts accepted: " INT64_FORMAT ", in doubt: " INT64_FORMAT
					", not sent: " INT64_FORMAT ".",
					target->accepted, target->in_doubt,
					target->taken - target->accepted - target->in_doubt);
}

static void
take_rows(GcTarget *target, int rows)
{
	target->taken += rows;
	gc_audit_take(target->audit, rows);
}

static void
off_wire(GcBatch *batch)
{
	dlist_delete(&batch->node);
	((GcTarget *) batch->owner)->writer->wire_count--;
}

/* Books an ended batch; returns what is wrong with it, or NULL. */
static const char *
book(GcBatch *batch, int *sqlstate)
{
	GcTarget *target = batch->owner;
	const GcFailure *failure = gc_call_failure(batch->call);
	const char *problem = NULL;
	const char *bytes;
	size_t len;

	*sqlstate = 0;
	gc_progress_update(target->progress, target->accepted, -1, target->stat.requests,
					   target->writer->stat.quota_wait_us);
	gc_written_note(target->writer->conn->api_url, target->list->id);
	if (failure)
	{
		gc_audit_answered(target->audit, failure->correlation_id);
		if (gc_call_in_doubt(batch->call))
			target->in_doubt += batch->rows;
		return NULL;
	}
	gc_audit_answered(target->audit, gc_call_header(batch->call, "inin-correlation-id"));
	bytes = gc_call_reply(batch->call, &len);
	problem = gc_batch_check_echo(batch, bytes, len, sqlstate);
	if (problem)
		target->in_doubt += batch->rows; /* as the call counts them for a WARNING */
	else
	{
		target->accepted += batch->rows;
		target->audit->entry.accepted += batch->rows;
		target->audit->entry.in_doubt -= batch->rows;
		gc_stat_rows(&target->writer->conn->owner, batch->rows, 0);
	}
	return problem;
}

/* Stops the statement's sending: what is in flight is awaited, nothing else goes out. */
static void
writer_stop(Writer *writer)
{
	dlist_mutable_iter iter;

	dlist_foreach_modify (iter, &writer->wire)
		gc_call_give_up(dlist_container(GcBatch, node, iter.cur)->call);
	dlist_foreach_modify (iter, &writer->wire)
	{
		GcBatch *batch = dlist_container(GcBatch, node, iter.cur);
		int sqlstate;

		gc_call_wait(batch->call);
		off_wire(batch);
		(void) book(batch, &sqlstate);
	}
}

/* Throws for a batch that has been booked. */
static void
batch_throw(GcBatch *batch, const char *problem, int sqlstate)
{
	GcTarget *target = batch->owner;
	const char *message = not_inserted(target, batch->rows);
	const GcFailure *failure = gc_call_failure(batch->call);

	if (failure && gc_list_is_doubted(failure))
		gc_list_forget(target->list);
	writer_stop(target->writer);
	if (problem == NULL)
		gc_call_throw(batch->call, message, tell_counts(target));
	if (sqlstate == ERRCODE_FDW_ERROR)
		gc_call_throw_reply(batch->call, problem, message, tell_counts(target));
	ereport(ERROR, (errcode(sqlstate), errmsg_internal("%s", message),
					errdetail_internal("%s\n%s", problem, tell_counts(target)),
					errhint("Somebody else may have changed the contact at the same moment; "
							"quarantine it again.")));
}

void
gc_deliver_refuse(GcTarget *target, const GcProblem *problem)
{
	take_rows(target, 1);
	writer_stop(target->writer);
	ereport(ERROR, (errcode(problem->sqlstate), errmsg_internal("%s", problem->message),
					errdetail_internal("%s\n%s", problem->detail, tell_counts(target)),
					problem->hint ? errhint("%s", problem->hint) : 0));
}

/* ---- the wire ---- */

static void
batch_start(GcBatch *batch)
{
	GcTarget *target = batch->owner;
	Writer *writer = target->writer;
	GcCallSpec spec = {
		.call_class =
			target->settings.flags.clear_system_data ? GC_CALL_UNSAFE : GC_CALL_IDEMPOTENT,
		.method = "POST",
		.path = target->path,
		.endpoint = target->rel->resource->insert_endpoint,
		/* Somebody may wait for a single row, and it is a bulk call all the same. */
		.rate = {.priority = batch->rows == 1, .bulk = true},
		.body = batch->body.data,
		.body_len = batch->body.len,
		.stat = &target->stat,
		.in_doubt = &target->audit->entry.in_doubt,
		.rows = batch->rows,
		.doubted = batch->doubted};

	gc_written_note(writer->conn->api_url, target->list->id);
	dlist_push_tail(&writer->wire, &batch->node);
	writer->wire_count++;
	batch->call = gc_call_start(writer->calls, &spec);
}

static void settle(GcBatch *batch); /* which may send, hence this cycle */

static void
settle_ended(Writer *writer)
{
	/* Settling may split a batch, which changes the list: begin anew each time. */
	for (;;)
	{
		GcBatch *ended = NULL;
		dlist_iter iter;

		dlist_foreach (iter, &writer->wire)
		{
			GcBatch *batch = dlist_container(GcBatch, node, iter.cur);

			if (gc_call_ended(batch->call))
			{
				ended = batch;
				break;
			}
		}
		if (ended == NULL)
			return;
		settle(ended);
	}
}

/* Waits until at most "count" batches are on the wire. */
static void
wait_wire(Writer *writer, int count)
{
	settle_ended(writer);
	while (writer->wire_count > count)
	{
		gc_calls_wait_any(writer->calls);
		settle_ended(writer);
	}
}

/* Sends a closed batch, as soon as it may go. */
static void
batch_send(GcBatch *batch)
{
	Writer *writer = ((GcTarget *) batch->owner)->writer;

	wait_wire(writer, batch->after_wire ? 0 : writer->conn->max_in_flight - 1);
	batch_start(batch);
}

/* 413: the same rows in two requests (SCENARIOS B2). */
static void
batch_split(GcBatch *batch)
{
	GcTarget *target = batch->owner;
	int half = batch->rows / 2;
	GcBatch *parts[2];
	int waiting;

	for (int i = 0; i < 2; i++)
	{
		parts[i] = batch_take(target);
		gc_batch_copy(parts[i], batch, i == 0 ? 0 : half, i == 0 ? half : batch->rows);
		gc_batch_close(parts[i]);
		/* An earlier try may have taken effect, whatever becomes of the parts. */
		parts[i]->doubted = gc_call_doubted(batch->call);
	}
	batch_give_back(batch);
	/* In order; the first takes the place on the wire that has just become free. */
	batch_start(parts[0]);
	/* The second may wait so long that the statement fails. */
	waiting = parts[1]->doubted ? parts[1]->rows : 0;
	target->in_doubt += waiting;
	batch_send(parts[1]);
	target->in_doubt -= waiting;
}

/* An ended batch leaves the wire. */
static void
settle(GcBatch *batch)
{
	GcTarget *target = batch->owner;
	MemoryContext caller_cxt = MemoryContextSwitchTo(target->writer->scratch);
	const GcFailure *failure = gc_call_failure(batch->call);
	const char *problem;
	int sqlstate;

	off_wire(batch);
	if (failure && failure->cause == GC_CAUSE_TOO_LARGE && batch->rows > 1)
	{
		MemoryContextSwitchTo(caller_cxt);
		batch_split(batch);
		return;
	}
	problem = book(batch, &sqlstate);
	if (failure || problem)
		batch_throw(batch, problem, sqlstate);
	MemoryContextSwitchTo(caller_cxt);
	MemoryContextReset(target->writer->scratch);
	batch_give_back(batch);
}

/* ---- rows ---- */

static void
send_open(GcTarget *target)
{
	GcBatch *batch = target->open;

	target->open = NULL;
	target->writer->open_bytes -= batch->body.len;
	gc_batch_close(batch);
	batch_send(batch);
}

static bool
on_wire(Writer *writer, uint64 hash)
{
	dlist_iter iter;

	dlist_foreach (iter, &writer->wire)
		if (gc_batch_has(dlist_container(GcBatch, node, iter.cur), hash))
			return true;
	return false;
}

/* Keeps all open batches within the budget: the largest one goes. */
static void
keep_budget(GcTarget *target)
{
	Writer *writer = target->writer;
	GcTarget *largest = target;
	ListCell *lc;

	if (writer->open_bytes <= target->settings.buffer_memory)
		return;
	foreach (lc, writer->targets)
	{
		GcTarget *other = lfirst(lc);

		if (other->open && other->open->body.len > largest->open->body.len)
			largest = other;
	}
	send_open(largest);
}

const GcProblem *
gc_deliver_check(GcTarget *target, const GcRow *row)
{
	GcProblem *problem;

	if (row->len + 2 <= GC_CONTACTS_MAX_BYTES)
		return NULL;
	problem = palloc0(sizeof(GcProblem));
	problem->sqlstate = ERRCODE_PROGRAM_LIMIT_EXCEEDED;
	problem->message = psprintf("a contact for %s is too large", target->rel->label);
	problem->detail = psprintf("Contact id: \"%s\". It has %d bytes, and a request holds %d.",
							   row->id, row->len, GC_CONTACTS_MAX_BYTES);
	problem->code = "contact.too.large";
	return problem;
}

/* Two tables of a statement may be one list: there, too, the last write of an id wins. */
static void
send_twins(GcTarget *target, uint64 hash)
{
	ListCell *lc;

	foreach (lc, target->writer->targets)
	{
		GcTarget *twin = lfirst(lc);

		if (twin != target && twin->open && strcmp(twin->list->id, target->list->id) == 0 &&
			gc_batch_has(twin->open, hash))
			send_open(twin);
	}
}

void
gc_deliver_row(GcTarget *target, const GcRow *row)
{
	const GcTargetSettings *settings = &target->settings;
	uint64 hash = gc_batch_hash(row->id);

	if (target->has_twin)
		send_twins(target, hash);
	if (target->open && (target->open->rows >= settings->batch_rows ||
						 target->open->body.len + row->len + 2 > settings->batch_bytes ||
						 gc_batch_has(target->open, hash)))
		send_open(target);
	if (target->open == NULL)
		target->open = batch_take(target);
	target->open->after_wire |= on_wire(target->writer, hash);
	target->writer->open_bytes += gc_batch_add(target->open, row, hash);
	take_rows(target, 1);
	keep_budget(target);
}

GcJson *
gc_deliver_now(GcTarget *target, const GcRow *row)
{
	Writer *writer = target->writer;
	uint64 hash = gc_batch_hash(row->id);
	GcBatch *batch;
	const char *problem;
	const char *bytes;
	size_t len;
	int sqlstate;

	if (target->single)
		batch_give_back(target->single);
	target->single = NULL;
	if (target->has_twin)
		send_twins(target, hash);
	wait_wire(writer, 0);
	batch = batch_take(target);
	(void) gc_batch_add(batch, row, hash);
	gc_batch_close(batch);
	take_rows(target, 1);
	batch_start(batch);
	gc_call_wait(batch->call);
	off_wire(batch);
	problem = book(batch, &sqlstate);
	if (problem || gc_call_failure(batch->call))
		batch_throw(batch, problem, sqlstate);
	target->single = batch; /* its reply is what we return */
	bytes = gc_call_reply(batch->call, &len);
	gc_json_init(&target->echo, bytes, len);
	(void) gc_json_enter(&target->echo, '[');
	(void) gc_json_element(&target->echo);
	return &target->echo;
}

void
gc_deliver_drain(EState *estate)
{
	dlist_iter iter;

	dlist_foreach (iter, &writers)
	{
		Writer *writer = dlist_container(Writer, node, iter.cur);
		ListCell *lc;

		if (writer->estate != estate)
			continue;
		foreach (lc, writer->targets)
			if (((GcTarget *) lfirst(lc))->open)
				send_open(lfirst(lc));
		wait_wire(writer, 0);
		foreach (lc, writer->targets)
		{
			GcTarget *target = lfirst(lc);

			gc_size_note_least(target->rel, target->accepted);
			gc_audit_complete(target->audit);
		}
	}
}
