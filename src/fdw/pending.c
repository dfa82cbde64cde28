/*
 * fdw/pending.c
 *	  Contacts that wait for COMMIT: deliver 'commit' (DESIGN 4.5).
 */
#include "postgres.h"

#include "base/seen.h"
#include "fdw/drift.h"
#include "fdw/merge.h"
#include "fdw/pending.h"
#include "fdw/refresh.h"

#include "access/xact.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "storage/buffile.h"
#include "storage/latch.h"
#include "utils/memutils.h"
#include "utils/resowner.h"
#include "utils/timeout.h"

int gc_commit_timeout = 0;

struct GcPending
{
	uint32 number; /* among the transaction's */
	Oid user_id;
	Oid relid;
	GcTargetSettings settings;
	GcRelation *rel; /* without its tuple descriptor, which is not ours to keep */
	GcConnection *conn;
	GcList *list;
	int64 rows;
	bool told; /* gc_pending_untold() has said how many */
	/* At COMMIT: */
	GcTarget *target;
	GcRefresh *refresh; /* UPDATE */
};

/* Where the file ended, and what it held, when a subtransaction began to write. */
typedef struct Level
{
	SubTransactionId id;
	int file;
	off_t offset;
	int count;	 /* of these */
	int64 *rows; /* of each GcPending that was there */
} Level;

/*
 * A record of the file: this, then so many bytes, its strings.  A string is its
 * length, or NO_STRING, its bytes, and a zero.
 */
typedef struct Record
{
	uint32 number;
	uint32 len;
	bool is_patch;
	GcRow row;	   /* its numbers; its pointers are not those of now */
	GcPatch patch; /* the same */
} Record;

#define NO_STRING PG_UINT32_MAX

/* Of the transaction; NULL: nothing waits. */
typedef struct Spool
{
	MemoryContext cxt; /* all of this */
	BufFile *file;
	int end_file; /* where the next record goes … */
	off_t end_offset;
	bool is_elsewhere;		/* … which is not where the file stands */
	List *pending;			/* GcPending *, by number */
	List *levels;			/* Level *, outermost first */
	StringInfoData strings; /* of the record at hand */
} Spool;

static Spool *spool = NULL;

/* ---- what waits ---- */

static void
spool_begin(void)
{
	MemoryContext caller_cxt = CurrentMemoryContext;
	ResourceOwner caller_owner = CurrentResourceOwner;
	MemoryContext cxt =
		AllocSetContextCreate(TopTransactionContext, "gc_fdw pending", ALLOCSET_DEFAULT_SIZES);
	Spool *made;

	MemoryContextSwitchTo(cxt);
	made = palloc0(sizeof(Spool));
	made->cxt = cxt;
	initStringInfo(&made->strings);
	/* A savepoint's end must not close the file. */
	CurrentResourceOwner = TopTransactionResourceOwner;
	PG_TRY();
	{
		made->file = BufFileCreateTemp(false);
	}
	PG_FINALLY();
	{
		CurrentResourceOwner = caller_owner;
		MemoryContextSwitchTo(caller_cxt);
	}
	PG_END_TRY();
	spool = made;
}

static bool
is_same(const GcPending *pending, Oid user_id, Oid relid, const GcTargetSettings *settings)
{
	const GcTargetSettings *own = &pending->settings;

	return pending->user_id == user_id && pending->relid == relid &&
		   own->verb == settings->verb && strcmp(own->operation, settings->operation) == 0 &&
		   own->batch_rows == settings->batch_rows &&
		   own->batch_bytes == settings->batch_bytes &&
		   own->buffer_memory == settings->buffer_memory &&
		   own->flags.priority == settings->flags.priority &&
		   own->flags.clear_system_data == settings->flags.clear_system_data &&
		   own->flags.do_not_queue == settings->flags.do_not_queue;
}

/* Of a table that is renamed or altered in between, another one. */
static GcPending *
find(Oid user_id, const GcRelation *rel, const GcTargetSettings *settings)
{
	ListCell *lc;

	foreach (lc, spool->pending)
	{
		GcPending *pending = lfirst(lc);

		if (is_same(pending, user_id, rel->relid, settings) && pending->conn->valid &&
			strcmp(pending->rel->label, rel->label) == 0)
			return pending;
	}
	return NULL;
}

GcPending *
gc_pending_open(Oid user_id, Relation relation, const GcTargetSettings *settings)
{
	GcStat stat = {0};
	MemoryContext caller_cxt;
	GcPending *pending;

	if (spool == NULL)
		spool_begin();
	pending = find(user_id, gc_relation_load(relation), settings);
	if (pending)
		return pending;
	caller_cxt = MemoryContextSwitchTo(spool->cxt);
	pending = palloc0(sizeof(GcPending));
	pending->number = list_length(spool->pending);
	pending->user_id = user_id;
	pending->settings = *settings;
	pending->settings.operation = pstrdup(settings->operation);
	/* Of a statement that is over by then nobody counts the rows any more. */
	pending->settings.counted = false;
	pending->rel = gc_relation_load(relation);
	pending->relid = pending->rel->relid;
	pending->conn = gc_connection_get(user_id, pending->rel->server_id);
	pending->list = gc_drift_list(pending->conn, &stat, pending->rel);
	spool->pending = lappend(spool->pending, pending);
	MemoryContextSwitchTo(caller_cxt);
	return pending;
}

int64
gc_pending_untold(const GcList *list)
{
	bool told = false;
	int64 rows = 0;
	ListCell *lc;

	foreach (lc, spool ? spool->pending : NIL)
	{
		GcPending *pending = lfirst(lc);

		if (strcmp(pending->list->id, list->id) != 0)
			continue;
		rows += pending->rows;
		told |= pending->told;
		pending->told |= pending->rows > 0;
	}
	return told ? 0 : rows;
}

/* ---- the file ---- */

/* The current subtransaction writes: what was there before is remembered. */
static void
note_level(void)
{
	SubTransactionId id = GetCurrentSubTransactionId();
	MemoryContext caller_cxt;
	Level *level;
	ListCell *lc;

	if (spool->levels != NIL && ((Level *) llast(spool->levels))->id == id)
		return;
	caller_cxt = MemoryContextSwitchTo(spool->cxt);
	level = palloc(sizeof(Level));
	*level = (Level){.id = id,
					 .file = spool->end_file,
					 .offset = spool->end_offset,
					 .count = list_length(spool->pending)};
	level->rows = palloc(sizeof(int64) * Max(level->count, 1));
	foreach (lc, spool->pending)
		level->rows[foreach_current_index(lc)] = ((GcPending *) lfirst(lc))->rows;
	spool->levels = lappend(spool->levels, level);
	MemoryContextSwitchTo(caller_cxt);
}

static void
seek(int file, off_t offset)
{
	if (BufFileSeek(spool->file, file, offset, SEEK_SET) != 0)
		ereport(ERROR, (errcode_for_file_access(),
						errmsg("could not find the rows that wait for COMMIT")));
}

static void
write_bytes(const void *bytes, size_t len)
{
	/* Not const before PostgreSQL 16. */
	if (len > 0)
		BufFileWrite(spool->file, unconstify(void *, bytes), len);
}

static void
put_string(const char *string, int len)
{
	uint32 said = string ? len : NO_STRING;

	appendBinaryStringInfo(&spool->strings, (const char *) &said, sizeof(said));
	if (string)
		appendBinaryStringInfo(&spool->strings, string, len);
	appendStringInfoChar(&spool->strings, '\0');
}

static void
put_text(const char *string)
{
	put_string(string, string ? strlen(string) : 0);
}

/* What the echo must show. */
static void
put_shown(const GcRow *row)
{
	put_text(row->phone_number_status);
	put_text(row->contactable_status);
}

/* Writes a record whose strings are there. */
static void
put_record(GcPending *pending, Record *record)
{
	record->number = pending->number;
	record->len = spool->strings.len;
	note_level();
	if (spool->is_elsewhere)
		seek(spool->end_file, spool->end_offset);
	spool->is_elsewhere = false;
	write_bytes(record, sizeof(*record));
	write_bytes(spool->strings.data, spool->strings.len);
	BufFileTell(spool->file, &spool->end_file, &spool->end_offset);
	pending->rows++;
}

void
gc_pending_row(GcPending *pending, const GcRow *row)
{
	Record record = {.row = *row};

	resetStringInfo(&spool->strings);
	put_text(row->id);
	put_string(row->json, row->len);
	put_shown(row);
	put_record(pending, &record);
}

void
gc_pending_patch(GcPending *pending, const char *id, const GcPatch *patch)
{
	Record record = {.is_patch = true, .patch = *patch};

	resetStringInfo(&spool->strings);
	put_text(id);
	put_text(patch->attributes);
	put_text(patch->cells);
	for (int i = 0; i < patch->field_count; i++)
		put_text(patch->fields[i]);
	put_shown(&patch->shown);
	put_record(pending, &record);
}

static void
read_bytes(void *bytes, size_t len)
{
	if (BufFileRead(spool->file, bytes, len) != len)
		ereport(ERROR, (errcode_for_file_access(),
						errmsg("could not read back the rows that wait for COMMIT")));
}

/* The next record, with its strings; false at the end of the file. */
static bool
read_record(Record *record)
{
	int file;
	off_t offset;

	BufFileTell(spool->file, &file, &offset);
	if (file > spool->end_file || (file == spool->end_file && offset >= spool->end_offset))
		return false;
	read_bytes(record, sizeof(*record));
	resetStringInfo(&spool->strings);
	enlargeStringInfo(&spool->strings, record->len);
	read_bytes(spool->strings.data, record->len);
	spool->strings.len = record->len;
	return true;
}

/* The next string of the record at hand; NULL: there is none. */
static const char *
get_text(void)
{
	StringInfo strings = &spool->strings;
	const char *string = strings->data + strings->cursor + sizeof(uint32);
	uint32 len;

	memcpy(&len, strings->data + strings->cursor, sizeof(len));
	strings->cursor += sizeof(len) + (len == NO_STRING ? 0 : len) + 1;
	return len == NO_STRING ? NULL : string;
}

static void
get_shown(GcRow *row)
{
	row->phone_number_status = get_text();
	row->contactable_status = get_text();
}

/* The strings of a patch, which the current context is to have. */
static void
get_patch(GcPatch *patch)
{
	const char *string;

	patch->attributes = pstrdup(get_text());
	patch->cells = pstrdup(get_text());
	patch->fields = palloc(sizeof(char *) * Max(patch->field_count, 1));
	for (int i = 0; i < patch->field_count; i++)
		patch->fields[i] = pstrdup(get_text());
	string = get_text();
	patch->shown.phone_number_status = string ? pstrdup(string) : NULL;
	string = get_text();
	patch->shown.contactable_status = string ? pstrdup(string) : NULL;
}

/* ---- COMMIT ---- */

static TimeoutId commit_timer = MAX_TIMEOUTS;
static volatile sig_atomic_t timed_out = false;

/* In a signal handler: as if somebody had cancelled. */
static void
on_timeout(void)
{
	timed_out = true;
	QueryCancelPending = true;
	InterruptPending = true;
	SetLatch(MyLatch);
}

static void
open_target(EState *estate, GcPending *pending)
{
	pending->target = gc_deliver_open(estate, pending->conn, pending->rel, pending->list,
									  &pending->settings);
	if (pending->settings.verb == GC_VERB_UPDATE)
		pending->refresh =
			gc_refresh_create(pending->target, GC_VERB_UPDATE, pending->rel, pending->list,
							  gc_merger_create(pending->list), pending->conn->max_in_flight);
	/* All of them count as not sent until they are. */
	gc_deliver_taken(pending->target, pending->rows);
}

/* Hands a record on to its target. */
static void
replay(Record *record)
{
	GcPending *pending = list_nth(spool->pending, record->number);
	const char *id;
	MemoryContext caller_cxt;

	if (!record->is_patch)
	{
		GcRow row = record->row;

		row.id = get_text();
		row.json = get_text();
		get_shown(&row);
		row.created = row.extra = NULL;
		row.taken = true;
		gc_deliver_row(pending->target, &row);
		return;
	}
	/* The refresh takes it once more. */
	gc_deliver_taken(pending->target, -1);
	caller_cxt = MemoryContextSwitchTo(gc_refresh_context(pending->refresh));
	id = pstrdup(get_text());
	get_patch(&record->patch);
	gc_refresh_add(pending->refresh, id, &record->patch, NULL);
	MemoryContextSwitchTo(caller_cxt);
}

/*
 * A contact that is updated is read again before; so what the transaction did to it
 * earlier has to be there by then.  Everything goes out, and ids are noted anew.
 */
static void
keep_order(EState *estate, GcSeen **seen, const Record *record)
{
	GcPending *pending = list_nth(spool->pending, record->number);
	const char *id = spool->strings.data + sizeof(uint32);
	char *key = psprintf("%s %s", pending->list->id, id);

	if (gc_seen_note(*seen, key, strlen(key)))
	{
		gc_deliver_drain(estate);
		*seen = gc_seen_create(0);
		(void) gc_seen_note(*seen, key, strlen(key));
	}
	pfree(key);
}

static bool
has_updates(void)
{
	ListCell *lc;

	foreach (lc, spool->pending)
		if (((GcPending *) lfirst(lc))->refresh)
			return true;
	return false;
}

static void
send_all(void)
{
	EState *estate = CreateExecutorState();
	MemoryContext caller_cxt = MemoryContextSwitchTo(estate->es_query_cxt);
	GcSeen *seen = NULL;
	Record record;
	ListCell *lc;

	foreach (lc, spool->pending)
		if (((GcPending *) lfirst(lc))->rows > 0)
			open_target(estate, lfirst(lc));
	if (has_updates())
		seen = gc_seen_create(0);
	seek(0, 0);
	while (read_record(&record))
	{
		CHECK_FOR_INTERRUPTS();
		if (seen)
			keep_order(estate, &seen, &record);
		replay(&record);
	}
	gc_deliver_drain(estate);
	MemoryContextSwitchTo(caller_cxt);
	FreeExecutorState(estate);
}

/* The timer's cancel, with its own words. */
static void
rethrow(MemoryContext cxt)
{
	ErrorData *error;

	MemoryContextSwitchTo(cxt);
	error = CopyErrorData();
	if (!timed_out || error->sqlerrcode != ERRCODE_QUERY_CANCELED)
		PG_RE_THROW();
	FlushErrorState();
	ereport(ERROR, (errcode(ERRCODE_QUERY_CANCELED),
					errmsg("canceling COMMIT due to gc_fdw.commit_timeout"),
					error->detail ? errdetail_internal("%s", error->detail) : 0,
					errhint("What the WARNING counts as sent is with the platform.")));
}

/* Sends what waits, within gc_fdw.commit_timeout. */
static void
send_at_commit(void)
{
	MemoryContext cxt = CurrentMemoryContext;

	timed_out = false;
	if (gc_commit_timeout > 0)
	{
		if (commit_timer == MAX_TIMEOUTS)
			commit_timer = RegisterTimeout(USER_TIMEOUT, on_timeout);
		enable_timeout_after(commit_timer, gc_commit_timeout);
	}
	PG_TRY();
	{
		send_all();
	}
	PG_CATCH();
	{
		if (gc_commit_timeout > 0)
			disable_timeout(commit_timer, false);
		rethrow(cxt);
	}
	PG_END_TRY();
	if (gc_commit_timeout > 0)
		disable_timeout(commit_timer, false);
}

static bool
waits(void)
{
	ListCell *lc;

	foreach (lc, spool ? spool->pending : NIL)
		if (((GcPending *) lfirst(lc))->rows > 0)
			return true;
	return false;
}

/* Nothing waits any more. */
static void
spool_end(void)
{
	BufFileClose(spool->file);
	MemoryContextDelete(spool->cxt);
	spool = NULL;
}

static void
on_xact(XactEvent event, void *arg)
{
	switch (event)
	{
		case XACT_EVENT_PRE_COMMIT:
			if (waits())
				send_at_commit();
			if (spool)
				spool_end();
			break;
		case XACT_EVENT_PRE_PREPARE:
			if (waits())
				ereport(ERROR,
						(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						 errmsg("cannot PREPARE a transaction that has contacts to send")));
			if (spool)
				spool_end();
			break;
		case XACT_EVENT_ABORT:
			/* Its memory and file go with the transaction. */
			spool = NULL;
			break;
		default:
			break;
	}
}

/* A savepoint is released: its level becomes its parent's, if that has none of its own. */
static void
level_to_parent(SubTransactionId parent)
{
	Level *level = llast(spool->levels);
	int count = list_length(spool->levels);

	if (count > 1 && ((Level *) list_nth(spool->levels, count - 2))->id == parent)
		spool->levels = list_delete_last(spool->levels);
	else
		level->id = parent;
}

/* A savepoint is rolled back: so is the file. */
static void
level_undo(void)
{
	Level *level = llast(spool->levels);
	ListCell *lc;

	foreach (lc, spool->pending)
	{
		int i = foreach_current_index(lc);

		((GcPending *) lfirst(lc))->rows = i < level->count ? level->rows[i] : 0;
	}
	spool->end_file = level->file;
	spool->end_offset = level->offset;
	spool->levels = list_delete_last(spool->levels);
	/* To go there writes what is buffered, and may fail, which nothing may in an abort. */
	spool->is_elsewhere = true;
}

static void
on_subxact(SubXactEvent event, SubTransactionId mine, SubTransactionId parent, void *arg)
{
	if (spool == NULL || spool->levels == NIL || ((Level *) llast(spool->levels))->id != mine)
		return;
	if (event == SUBXACT_EVENT_COMMIT_SUB)
		level_to_parent(parent);
	else if (event == SUBXACT_EVENT_ABORT_SUB)
		level_undo();
}

void
gc_pending_init(void)
{
	RegisterXactCallback(on_xact, NULL);
	RegisterSubXactCallback(on_subxact, NULL);
}
