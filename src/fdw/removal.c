/*
 * fdw/removal.c
 *	  A batch of contacts that is deleted, and whether they are gone.
 */
#include "postgres.h"

#include "api/contacts.h"
#include "fdw/removal.h"

#include "utils/memutils.h"

bool
gc_removal_is_gone(const GcBatch *batch)
{
	const GcFailure *failure = gc_call_failure(batch->call);
	bool single = batch->rows == 1 || batch->acted;

	return failure && single && gc_contacts_is_missing(failure);
}

bool
gc_removal_is_refused(const GcBatch *batch)
{
	const GcFailure *failure = gc_call_failure(batch->call);

	return batch->removes && batch->rows == 1 && !batch->acted && failure &&
		   failure->cause == GC_CAUSE_CAMPAIGN;
}

/* Those of the look-up at hand. */
static int
looked_up(const GcBatch *batch)
{
	return Min(GC_CONTACTS_MAX_IDS, batch->rows - batch->checked);
}

/* A contact is still there. */
static void
note_held(void *arg, const GcContactEcho *echo)
{
	GcBatch *batch = arg;
	GcHeld *held = palloc(sizeof(GcHeld));
	int len;

	held->id = palloc(echo->id.len + 1);
	len = echo->id.p ? gc_json_unescape(&echo->id, held->id) : 0;
	held->id[Max(len, 0)] = '\0';
	held->json = pnstrdup(echo->whole.p, echo->whole.len);
	held->len = echo->whole.len;
	batch->held = lappend(batch->held, held);
}

/* The answer to a look-up, and what is wrong with it, or NULL. */
static const char *
book_look_up(GcBatch *batch)
{
	const char *bytes;
	size_t len;

	if (gc_call_failure(batch->call)) /* the one that was looked for is gone */
	{
		batch->missing = batch->rows == 1;
		return NULL;
	}
	bytes = gc_call_reply(batch->call, &len);
	if (looked_up(batch) == 1) /* one contact, no array */
	{
		bytes = psprintf("[%s]", bytes);
		len += 2;
	}
	if (gc_contacts_walk_echo(bytes, len, note_held, batch) < 0)
		return "The answer is not a JSON array of contacts.";
	return NULL;
}

void
gc_removal_acted(GcBatch *batch)
{
	const GcFailure *failure = gc_call_failure(batch->call);
	const char *answer =
		failure ? failure->correlation_id : gc_call_header(batch->call, "inin-correlation-id");

	batch->acted = true;
	batch->answer = answer ? MemoryContextStrdup(batch->rows_cxt, answer) : NULL;
}

const char *
gc_removal_book(GcBatch *batch)
{
	MemoryContext caller_cxt = MemoryContextSwitchTo(batch->rows_cxt);
	const char *problem = NULL;

	/* Where an answer was lost, it was most likely this very call that deleted it. */
	if (batch->rows == 1 && !batch->acted)
		batch->missing =
			gc_call_failure(batch->call) != NULL && gc_call_doubted(batch->call) == 0;
	else if (!batch->acted)
		gc_removal_acted(batch);
	else
	{
		problem = book_look_up(batch);
		batch->checked += looked_up(batch);
	}
	MemoryContextSwitchTo(caller_cxt);
	return problem;
}

bool
gc_removal_done(const GcBatch *batch)
{
	return (batch->rows == 1 && !batch->acted) || batch->checked == batch->rows;
}

void
gc_removal_next(GcBatch *batch, const GcList *list, GcCallSpec *spec)
{
	MemoryContext caller_cxt = MemoryContextSwitchTo(batch->rows_cxt);
	int count = looked_up(batch);
	char **ids = palloc(sizeof(char *) * count);

	for (int i = 0; i < count; i++)
		ids[i] = gc_batch_id(batch, batch->checked + i);
	gc_contacts_by_ids(list->id, ids, count, spec);
	MemoryContextSwitchTo(caller_cxt);
}
