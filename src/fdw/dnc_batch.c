/*
 * fdw/dnc_batch.c
 *	  Entries of a DNC list on their way to the platform, many a call.
 */
#include "postgres.h"

#include "base/json.h"
#include "base/value.h"
#include "fdw/dnc_batch.h"
#include "store/contact_audit.h"

#include "common/hashfn.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"

/* Entries with so many different dates wait at once. */
#define GROUPS 1000

/* Entries whose dates are remembered, until all that was sent has been answered. */
#define RECENT_MAX 100000

/* "2030-01-01T00:00Z" and its end. */
#define UNTIL_SIZE 32

/* What entries of one call have in common; without padding, since it is hashed. */
typedef struct GroupKey
{
	char until[UNTIL_SIZE]; /* "": never */
	uint64 kind;
} GroupKey;

/* Entries that wait for one call. */
typedef struct Group
{
	GroupKey key;
	StringInfoData entries;
	int rows;
} Group;

typedef struct GroupEntry
{
	GroupKey key;
	Group *group;
} GroupEntry;

/* A call on its way; of an entry that is to expire no more, the first of two. */
typedef struct Flight
{
	GcCall *call; /* NULL: free */
	MemoryContext cxt;
	GcDncPatch patch;
	bool then_add;
} Flight;

/* What an entry was sent with last; both by a hash, and two that are alike only cost time. */
typedef struct Recent
{
	uint64 entry;
	uint64 group;
} Recent;

struct GcDncBatcher
{
	MemoryContext cxt;
	GcCalls *calls;
	GcAudit *audit;
	GcDncSettings settings;
	Group *groups[GROUPS];
	int group_count;
	HTAB *by_key;
	int64 waiting; /* bytes, in all groups */
	Flight *flights;
	int next_flight; /* the oldest one, if it is taken */
	HTAB *recent;
};

static void
forget_recent(GcDncBatcher *batcher)
{
	HASHCTL control = {
		.keysize = sizeof(uint64), .entrysize = sizeof(Recent), .hcxt = batcher->cxt};

	if (batcher->recent)
		hash_destroy(batcher->recent);
	batcher->recent = hash_create("gc_fdw DNC entries", 1024, &control,
								  HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

GcDncBatcher *
gc_dnc_batcher_create(GcCalls *calls, GcAudit *audit, const GcDncSettings *settings)
{
	GcDncBatcher *batcher = palloc0(sizeof(GcDncBatcher));

	batcher->cxt = CurrentMemoryContext;
	batcher->calls = calls;
	batcher->audit = audit;
	batcher->settings = *settings;
	batcher->flights = palloc0(sizeof(Flight) * settings->in_flight);
	batcher->by_key = hash_create("gc_fdw DNC groups", 64,
								  &(HASHCTL){.keysize = sizeof(GroupKey),
											 .entrysize = sizeof(GroupEntry),
											 .hcxt = batcher->cxt},
								  HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	forget_recent(batcher);
	return batcher;
}

/* ---- what becomes of them ---- */

/* An entry, as the audit shows it: those of a custom list are cells. */
#define ENTRY_SHOWN 2048

/* Are they added that were taken out to lose their date? */
static bool
is_back(const GcDncPatch *patch)
{
	return !patch->remove && patch->in_doubt == NULL;
}

/* The platform has taken all of the call: each of its entries is noted. */
static void
audit_entries(const GcDncBatcher *batcher, const Flight *flight)
{
	MemoryContext caller_cxt = MemoryContextSwitchTo(flight->cxt);
	const GcDncPatch *patch = &flight->patch;
	char *array = psprintf("[%s]", patch->entries);
	GcContactChange change = {
		.list_id = gc_value_display(patch->list->id, GC_AUDIT_LIST_SIZE),
		.change = "dnc",
		.old_value = batcher->settings.verb == GC_DNC_ADD || is_back(patch) ? NULL : "listed",
		.new_value = patch->remove ? "removed" : "listed",
		.confirmed_at = GetCurrentTimestamp(),
		.correlation_id = gc_call_header(flight->call, "inin-correlation-id"),
	};
	GcSpan entry;
	GcJson json;
	int len;

	if (!patch->remove && patch->until)
		change.new_value = psprintf("listed until %s", patch->until);
	gc_json_init(&json, array, strlen(array));
	(void) gc_json_enter(&json, '[');
	while (gc_json_element(&json) && gc_json_value(&json, &entry))
	{
		change.contact_id = gc_value_display(gc_value_span_text(&entry, &len), ENTRY_SHOWN);
		gc_contact_audit_put(&change);
	}
	MemoryContextSwitchTo(caller_cxt);
}

static const char *
failed(const GcDncBatcher *batcher, int rows)
{
	static const char *const verbs[] = {
		[GC_DNC_ADD] = "add", [GC_DNC_REMOVE] = "remove", [GC_DNC_CHANGE] = "change"};

	return psprintf("could not %s %d %s of %s", verbs[batcher->settings.verb], rows,
					rows == 1 ? "entry" : "entries", batcher->settings.label);
}

/* A call has ended: what is certain of its rows is counted. */
static void
count(GcDncBatcher *batcher, Flight *flight)
{
	GcAuditEntry *entry = &batcher->audit->entry;
	const GcFailure *failure = gc_call_failure(flight->call);

	gc_audit_answered(batcher->audit,
					  failure ? failure->correlation_id
							  : gc_call_header(flight->call, "inin-correlation-id"));
	if (failure)
		return; /* if they were taken out, nobody knows whether they are back */
	audit_entries(batcher, flight);
	if (flight->then_add)
		return;
	entry->in_doubt -= flight->patch.rows;
	entry->accepted += flight->patch.rows;
}

/* ---- failures ---- */

/* All calls end but that which has failed (NULL: none has); the counts, to tell. */
static const char *
end_others(GcDncBatcher *batcher, const Flight *flight)
{
	GcAuditEntry *entry = &batcher->audit->entry;

	for (int i = 0; i < batcher->settings.in_flight; i++)
		if (batcher->flights[i].call && &batcher->flights[i] != flight)
			gc_call_give_up(batcher->flights[i].call);
	for (int i = 0; i < batcher->settings.in_flight; i++)
	{
		if (batcher->flights[i].call == NULL || &batcher->flights[i] == flight)
			continue;
		gc_call_wait(batcher->flights[i].call);
		count(batcher, &batcher->flights[i]);
	}
	return gc_audit_tell(batcher->audit, entry->total, entry->accepted, entry->in_doubt);
}

const char *
gc_dnc_batcher_stop(GcDncBatcher *batcher)
{
	return end_others(batcher, NULL);
}

/* A call has failed for good: the others end, and the statement. */
static void
fail(GcDncBatcher *batcher, Flight *flight)
{
	const char *counts = end_others(batcher, flight);

	gc_dnc_throw(flight->call, failed(batcher, flight->patch.rows), counts);
}

/* ---- calls ---- */

static void
release(Flight *flight)
{
	gc_call_free(flight->call);
	MemoryContextDelete(flight->cxt);
	flight->call = NULL;
}

static void send(GcDncBatcher *batcher, const GcDncPatch *patch, bool then_add);

static void
start(GcDncBatcher *batcher, Flight *flight)
{
	MemoryContext caller_cxt = MemoryContextSwitchTo(flight->cxt);

	flight->call = gc_dnc_patch_start(batcher->calls, &flight->patch);
	MemoryContextSwitchTo(caller_cxt);
}

/* B2: one half after the other. */
static void
split(GcDncBatcher *batcher, Flight *whole)
{
	GcDncPatch patch = whole->patch;
	MemoryContext cxt = whole->cxt;
	MemoryContext caller_cxt = MemoryContextSwitchTo(cxt);
	char *array = psprintf("[%s]", patch.entries);
	int half = (patch.rows + 1) / 2;
	int rest = patch.rows;
	bool then_add = whole->then_add;
	StringInfoData entries;
	GcJson json;
	GcSpan entry;

	gc_call_free(whole->call);
	whole->call = NULL;
	initStringInfo(&entries);
	gc_json_init(&json, array, strlen(array));
	(void) gc_json_enter(&json, '[');
	patch.rows = 0;
	while (gc_json_element(&json) && gc_json_value(&json, &entry))
	{
		if (entries.len > 0)
			appendStringInfoChar(&entries, ',');
		gc_json_append(&entries, &entry);
		rest--;
		if (++patch.rows < half && rest > 0)
			continue;
		patch.entries = entries.data;
		send(batcher, &patch, then_add);
		resetStringInfo(&entries);
		patch.rows = 0;
	}
	MemoryContextSwitchTo(caller_cxt);
	MemoryContextDelete(cxt);
}

/* Whatever ends it, a cancel, too, has to be told while entries are out. */
static void
tell_out(void *arg)
{
	const GcDncPatch *patch = arg;

	errcontext(
		"entries taken out of DNC list \"%s\" to lose their dates, and perhaps not back: %d; "
		"those that gc_fdw.contact_audit has as removed are to be inserted again",
		gc_value_display(patch->list->name, NAMEDATALEN), patch->rows);
}

static void land(GcDncBatcher *batcher, Flight *flight);

/* The second call of two. */
static void
put_back(GcDncBatcher *batcher, Flight *flight)
{
	ErrorContextCallback told = {
		.previous = error_context_stack, .callback = tell_out, .arg = &flight->patch};

	gc_call_free(flight->call);
	flight->call = NULL;
	flight->then_add = false;
	flight->patch.remove = false;
	flight->patch.in_doubt = NULL; /* as they are already */
	error_context_stack = &told;
	start(batcher, flight);
	land(batcher, flight);
	error_context_stack = told.previous;
}

/* Waits for a call, and for the one that follows it. */
static void
land(GcDncBatcher *batcher, Flight *flight)
{
	const GcFailure *failure;

	gc_call_wait(flight->call);
	failure = gc_call_failure(flight->call);
	if (failure && failure->cause == GC_CAUSE_TOO_LARGE && flight->patch.rows > 1)
	{
		split(batcher, flight);
		return;
	}
	count(batcher, flight);
	if (failure)
		fail(batcher, flight);
	if (!flight->then_add)
	{
		release(flight);
		return;
	}
	put_back(batcher, flight);
}

/* A flight that is free; the oldest is waited for if there is none. */
static Flight *
take_flight(GcDncBatcher *batcher)
{
	Flight *flight = &batcher->flights[batcher->next_flight];

	batcher->next_flight = (batcher->next_flight + 1) % batcher->settings.in_flight;
	/* Halves of one that is too large may take its place. */
	while (flight->call)
		land(batcher, flight);
	return flight;
}

/* Entries that are taken out for a moment are back before anything else is done. */
static void
send(GcDncBatcher *batcher, const GcDncPatch *patch, bool then_add)
{
	Flight *flight = take_flight(batcher);

	flight->cxt =
		AllocSetContextCreate(batcher->cxt, "gc_fdw DNC call", ALLOCSET_DEFAULT_SIZES);
	flight->patch = *patch;
	flight->patch.entries = MemoryContextStrdup(flight->cxt, patch->entries);
	if (patch->until)
		flight->patch.until = MemoryContextStrdup(flight->cxt, patch->until);
	flight->then_add = then_add;
	start(batcher, flight);
	while (then_add && flight->call)
		land(batcher, flight);
}

static void
land_all(GcDncBatcher *batcher)
{
	for (int i = 0; i < batcher->settings.in_flight; i++)
		(void) take_flight(batcher);
}

/* ---- groups ---- */

static void
send_group(GcDncBatcher *batcher, Group *group)
{
	bool dated = group->key.until[0] != '\0';
	/* Whether one that is added again without a date loses the one it had, nobody says. */
	bool then_add = batcher->settings.verb == GC_DNC_CHANGE && !dated;
	GcDncPatch patch = {.list = batcher->settings.list,
						.kind = group->key.kind,
						.remove = then_add || batcher->settings.verb == GC_DNC_REMOVE,
						.entries = group->entries.data,
						.until = dated ? group->key.until : NULL,
						.rows = group->rows,
						.in_doubt = &batcher->audit->entry.in_doubt};

	send(batcher, &patch, then_add);
	batcher->waiting -= group->entries.len;
	resetStringInfo(&group->entries);
	group->rows = 0;
}

/* The one that has most. */
static Group *
largest(GcDncBatcher *batcher)
{
	Group *found = batcher->groups[0];

	for (int i = 1; i < batcher->group_count; i++)
		if (batcher->groups[i]->rows > found->rows)
			found = batcher->groups[i];
	return found;
}

/* A group without entries; one has to go if there are too many. */
static Group *
empty_group(GcDncBatcher *batcher)
{
	Group *group;

	if (batcher->group_count < GROUPS)
	{
		group = palloc0(sizeof(Group));
		initStringInfo(&group->entries);
		batcher->groups[batcher->group_count++] = group;
		return group;
	}
	group = largest(batcher);
	if (group->rows > 0)
		send_group(batcher, group);
	(void) hash_search(batcher->by_key, &group->key, HASH_REMOVE, NULL);
	return group;
}

static Group *
group_for(GcDncBatcher *batcher, GcDncKind kind, const char *until)
{
	GroupKey key = {.kind = kind};
	GroupEntry *entry;
	Group *group;

	memset(key.until, 0, sizeof(key.until));
	strlcpy(key.until, until, sizeof(key.until));
	entry = hash_search(batcher->by_key, &key, HASH_FIND, NULL);
	if (entry)
		return entry->group;
	group = empty_group(batcher);
	group->key = key;
	entry = hash_search(batcher->by_key, &key, HASH_ENTER, NULL);
	entry->group = group;
	return group;
}

void
gc_dnc_batcher_finish(GcDncBatcher *batcher)
{
	MemoryContext caller_cxt = MemoryContextSwitchTo(batcher->cxt);

	for (int i = 0; i < batcher->group_count; i++)
		if (batcher->groups[i]->rows > 0)
			send_group(batcher, batcher->groups[i]);
	land_all(batcher);
	forget_recent(batcher);
	MemoryContextSwitchTo(caller_cxt);
}

/* An entry that is on its way with another date has to arrive before it is sent with this one. */
static void
keep_order(GcDncBatcher *batcher, const char *entry, const char *until)
{
	uint64 key = hash_bytes_extended((const unsigned char *) entry, strlen(entry), 0);
	uint64 group = hash_bytes_extended((const unsigned char *) until, strlen(until), 1);
	bool found;
	Recent *recent = hash_search(batcher->recent, &key, HASH_FIND, NULL);

	if ((recent && recent->group != group) ||
		hash_get_num_entries(batcher->recent) >= RECENT_MAX)
		gc_dnc_batcher_finish(batcher);
	recent = hash_search(batcher->recent, &key, HASH_ENTER, &found);
	recent->group = group;
}

void
gc_dnc_batcher_row(GcDncBatcher *batcher, const char *entry, const char *until)
{
	const GcDncSettings *settings = &batcher->settings;
	MemoryContext caller_cxt = MemoryContextSwitchTo(batcher->cxt);
	Group *group;
	int len = strlen(entry);
	int before;

	if (until == NULL)
		until = "";
	keep_order(batcher, entry, until);
	group = group_for(batcher, gc_dnc_kind(settings->list, entry), until);
	/* Each byte may take six, as an escape. */
	if (group->rows > 0 && group->entries.len + len * 6 + GC_DNC_BODY_EXTRA > settings->bytes)
		send_group(batcher, group);
	before = group->entries.len;
	appendStringInfoString(&group->entries, group->rows > 0 ? ",\"" : "\"");
	gc_json_escape(&group->entries, entry, len);
	appendStringInfoChar(&group->entries, '"');
	batcher->waiting += group->entries.len - before;
	if (++group->rows == settings->rows)
		send_group(batcher, group);
	else if (batcher->waiting > settings->memory)
		send_group(batcher, largest(batcher));
	MemoryContextSwitchTo(caller_cxt);
}
