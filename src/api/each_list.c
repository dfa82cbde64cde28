/*
 * api/each_list.c
 *	  The same done to many lists of an organisation, several at once.
 *
 * Lists whose contact is held do not wait in their calls, where they would keep others from
 * being begun, but between rounds over all of them.
 */
#include "postgres.h"

#include "api/contact_lists.h"
#include "api/contacts.h"
#include "api/each_list.h"
#include "base/value.h"

#include "utils/memutils.h"

/* G4 */
#define HELD_PAUSE_US (500 * INT64CONST(1000))

struct GcEach
{
	GcCalls *calls;
	GcListWatch watch;
	GcEachWay way;
	int room; /* so many calls at once */
	int64 held_us;
	GcEachItem *items;
	int count;
};

GcEach *
gc_each_create(GcConnection *conn, GcStat *stat, const GcEachWay *way,
			   const GcListWatch *watch, int count)
{
	GcEach *each = palloc0(sizeof(GcEach));

	each->calls = gc_calls_open(conn, stat);
	each->watch = *watch;
	each->way = *way;
	each->room = conn->max_in_flight;
	each->held_us = conn->retry.timeout_ms * INT64CONST(1000);
	each->items = palloc0(sizeof(GcEachItem) * Max(count, 1));
	return each;
}

GcEachItem *
gc_each_add(GcEach *each, const char *object, const char *list_id, const char *name,
			const char *entry)
{
	GcEachItem *item = &each->items[each->count++];
	GcListResult *shown = palloc0(sizeof(GcListResult));

	shown->object = object;
	shown->list_id = pstrdup(list_id);
	shown->name = pstrdup(name);
	shown->entry = entry;
	*item = (GcEachItem){
		.shown = shown,
		.cxt = AllocSetContextCreate(CurrentMemoryContext, "gc_fdw list at work",
									 ALLOCSET_SMALL_SIZES),
	};
	return item;
}

void
gc_each_add_contact(GcEach *each, List *lists, const char *contact_id)
{
	ListCell *lc;

	foreach (lc, lists)
	{
		const GcList *list = lfirst(lc);

		(void) gc_each_add(each, "contact_lists", list->id, list->name, contact_id);
	}
}

/* ---- calls of a list ---- */

static const char *
utf8_copy(const char *words)
{
	return words ? gc_value_to_utf8(words) : NULL;
}

static void
end_call(GcEachItem *item)
{
	if (item->call)
		gc_call_free(item->call);
	item->call = NULL;
}

GcCall *
gc_each_read_contact(GcEach *each, GcEachItem *item)
{
	GcCallSpec spec;
	char *id = pstrdup(item->shown->entry);

	gc_contacts_by_ids(item->shown->list_id, &id, 1, &spec);
	end_call(item);
	item->reads = true;
	return item->call = gc_call_start(each->calls, &spec);
}

GcCall *
gc_each_write(GcEach *each, GcEachItem *item, GcCallSpec *spec)
{
	end_call(item);
	if (!item->shown->written && each->watch.writes)
		each->watch.writes(each->watch.arg);
	item->shown->written = true;
	item->reads = false;
	item->unknown = true;
	spec->in_doubt = each->watch.in_doubt;
	spec->rows = 1;
	spec->in_use_ends = true;
	return item->call = gc_call_start(each->calls, spec);
}

void
gc_each_known(GcEach *each, GcEachItem *item)
{
	item->unknown = false;
	if (each->watch.in_doubt)
		(*each->watch.in_doubt)--;
}

/* Is there a write of which nobody knows?  A read that fails leaves that as it was. */
static bool
is_unknown(const GcEachItem *item)
{
	return item->unknown &&
		   (item->call == NULL || item->reads || gc_call_in_doubt(item->call));
}

/* ---- what becomes of it ---- */

void
gc_each_done(GcEach *each, GcEachItem *item, const char *result, bool changed)
{
	if (!item->shown->failed && is_unknown(item))
		gc_each_known(each, item);
	item->shown->result = result;
	item->shown->changed = changed;
	item->over = true;
	end_call(item);
	each->watch.ended(each->watch.arg, item->shown);
}

void
gc_each_refused(GcEach *each, GcEachItem *item, const char *reason)
{
	item->shown->failed = true;
	gc_each_done(each, item, reason, false);
}

static const char *
words_of(const GcFailure *failure, const char *before)
{
	const char *message = failure->message;

	if (message == NULL)
		message = failure->status ? psprintf("HTTP status %d", failure->status) : "no answer";
	return utf8_copy(psprintf("%s: %s%s%s%s", before, message, failure->code ? " (" : "",
							  failure->code ? failure->code : "", failure->code ? ")" : ""));
}

void
gc_each_failed(GcEach *each, GcEachItem *item)
{
	const GcFailure *failure = gc_call_failure(item->call);

	item->shown->in_doubt = is_unknown(item);
	gc_each_refused(each, item,
					words_of(failure, item->shown->in_doubt ? "in doubt" : "failed"));
}

void
gc_each_held(GcEach *each, GcEachItem *item, const GcFailure *failure)
{
	GcTime now = gc_clock_now();
	const char *words = failure ? words_of(failure, "failed")
								: "failed: the contact is still there, as one is that the "
								  "dialler holds";

	if (item->since == 0)
		item->since = now;
	if (now + HELD_PAUSE_US - item->since > each->held_us)
		gc_each_refused(each, item, words);
	else
	{
		item->held = true;
		item->unknown = is_unknown(item);
		end_call(item);
	}
}

/* ---- all of them ---- */

/* Nothing is left of an attempt before. */
static void
begin(GcEach *each, GcEachItem *item)
{
	MemoryContext caller_cxt = MemoryContextSwitchTo(item->cxt);

	MemoryContextReset(item->cxt);
	item->shown->correlation_id = NULL;
	item->held = false;
	item->step = 0;
	(void) each->way.begin(each, item);
	MemoryContextSwitchTo(caller_cxt);
}

/* The call has ended: there may be another one. */
static void
step(GcEach *each, GcEachItem *item)
{
	MemoryContext caller_cxt = MemoryContextSwitchTo(item->cxt);
	const GcFailure *failure = gc_call_failure(item->call);
	const char *id =
		failure ? failure->correlation_id : gc_call_header(item->call, "inin-correlation-id");

	item->shown->correlation_id = utf8_copy(id);
	each->way.answered(each, item);
	MemoryContextSwitchTo(caller_cxt);
}

/* Sees to the calls that have ended; how many lists are done, or held, by that. */
static int
step_all(GcEach *each)
{
	int ended = 0;

	for (int i = 0; i < each->count; i++)
	{
		GcEachItem *item = &each->items[i];

		if (item->call == NULL || !gc_call_ended(item->call))
			continue;
		step(each, item);
		ended += item->call == NULL;
	}
	return ended;
}

/* Has a call ended?  One may have as it began. */
static bool
any_ended(const GcEach *each)
{
	for (int i = 0; i < each->count; i++)
		if (each->items[i].call && gc_call_ended(each->items[i].call))
			return true;
	return false;
}

/* Once for each list that is not done. */
static void
run_round(GcEach *each)
{
	int next = 0;
	int at_work = 0;

	for (;;)
	{
		for (; next < each->count && at_work < each->room; next++)
		{
			if (each->items[next].over)
				continue;
			begin(each, &each->items[next]);
			at_work++;
		}
		if (at_work == 0)
			return;
		if (!any_ended(each))
			gc_calls_wait_any(each->calls);
		at_work -= step_all(each);
	}
}

static bool
any_held(const GcEach *each)
{
	for (int i = 0; i < each->count; i++)
		if (each->items[i].held)
			return true;
	return false;
}

List *
gc_each_run(GcEach *each)
{
	List *shown = NIL;

	for (run_round(each); any_held(each); run_round(each))
		(void) gc_calls_sleep(each->calls, gc_clock_now() + HELD_PAUSE_US, GC_WAIT_BACKOFF,
							  true);
	gc_calls_close(each->calls);
	for (int i = 0; i < each->count; i++)
		shown = lappend(shown, each->items[i].shown);
	return shown;
}
