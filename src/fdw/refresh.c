/*
 * fdw/refresh.c
 *	  Contacts that are read again, by id, before an UPDATE is merged with them.
 */
#include "postgres.h"

#include "api/contacts.h"
#include "base/json_pick.h"
#include "fdw/refresh.h"

#include "utils/memutils.h"

typedef struct Held
{
	const char *id;
	GcPatch patch;
	GcRow alone; /* what is sent if there is no such contact; json NULL: nothing */
	GcSpan raw;	 /* in the answer; p NULL: it is not there */
} Held;

struct GcRefresh
{
	GcTarget *target;
	GcVerb verb;
	GcRelation *rel;
	GcList *list;
	GcMerger *merger;
	GcPick *id_pick;
	Held *held;
	char **ids; /* of those */
	int count;
	int max;
	GcCall **calls;		/* that look them up */
	const char *answer; /* the platform's id of the answer at hand; or NULL */
	MemoryContext cxt;	/* what belongs to those held, and their calls */
};

/* One row that somebody waits for. */
typedef struct Now
{
	GcRow *row;
	bool good;
} Now;

static void flush(void *arg);

GcRefresh *
gc_refresh_create(GcTarget *target, GcVerb verb, GcRelation *rel, GcList *list,
				  GcMerger *merger, int max_in_flight)
{
	static const char *const id[] = {"id"};
	GcRefresh *refresh = palloc0(sizeof(GcRefresh));

	refresh->target = target;
	refresh->verb = verb;
	refresh->rel = rel;
	refresh->list = list;
	refresh->merger = merger;
	refresh->id_pick = gc_pick_create();
	gc_pick_add(refresh->id_pick, id, 1, 0);
	refresh->max = max_in_flight * GC_CONTACTS_MAX_IDS;
	refresh->held = palloc(sizeof(Held) * refresh->max);
	refresh->ids = palloc(sizeof(char *) * refresh->max);
	refresh->calls = palloc(sizeof(GcCall *) * max_in_flight);
	refresh->cxt = AllocSetContextCreate(CurrentMemoryContext, "gc_fdw held changes",
										 ALLOCSET_DEFAULT_SIZES);
	gc_deliver_before_drain(target, flush, refresh);
	return refresh;
}

MemoryContext
gc_refresh_context(GcRefresh *refresh)
{
	return refresh->cxt;
}

static const char *
not_read(GcRefresh *refresh)
{
	return psprintf(refresh->verb == GC_VERB_UPDATE ? "could not read contacts of %s again"
													: "could not read contacts of %s",
					refresh->rel->label);
}

/* ---- look-ups ---- */

static int
calls_needed(const GcRefresh *refresh)
{
	return (refresh->count + GC_CONTACTS_MAX_IDS - 1) / GC_CONTACTS_MAX_IDS;
}

static void
start_calls(GcRefresh *refresh)
{
	for (int i = 0; i < calls_needed(refresh); i++)
	{
		int first = i * GC_CONTACTS_MAX_IDS;
		GcCallSpec spec;

		gc_contacts_by_ids(refresh->list->id, refresh->ids + first,
						   Min(GC_CONTACTS_MAX_IDS, refresh->count - first), &spec);
		refresh->calls[i] = gc_deliver_read(refresh->target, &spec);
	}
}

static bool
is_id(const GcSpan *span, const char *id)
{
	int len = strlen(id);
	char *decoded;

	if (!span->escaped)
		return span->len == len && memcmp(span->p, id, len) == 0;
	decoded = palloc(span->len + 1);
	return gc_json_unescape(span, decoded) == len && memcmp(decoded, id, len) == 0;
}

/* Reads the contact before the cursor; false if it is none. */
static bool
take_contact(GcRefresh *refresh, GcJson *json, Held *held, int count)
{
	GcSpan id;
	GcSpan raw;

	(void) gc_json_peek(json); /* past white space */
	raw = (GcSpan){.p = json->p, .type = '{'};
	if (!gc_pick_object(refresh->id_pick, json, &id, 1) || id.p == NULL || id.type != '"')
		return false;
	raw.len = json->p - raw.p;
	/* An INSERT may have it twice. */
	for (int i = 0; i < count; i++)
		if (held[i].raw.p == NULL && is_id(&id, held[i].id))
			held[i].raw = raw;
	return true;
}

/* What is wrong with the answer to a look-up; NULL: nothing. */
static const char *
read_answer(GcRefresh *refresh, const GcCall *call, Held *held, int count)
{
	bool good = true;
	GcJson json;
	const char *bytes;
	size_t len;

	bytes = gc_call_reply(call, &len);
	gc_json_init(&json, bytes, len);
	if (count == 1)
		good = take_contact(refresh, &json, held, 1);
	else
	{
		good = gc_json_enter(&json, '[');
		while (good && gc_json_element(&json))
			good = take_contact(refresh, &json, held, count);
	}
	return good && gc_json_end(&json) ? NULL : "The answer is not the contacts asked for.";
}

/* ---- merging ---- */

/* A row cannot be merged: it is rejected, or that is an error.  "counted": by the executor. */
static void
refuse(GcRefresh *refresh, const Held *held, GcProblem *problem, const char *what,
	   bool counted)
{
	GcRefusal refusal = {.problem = problem,
						 .correlation_id = refresh->answer,
						 .counted = counted,
						 .json = held->alone.json,
						 .len = held->alone.len,
						 .row_data = held->patch.row_data,
						 .id = held->id};

	problem->message = gc_verb_failed(refresh->verb, 1, refresh->rel->label);
	problem->detail =
		psprintf("Contact \"%s\" %s.", gc_value_display(held->id, NAMEDATALEN), what);
	problem->reason = psprintf("%s: It %s.", problem->message, what);
	problem->taken = true;
	if (!gc_deliver_reject(refresh->target, &refusal))
		gc_deliver_refuse(refresh->target, problem);
}

/* False: the row is rejected. */
static bool
merge(GcRefresh *refresh, const Held *held, GcTime read_at, bool counted, GcRow *row)
{
	if (held->raw.p == NULL && held->alone.json)
	{
		*row = held->alone;
		row->taken = true;
		return true;
	}
	if (held->raw.p == NULL)
	{
		refuse(refresh, held,
			   &(GcProblem){.sqlstate = ERRCODE_T_R_SERIALIZATION_FAILURE,
							.hint = "Run the statement again.",
							.code = gc_policy(GC_CAUSE_GONE)->code},
			   "has been deleted since it was read", counted);
		return false;
	}
	if (gc_merge(refresh->merger, held->id, held->raw.p, held->raw.len, &held->patch, row))
	{
		refuse(refresh, held,
			   &(GcProblem){.sqlstate = ERRCODE_FDW_ERROR, .code = "malformed.contact"},
			   "is not what a contact should be", counted);
		return false;
	}
	row->taken = true;
	if (refresh->verb == GC_VERB_UPDATE)
		row->read_at = read_at;
	else
		row->created = NULL; /* if it was deleted meanwhile: it was to be there */
	return true;
}

/* The answer to one look-up: what it has is merged and goes on. */
static void
finish_call(GcRefresh *refresh, GcCall *call, Held *held, int count,
			void (*deliver)(GcRefresh *refresh, const Held *held, GcTime read_at, void *arg),
			void *arg)
{
	const GcFailure *failure;
	const char *problem = NULL;

	gc_call_wait(call);
	failure = gc_call_failure(call);
	if (failure && !(count == 1 && gc_contacts_is_missing(failure)))
	{
		if (gc_list_is_doubted(failure))
			gc_list_forget(refresh->list);
		gc_deliver_fail(refresh->target, call, NULL, not_read(refresh));
	}
	if (failure == NULL)
		problem = read_answer(refresh, call, held, count);
	if (problem)
		gc_deliver_fail(refresh->target, call, problem, not_read(refresh));
	refresh->answer =
		failure ? failure->correlation_id : gc_call_header(call, "inin-correlation-id");
	for (int i = 0; i < count; i++)
		deliver(refresh, &held[i], gc_call_sent_at(call), arg);
}

static void
deliver_row(GcRefresh *refresh, const Held *held, GcTime read_at, void *arg)
{
	GcRow row;

	if (merge(refresh, held, read_at, true, &row))
		gc_deliver_row(refresh->target, &row);
}

static void
deliver_here(GcRefresh *refresh, const Held *held, GcTime read_at, void *arg)
{
	Now *now = arg;

	now->good = merge(refresh, held, read_at, false, now->row);
}

/* Reads all that is held again, several look-ups at once, and sends it on. */
static void
flush(void *arg)
{
	GcRefresh *refresh = arg;
	MemoryContext caller_cxt;
	int calls = calls_needed(refresh);

	if (refresh->count == 0)
		return;
	caller_cxt = MemoryContextSwitchTo(refresh->cxt);
	start_calls(refresh);
	for (int i = 0; i < calls; i++)
	{
		int first = i * GC_CONTACTS_MAX_IDS;

		finish_call(refresh, refresh->calls[i], refresh->held + first,
					Min(GC_CONTACTS_MAX_IDS, refresh->count - first), deliver_row, NULL);
		gc_call_free(refresh->calls[i]);
	}
	refresh->count = 0;
	MemoryContextSwitchTo(caller_cxt);
	MemoryContextReset(refresh->cxt);
}

void
gc_refresh_add(GcRefresh *refresh, const char *id, const GcPatch *patch, const GcRow *alone)
{
	refresh->held[refresh->count] = (Held){.id = id, .patch = *patch};
	if (alone)
		refresh->held[refresh->count].alone = *alone;
	refresh->ids[refresh->count++] = unconstify(char *, id);
	gc_deliver_taken(refresh->target, 1);
	if (refresh->count == refresh->max)
		flush(refresh);
}

bool
gc_refresh_now(GcRefresh *refresh, const char *id, const GcPatch *patch, const GcRow *alone,
			   GcRow *row)
{
	Held held = {.id = id, .patch = *patch};
	Now now = {.row = row};
	GcCallSpec spec;
	GcCall *call;

	if (alone)
		held.alone = *alone;
	gc_deliver_taken(refresh->target, 1);
	gc_contacts_by_ids(refresh->list->id, &(char *){unconstify(char *, id)}, 1, &spec);
	call = gc_deliver_read(refresh->target, &spec);
	finish_call(refresh, call, &held, 1, deliver_here, &now);
	gc_call_free(call);
	return now.good;
}
