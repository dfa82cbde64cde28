/*
 * fdw/direct_run.c
 *	  Which bulk jobs a statement comes to, and in which order.
 *
 * A job settles which contacts it is about by what searches show, which is later
 * than what this cluster wrote a moment ago: that is waited for.  No published word
 * says whether an edit leaves cells alone that it does not name, nor whether
 * contacts that were passed over count as done: both are looked at.
 */
#include "postgres.h"

#include "api/contacts.h"
#include "api/criteria.h"
#include "base/option.h"
#include "base/seen.h"
#include "base/value.h"
#include "base/written.h"
#include "fdw/direct_parts.h"
#include "fdw/size.h"

#include "utils/memutils.h"
#include "utils/timestamp.h"

/* The first contacts: one of them is to show what an edit does, before all others are edited. */
#define FIRST_CONTACTS 5

/* ---- what can be looked at ---- */

/* The platform may write a phone number, or a moment, in another way. */
static bool
can_be_checked(const GcList *list, GcDirectCell *cell)
{
	int column = gc_list_column(list, cell->column);

	if (column < 0 || list->is_phone[column])
		return false;
	cell->numeric = list->types[column] == GC_COLUMN_NUMERIC;
	return list->types[column] == GC_COLUMN_TEXT || (cell->numeric && *cell->value != '\0');
}

bool
gc_direct_can_check(GcDirect *direct)
{
	char *cells = psprintf("{%s}", direct->patch.cells);
	GcSpan key;
	GcSpan value;
	GcJson json;
	int len;

	direct->cells = palloc(sizeof(GcDirectCell) * Max(direct->patch.field_count, 1));
	gc_json_init(&json, cells, strlen(cells));
	(void) gc_json_enter(&json, '{');
	while (gc_json_key(&json, &key) && gc_json_value(&json, &value))
	{
		GcDirectCell *cell = &direct->cells[direct->cell_count];
		char *content = gc_value_span_text(&value, &len);

		cell->column = gc_value_span_text(&key, &len);
		cell->value = content ? content : "";
		direct->cell_count += can_be_checked(direct->request.list, cell);
	}
	return direct->cell_count > 0 || direct->patch.shown.callable;
}

/* The contacts that match, and do not have what SET gives them. */
static const char *
unset_criteria(const GcDirect *direct)
{
	GcCriteria criteria;

	gc_criteria_begin(&criteria);
	gc_criteria_clause(&criteria);
	for (int i = 0; i < direct->cell_count; i++)
	{
		const GcDirectCell *cell = &direct->cells[i];
		char *value = unconstify(char *, cell->value);

		gc_criteria_predicate(&criteria, cell->column, cell->numeric, GC_OPERATOR_EQUALS, true,
							  &value, 1);
	}
	return gc_criteria_both(direct->request.criteria, gc_criteria_end(&criteria));
}

/* ---- by criteria ---- */

/* A search shows by then what this cluster has written. */
static void
await_lag(GcDirect *direct)
{
	const GcSourceRequest *request = &direct->request;
	GcTime shown =
		gc_written_shown(request->conn->api_url, request->list->id,
						 gc_option_ms(request->rel->server_options, NIL, "read_lag"));

	if (gc_clock_now() >= shown)
		return;
	gc_source_tell_lag(request->rel, shown);
	(void) gc_calls_sleep(direct->calls, shown, GC_WAIT_LAG, true);
}

static char *
edit_body(const GcDirect *direct, const char *which)
{
	return psprintf("{%s,\"contact\":{%s%s\"data\":{%s}}}", which, direct->start,
					direct->patch.attributes, direct->patch.cells);
}

/* Of the contacts that a search shows none is there. */
static void
throw_gone(const GcDirect *direct, int64 total)
{
	const GcPolicy *policy = gc_policy(GC_CAUSE_GONE);

	ereport(ERROR,
			(errcode(policy->sqlstate), errmsg_internal("%s", gc_direct_failed(direct, total)),
			 errdetail("A search still shows contacts that are not there any more."),
			 errhint("%s", policy->hint)));
}

static char **
id_array(List *ids)
{
	char **array = palloc(sizeof(char *) * Max(list_length(ids), 1));
	ListCell *lc;

	foreach (lc, ids)
		array[foreach_current_index(lc)] = lfirst(lc);
	return array;
}

/* Those of these contacts that are there, of "total" that a search has shown. */
static List *
read_found(GcDirect *direct, List *ids, int64 total)
{
	List *contacts = gc_direct_read(direct, id_array(ids), list_length(ids));

	if (contacts == NIL)
		throw_gone(direct, total);
	return contacts;
}

/* By the first contacts that a search shows, or, if none of them can tell, by some more. */
static void
probe_found(GcDirect *direct, List *ids, int64 total)
{
	const char *criteria = direct->request.criteria;
	List *telling = gc_direct_telling(direct, read_found(direct, ids, total));

	if (telling == NIL && total > list_length(ids))
	{
		ids = gc_direct_search(direct, criteria, GC_CONTACTS_MAX_IDS, &total);
		telling = gc_direct_telling(direct, read_found(direct, ids, total));
	}
	gc_direct_probe(direct, list_truncate(telling, FIRST_CONTACTS));
}

static int64
edit_by_criteria(GcDirect *direct, List *first, int64 total)
{
	const char *criteria = direct->request.criteria;
	TimestampTz began;
	GcBulkJob job;

	probe_found(direct, first, total);
	began = GetCurrentTimestamp();
	gc_direct_job(direct, edit_body(direct, psprintf("\"criteria\":%s", criteria)), total,
				  true, &job);
	gc_direct_check_set(direct, first);
	gc_direct_check_left(direct, unset_criteria(direct), began);
	return job.completed;
}

static int64
remove_by_criteria(GcDirect *direct, int64 total)
{
	const GcSourceRequest *request = &direct->request;
	TimestampTz began = GetCurrentTimestamp();
	int64 size;
	GcBulkJob job;

	gc_direct_job(direct, psprintf("{\"criteria\":%s}", request->criteria), total, true, &job);
	gc_direct_check_left(direct, request->criteria, began);
	size = gc_size_known(request->rel);
	if (size >= job.completed)
		gc_size_note(request->rel, size - job.completed);
	return job.completed;
}

static int64
run_by_criteria(GcDirect *direct)
{
	List *first;
	int64 total;

	await_lag(direct);
	first = gc_direct_search(direct, direct->request.criteria, FIRST_CONTACTS, &total);
	if (total == 0)
		return 0;
	return direct->verb == GC_VERB_UPDATE ? edit_by_criteria(direct, first, total)
										  : remove_by_criteria(direct, total);
}

/* ---- by ids ---- */

/* Each id once; how many. */
static int
distinct_ids(const GcSourceRequest *request, char **ids)
{
	GcSeen *seen = gc_seen_create(request->id_count);
	int count = 0;

	for (int i = 0; i < request->id_count; i++)
	{
		int len = strlen(request->ids[i]);

		if (len > 0 && !gc_seen_note(seen, request->ids[i], len))
			ids[count++] = request->ids[i];
	}
	return count;
}

/* By the first of these contacts that can tell; false if none of them is there. */
static bool
probe_named(GcDirect *direct, char **ids, int count)
{
	List *telling = NIL;
	bool found = false;

	for (int i = 0; i < count && telling == NIL; i += GC_CONTACTS_MAX_IDS)
	{
		int some = Min(GC_CONTACTS_MAX_IDS, count - i);
		List *contacts = gc_direct_read(direct, ids + i, some);

		found |= contacts != NIL;
		telling = gc_direct_telling(direct, contacts);
	}
	if (found)
		gc_direct_probe(direct, list_truncate(telling, FIRST_CONTACTS));
	return found;
}

/* How many of these ids one job takes, and which they are as JSON. */
static int
take_ids(char **ids, int count, StringInfo which)
{
	int taken = 0;

	appendStringInfoString(which, "\"contactIds\":[\"");
	while (taken < count && taken < GC_BULK_MAX_IDS &&
		   (taken == 0 || which->len < GC_CONTACTS_MAX_BYTES / 2))
	{
		appendStringInfoString(which, taken > 0 ? "\",\"" : "");
		gc_json_escape(which, ids[taken], strlen(ids[taken]));
		taken++;
	}
	appendStringInfoString(which, "\"]");
	return taken;
}

/* Edits the first of these ids, as many as one job takes, which it returns. */
static int
edit_some(GcDirect *direct, char **ids, int count, int64 *done)
{
	StringInfoData which;
	List *named = NIL;
	GcBulkJob job;
	int taken;

	initStringInfo(&which);
	taken = take_ids(ids, count, &which);
	for (int i = 0; i < taken; i++)
		named = lappend(named, ids[i]);
	gc_direct_job(direct, edit_body(direct, which.data), taken, true, &job);
	gc_direct_check_set(direct, named);
	*done += job.completed;
	return taken;
}

static int64
run_by_ids(GcDirect *direct)
{
	char **ids = palloc(sizeof(char *) * direct->request.id_count);
	int count = distinct_ids(&direct->request, ids);
	MemoryContext scratch =
		AllocSetContextCreate(CurrentMemoryContext, "gc_fdw bulk ids", ALLOCSET_DEFAULT_SIZES);
	int64 done = 0;

	if (!probe_named(direct, ids, count))
		return 0;
	for (int i = 0; i < count;)
	{
		MemoryContext caller_cxt = MemoryContextSwitchTo(scratch);

		i += edit_some(direct, ids + i, count - i, &done);
		MemoryContextSwitchTo(caller_cxt);
		MemoryContextReset(scratch);
	}
	return done;
}

int64
gc_direct_run(GcDirect *direct)
{
	return direct->request.id_count > 0 ? run_by_ids(direct) : run_by_criteria(direct);
}
