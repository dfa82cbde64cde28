/*
 * fdw/lookup.c
 *	  Which of a statement's ids a list has already.
 */
#include "postgres.h"

#include "api/contacts.h"
#include "base/option.h"
#include "base/written.h"
#include "fdw/cost.h"
#include "fdw/id_sort.h"
#include "fdw/lookup.h"
#include "fdw/size.h"
#include "fdw/source.h"

#include "miscadmin.h"
#include "utils/memutils.h"

struct GcLookup
{
	const GcModify *modify;
	GcLookupFound found;
	void *arg;
	/* By look-ups: */
	char **ids; /* NULL: by export */
	int64 *numbers;
	bool *there;
	int count;
	int max;
	GcCall **calls;
	MemoryContext cxt; /* of what is asked for, reset when it has been answered */
	/* By export: the ids in it, and the one at hand. */
	GcIdSort *exported;
	const char *id; /* NULL: there is none left */
	int len;
};

static const char *
not_looked_up(const GcModify *modify)
{
	return psprintf("could not look up contacts of %s", modify->rel->label);
}

/* ---- by look-ups ---- */

static void
open_calls(GcLookup *lookup, int max_in_flight)
{
	lookup->max = max_in_flight * GC_CONTACTS_MAX_IDS;
	lookup->ids = palloc(sizeof(char *) * lookup->max);
	lookup->numbers = palloc(sizeof(int64) * lookup->max);
	lookup->there = palloc(sizeof(bool) * lookup->max);
	lookup->calls = palloc(sizeof(GcCall *) * max_in_flight);
	lookup->cxt = AllocSetContextCreate(CurrentMemoryContext, "gc_fdw ids looked up",
										ALLOCSET_DEFAULT_SIZES);
}

typedef struct Answer
{
	char **ids;
	bool *there;
	int count;
	bool is_good; /* nobody else is in it */
} Answer;

static void
visit_contact(void *arg, const GcContactEcho *contact)
{
	Answer *answer = arg;
	char *id = palloc(contact->id.len + 1);
	int len = contact->id.p ? gc_json_unescape(&contact->id, id) : 0;

	id[Max(len, 0)] = '\0';
	for (int i = 0; i < answer->count; i++)
		if (strcmp(answer->ids[i], id) == 0)
		{
			answer->there[i] = true;
			return;
		}
	answer->is_good = false;
}

/* Waits for the answer to a call that asks for these ids, and reads it. */
static void
take_answer(const GcModify *modify, GcCall *call, char **ids, bool *there, int count)
{
	Answer answer = {.ids = ids, .there = there, .count = count, .is_good = true};
	const GcFailure *failure;
	const char *bytes;
	size_t len;

	memset(there, 0, count * sizeof(bool));
	gc_call_wait(call);
	failure = gc_call_failure(call);
	if (failure && count == 1 && gc_contacts_is_missing(failure))
		return;
	if (failure && failure->cause == GC_CAUSE_NOT_FOUND)
		gc_list_forget(modify->list);
	if (failure)
		gc_deliver_fail(modify->target, call, NULL, not_looked_up(modify));
	bytes = gc_call_reply(call, &len);
	if (count == 1) /* one contact, no array */
	{
		bytes = psprintf("[%s]", bytes);
		len += 2;
	}
	if (gc_contacts_walk_echo(bytes, len, visit_contact, &answer) < 0 || !answer.is_good)
		gc_deliver_fail(modify->target, call, "The answer is not the contacts asked for.",
						not_looked_up(modify));
}

static GcCall *
start_call(const GcModify *modify, char **ids, int count)
{
	GcCallSpec spec;

	gc_contacts_by_ids(modify->list->id, ids, count, &spec);
	return gc_deliver_read(modify->target, &spec);
}

/* Looks up all that is held, with as many calls at once as there may be. */
static void
ask(GcLookup *lookup)
{
	MemoryContext caller_cxt = MemoryContextSwitchTo(lookup->cxt);

	for (int first = 0; first < lookup->count; first += GC_CONTACTS_MAX_IDS)
		lookup->calls[first / GC_CONTACTS_MAX_IDS] =
			start_call(lookup->modify, lookup->ids + first,
					   Min(GC_CONTACTS_MAX_IDS, lookup->count - first));
	for (int first = 0; first < lookup->count; first += GC_CONTACTS_MAX_IDS)
	{
		GcCall *call = lookup->calls[first / GC_CONTACTS_MAX_IDS];

		take_answer(lookup->modify, call, lookup->ids + first, lookup->there + first,
					Min(GC_CONTACTS_MAX_IDS, lookup->count - first));
		gc_call_free(call);
	}
	for (int i = 0; i < lookup->count; i++)
		if (lookup->there[i])
			lookup->found(lookup->arg, lookup->numbers[i]);
	lookup->count = 0;
	MemoryContextSwitchTo(caller_cxt);
	MemoryContextReset(lookup->cxt);
}

bool
gc_lookup_one(const GcModify *modify, const char *id)
{
	char *ids[] = {pstrdup(id)};
	bool there;
	GcCall *call = start_call(modify, ids, 1);

	take_answer(modify, call, ids, &there, 1);
	gc_call_free(call);
	return there;
}

/* ---- by export ---- */

static void
next_exported(GcLookup *lookup)
{
	int64 number;

	if (!gc_id_sort_next(lookup->exported, &lookup->id, &lookup->len, &number))
		lookup->id = NULL;
}

/* An export lags behind: what this cluster has written to the list must show in it. */
static void
await_lag(const GcModify *modify, GcStat *stat)
{
	int lag_ms = gc_option_ms(modify->rel->server_options, NIL, "read_lag");
	GcTime shown = gc_written_shown(modify->conn->api_url, modify->list->id, lag_ms);

	if (gc_clock_now() >= shown)
		return;
	gc_source_tell_lag(modify->rel, shown);
	(void) gc_calls_sleep(gc_calls_open(modify->conn, stat), shown, GC_WAIT_LAG, true);
}

/* Reads the ids of all contacts of the list. */
static void
read_export(GcLookup *lookup)
{
	const GcModify *modify = lookup->modify;
	GcStat *stat = gc_deliver_read_stat(modify->target);
	GcSourceRequest request = {.rel = modify->rel,
							   .list = modify->list,
							   .conn = modify->conn,
							   .stat = stat,
							   .reads_all = true};
	Datum *values = palloc0(sizeof(Datum) * Max(modify->rel->column_count, 1));
	bool *nulls = palloc0(sizeof(bool) * Max(modify->rel->column_count, 1));
	MemoryContext row_cxt = AllocSetContextCreate(CurrentMemoryContext, "gc_fdw exported row",
												  ALLOCSET_DEFAULT_SIZES);
	int64 contacts = 0;
	GcSource *source;
	GcSourceRow row;

	await_lag(modify, stat);
	lookup->exported = gc_id_sort_create(work_mem / 4);
	source = gc_source_export.open(&request);
	MemoryContextSwitchTo(row_cxt);
	while (source->ops->next(source, true, values, nulls) == GC_NEXT_ROW)
	{
		source->ops->identify(source, &row);
		if (row.id.p)
			gc_id_sort_put(lookup->exported, row.id.p, row.id.len, 0);
		contacts++;
		MemoryContextReset(row_cxt);
	}
	gc_size_note(modify->rel, contacts);
	gc_id_sort_finish(lookup->exported);
}

/* What is asked for and what is there are in the same order. */
static bool
is_exported(GcLookup *lookup, const char *id, int len)
{
	while (lookup->id)
	{
		int order = memcmp(lookup->id, id, Min(lookup->len, len));

		if (order == 0)
			order = lookup->len - len;
		if (order >= 0)
			return order == 0;
		next_exported(lookup);
	}
	return false;
}

/* ---- the way ---- */

/* Is one export of the list cheaper than to look up so many ids? */
static bool
takes_export(const GcModify *modify, int64 count)
{
	GcRelation *rel = modify->rel;
	const char *method = gc_option_string(rel->options, rel->server_options, "scan_method");
	double contacts = gc_cost_table_rows(rel);
	const char *why;

	if (strcmp(method, "ids") == 0 || !gc_source_export_can(rel, NULL, &why))
		return false;
	if (strcmp(method, "export") == 0)
		return true;
	if (!gc_cost_is_known(rel) && modify->list->size >= 0)
		contacts = modify->list->size;
	return count >
		   gc_cost_lookups_for_export(modify->user_id, rel, contacts) * GC_CONTACTS_MAX_IDS;
}

GcLookup *
gc_lookup_begin(const GcModify *modify, int64 count, GcLookupFound found, void *arg)
{
	MemoryContext caller_cxt = CurrentMemoryContext;
	GcLookup *lookup = palloc0(sizeof(GcLookup));

	lookup->modify = modify;
	lookup->found = found;
	lookup->arg = arg;
	if (takes_export(modify, count))
	{
		read_export(lookup);
		next_exported(lookup);
	}
	else
		open_calls(lookup, modify->conn->max_in_flight);
	MemoryContextSwitchTo(caller_cxt);
	return lookup;
}

void
gc_lookup_put(GcLookup *lookup, const char *id, int len, int64 number)
{
	char *copy;

	if (lookup->exported)
	{
		if (is_exported(lookup, id, len))
			lookup->found(lookup->arg, number);
		return;
	}
	copy = MemoryContextAlloc(lookup->cxt, len + 1);
	memcpy(copy, id, len);
	copy[len] = '\0';
	lookup->ids[lookup->count] = copy;
	lookup->numbers[lookup->count++] = number;
	if (lookup->count == lookup->max)
		ask(lookup);
}

void
gc_lookup_end(GcLookup *lookup)
{
	if (lookup->exported)
		gc_id_sort_end(lookup->exported);
	else
		ask(lookup);
}
