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
	char *id = palloc(echo->id.len + 1);
	int len = echo->id.p ? gc_json_unescape(&echo->id, id) : 0;

	id[Max(len, 0)] = '\0';
	batch->held = lappend(batch->held, id);
}

const char *
gc_removal_book(GcBatch *batch)
{
	MemoryContext caller_cxt = MemoryContextSwitchTo(batch->rows_cxt);
	const char *problem = NULL;
	const char *bytes;
	size_t len;

	/* Where an answer was lost, it was most likely this very call that deleted it. */
	if (batch->rows == 1)
		batch->missing =
			gc_call_failure(batch->call) != NULL && gc_call_doubted(batch->call) == 0;
	else if (!batch->acted)
		batch->acted = true;
	else
	{
		if (looked_up(batch) == 1)
		{
			if (gc_call_failure(batch->call) == NULL)
				batch->held = lappend(batch->held, gc_batch_id(batch, batch->checked));
		}
		else
		{
			bytes = gc_call_reply(batch->call, &len);
			if (gc_contacts_walk_echo(bytes, len, note_held, batch) < 0)
				problem = "The answer is not a JSON array of contacts.";
		}
		batch->checked += looked_up(batch);
	}
	MemoryContextSwitchTo(caller_cxt);
	return problem;
}

bool
gc_removal_done(const GcBatch *batch)
{
	return batch->rows == 1 || batch->checked == batch->rows;
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
