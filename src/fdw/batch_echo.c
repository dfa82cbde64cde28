/*
 * fdw/batch_echo.c
 *	  The platform's echo of a batch, held against its rows.
 */
#include "postgres.h"

#include "api/contacts.h"
#include "api/optout.h"
#include "base/value.h"
#include "fdw/batch_parts.h"

/* Slots of the table of notes; a power of two, at most half full. */
#define NOTE_SLOTS (2 * 1024)

/* Characters of an id that messages show. */
#define ID_SHOWN 100

StaticAssertDecl(NOTE_SLOTS >= 2 * GC_CONTACTS_MAX_ROWS, "the table of notes is too small");

/* The batch's notes by their ids' hashes, while an echo is walked. */
typedef struct EchoCheck
{
	GcBatchNote *slots[NOTE_SLOTS];
	StringInfoData id; /* of the contact at hand, decoded */
	TimestampTz since; /* none may have been created before */
	bool is_foreign;   /* there was a contact that has no note */
} EchoCheck;

static GcBatchNote *
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
		GcBatchNote *note = lfirst(lc);
		int i = gc_batch_hash(note->id) % NOTE_SLOTS;

		note->differs = GC_DIFFERS_ABSENT;
		while (check->slots[i] != NULL)
			i = (i + 1) % NOTE_SLOTS;
		check->slots[i] = note;
	}
	return check;
}

/* Up to the second: formats may differ beyond that. */
#define CREATED_LENGTH 19

static GcBatchDifference
difference(const GcBatchNote *note, const GcContactEcho *echo)
{
	const GcSpan *phone = &echo->phone_number_status;
	const GcSpan *contactable = &echo->contactable_status;

	if (note->created && echo->created.type == '"' &&
		strncmp(note->created, echo->created.p,
				Min(CREATED_LENGTH, Min(strlen(note->created), echo->created.len))) != 0)
		return GC_DIFFERS_RENEWED;
	if (note->callable && note->callable != echo->callable.type)
		return note->callable == 'f' ? GC_DIFFERS_OPTOUT : GC_DIFFERS_CALLABLE;
	if ((note->phone_number_status &&
		 !gc_optout_shown(note->phone_number_status, phone->p, phone->len)) ||
		(note->contactable_status &&
		 !gc_optout_shown(note->contactable_status, contactable->p, contactable->len)))
		return GC_DIFFERS_OPTOUT;
	return GC_DIFFERS_NOT;
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
	GcBatchNote *note;
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
	note->differs = is_older(echo, check->since) ? GC_DIFFERS_EXISTED : difference(note, echo);
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
	[GC_DIFFERS_ABSENT] = {ERRCODE_FDW_ERROR, "contact.not.in.answer",
						   "Contact \"%s\" is not in the answer.", "It is not in the answer."},
	[GC_DIFFERS_EXISTED] = {ERRCODE_UNIQUE_VIOLATION, GC_CODE_DUPLICATE,
							"Contact \"%s\" was there before, and has been updated.",
							"It was there before, and has been updated."},
	[GC_DIFFERS_RENEWED] =
		{ERRCODE_T_R_SERIALIZATION_FAILURE, "contact.recreated",
		 "Contact \"%s\" had been deleted since it was read, and is new now.",
		 "It had been deleted since it was read, and is new now."},
	[GC_DIFFERS_OPTOUT] = {ERRCODE_TRIGGERED_DATA_CHANGE_VIOLATION, "opt.out.not.taken",
						   "The opt-out of contact \"%s\" did not take effect.",
						   "Its opt-out did not take effect."},
	[GC_DIFFERS_CALLABLE] = {ERRCODE_TRIGGERED_DATA_CHANGE_VIOLATION, "callable.not.taken",
							 "Contact \"%s\" did not become callable.",
							 "It did not become callable."},
};

static GcOdd *
odd_row(const GcBatchNote *note)
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
		GcBatchNote *note = lfirst(lc);

		if (note->differs != GC_DIFFERS_NOT)
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
		if (next < list_length(notes) && ((GcBatchNote *) list_nth(notes, next))->row == row)
			batch->notes = lappend(batch->notes, list_nth(notes, next++));
		else
			gc_batch_note(batch, row, row_id(batch, row), &(GcBatchNote){0});
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
			if (((GcBatchNote *) lfirst(lc))->differs != GC_DIFFERS_NOT)
				odd = lappend(odd, odd_row(lfirst(lc)));
	MemoryContextSwitchTo(caller_cxt);
	return odd;
}
