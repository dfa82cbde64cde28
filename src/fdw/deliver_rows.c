/*
 * fdw/deliver_rows.c
 *	  Delivery of contacts: rows into batches, and when a batch goes.
 */
#include "postgres.h"

#include "fdw/bisect.h"
#include "fdw/deliver_parts.h"
#include "fdw/spill.h"

/* A batch of contacts that were just read again may be filled for so long. */
#define STALE_GRACE_US (5 * USECS_PER_SEC)

void
gc_deliver_open_batch(GcTarget *target)
{
	GcBatch *batch = target->open;

	if (target->pieces != NIL)
	{
		gc_spill_send(target);
		return;
	}
	target->open = NULL;
	target->writer->open_bytes -= gc_batch_memory(batch);
	gc_batch_close(batch);
	gc_wire_send(batch);
}

static bool
on_wire(GcWriter *writer, uint64 hash)
{
	dlist_iter iter;

	dlist_foreach (iter, &writer->wire)
		if (gc_batch_has(dlist_container(GcBatch, node, iter.cur), hash))
			return true;
	return false;
}

/* Keeps all open batches within the budget: the largest one goes, or waits on disk. */
static void
keep_budget(GcTarget *target)
{
	GcWriter *writer = target->writer;
	GcTarget *largest = target;
	ListCell *lc;

	if (writer->open_bytes <= target->settings.buffer_memory)
		return;
	foreach (lc, writer->targets)
	{
		GcTarget *other = lfirst(lc);

		if (other->open && gc_batch_memory(other->open) > gc_batch_memory(largest->open))
			largest = other;
	}
	if (!gc_spill_open_batch(largest))
		gc_deliver_open_batch(largest);
}

const GcProblem *
gc_deliver_check(const GcRelation *rel, const GcRow *row)
{
	GcProblem *problem;

	if (row->len + 2 <= GC_CONTACTS_MAX_BYTES)
		return NULL;
	problem = palloc0(sizeof(GcProblem));
	problem->sqlstate = ERRCODE_PROGRAM_LIMIT_EXCEEDED;
	problem->message = psprintf("a contact for %s is too large", rel->label);
	problem->detail = psprintf("Contact id: \"%s\". It has %d bytes, and a request holds %d.",
							   row->id, row->len, GC_CONTACTS_MAX_BYTES);
	problem->code = "contact.too.large";
	problem->reason = psprintf("%s: it has %d bytes, and a request holds %d", problem->message,
							   row->len, GC_CONTACTS_MAX_BYTES);
	return problem;
}

/* What is merged may have become too large for a request; false: it is rejected. */
static bool
fits(GcTarget *target, const GcRow *row, bool counted)
{
	const GcProblem *problem = gc_deliver_check(target->rel, row);
	GcProblem refused;

	if (problem == NULL)
		return true;
	if (!row->taken)
		gc_deliver_taken(target, 1);
	refused = *problem;
	refused.taken = true;
	if (!gc_deliver_reject(target, &(GcRefusal){.problem = &refused,
												.counted = counted,
												.json = row->json,
												.len = row->len}))
		gc_deliver_refuse(target, &refused);
	return false;
}

/* Two tables of a statement may be one list: there, too, the last write of an id wins. */
static void
send_twins(GcTarget *target, uint64 hash)
{
	ListCell *lc;

	foreach (lc, target->writer->targets)
	{
		GcTarget *twin = lfirst(lc);

		if (twin != target && strcmp(twin->list->id, target->list->id) == 0 &&
			(twin->pieces != NIL || (twin->open && gc_batch_has(twin->open, hash))))
			gc_deliver_open_batch(twin);
	}
}

/* Does the open batch hold a contact that was read so long ago that it must not wait? */
static bool
is_stale(GcTarget *target)
{
	GcTime oldest = target->open->oldest;

	return oldest != 0 &&
		   gc_clock_now() - oldest > target->settings.freshness_us + STALE_GRACE_US;
}

/* Would the row overfill what waits already, in memory and on disk? */
static bool
is_full(const GcTarget *target, const GcRow *row)
{
	int rows = target->spilled_rows + (target->open ? target->open->rows : 0);
	int bytes = target->spilled_bytes + (target->open ? target->open->body.len : 0);

	return rows >= target->settings.batch_rows ||
		   (rows > 0 && bytes + row->len + 2 > target->settings.batch_bytes);
}

void
gc_deliver_row(GcTarget *target, const GcRow *row)
{
	uint64 hash = gc_batch_hash(row->id);

	if (!fits(target, row, true))
		return;
	if (target->has_twin)
		send_twins(target, hash);
	if (is_full(target, row) ||
		(target->open && (gc_batch_has(target->open, hash) || is_stale(target))))
		gc_deliver_open_batch(target);
	if (target->open == NULL)
	{
		target->open = gc_wire_take(target);
		target->writer->open_bytes += gc_batch_memory(target->open);
	}
	target->open->after_wire |= on_wire(target->writer, hash);
	target->writer->open_bytes += gc_batch_add(target->open, row, hash);
	if (!row->taken)
		gc_deliver_taken(target, 1);
	keep_budget(target);
}

static void
await_off(GcBatch *batch)
{
	gc_call_wait(batch->call);
	gc_wire_off(batch);
}

bool
gc_deliver_now(GcTarget *target, const GcRow *row, GcJson **echo)
{
	GcWriter *writer = target->writer;
	uint64 hash = gc_batch_hash(row->id);
	GcBatch *batch;
	const char *problem;
	const char *bytes;
	size_t len;
	int sqlstate;

	if (!fits(target, row, false))
		return false;
	if (target->single)
		gc_wire_give_back(target->single);
	target->single = NULL;
	if (target->has_twin)
		send_twins(target, hash);
	gc_wire_wait(writer, 0);
	batch = gc_wire_take(target);
	(void) gc_batch_add(batch, row, hash);
	gc_batch_close(batch);
	batch->awaited = true;
	if (!row->taken)
		gc_deliver_taken(target, 1);
	gc_wire_start(batch);
	await_off(batch);
	if (gc_wire_look_again(batch))
		await_off(batch);
	if (gc_bisect_reject_single(batch))
		return false;
	problem = gc_wire_book(batch, true, &sqlstate);
	if (problem || gc_wire_failure(batch))
		gc_wire_throw(batch, problem, sqlstate);
	target->single = batch; /* its reply is what we return */
	if (batch->odd != NIL || batch->held != NIL)
		return false;
	if (echo == NULL)
		return !batch->missing;
	bytes = gc_call_reply(batch->call, &len);
	gc_json_init(&target->echo, bytes, len);
	(void) gc_json_enter(&target->echo, '[');
	(void) gc_json_element(&target->echo);
	*echo = &target->echo;
	return true;
}
