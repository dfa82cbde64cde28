/*
 * fdw/batch.c
 *	  One request body of contacts: its rows, their ids, their opt-outs.
 */
#include "postgres.h"

#include "api/contacts.h"
#include "api/optout.h"
#include "base/value.h"
#include "fdw/batch.h"

#include "common/hashfn.h"
#include "utils/memutils.h"

/* At first there is room for so many rows, and twice as many ids. */
#define ROWS_FIRST 16

/* Slots of the table of notes; a power of two, at most half full. */
#define NOTE_SLOTS (2 * 1024)

/* Characters of an id that messages show. */
#define ID_SHOWN 100

StaticAssertDecl(NOTE_SLOTS >= 2 * GC_CONTACTS_MAX_ROWS, "the table of notes is too small");

/* What may be wrong with a row's echo. */
typedef enum Difference
{
	DIFFERS_NOT,
	DIFFERS_ABSENT,
	DIFFERS_EXISTED,  /* it is older than it may be */
	DIFFERS_RENEWED,  /* there was no such contact any more, and there is one again */
	DIFFERS_OPTOUT,	  /* it is not shown */
	DIFFERS_CALLABLE, /* it did not become so */
} Difference;

/* A row, as its echo must show it. */
typedef struct Note
{
	int row;
	char *id;
	char callable;			   /* 't', 'f', or 0: whichever */
	char *phone_number_status; /* its false parts; or NULL */
	char *contactable_status;
	char *created;		/* dateCreated; NULL: any */
	Difference differs; /* in the echo at hand */
} Note;

static void
set_room(GcBatch *batch)
{
	initStringInfo(&batch->body);
	batch->ends_room = ROWS_FIRST;
	batch->ends = palloc(sizeof(int) * batch->ends_room);
	batch->id_slots = 2 * ROWS_FIRST;
	batch->ids = palloc(sizeof(uint64) * batch->id_slots);
}

GcBatch *
gc_batch_create(void)
{
	GcBatch *batch = palloc0(sizeof(GcBatch));

	set_room(batch);
	batch->rows_cxt =
		AllocSetContextCreate(CurrentMemoryContext, "gc_fdw rows", ALLOCSET_SMALL_SIZES);
	return batch;
}

int
gc_batch_memory(const GcBatch *batch)
{
	return sizeof(GcBatch) + ALLOCSET_SMALL_INITSIZE + batch->body.maxlen +
		   batch->ends_room * sizeof(int) + batch->id_slots * sizeof(uint64);
}

void
gc_batch_trim(GcBatch *batch)
{
	MemoryContext caller_cxt = MemoryContextSwitchTo(GetMemoryChunkContext(batch));

	pfree(batch->body.data);
	pfree(batch->ends);
	pfree(batch->ids);
	set_room(batch);
	MemoryContextSwitchTo(caller_cxt);
}

void
gc_batch_reset(GcBatch *batch, const char *form)
{
	batch->form = form;
	resetStringInfo(&batch->body);
	batch->rows = batch->id_count = 0;
	memset(batch->ids, 0, sizeof(uint64) * batch->id_slots);
	batch->notes = NIL;
	MemoryContextReset(batch->rows_cxt);
	batch->after_wire = false;
	batch->doubted = batch->oldest = batch->absent_at = 0;
	batch->acted = batch->missing = batch->awaited = false;
	batch->checked = 0;
	batch->held = batch->odd = NIL;
	batch->answer = NULL;
	batch->whole = NULL;
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
	int mask = batch->id_slots - 1;

	for (int i = hash & mask; batch->ids[i] != 0; i = (i + 1) & mask)
		if (batch->ids[i] == hash)
			return true;
	return false;
}

static void
put_id(GcBatch *batch, uint64 hash)
{
	int mask = batch->id_slots - 1;
	int i = hash & mask;

	while (batch->ids[i] != 0)
		i = (i + 1) & mask;
	batch->ids[i] = hash;
	batch->id_count++;
}

static void
remember_id(GcBatch *batch, uint64 hash)
{
	uint64 *old = batch->ids;
	int slots = batch->id_slots;

	if (2 * (batch->id_count + 1) > slots)
	{
		batch->id_slots = 2 * slots;
		batch->ids = MemoryContextAllocZero(GetMemoryChunkContext(batch),
											sizeof(uint64) * batch->id_slots);
		batch->id_count = 0;
		for (int i = 0; i < slots; i++)
			if (old[i] != 0)
				put_id(batch, old[i]);
		pfree(old);
	}
	put_id(batch, hash);
}

static char *
copy_or_null(const char *string)
{
	return string ? pstrdup(string) : NULL;
}

static void
take_note(GcBatch *batch, int row, const char *id, const Note *shown)
{
	MemoryContext caller_cxt = MemoryContextSwitchTo(batch->rows_cxt);
	Note *note = palloc0(sizeof(Note));

	note->row = row;
	note->id = pstrdup(id);
	note->callable = shown->callable;
	note->phone_number_status = copy_or_null(shown->phone_number_status);
	note->contactable_status = copy_or_null(shown->contactable_status);
	note->created = copy_or_null(shown->created);
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
	if (batch->rows == batch->ends_room)
	{
		batch->ends_room *= 2;
		batch->ends = repalloc(batch->ends, sizeof(int) * batch->ends_room);
	}
	batch->ends[batch->rows++] = batch->body.len;
}

int
gc_batch_add(GcBatch *batch, const GcRow *row, uint64 hash)
{
	int before = gc_batch_memory(batch);

	remember_id(batch, hash);
	if (row->noted || row->callable || row->phone_number_status || row->contactable_status)
		take_note(batch, batch->rows, row->id,
				  &(Note){.callable = row->callable,
						  .phone_number_status = unconstify(char *, row->phone_number_status),
						  .contactable_status = unconstify(char *, row->contactable_status),
						  .created = unconstify(char *, row->created)});
	if (row->read_at && (batch->oldest == 0 || row->read_at < batch->oldest))
		batch->oldest = row->read_at;
	if (row->absent_at && (batch->absent_at == 0 || row->absent_at < batch->absent_at))
		batch->absent_at = row->absent_at;
	add_bytes(batch, row->json, row->len);
	return gc_batch_memory(batch) - before;
}

void
gc_batch_close(GcBatch *batch)
{
	if (batch->form[2] != '\0')
		appendStringInfoChar(&batch->body, batch->form[2]);
}

const char *
gc_batch_row(const GcBatch *batch, int row, int *len)
{
	int start = row == 0 ? 1 : batch->ends[row - 1] + 1; /* behind what opens or divides */

	*len = batch->ends[row] - start;
	return batch->body.data + start;
}

static void
add_ids(GcBatch *dst, const GcBatch *src)
{
	for (int i = 0; i < src->id_slots; i++)
		if (src->ids[i] != 0)
			remember_id(dst, src->ids[i]);
}

void
gc_batch_copy(GcBatch *dst, const GcBatch *src, int from, int to)
{
	ListCell *lc;

	foreach (lc, src->notes)
	{
		Note *note = lfirst(lc);

		if (note->row >= from && note->row < to)
			take_note(dst, note->row - from, note->id, note);
	}
	for (int i = from; i < to; i++)
	{
		int len;
		const char *row = gc_batch_row(src, i, &len);

		add_bytes(dst, row, len);
	}
	dst->absent_at = src->absent_at;
	/* All ids, not just its own: one too many only makes a later batch wait for this one. */
	add_ids(dst, src);
}

bool
gc_batch_shares(const GcBatch *batch, const GcBatch *other)
{
	for (int i = 0; i < other->id_slots; i++)
		if (other->ids[i] != 0 && gc_batch_has(batch, other->ids[i]))
			return true;
	return false;
}

void
gc_batch_append(GcBatch *dst, const GcBatch *src)
{
	Assert(src->notes == NIL);
	for (int i = 0; i < src->rows; i++)
	{
		int len;
		const char *row = gc_batch_row(src, i, &len);

		add_bytes(dst, row, len);
	}
	add_ids(dst, src);
	dst->after_wire |= src->after_wire;
}

/* ---- in a file ---- */

/* What of a batch is in front of its ends, its ids and its body. */
typedef struct Kept
{
	int rows;
	int ids;
	int len;
	bool after_wire;
} Kept;

void
gc_batch_write(const GcBatch *batch, BufFile *file)
{
	Kept kept = {.rows = batch->rows,
				 .ids = batch->id_count,
				 .len = batch->body.len,
				 .after_wire = batch->after_wire};

	Assert(batch->notes == NIL);
	BufFileWrite(file, &kept, sizeof(kept));
	BufFileWrite(file, batch->ends, sizeof(int) * kept.rows);
	for (int i = 0; i < batch->id_slots; i++)
		if (batch->ids[i] != 0)
			BufFileWrite(file, &batch->ids[i], sizeof(uint64));
	BufFileWrite(file, batch->body.data, kept.len);
}

static void
read_bytes(BufFile *file, void *bytes, size_t len)
{
	if (BufFileRead(file, bytes, len) != len)
		ereport(ERROR, (errcode_for_file_access(),
						errmsg("could not read back contacts from a temporary file")));
}

void
gc_batch_read(GcBatch *batch, BufFile *file)
{
	uint64 hash;
	Kept kept;

	read_bytes(file, &kept, sizeof(kept));
	batch->after_wire = kept.after_wire;
	while (batch->ends_room < kept.rows)
		batch->ends_room *= 2;
	batch->ends = repalloc(batch->ends, sizeof(int) * batch->ends_room);
	read_bytes(file, batch->ends, sizeof(int) * kept.rows);
	batch->rows = kept.rows;
	for (int i = 0; i < kept.ids; i++)
	{
		read_bytes(file, &hash, sizeof(hash));
		remember_id(batch, hash);
	}
	enlargeStringInfo(&batch->body, kept.len);
	read_bytes(file, batch->body.data, kept.len);
	batch->body.len = kept.len;
	batch->body.data[kept.len] = '\0';
}

/* ---- echoes ---- */

/* The batch's notes by their ids' hashes, while an echo is walked. */
typedef struct EchoCheck
{
	Note *slots[NOTE_SLOTS];
	StringInfoData id; /* of the contact at hand, decoded */
	TimestampTz since; /* none may have been created before */
	bool is_foreign;   /* there was a contact that has no note */
} EchoCheck;

static Note *
find_note(EchoCheck *check, const char *id)
{
	int i = gc_batch_hash(id) % NOTE_SLOTS;

	while (check->slots[i] != NULL && strcmp(check->slots[i]->id, id) != 0)
		i = (i + 1) % NOTE_SLOTS;
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
		int i = gc_batch_hash(note->id) % NOTE_SLOTS;

		note->differs = DIFFERS_ABSENT;
		while (check->slots[i] != NULL)
			i = (i + 1) % NOTE_SLOTS;
		check->slots[i] = note;
	}
	return check;
}

/* Up to the second: formats may differ beyond that. */
#define CREATED_LENGTH 19

static Difference
difference(const Note *note, const GcContactEcho *echo)
{
	const GcSpan *phone = &echo->phone_number_status;
	const GcSpan *contactable = &echo->contactable_status;

	if (note->created && echo->created.type == '"' &&
		strncmp(note->created, echo->created.p,
				Min(CREATED_LENGTH, Min(strlen(note->created), echo->created.len))) != 0)
		return DIFFERS_RENEWED;
	if (note->callable && note->callable != echo->callable.type)
		return note->callable == 'f' ? DIFFERS_OPTOUT : DIFFERS_CALLABLE;
	if ((note->phone_number_status &&
		 !gc_optout_shown(note->phone_number_status, phone->p, phone->len)) ||
		(note->contactable_status &&
		 !gc_optout_shown(note->contactable_status, contactable->p, contactable->len)))
		return DIFFERS_OPTOUT;
	return DIFFERS_NOT;
}

/* What it does not say, it need not. */
static bool
is_older(const GcContactEcho *echo, TimestampTz since)
{
	TimestampTz created;

	return !TIMESTAMP_IS_NOBEGIN(since) && echo->created.type == '"' &&
		   gc_value_moment(pnstrdup(echo->created.p, echo->created.len), &created) &&
		   created < since;
}

static void
visit_echo(void *arg, const GcContactEcho *echo)
{
	EchoCheck *check = arg;
	Note *note;
	int len;

	check->is_foreign |= echo->id.p == NULL;
	if (echo->id.p == NULL)
		return;
	resetStringInfo(&check->id);
	enlargeStringInfo(&check->id, echo->id.len);
	len = gc_json_unescape(&echo->id, check->id.data);
	check->id.data[Max(len, 0)] = '\0';
	note = find_note(check, check->id.data);
	check->is_foreign |= note == NULL;
	if (note == NULL)
		return;
	note->differs = is_older(echo, check->since) ? DIFFERS_EXISTED : difference(note, echo);
}

static void
visit_single(void *arg, const GcContactEcho *echo)
{
	char *id = palloc(echo->id.len + 1);
	int len = echo->id.p ? gc_json_unescape(&echo->id, id) : 0;

	id[Max(len, 0)] = '\0';
	*(char **) arg = id;
}

/* Is the echo of a single contact its own?  RETURNING shows what it says. */
static bool
echoes_single(const GcBatch *batch, const char *bytes, size_t len)
{
	char *id;

	return gc_contacts_walk_echo(bytes, len, visit_single, &id) == 1 &&
		   gc_batch_has(batch, gc_batch_hash(id));
}

/* The id in a row's JSON. */
static char *
row_id(const GcBatch *batch, int row)
{
	char *id = NULL;
	int len;
	const char *json = gc_batch_row(batch, row, &len);
	char *array = psprintf("[%.*s]", len, json);

	(void) gc_contacts_walk_echo(array, len + 2, visit_single, &id);
	pfree(array);
	return id;
}

char *
gc_batch_only_id(const GcBatch *batch)
{
	return row_id(batch, 0);
}

/* What each of these is: as an error, for programs, in words about a contact, and beside its id. */
static const struct
{
	int sqlstate;
	const char *code;
	const char *what;
	const char *reason;
} oddities[] = {
	[DIFFERS_ABSENT] = {ERRCODE_FDW_ERROR, "contact.not.in.answer",
						"Contact \"%s\" is not in the answer.", "It is not in the answer."},
	[DIFFERS_EXISTED] = {ERRCODE_UNIQUE_VIOLATION, GC_CODE_DUPLICATE,
						 "Contact \"%s\" was there before, and has been updated.",
						 "It was there before, and has been updated."},
	[DIFFERS_RENEWED] = {ERRCODE_T_R_SERIALIZATION_FAILURE, "contact.recreated",
						 "Contact \"%s\" had been deleted since it was read, and is new now.",
						 "It had been deleted since it was read, and is new now."},
	[DIFFERS_OPTOUT] = {ERRCODE_TRIGGERED_DATA_CHANGE_VIOLATION, "opt.out.not.taken",
						"The opt-out of contact \"%s\" did not take effect.",
						"Its opt-out did not take effect."},
	[DIFFERS_CALLABLE] = {ERRCODE_TRIGGERED_DATA_CHANGE_VIOLATION, "callable.not.taken",
						  "Contact \"%s\" did not become callable.",
						  "It did not become callable."},
};

static GcOdd *
odd_row(const Note *note)
{
	GcOdd *odd = palloc(sizeof(GcOdd));

	*odd = (GcOdd){
		.row = note->row,
		.id = note->id,
		.sqlstate = oddities[note->differs].sqlstate,
		.code = oddities[note->differs].code,
		.reason = oddities[note->differs].reason,
		.what = psprintf(oddities[note->differs].what, gc_value_display(note->id, ID_SHOWN))};
	return odd;
}

static const char *
check_notes(const GcBatch *batch, const char *bytes, size_t len, TimestampTz since,
			int *sqlstate)
{
	EchoCheck *check = check_begin(batch);
	ListCell *lc;

	check->since = since;
	if (gc_contacts_walk_echo(bytes, len, visit_echo, check) < 0)
		return "The answer is not a JSON array of contacts.";
	foreach (lc, batch->notes)
	{
		Note *note = lfirst(lc);

		if (note->differs != DIFFERS_NOT)
		{
			*sqlstate = oddities[note->differs].sqlstate;
			return odd_row(note)->what;
		}
	}
	return NULL;
}

const char *
gc_batch_check_echo(const GcBatch *batch, const char *bytes, size_t len, TimestampTz since,
					int *sqlstate)
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
		return check_notes(batch, bytes, len, since, sqlstate);
	return NULL;
}

/* Notes of all rows, in their order, though they may not have been wanted before. */
static void
note_all(GcBatch *batch)
{
	List *notes = batch->notes;
	int next = 0;

	batch->notes = NIL;
	for (int row = 0; row < batch->rows; row++)
	{
		if (next < list_length(notes) && ((Note *) list_nth(notes, next))->row == row)
			batch->notes = lappend(batch->notes, list_nth(notes, next++));
		else
			take_note(batch, row, row_id(batch, row), &(Note){0});
	}
}

List *
gc_batch_odd(GcBatch *batch, const char *bytes, size_t len, TimestampTz since)
{
	MemoryContext caller_cxt = MemoryContextSwitchTo(batch->rows_cxt);
	EchoCheck *check;
	List *odd = NIL;
	ListCell *lc;

	note_all(batch);
	check = check_begin(batch);
	check->since = since;
	if (gc_contacts_walk_echo(bytes, len, visit_echo, check) >= 0 && !check->is_foreign)
		foreach (lc, batch->notes)
			if (((Note *) lfirst(lc))->differs != DIFFERS_NOT)
				odd = lappend(odd, odd_row(lfirst(lc)));
	MemoryContextSwitchTo(caller_cxt);
	return odd;
}
