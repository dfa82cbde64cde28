/*
 * fdw/deliver_check.c
 *	  Delivery of DELETEs: contacts that are looked for at the end, all at once.
 */
#include "postgres.h"

#include "fdw/deliver_parts.h"

void
gc_deliver_defer_check(GcTarget *target, void (*removed)(void *arg, const char *id),
					   void (*check)(void *arg), void *arg)
{
	target->removed = removed;
	target->check = check;
	target->check_arg = arg;
}

bool
gc_deliver_is_alone(const GcTarget *target)
{
	return !target->has_twin;
}

/* One contact by itself is answered for. */
bool
gc_wire_is_deferred(const GcBatch *batch)
{
	const GcTarget *target = batch->owner;

	return batch->removes && batch->rows > 1 && target->removed != NULL;
}

void
gc_wire_defer(GcBatch *batch)
{
	GcTarget *target = batch->owner;

	for (int i = 0; i < batch->rows; i++)
		target->removed(target->check_arg, gc_batch_id(batch, i));
	target->unchecked += batch->rows;
}

void
gc_wire_check(GcTarget *target)
{
	if (target->unchecked > 0)
		target->check(target->check_arg);
}

void
gc_deliver_checked(GcTarget *target, int64 held)
{
	gc_wire_accept(target, target->unchecked, target->unchecked - held);
	target->unchecked = 0;
}

void
gc_wire_end_deferral(GcTarget *target)
{
	if (target->removed == NULL)
		return;
	gc_wire_wait(target->writer, 0);
	gc_wire_check(target);
	target->removed = NULL;
}
