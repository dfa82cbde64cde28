/*
 * fdw/again.c
 *	  Contacts that may have been sent already: only what the platform does not show goes again.
 */
#include "postgres.h"

#include "api/contacts.h"
#include "api/optout.h"
#include "base/json_pick.h"
#include "base/seen.h"
#include "fdw/again.h"

#include "utils/memutils.h"

typedef struct Held
{
	GcRow row;
	GcSpan shown; /* the contact as the platform has it; p NULL: it has not */
} Held;

struct GcAgain
{
	GcTarget *target;
	const GcRelation *rel;
	const GcList *list;
	MemoryContext cxt; /* of what is held */
	Held *held;
	int count;
	int max;
	int64 there;
	GcSeen *sent; /* ids that went again: what comes of them later does, too */
	void (*send)(void *arg, const GcRow *row); /* NULL: by the target */
	void *arg;
};

GcAgain *
gc_again_create(GcTarget *target, const GcRelation *rel, const GcList *list, int max_in_flight,
				void (*send)(void *arg, const GcRow *row), void *arg)
{
	GcAgain *again = palloc0(sizeof(GcAgain));

	again->target = target;
	again->rel = rel;
	again->list = list;
	again->send = send;
	again->arg = arg;
	again->sent = gc_seen_create(0);
	again->max = max_in_flight * GC_CONTACTS_MAX_IDS;
	again->held = palloc(sizeof(Held) * again->max);
	again->cxt = AllocSetContextCreate(CurrentMemoryContext, "gc_fdw rows sent before",
									   ALLOCSET_DEFAULT_SIZES);
	return again;
}

/* ---- what the platform shows ---- */

static bool
is_id(const GcSpan *span, const char *id)
{
	char *decoded = palloc(span->len + 1);
	int len = gc_json_unescape(span, decoded);

	return len == strlen(id) && memcmp(decoded, id, len) == 0;
}

static GcSpan
member(const GcSpan *object, const char *name)
{
	return gc_pick_member(object, &name, 1);
}

/* The same text, however it is escaped; a cell that is not there is empty. */
static bool
is_same_cell(const GcSpan *ours, const GcSpan *theirs)
{
	char *a = palloc(ours->len + 1);
	int a_len = gc_json_unescape(ours, a);
	char *b;

	if (theirs->p == NULL || theirs->type == 'n')
		return a_len == 0;
	if (theirs->type != '"')
		return a_len == theirs->len && memcmp(a, theirs->p, a_len) == 0;
	b = palloc(theirs->len + 1);
	return gc_json_unescape(theirs, b) == a_len && memcmp(a, b, a_len) == 0;
}

static bool
shows_cells(const GcRow *row, const GcSpan *data)
{
	GcJson json;
	GcSpan key;
	GcSpan value;

	gc_json_init(&json, row->json + row->cells - 1, row->len - row->cells);
	(void) gc_json_enter(&json, '{');
	while (gc_json_key(&json, &key) && gc_json_value(&json, &value))
	{
		char *name = palloc(key.len + 1);
		GcSpan theirs;

		name[Max(gc_json_unescape(&key, name), 0)] = '\0';
		theirs = member(data, name);
		if (!is_same_cell(&value, &theirs))
			return false;
	}
	return true;
}

static bool
shows_status(const char *sent, const GcSpan *contact, const char *name)
{
	GcSpan status = member(contact, name);

	return sent == NULL || gc_optout_shown(sent, status.p, status.len);
}

/* Does the contact show all that was to be sent? */
static bool
is_there(const Held *held)
{
	const GcRow *row = &held->row;
	GcSpan data;
	GcSpan callable;

	if (held->shown.p == NULL)
		return false;
	data = member(&held->shown, "data");
	callable = member(&held->shown, "callable");
	return data.p != NULL && data.type == '{' && shows_cells(row, &data) &&
		   (row->callable == 0 || callable.type == row->callable) &&
		   shows_status(row->phone_number_status, &held->shown, "phoneNumberStatus") &&
		   shows_status(row->contactable_status, &held->shown, "contactableStatus");
}

/* ---- look-ups ---- */

static const char *
not_read(const GcAgain *again)
{
	return psprintf("could not look up contacts of %s", again->rel->label);
}

static GcCall *
start_call(GcAgain *again, int first, int count)
{
	char **ids = palloc(sizeof(char *) * count);
	GcCallSpec spec;

	for (int i = 0; i < count; i++)
		ids[i] = unconstify(char *, again->held[first + i].row.id);
	gc_contacts_by_ids(again->list->id, ids, count, &spec);
	return gc_deliver_read(again->target, &spec);
}

static bool
take_contact(Held *held, int count, const GcSpan *contact)
{
	GcSpan id = member(contact, "id");

	for (int i = 0; id.p && id.type == '"' && i < count; i++)
		if (is_id(&id, held[i].row.id))
		{
			held[i].shown = *contact;
			return true;
		}
	return false;
}

/* Reads the answer: one contact, or an array of several. */
static bool
read_answer(const GcCall *call, Held *held, int count)
{
	GcJson json;
	GcSpan contact;
	size_t len;
	const char *bytes = gc_call_reply(call, &len);

	gc_json_init(&json, bytes, len);
	if (count == 1)
		return gc_json_value(&json, &contact) && take_contact(held, 1, &contact);
	if (!gc_json_enter(&json, '['))
		return false;
	while (gc_json_element(&json))
		if (!gc_json_value(&json, &contact) || !take_contact(held, count, &contact))
			return false;
	return gc_json_end(&json);
}

static void
finish_call(GcAgain *again, GcCall *call, Held *held, int count)
{
	const GcFailure *failure;

	gc_call_wait(call);
	failure = gc_call_failure(call);
	if (failure && count == 1 && gc_contacts_is_missing(failure))
		return;
	if (failure)
		gc_deliver_fail(again->target, call, NULL, not_read(again));
	if (!read_answer(call, held, count))
		gc_deliver_fail(again->target, call, "The answer is not the contacts asked for.",
						not_read(again));
}

static void
send_again(GcAgain *again, const GcRow *row)
{
	(void) gc_seen_note(again->sent, row->id, strlen(row->id));
	if (again->send)
		again->send(again->arg, row);
	else
		gc_deliver_row(again->target, row);
}

/* What is held is looked up, and what has to be is sent. */
static void
ask(GcAgain *again)
{
	MemoryContext caller_cxt = MemoryContextSwitchTo(again->cxt);
	int calls_count = (again->count + GC_CONTACTS_MAX_IDS - 1) / GC_CONTACTS_MAX_IDS;
	GcCall **calls = palloc(sizeof(GcCall *) * Max(calls_count, 1));

	for (int i = 0; i < calls_count; i++)
	{
		int first = i * GC_CONTACTS_MAX_IDS;

		calls[i] = start_call(again, first, Min(GC_CONTACTS_MAX_IDS, again->count - first));
	}
	for (int i = 0; i < calls_count; i++)
	{
		int first = i * GC_CONTACTS_MAX_IDS;

		finish_call(again, calls[i], again->held + first,
					Min(GC_CONTACTS_MAX_IDS, again->count - first));
	}
	for (int i = 0; i < again->count; i++)
	{
		if (is_there(&again->held[i]))
			again->there++;
		else
			send_again(again, &again->held[i].row);
	}
	for (int i = 0; i < calls_count; i++)
		gc_call_free(calls[i]);
	again->count = 0;
	MemoryContextSwitchTo(caller_cxt);
	MemoryContextReset(again->cxt);
}

static const char *
copy_or_null(const char *string)
{
	return string ? pstrdup(string) : NULL;
}

/* The contact is held already: one row after the other. */
static bool
holds(const GcAgain *again, const char *id)
{
	for (int i = 0; i < again->count; i++)
		if (strcmp(again->held[i].row.id, id) == 0)
			return true;
	return false;
}

void
gc_again_row(GcAgain *again, const GcRow *row)
{
	MemoryContext caller_cxt;
	Held *held;

	if (again->count == again->max || holds(again, row->id))
		ask(again);
	/* What the platform shows of it is about to be overwritten: the last row must count. */
	if (gc_seen_has(again->sent, row->id, strlen(row->id)))
	{
		send_again(again, row);
		return;
	}
	caller_cxt = MemoryContextSwitchTo(again->cxt);
	held = &again->held[again->count++];
	*held = (Held){.row = *row};
	held->row.id = pstrdup(row->id);
	held->row.json = pnstrdup(row->json, row->len);
	held->row.phone_number_status = copy_or_null(row->phone_number_status);
	held->row.contactable_status = copy_or_null(row->contactable_status);
	MemoryContextSwitchTo(caller_cxt);
}

int64
gc_again_finish(GcAgain *again)
{
	ask(again);
	return again->there;
}
