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
#include "base/compat.h"
#include "base/progress.h"
#include "base/written.h"
#include "fdw/bisect.h"
#include "fdw/deliver_parts.h"
#include "fdw/removal.h"
#include "fdw/size.h"
#include "fdw/spill.h"
#include "fdw/statement.h"

#include "lib/ilist.h"
#include "utils/memutils.h"

static dlist_head writers = DLIST_STATIC_INIT(writers);

/* ---- writers and targets ---- */

static void
writer_reset(void *arg)
{
	GcWriter *writer = arg;
	ListCell *lc;

	foreach (lc, writer->targets)
		gc_audit_release(((GcTarget *) lfirst(lc))->audit);
	dlist_delete(&writer->node);
}

static GcWriter *
writer_for(EState *estate, GcConnection *conn)
{
	MemoryContext caller_cxt;
	GcWriter *writer;
	dlist_iter iter;

	dlist_foreach (iter, &writers)
	{
		writer = dlist_container(GcWriter, node, iter.cur);
		if (writer->estate == estate && writer->conn == conn)
			return writer;
	}
	caller_cxt = MemoryContextSwitchTo(estate->es_query_cxt);
	writer = palloc0(sizeof(GcWriter));
	writer->estate = estate;
	writer->conn = conn;
	writer->cxt = estate->es_query_cxt;
	writer->scratch =
		AllocSetContextCreate(writer->cxt, "gc_fdw replies", ALLOCSET_DEFAULT_SIZES);
	/* Chunks beyond 1 kB are blocks of their own: what one batch frees, any other can have. */
	writer->batch_cxt =
		AllocSetContextCreate(writer->cxt, "gc_fdw batches", ALLOCSET_SMALL_SIZES);
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

const char *
gc_deliver_operation(const EState *estate, GcVerb verb)
{
	return estate->es_plannedstmt ? gc_verb(verb)->command : "COPY";
}

GcTarget *
gc_deliver_open(EState *estate, GcConnection *conn, GcRelation *rel, GcList *list,
				const GcTargetSettings *settings)
{
	GcWriter *writer = writer_for(estate, conn);
	MemoryContext caller_cxt = MemoryContextSwitchTo(writer->cxt);
	GcTarget *target = palloc0(sizeof(GcTarget));
	const char *operation = settings->operation ? settings->operation
												: gc_deliver_operation(estate, settings->verb);
	ListCell *lc;

	foreach (lc, writer->targets)
	{
		GcTarget *other = lfirst(lc);

		if (strcmp(other->list->id, list->id) == 0)
		{
			gc_wire_end_deferral(other);
			other->has_twin = true;
			target->has_twin = true;
		}
	}
	target->writer = writer;
	target->rel = rel;
	target->list = list;
	target->settings = *settings;
	target->path = gc_contacts_post_path(list->id, &settings->flags);
	target->audit = settings->import_id != 0
						? gc_audit_alone(list->id, settings->by_role, &target->stat)
						: gc_audit_begin(rel->label, list->id, operation, settings->by_role,
										 &target->stat);
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
GcBatch *
gc_wire_take(GcTarget *target)
{
	GcWriter *writer = target->writer;
	GcBatch *batch;

	if (dlist_is_empty(&writer->spares))
	{
		MemoryContext caller_cxt = MemoryContextSwitchTo(writer->batch_cxt);

		batch = gc_batch_create();
		MemoryContextSwitchTo(caller_cxt);
	}
	else
		batch = dlist_container(GcBatch, node, dlist_pop_head_node(&writer->spares));
	gc_batch_reset(batch, gc_verb(target->settings.verb)->form);
	batch->removes = target->settings.verb == GC_VERB_DELETE;
	batch->owner = target;
	return batch;
}

void
gc_wire_give_back(GcBatch *batch)
{
	GcWriter *writer = ((GcTarget *) batch->owner)->writer;

	if (batch->call)
		gc_call_free(batch->call);
	batch->call = NULL;
	/* Where each of many lists may have it next, it must not keep the memory of a full one. */
	if (list_length(writer->targets) > writer->conn->max_in_flight)
		gc_batch_trim(batch);
	dlist_push_head(&writer->spares, &batch->node);
}

/* ---- counts ---- */

void
gc_deliver_taken(GcTarget *target, int64 rows)
{
	target->taken += rows;
	gc_audit_take(target->audit, rows);
}

void
gc_deliver_skipped(GcTarget *target, int64 rows)
{
	target->taken -= rows;
	gc_audit_take(target->audit, -rows);
	target->uncounted += rows;
}

void
gc_deliver_before_drain(GcTarget *target, void (*callback)(void *arg), void *arg)
{
	target->before_drain = callback;
	target->before_drain_arg = arg;
}

void
gc_deliver_on_echo(GcTarget *target, bool (*echoed)(void *arg, const GcBatch *batch),
				   void *arg)
{
	target->echoed = echoed;
	target->echoed_arg = arg;
}

void
gc_deliver_on_refusal(GcTarget *target, void (*callback)(void *arg, const GcRefusal *refusal),
					  void *arg)
{
	target->refused = callback;
	target->refused_arg = arg;
}

GcCall *
gc_deliver_read(GcTarget *target, GcCallSpec *spec)
{
	spec->stat = &target->stat;
	return gc_call_start(target->writer->calls, spec);
}

GcStat *
gc_deliver_read_stat(GcTarget *target)
{
	return &target->stat;
}

/* Stops the statement's sending: what is in flight is awaited, nothing else goes out. */
void
gc_wire_stop(GcWriter *writer)
{
	dlist_mutable_iter iter;

	dlist_foreach_modify (iter, &writer->wire)
		gc_call_give_up(dlist_container(GcBatch, node, iter.cur)->call);
	dlist_foreach_modify (iter, &writer->wire)
	{
		GcBatch *batch = dlist_container(GcBatch, node, iter.cur);
		int sqlstate;

		gc_call_wait(batch->call);
		gc_wire_off(batch);
		if (gc_wire_book(batch, false, &sqlstate) == NULL && gc_wire_failure(batch) == NULL &&
			!gc_wire_done(batch))
			((GcTarget *) batch->owner)->in_doubt += batch->rows;
	}
}

/* ---- the wire ---- */

void
gc_wire_start(GcBatch *batch)
{
	GcTarget *target = batch->owner;
	GcWriter *writer = target->writer;
	GcCallSpec spec;

	gc_written_note(writer->conn->api_url, target->list->id);
	gc_verb_call(target->settings.verb, target->list, target->path, &target->settings.flags,
				 batch, &spec);
	spec.stat = &target->stat;
	spec.in_doubt = &target->audit->entry.in_doubt;
	spec.rows = batch->rows;
	spec.doubted = batch->doubted;
	dlist_push_tail(&writer->wire, &batch->node);
	writer->wire_count++;
	batch->call = gc_call_start(writer->calls, &spec);
}

void
gc_wire_look_up(GcBatch *batch)
{
	GcTarget *target = batch->owner;
	GcWriter *writer = target->writer;
	GcCallSpec spec;

	gc_call_free(batch->call);
	batch->call = NULL;
	gc_removal_next(batch, target->list, &spec);
	spec.stat = &target->stat;
	dlist_push_tail(&writer->wire, &batch->node);
	writer->wire_count++;
	batch->call = gc_call_start(writer->calls, &spec);
}

static void settle(GcBatch *batch); /* which may send, hence this cycle */

static void
settle_ended(GcWriter *writer)
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
void
gc_wire_wait(GcWriter *writer, int count)
{
	settle_ended(writer);
	while (writer->wire_count > count)
	{
		gc_calls_wait_any(writer->calls);
		settle_ended(writer);
	}
}

/* Sends a closed batch, as soon as it may go. */
void
gc_wire_send(GcBatch *batch)
{
	GcWriter *writer = ((GcTarget *) batch->owner)->writer;

	gc_wire_wait(writer, batch->after_wire ? 0 : writer->conn->max_in_flight - 1);
	gc_wire_start(batch);
}

/* An ended batch leaves the wire, or goes on it again for its next call. */
static void
settle(GcBatch *batch)
{
	GcTarget *target = batch->owner;
	MemoryContext caller_cxt = CurrentMemoryContext;
	const char *problem;
	int sqlstate;

	gc_wire_off(batch);
	if (gc_wire_look_again(batch) || gc_bisect_refused(batch))
		return;
	MemoryContextSwitchTo(target->writer->scratch);
	problem = gc_wire_book(batch, true, &sqlstate);
	if (problem || gc_wire_failure(batch))
		gc_wire_throw(batch, problem, sqlstate);
	MemoryContextSwitchTo(caller_cxt);
	MemoryContextReset(target->writer->scratch);
	if (gc_wire_done(batch))
		gc_bisect_accepted(batch);
	else
		gc_wire_look_up(batch);
}

/* ---- the end ---- */

/* Everything has been answered: what was counted and did not happen is not counted. */
static void
target_end(GcTarget *target)
{
	if (target->held > 0)
		gc_deliver_throw_held(target);
	if (target->settings.verb == GC_VERB_INSERT)
		gc_size_note_written(target->rel, target->list->size, target->accepted);
	if (target->settings.counted)
		gc_compat_uncount(target->writer->estate, target->uncounted);
	target->uncounted = 0;
	gc_audit_complete(target->audit);
}

static void
flush_ledger(GcTarget *target)
{
	if (target->ledger)
		gc_ledger_flush(target->ledger);
}

void
gc_deliver_drain(EState *estate)
{
	dlist_iter iter;

	dlist_foreach (iter, &writers)
	{
		GcWriter *writer = dlist_container(GcWriter, node, iter.cur);
		ListCell *lc;

		if (writer->estate != estate)
			continue;
		foreach (lc, writer->targets)
		{
			GcTarget *target = lfirst(lc);

			if (target->before_drain)
				target->before_drain(target->before_drain_arg);
			if (target->open || target->pieces != NIL)
				gc_deliver_open_batch(target);
		}
		gc_spill_end(writer);
		gc_wire_wait(writer, 0);
		foreach (lc, writer->targets)
			gc_wire_check(lfirst(lc));
		foreach (lc, writer->targets)
			flush_ledger(lfirst(lc));
		foreach (lc, writer->targets)
			target_end(lfirst(lc));
	}
}
