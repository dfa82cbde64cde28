/*
 * fdw/lookup.c
 *	  Which of a statement's ids a list has already.
 */
#include "postgres.h"

#include "api/contacts.h"
#include "api/pager.h"
#include "base/json_pick.h"
#include "base/option.h"
#include "base/written.h"
#include "fdw/cost.h"
#include "fdw/id_sort.h"
#include "fdw/lookup.h"
#include "fdw/size.h"
#include "fdw/source.h"

#include "miscadmin.h"
#include "utils/memutils.h"

/* Contacts that are read to see whether the list has any more. */
#define PAGE_SIZE 100

struct GcLookup
{
	const GcModify *modify;
	GcLookupFound found;
	void *arg;
	/* By look-ups: */
	char **ids; /* NULL: by export */
	int64 *numbers;
	GcSpan *there; /* the contacts of these ids; p NULL: there is none */
	int count;
	int max;
	GcCall **calls;
	MemoryContext cxt; /* of what is asked for, reset when it has been answered */
	/* By export, or page: the ids in it, and the one at hand. */
	GcIdSort *listed;
	bool is_page;
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
	lookup->there = palloc(sizeof(GcSpan) * lookup->max);
	lookup->calls = palloc(sizeof(GcCall *) * max_in_flight);
	lookup->cxt = AllocSetContextCreate(CurrentMemoryContext, "gc_fdw ids looked up",
										ALLOCSET_DEFAULT_SIZES);
}

typedef struct Answer
{
	char **ids;
	GcSpan *there;
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
			answer->there[i] = contact->whole;
			return;
		}
	answer->is_good = false;
}

/* Waits for the answer to a call that asks for these ids, and reads it. */
static void
take_answer(const GcModify *modify, GcCall *call, char **ids, GcSpan *there, int count)
{
	Answer answer = {.ids = ids, .there = there, .count = count, .is_good = true};
	const GcFailure *failure;
	const char *bytes;
	size_t len;

	memset(there, 0, count * sizeof(GcSpan));
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

/* Tells of the contacts that an answer has, from that id on. */
static void
tell_found(GcLookup *lookup, const GcCall *call, int first, int count)
{
	const char *answer =
		gc_call_failure(call) == NULL ? gc_call_header(call, "inin-correlation-id") : NULL;

	for (int i = first; i < first + count; i++)
		if (lookup->there[i].p)
			lookup->found(lookup->arg, &(GcFound){.id = lookup->ids[i],
												  .len = strlen(lookup->ids[i]),
												  .number = lookup->numbers[i],
												  .contact = lookup->there[i],
												  .answer = answer});
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
		int count = Min(GC_CONTACTS_MAX_IDS, lookup->count - first);

		take_answer(lookup->modify, call, lookup->ids + first, lookup->there + first, count);
		tell_found(lookup, call, first, count);
		gc_call_free(call);
	}
	lookup->count = 0;
	MemoryContextSwitchTo(caller_cxt);
	MemoryContextReset(lookup->cxt);
}

bool
gc_lookup_one(const GcModify *modify, const char *id)
{
	char *ids[] = {pstrdup(id)};
	GcSpan there;
	GcCall *call = start_call(modify, ids, 1);

	take_answer(modify, call, ids, &there, 1);
	gc_call_free(call);
	return there.p != NULL;
}

/* ---- by export, or by a page ---- */

static void
next_listed(GcLookup *lookup)
{
	int64 number;

	if (!gc_id_sort_next(lookup->listed, &lookup->id, &lookup->len, &number))
		lookup->id = NULL;
}

static int
read_lag_ms(const GcModify *modify)
{
	return gc_option_ms(modify->rel->server_options, NIL, "read_lag");
}

/* Until when reads may miss what this cluster has written to the list. */
static GcTime
lag_end(const GcModify *modify)
{
	return gc_written_shown(modify->conn->api_url, modify->list->id, read_lag_ms(modify));
}

static GcCalls *
open_reads(const GcModify *modify)
{
	return gc_calls_open(modify->conn, gc_deliver_read_stat(modify->target));
}

/* Searches and exports lag behind: what this cluster has written to the list must show in them. */
static void
await_lag(const GcModify *modify)
{
	GcTime shown = lag_end(modify);

	if (gc_clock_now() >= shown)
		return;
	gc_source_tell_lag(modify->rel, shown);
	(void) gc_calls_sleep(open_reads(modify), shown, GC_WAIT_LAG, true);
}

/* Reads the ids of all contacts of the list; how many there are. */
static int64
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

	lookup->listed = gc_id_sort_create(work_mem / 4);
	source = gc_source_export.open(&request);
	MemoryContextSwitchTo(row_cxt);
	while (source->ops->next(source, true, values, nulls) == GC_NEXT_ROW)
	{
		source->ops->identify(source, &row);
		if (row.id.p)
			gc_id_sort_put(lookup->listed, row.id.p, row.id.len, 0);
		contacts++;
		MemoryContextReset(row_cxt);
	}
	gc_size_note(modify->rel, contacts);
	gc_id_sort_finish(lookup->listed);
	return contacts;
}

static void
forget_list(void *list)
{
	gc_list_forget(list);
}

static void
put_contact(GcIdSort *sort, GcPager *pager, GcPick *pick, GcJson *contact)
{
	GcSpan id;
	char *decoded;
	int len;

	if (!gc_pick_object(pick, contact, &id, 1) || id.type != '"')
		gc_pager_throw(pager, "A contact in it has no id.");
	decoded = palloc(id.len + 1);
	len = gc_json_unescape(&id, decoded);
	gc_id_sort_put(sort, decoded, Max(len, 0), 0);
}

/*
 * Reads the ids of all contacts of the list, if one page has them.  How many there are;
 * -1: it was not told.
 */
static int64
read_page(GcLookup *lookup)
{
	static const char *const id[] = {"id"};
	const GcModify *modify = lookup->modify;
	GcPager *pager = gc_pager_open(open_reads(modify), modify->rel->resource, modify->list->id,
								   PAGE_SIZE, 1, modify->rel->label);
	GcIdSort *sort = gc_id_sort_create(0);
	GcPick *pick = gc_pick_create();
	GcJson *contact;

	gc_pick_add(pick, id, 1, 0);
	gc_pager_on_missing(pager, forget_list, modify->list);
	while (gc_pager_next(pager, true, &contact) == GC_NEXT_ROW && !gc_pager_has_pages(pager))
		put_contact(sort, pager, pick, contact);
	gc_size_note(modify->rel, gc_pager_total(pager));
	lookup->is_page = gc_pager_total(pager) >= 0 && !gc_pager_has_pages(pager);
	if (lookup->is_page)
	{
		gc_id_sort_finish(sort);
		lookup->listed = sort;
	}
	else
		gc_id_sort_end(sort);
	return gc_pager_total(pager);
}

/* What is asked for and what is there are in the same order. */
static bool
is_listed(GcLookup *lookup, const char *id, int len)
{
	while (lookup->id)
	{
		int order = memcmp(lookup->id, id, Min(lookup->len, len));

		if (order == 0)
			order = lookup->len - len;
		if (order >= 0)
			return order == 0;
		next_listed(lookup);
	}
	return false;
}

/* ---- the way ---- */

static bool
has_method(const GcModify *modify, const char *method)
{
	const GcRelation *rel = modify->rel;

	return strcmp(gc_option_string(rel->options, rel->server_options, "scan_method"),
				  method) == 0;
}

static bool
may_export(const GcModify *modify)
{
	const char *why;

	return !has_method(modify, "ids") && gc_source_export_can(modify->rel, NULL, &why);
}

/* Is one export of the list cheaper than to look up so many ids, if it has to wait first? */
static bool
is_cheaper(const GcModify *modify, int64 count, double wait_ms)
{
	GcRelation *rel = modify->rel;
	double contacts = gc_cost_table_rows(rel);

	if (!gc_cost_is_known(rel) && modify->list->size >= 0)
		contacts = modify->list->size;
	return count > gc_cost_lookups_for_export(modify->user_id, rel, contacts, wait_ms) *
					   GC_CONTACTS_MAX_IDS;
}

static GcLookup *
create(const GcModify *modify, GcLookupFound found, void *arg)
{
	GcLookup *lookup = palloc0(sizeof(GcLookup));

	lookup->modify = modify;
	lookup->found = found;
	lookup->arg = arg;
	return lookup;
}

static void
begin_ids(GcLookup *lookup)
{
	open_calls(lookup, lookup->modify->conn->max_in_flight);
}

GcLookup *
gc_lookup_begin_ids(const GcModify *modify, GcLookupFound found, void *arg)
{
	GcLookup *lookup = create(modify, found, arg);

	begin_ids(lookup);
	return lookup;
}

GcLookup *
gc_lookup_begin(const GcModify *modify, int64 count, GcLookupFound found, void *arg)
{
	MemoryContext caller_cxt = CurrentMemoryContext;
	GcLookup *lookup = create(modify, found, arg);
	double wait_ms = Max(lag_end(modify) - gc_clock_now(), 0) / 1000.0;

	if (may_export(modify) &&
		(has_method(modify, "export") || is_cheaper(modify, count, wait_ms)))
	{
		await_lag(modify);
		(void) read_export(lookup);
		next_listed(lookup);
	}
	else
		begin_ids(lookup);
	MemoryContextSwitchTo(caller_cxt);
	return lookup;
}

bool
gc_lookup_left_exports(const GcModify *modify, int64 count)
{
	return may_export(modify) && is_cheaper(modify, count, read_lag_ms(modify));
}

/*
 * Reads the ids of all contacts that are left; false: that would not be cheaper, or they
 * cannot be known so.  An export that has fewer contacts than the list had when it was
 * asked for may be one that was begun earlier, for somebody else.
 */
static bool
read_left(GcLookup *lookup, int64 count)
{
	const GcModify *modify = lookup->modify;
	int64 total;

	if (!gc_lookup_left_exports(modify, count))
		return false;
	await_lag(modify);
	total = read_page(lookup);
	if (lookup->is_page)
		return true;
	if (!is_cheaper(modify, count, 0))
		return false;
	if (read_export(lookup) >= total)
		return true;
	gc_id_sort_end(lookup->listed);
	lookup->listed = NULL;
	return false;
}

GcLookup *
gc_lookup_begin_left(const GcModify *modify, int64 count, GcLookupFound found, void *arg)
{
	MemoryContext caller_cxt = CurrentMemoryContext;
	GcLookup *lookup = create(modify, found, arg);

	if (read_left(lookup, count))
		next_listed(lookup);
	else
	{
		MemoryContextSwitchTo(caller_cxt);
		begin_ids(lookup);
	}
	MemoryContextSwitchTo(caller_cxt);
	return lookup;
}

const char *
gc_lookup_way(const GcLookup *lookup)
{
	if (lookup->listed == NULL)
		return gc_source_ids.name;
	return lookup->is_page ? lookup->modify->rel->resource->path_name : gc_source_export.name;
}

bool
gc_lookup_is_by_ids(const GcLookup *lookup)
{
	return lookup->listed == NULL;
}

void
gc_lookup_put(GcLookup *lookup, const char *id, int len, int64 number)
{
	char *copy;

	if (lookup->listed)
	{
		if (is_listed(lookup, id, len))
			lookup->found(lookup->arg, &(GcFound){.id = id, .len = len, .number = number});
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
	if (lookup->listed)
		gc_id_sort_end(lookup->listed);
	else
		ask(lookup);
}
