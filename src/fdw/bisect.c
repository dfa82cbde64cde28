/*
 * fdw/bisect.c
 *	  Batches that are refused for some of their contacts: which ones.
 *
 * Of a batch that is searched, the rows before "next" are settled, and those from
 * "next" to "end" are not.  If "bad_end" is not 0, one before it is refused: what was
 * accepted cannot have been it, so a half that is accepted tells of the other one.
 *
 * Two rules keep the requests few where many rows are refused.  Rows that are refused
 * closer than DENSE_GAP to each other are looked for in parts half as long as they are
 * apart.  And if nothing of a batch was accepted, and its first and last rows have each
 * been refused by themselves, with the same code and field, the others count as refused
 * without being sent: the list wants something that none of the rows has.
 */
#include "postgres.h"

#include "fdw/bisect.h"

/* Rows are dense from so many refused ones on, so close to each other. */
#define DENSE_MIN 3
#define DENSE_GAP 16

/* What is refused of a batch's two ends before all of it is; of batches with so many rows. */
#define SAMPLE_HEAD 3
#define SAMPLE_TAIL 2
#define SAMPLE_MIN	16

/* ---- halves ---- */

/* Was it more than the platform takes, or does it hold one of them, so that half may go? */
static bool
is_to_halve(const GcBatch *batch, const GcFailure *failure)
{
	GcTarget *target = batch->owner;

	if (batch->rows == 1 || batch->acted)
		return false;
	if (failure->cause == GC_CAUSE_IN_USE)
		return target->settings.verb != GC_VERB_DELETE;
	return failure->cause == GC_CAUSE_TOO_LARGE || failure->cause == GC_CAUSE_TOO_MANY;
}

/* The same rows in two requests (SCENARIOS B2, G4). */
static void
halve(GcBatch *batch)
{
	GcTarget *target = batch->owner;
	int half = batch->rows / 2;
	GcBatch *parts[2];
	int waiting;

	for (int i = 0; i < 2; i++)
	{
		parts[i] = gc_wire_take(target);
		gc_batch_copy(parts[i], batch, i == 0 ? 0 : half, i == 0 ? half : batch->rows);
		gc_batch_close(parts[i]);
		/* An earlier try may have taken effect, whatever becomes of the parts. */
		parts[i]->doubted = gc_call_doubted(batch->call);
	}
	gc_wire_give_back(batch);
	/* In order; the first takes the place on the wire that has just become free. */
	gc_wire_start(parts[0]);
	/* The second may wait so long that the statement fails. */
	waiting = parts[1]->doubted ? parts[1]->rows : 0;
	target->in_doubt += waiting;
	gc_wire_send(parts[1]);
	target->in_doubt -= waiting;
}

/* ---- one row ---- */

bool
gc_bisect_is_row(const GcBatch *batch, const GcFailure *failure)
{
	const GcTarget *target = batch->owner;

	/* The platform's own refusals have a code; an unknown column is another cause. */
	if (target->settings.verb == GC_VERB_DELETE || failure->code == NULL)
		return false;
	/* An error about an id of another list's names that itself. */
	return failure->cause == GC_CAUSE_REQUEST ||
		   (target->refused && failure->cause == GC_CAUSE_EXTERNAL_ID);
}

/* Hands a row over that the platform refuses; throws if that is one too many. */
static void
reject_row(GcBatch *batch, int row, GcRefusal *refusal, bool doubted)
{
	GcTarget *target = batch->owner;

	refusal->json = gc_batch_row(batch, row, &refusal->len);
	refusal->correlation_id = refusal->failure->correlation_id;
	refusal->counted = !batch->awaited;
	target->in_doubt += doubted;
	(void) gc_deliver_reject(target, refusal);
	/* What is refused by itself was so with others, too, when no answer came. */
	target->in_doubt -= doubted;
	target->audit->entry.in_doubt -= doubted;
}

/* The contact of a batch that has no other, and is no part of one. */
bool
gc_bisect_reject_single(GcBatch *batch)
{
	GcTarget *target = batch->owner;
	const GcFailure *failure = gc_wire_failure(batch);

	if (failure == NULL || target->refused == NULL || !gc_bisect_is_row(batch, failure))
		return false;
	gc_audit_answered(target->audit, failure->correlation_id);
	reject_row(batch, 0, &(GcRefusal){.failure = failure, .tried = true},
			   gc_call_doubted(batch->call) != 0);
	gc_wire_give_back(batch);
	return true;
}

/* ---- search ---- */

static void
search_begin(GcBatch *batch)
{
	memset(&batch->search, 0, sizeof(batch->search));
	batch->search.end = batch->search.bad_end = batch->rows;
	batch->doubted = gc_call_doubted(batch->call);
	/* Of what is in doubt, only an answer about the row itself says that it is not there. */
	batch->search.differs = batch->rows < SAMPLE_MIN || batch->doubted != 0;
	batch->search.doubt_end = batch->doubted ? batch->rows : 0;
	gc_call_free(batch->call);
	batch->call = NULL;
}

/* Have all rows that were sent been refused alike? */
static bool
refused_all(const GcSearch *search)
{
	return search->refused > 0 && !search->accepted && !search->differs;
}

/* Which rows of it go next; how many. */
static int
next_part(const GcSearch *search, int *from)
{
	int left = search->end - search->next;
	int gap;

	*from = search->next;
	if (search->bad_end > 0)
		return Max((search->bad_end - search->next) / 2, 1);
	if (refused_all(search))
	{
		if (search->refused >= SAMPLE_HEAD)
			*from = search->end - 1;
		return 1;
	}
	gap = search->refused < DENSE_MIN ? left : search->next / search->refused;
	return gap < DENSE_GAP ? Min(Max(gap / 2, 1), left) : left;
}

static void
search_go_on(GcBatch *whole)
{
	GcTarget *target = whole->owner;
	GcSearch *search = &whole->search;
	int doubted = Max(search->doubt_end - search->next, 0);
	GcBatch *part;
	int from;
	int rows;

	target->in_doubt -= search->waiting;
	search->waiting = 0;
	if (search->next >= search->end)
	{
		gc_wire_give_back(whole);
		return;
	}
	rows = next_part(search, &from);
	if (doubted > 0)
		rows = Min(rows, doubted);
	part = gc_wire_take(target);
	gc_batch_copy(part, whole, from, from + rows);
	gc_batch_close(part);
	part->whole = whole;
	part->from = from;
	if (doubted > 0)
	{
		part->doubted = whole->doubted;
		/* The others wait, perhaps so long that the statement fails. */
		search->waiting = doubted - rows;
		target->in_doubt += search->waiting;
	}
	gc_wire_start(part);
}

/* Rows at one of the two ends are settled. */
static void
settle_rows(GcSearch *search, int from, int rows)
{
	if (from == search->next)
		search->next += rows;
	else
		search->end = from;
	if (search->next >= search->bad_end)
		search->bad_end = 0;
}

/* Is it what the rows before it were refused for?  An id says nothing of others. */
static bool
is_alike(const GcSearch *search, const GcFailure *failure)
{
	if (failure->cause == GC_CAUSE_EXTERNAL_ID)
		return false;
	return search->refused == 0 ||
		   (strcmp(search->code, failure->code) == 0 &&
			strcmp(search->field, failure->field ? failure->field : "") == 0);
}

/* One row of the batch is refused. */
static void
search_reject(GcBatch *whole, const GcBatch *part, const GcFailure *failure)
{
	GcSearch *search = &whole->search;
	GcRefusal refusal = {.failure = failure, .tried = true};

	gc_audit_answered(((GcTarget *) whole->owner)->audit, failure->correlation_id);
	reject_row(whole, part->from, &refusal, gc_call_doubted(part->call) != 0);
	settle_rows(search, part->from, 1);
	search->bad_end = 0;
	search->differs |= !is_alike(search, failure);
	if (search->refused++ == 0)
	{
		search->code = MemoryContextStrdup(whole->rows_cxt, failure->code);
		search->field =
			MemoryContextStrdup(whole->rows_cxt, failure->field ? failure->field : "");
	}
	if (!refused_all(search) || search->refused < SAMPLE_HEAD + SAMPLE_TAIL)
		return;
	refusal.tried = false;
	while (search->next < search->end)
		reject_row(whole, search->next++, &refusal, false);
}

/* So is a part with more of them, of which one is meant; an earlier try may have got no answer. */
static void
search_narrow(GcBatch *whole, const GcBatch *part)
{
	GcSearch *search = &whole->search;

	search->bad_end = part->from + part->rows;
	if (gc_call_doubted(part->call) == 0 || search->doubt_end > part->from)
		return;
	whole->doubted = gc_call_doubted(part->call);
	search->doubt_end = search->bad_end;
	search->differs = true;
}

/* A batch, or a part of one that is searched, is refused. */
static void
search_refused(GcBatch *batch, const GcFailure *failure)
{
	GcBatch *whole = batch->whole;

	if (whole == NULL)
	{
		search_begin(batch);
		search_go_on(batch);
		return;
	}
	if (batch->rows > 1)
		search_narrow(whole, batch);
	else
		search_reject(whole, batch, failure);
	gc_wire_give_back(batch);
	search_go_on(whole);
}

bool
gc_bisect_refused(GcBatch *batch)
{
	const GcTarget *target = batch->owner;
	const GcFailure *failure = gc_wire_failure(batch);

	if (failure == NULL)
		return false;
	if (is_to_halve(batch, failure))
	{
		if (batch->whole)
			search_refused(batch, failure);
		else
			halve(batch);
		return true;
	}
	if (!gc_bisect_is_row(batch, failure))
		return false;
	if (batch->rows == 1 && (batch->whole == NULL || target->refused == NULL))
		return gc_bisect_reject_single(batch);
	search_refused(batch, failure);
	return true;
}

void
gc_bisect_accepted(GcBatch *batch)
{
	GcBatch *whole = batch->whole;

	if (whole)
	{
		whole->search.accepted = true;
		settle_rows(&whole->search, batch->from, batch->rows);
	}
	gc_wire_give_back(batch);
	if (whole)
		search_go_on(whole);
}
