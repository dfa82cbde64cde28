/*
 * fdw/batch.c
 *	  One request body of contacts: its rows, their ids, their opt-outs.
 */
#include "postgres.h"

#include "api/contacts.h"
#include "api/optout.h"
#include "fdw/batch.h"

#include "common/hashfn.h"
#include "utils/memutils.h"

/* Slots of the id table; a power of two, at most half full. */
#define ID_SLOTS (2 * 1024)

StaticAssertDecl(ID_SLOTS >= 2 * GC_CONTACTS_MAX_ROWS, "the table of ids is too small");

typedef struct Note
{
	int row;
	char *id;
	bool not_callable;		   /* … as the echo must show */
	char *phone_number_status; /* its false parts; or NULL */
	char *contactable_status;
	bool shown; /* by the echo at hand */
} Note;

GcBatch *
gc_batch_create(int max_rows)
{
	GcBatch *batch = palloc0(sizeof(GcBatch));

	initStringInfo(&batch->body);
	batch->ends = palloc(sizeof(int) * max_rows);
	batch->ids = palloc(sizeof(uint64) * ID_SLOTS);
	batch->rows_cxt =
		AllocSetContextCreate(CurrentMemoryContext, "gc_fdw rows", ALLOCSET_SMALL_SIZES);
	return batch;
}

void
gc_batch_reset(GcBatch *batch, const char *form)
{
	batch->form = form;
	resetStringInfo(&batch->body);
	batch->rows = 0;
	memset(batch->ids, 0, sizeof(uint64) * ID_SLOTS);
	batch->notes = NIL;
	MemoryContextReset(batch->rows_cxt);
	batch->after_wire = false;
	batch->doubted = 0;
	batch->acted = batch->missing = false;
	batch->checked = 0;
	batch->held = NIL;
	batch->call = NULL;
}

uint64
gc_batch_hash(const char *id)
{
	uint64 hash = hash_bytes_extended((const unsigned char *) id, strlen(id), 0);

	return hash == 0 ? 1 : hash;
}

bool
gc_batch_has(const GcBatch *batch, uint64 hash)
{
	for (int i = hash % ID_SLOTS; batch->ids[i] != 0; i = (i + 1) % ID_SLOTS)
		if (batch->ids[i] == hash)
			return true;
	return false;
}

static void
remember_id(GcBatch *batch, uint64 hash)
{
	int i = hash % ID_SLOTS;

	while (batch->ids[i] != 0)
		i = (i + 1) % ID_SLOTS;
	batch->ids[i] = hash;
}

static char *
copy_or_null(const char *string)
{
	return string ? pstrdup(string) : NULL;
}

static void
take_note(GcBatch *batch, int row, const char *id, bool not_callable, const char *phone,
		  const char *contactable)
{
	MemoryContext caller_cxt = MemoryContextSwitchTo(batch->rows_cxt);
	Note *note = palloc0(sizeof(Note));

	note->row = row;
	note->id = pstrdup(id);
	note->not_callable = not_callable;
	note->phone_number_status = copy_or_null(phone);
	note->contactable_status = copy_or_null(contactable);
	batch->notes = lappend(batch->notes, note);
	MemoryContextSwitchTo(caller_cxt);
}

char *
gc_batch_id(const GcBatch *batch, int row)
{
	Note *note = list_nth(batch->notes, row);

	Assert(note->row == row);
	return note->id;
}

static void
add_bytes(GcBatch *batch, const char *json, int len)
{
	appendStringInfoChar(&batch->body, batch->form[batch->rows == 0 ? 0 : 1]);
	appendBinaryStringInfo(&batch->body, json, len);
	batch->ends[batch->rows++] = batch->body.len;
}

int
gc_batch_add(GcBatch *batch, const GcRow *row, uint64 hash)
{
	int before = batch->body.len;

	remember_id(batch, hash);
	if (row->noted || row->not_callable || row->phone_number_status || row->contactable_status)
		take_note(batch, batch->rows, row->id, row->not_callable, row->phone_number_status,
				  row->contactable_status);
	add_bytes(batch, row->json, row->len);
	return batch->body.len - before;
}

void
gc_batch_close(GcBatch *batch)
{
	if (batch->form[2] != '\0')
		appendStringInfoChar(&batch->body, batch->form[2]);
}

void
gc_batch_copy(GcBatch *dst, const GcBatch *src, int from, int to)
{
	ListCell *lc;

	foreach (lc, src->notes)
	{
		Note *note = lfirst(lc);

		if (note->row >= from && note->row < to)
			take_note(dst, note->row - from, note->id, note->not_callable,
					  note->phone_number_status, note->contactable_status);
	}
	for (int i = from; i < to; i++)
	{
		int start = i == 0 ? 1 : src->ends[i - 1] + 1; /* behind what opens or divides */

		add_bytes(dst, src->body.data + start, src->ends[i] - start);
	}
	/* All ids, not just its own: one too many only makes a later batch wait for this one. */
	memcpy(dst->ids, src->ids, sizeof(uint64) * ID_SLOTS);
}

/* The batch's opt-outs by their ids' hashes, while an echo is walked. */
typedef struct EchoCheck
{
	Note *slots[ID_SLOTS];
	StringInfoData id; /* of the contact at hand, decoded */
} EchoCheck;

static Note *
find_note(EchoCheck *check, const char *id)
{
	int i = gc_batch_hash(id) % ID_SLOTS;

	while (check->slots[i] != NULL && strcmp(check->slots[i]->id, id) != 0)
		i = (i + 1) % ID_SLOTS;
	return check->slots[i];
}

/* An id twice in a batch cannot be: it is sent before a row with the same id is added. */
static EchoCheck *
check_begin(const GcBatch *batch)
{
	EchoCheck *check = palloc0(sizeof(EchoCheck));
	ListCell *lc;

	initStringInfo(&check->id);
	foreach (lc, batch->notes)
	{
		Note *note = lfirst(lc);
		int i = gc_batch_hash(note->id) % ID_SLOTS;

		note->shown = false;
		while (check->slots[i] != NULL)
			i = (i + 1) % ID_SLOTS;
		check->slots[i] = note;
	}
	return check;
}

static void
visit_echo(void *arg, const GcContactEcho *echo)
{
	EchoCheck *check = arg;
	const GcSpan *phone = &echo->phone_number_status;
	const GcSpan *contactable = &echo->contactable_status;
	Note *note;
	int len;

	if (echo->id.p == NULL)
		return;
	resetStringInfo(&check->id);
	enlargeStringInfo(&check->id, echo->id.len);
	len = gc_json_unescape(&echo->id, check->id.data);
	check->id.data[Max(len, 0)] = '\0';
	note = find_note(check, check->id.data);
	if (note == NULL)
		return;
	note->shown =
		(!note->not_callable || echo->callable.type == 'f') &&
		(note->phone_number_status == NULL ||
		 gc_optout_shown(note->phone_number_status, phone->p, phone->len)) &&
		(note->contactable_status == NULL ||
		 gc_optout_shown(note->contactable_status, contactable->p, contactable->len));
}

static void
visit_single(void *arg, const GcContactEcho *echo)
{
	const GcBatch **batch = arg;
	char *id = palloc(echo->id.len + 1);
	int len = echo->id.p ? gc_json_unescape(&echo->id, id) : 0;

	id[Max(len, 0)] = '\0';
	if (!gc_batch_has(*batch, gc_batch_hash(id)))
		*batch = NULL;
}

/* Is the echo of a single contact its own?  RETURNING shows what it says. */
static bool
echoes_single(const GcBatch *batch, const char *bytes, size_t len)
{
	return gc_contacts_walk_echo(bytes, len, visit_single, &batch) == 1 && batch != NULL;
}

static const char *
check_optouts(const GcBatch *batch, const char *bytes, size_t len, int *sqlstate)
{
	EchoCheck *check = check_begin(batch);
	ListCell *lc;

	if (gc_contacts_walk_echo(bytes, len, visit_echo, check) < 0)
		return "The answer is not a JSON array of contacts.";
	foreach (lc, batch->notes)
	{
		Note *note = lfirst(lc);

		if (note->shown)
			continue;
		*sqlstate = ERRCODE_TRIGGERED_DATA_CHANGE_VIOLATION;
		return psprintf("The opt-out of contact \"%s\" did not take effect.", note->id);
	}
	return NULL;
}

const char *
gc_batch_check_echo(const GcBatch *batch, const char *bytes, size_t len, int *sqlstate)
{
	int64 count = gc_json_count_objects(bytes, len);

	*sqlstate = ERRCODE_FDW_ERROR;
	if (count < 0)
		return "The answer is not a JSON array of contacts.";
	if (count != batch->rows)
		return psprintf("The answer has " INT64_FORMAT " contacts where %d were sent.", count,
						batch->rows);
	if (batch->rows == 1 && !echoes_single(batch, bytes, len))
		return "The answer is about another contact.";
	if (batch->notes != NIL)
		return check_optouts(batch, bytes, len, sqlstate);
	return NULL;
}
