/*
 * fdw/duplicates.c
 *	  INSERT and COPY of contacts that may be there already: the option on_duplicate.
 *
 * Of all lists of a statement the rows wait together: in their order in one
 * tuplestore, and by id in one sort, which finds ids that come twice and is what
 * an export is compared with.
 */
#include "postgres.h"

#include "base/option.h"
#include "fdw/duplicates.h"
#include "fdw/id_sort.h"
#include "fdw/lookup.h"

#include "access/tupdesc.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "lib/ilist.h"
#include "miscadmin.h"
#include "port/pg_bswap.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/tuplestore.h"

/* Ids that an error names. */
#define IDS_SHOWN 5

/* A waiting row's columns. */
enum
{
	ROW_TARGET,
	ROW_CALLABLE,
	ROW_ID,
	ROW_JSON,
	ROW_PHONE_STATUS,
	ROW_CONTACTABLE_STATUS,
	ROW_COLUMNS
};

/* In front of the ids that are sorted, so that those of a list are together. */
#define PREFIX_LEN sizeof(uint32)

/* What waits of a statement. */
typedef struct Waiting
{
	dlist_node node; /* in statements */
	EState *estate;
	List *tables; /* GcDuplicates */
	MemoryContext cxt;
	Tuplestorestate *rows; /* NULL: none */
	TupleTableSlot *slot;
	GcIdSort *ids;
	int64 count;
	uint8 *taken;	   /* a bit for each: its id is there, or comes twice */
	int64 taken_count; /* so many are set */
	MemoryContextCallback on_reset;
} Waiting;

struct GcDuplicates
{
	Waiting *waiting;
	const GcModify *modify;
	GcOnDuplicate mode;
	int number;		/* of the table */
	int list;		/* the first table with the same list */
	int64 ids;		/* that wait for this list, if it is the first one */
	int64 skipping; /* of those that wait */
	int64 skipped;
};

static dlist_head statements = DLIST_STATIC_INIT(statements);

/* ---- what is asked for ---- */

static const char *const mode_words[] = {[GC_DUPLICATE_UPDATE] = "update",
										 [GC_DUPLICATE_IGNORE] = "ignore",
										 [GC_DUPLICATE_ERROR] = "error"};

const char *
gc_duplicates_word(GcOnDuplicate mode)
{
	return mode_words[mode];
}

GcOnDuplicate
gc_duplicates_mode(const GcRelation *rel, ModifyTableState *mtstate)
{
	const ModifyTable *plan = (const ModifyTable *) mtstate->ps.plan; /* NULL: COPY */
	const char *word = gc_option_string(rel->options, rel->server_options, "on_duplicate");

	/* Ids that are made for the rows are nobody else's. */
	if (rel->key == 0 && rel->id == 0)
		return GC_DUPLICATE_UPDATE;
	/* With a target, or DO UPDATE, the server refuses it: there is no unique index. */
	if (plan && plan->onConflictAction == ONCONFLICT_NOTHING)
		return GC_DUPLICATE_IGNORE;
	if (strcmp(word, mode_words[GC_DUPLICATE_UPDATE]) == 0)
		return GC_DUPLICATE_UPDATE;
	/* A row that an UPDATE moves here is gone from where it was: it must not be lost. */
	if (plan && plan->operation != CMD_INSERT)
		return GC_DUPLICATE_ERROR;
	return strcmp(word, mode_words[GC_DUPLICATE_IGNORE]) == 0 ? GC_DUPLICATE_IGNORE
															  : GC_DUPLICATE_ERROR;
}

/* ---- opening ---- */

static void
waiting_reset(void *arg)
{
	dlist_delete(&((Waiting *) arg)->node);
}

static Waiting *
waiting_of(EState *estate)
{
	Waiting *waiting;
	dlist_iter iter;

	dlist_foreach (iter, &statements)
	{
		waiting = dlist_container(Waiting, node, iter.cur);
		if (waiting->estate == estate)
			return waiting;
	}
	waiting = MemoryContextAllocZero(estate->es_query_cxt, sizeof(Waiting));
	waiting->estate = estate;
	waiting->cxt = AllocSetContextCreate(estate->es_query_cxt, "gc_fdw waiting contacts",
										 ALLOCSET_DEFAULT_SIZES);
	waiting->on_reset.func = waiting_reset;
	waiting->on_reset.arg = waiting;
	MemoryContextRegisterResetCallback(estate->es_query_cxt, &waiting->on_reset);
	dlist_push_tail(&statements, &waiting->node);
	return waiting;
}

static void release(void *arg);

GcDuplicates *
gc_duplicates_open(EState *estate, const GcModify *modify, GcOnDuplicate mode)
{
	MemoryContext caller_cxt = MemoryContextSwitchTo(estate->es_query_cxt);
	GcDuplicates *duplicates = palloc0(sizeof(GcDuplicates));
	Waiting *waiting = waiting_of(estate);
	ListCell *lc;

	duplicates->waiting = waiting;
	duplicates->modify = modify;
	duplicates->mode = mode;
	duplicates->number = duplicates->list = list_length(waiting->tables);
	foreach (lc, waiting->tables)
	{
		const GcDuplicates *other = lfirst(lc);

		if (other->list == other->number && other->modify->conn == modify->conn &&
			strcmp(other->modify->list->id, modify->list->id) == 0)
			duplicates->list = other->number;
	}
	waiting->tables = lappend(waiting->tables, duplicates);
	gc_deliver_before_drain(modify->target, release, duplicates);
	MemoryContextSwitchTo(caller_cxt);
	return duplicates;
}

int64
gc_duplicates_skipped(const GcDuplicates *duplicates)
{
	return duplicates->skipped;
}

/* ---- rows that wait ---- */

static void
begin(Waiting *waiting)
{
	MemoryContext caller_cxt = MemoryContextSwitchTo(waiting->cxt);
	TupleDesc tupdesc = CreateTemplateTupleDesc(ROW_COLUMNS);

	for (int i = 0; i < ROW_COLUMNS; i++)
		TupleDescInitEntry(tupdesc, i + 1, NULL, i < ROW_ID ? INT4OID : BYTEAOID, -1, 0);
	waiting->rows = tuplestore_begin_heap(false, false, Max(work_mem / 2, 64));
	tuplestore_set_eflags(waiting->rows, EXEC_FLAG_REWIND);
	waiting->slot = MakeSingleTupleTableSlot(tupdesc, &TTSOpsMinimalTuple);
	waiting->ids = gc_id_sort_create(work_mem / 4);
	MemoryContextSwitchTo(caller_cxt);
}

static void
set_bytes(Datum *values, bool *nulls, int column, const char *bytes, int len)
{
	nulls[column] = bytes == NULL;
	if (bytes)
		values[column] = PointerGetDatum(cstring_to_text_with_len(bytes, len));
}

static void
set_string(Datum *values, bool *nulls, int column, const char *string)
{
	set_bytes(values, nulls, column, string, string ? strlen(string) + 1 : 0);
}

static void
sort_id(GcDuplicates *duplicates, const char *id)
{
	Waiting *waiting = duplicates->waiting;
	GcDuplicates *first = list_nth(waiting->tables, duplicates->list);
	uint32 list = pg_hton32(duplicates->list);
	int len = strlen(id);
	char *key = palloc(PREFIX_LEN + len);

	memcpy(key, &list, PREFIX_LEN);
	memcpy(key + PREFIX_LEN, id, len);
	gc_id_sort_put(waiting->ids, key, PREFIX_LEN + len, waiting->count);
	first->ids++;
}

void
gc_duplicates_hold(GcDuplicates *duplicates, const GcRow *row)
{
	Waiting *waiting = duplicates->waiting;
	Datum values[ROW_COLUMNS] = {0};
	bool nulls[ROW_COLUMNS] = {0};

	if (waiting->rows == NULL)
		begin(waiting);
	values[ROW_TARGET] = Int32GetDatum(duplicates->number);
	values[ROW_CALLABLE] = Int32GetDatum(row->callable);
	set_string(values, nulls, ROW_ID, row->id);
	set_bytes(values, nulls, ROW_JSON, row->json, row->len);
	set_string(values, nulls, ROW_PHONE_STATUS, row->phone_number_status);
	set_string(values, nulls, ROW_CONTACTABLE_STATUS, row->contactable_status);
	tuplestore_putvalues(waiting->rows, waiting->slot->tts_tupleDescriptor, values, nulls);
	if (!row->made_id)
		sort_id(duplicates, row->id);
	waiting->count++;
	gc_deliver_taken(duplicates->modify->target, 1);
}

static const char *
get_bytes(Waiting *waiting, int column, int *len)
{
	struct varlena *bytes =
		(struct varlena *) DatumGetPointer(waiting->slot->tts_values[column]);

	*len = 0;
	if (waiting->slot->tts_isnull[column])
		return NULL;
	*len = VARSIZE_ANY_EXHDR(bytes);
	return VARDATA_ANY(bytes);
}

/* The next row, whose bytes stay until the one after it; NULL at the end. */
static GcDuplicates *
next_row(Waiting *waiting, GcRow *row)
{
	int len;

	CHECK_FOR_INTERRUPTS();
	if (!tuplestore_gettupleslot(waiting->rows, true, false, waiting->slot))
		return NULL;
	slot_getallattrs(waiting->slot);
	*row = (GcRow){.taken = true};
	row->callable = (char) DatumGetInt32(waiting->slot->tts_values[ROW_CALLABLE]);
	row->id = get_bytes(waiting, ROW_ID, &len);
	row->json = get_bytes(waiting, ROW_JSON, &row->len);
	row->phone_number_status = get_bytes(waiting, ROW_PHONE_STATUS, &len);
	row->contactable_status = get_bytes(waiting, ROW_CONTACTABLE_STATUS, &len);
	return list_nth(waiting->tables, DatumGetInt32(waiting->slot->tts_values[ROW_TARGET]));
}

/* ---- which of them are there ---- */

static void
take(Waiting *waiting, int64 number)
{
	waiting->taken[number / 8] |= 1 << number % 8;
	waiting->taken_count++;
}

static void
take_found(void *arg, const GcFound *found)
{
	take(arg, found->number);
}

static bool
is_taken(const Waiting *waiting, int64 number)
{
	return (waiting->taken[number / 8] & 1 << number % 8) != 0;
}

static uint32
list_of(const char *key)
{
	uint32 list;

	memcpy(&list, key, PREFIX_LEN);
	return pg_ntoh32(list);
}

/* Marks the rows whose ids are there, and those whose ids an earlier row has. */
static void
look_up(Waiting *waiting)
{
	GcLookup *lookup = NULL;
	StringInfoData last;
	const char *key;
	int len;
	int64 number;

	initStringInfo(&last);
	waiting->taken = MemoryContextAllocExtended(waiting->cxt, waiting->count / 8 + 1,
												MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	waiting->taken_count = 0;
	gc_id_sort_finish(waiting->ids);
	while (gc_id_sort_next(waiting->ids, &key, &len, &number))
	{
		CHECK_FOR_INTERRUPTS();
		if (last.len == len && memcmp(last.data, key, len) == 0)
		{
			take(waiting, number);
			continue;
		}
		if (lookup == NULL || memcmp(last.data, key, PREFIX_LEN) != 0)
		{
			const GcDuplicates *first = list_nth(waiting->tables, list_of(key));

			if (lookup)
				gc_lookup_end(lookup);
			lookup = gc_lookup_begin(first->modify, first->ids, take_found, waiting);
		}
		resetStringInfo(&last);
		appendBinaryStringInfo(&last, key, len);
		gc_lookup_put(lookup, key + PREFIX_LEN, len - PREFIX_LEN, number);
	}
	if (lookup)
		gc_lookup_end(lookup);
	gc_id_sort_end(waiting->ids);
}

/* ---- what becomes of these ---- */

static const char *
refused_message(const GcModify *modify, int64 rows)
{
	return gc_verb_failed(GC_VERB_INSERT, rows, modify->rel->label);
}

static GcProblem
problem_of(const char *message, const char *detail)
{
	return (GcProblem){.sqlstate = ERRCODE_UNIQUE_VIOLATION,
					   .message = message,
					   .detail = detail,
					   .hint = "ON CONFLICT DO NOTHING passes over them, and the option "
							   "on_duplicate 'update' updates them.",
					   .code = GC_CODE_DUPLICATE,
					   .taken = true};
}

/* Goes on without the row, if the table wants that. */
static bool
reject(const GcModify *modify, const GcRow *row, const char *why, const char *detail,
	   bool counted)
{
	GcProblem problem = problem_of(refused_message(modify, 1), detail);
	GcRefusal refusal = {
		.problem = &problem, .counted = counted, .json = row->json, .len = row->len};

	problem.reason = psprintf("%s: %s.", problem.message, why);
	return gc_deliver_reject(modify->target, &refusal);
}

static _Noreturn void
refuse(const GcModify *modify, int64 rows, const char *detail)
{
	GcProblem problem = problem_of(refused_message(modify, rows), detail);

	gc_deliver_refuse(modify->target, &problem);
}

/* Adds an id to the list of them. */
static void
name_id(StringInfo names, const char *id)
{
	appendStringInfo(names, "%s\"%s\"", names->len > 0 ? ", " : "",
					 gc_value_display(id, NAMEDATALEN));
}

#define THERE		   "Already there"
#define THERE_OR_TWICE THERE ", or in an earlier row of the statement"

static const char *
already_there(const char *names)
{
	return psprintf(THERE_OR_TWICE ": %s.", names);
}

/* A row of which the id is there already; false: its table may have none. */
static bool
pass_over(GcDuplicates *table, const GcRow *row)
{
	StringInfoData name;

	if (table->mode == GC_DUPLICATE_IGNORE)
	{
		table->skipping++;
		return true;
	}
	if (!gc_deliver_goes_on(table->modify->target))
		return false;
	initStringInfo(&name);
	name_id(&name, row->id);
	return reject(table->modify, row, THERE_OR_TWICE, already_there(name.data), true);
}

/*
 * Counts the rows that are not to be sent, or rejects them; throws if a table may have
 * none.  Of several such tables the first one is told of.
 */
static void
judge(Waiting *waiting)
{
	const GcDuplicates *refusing = NULL;
	GcDuplicates *table;
	int64 refused = 0;
	int64 number = 0;
	StringInfoData names;
	GcRow row;

	initStringInfo(&names);
	for (; (table = next_row(waiting, &row)) != NULL; number++)
	{
		if (!is_taken(waiting, number) || pass_over(table, &row))
			continue;
		if (refusing == NULL)
			refusing = table;
		if (table == refusing && refused++ < IDS_SHOWN)
			name_id(&names, row.id);
	}
	if (refusing == NULL)
		return;
	if (refused > IDS_SHOWN)
		appendStringInfo(&names, " and " INT64_FORMAT " more", refused - IDS_SHOWN);
	refuse(refusing->modify, refused, already_there(names.data));
}

/* COPY cannot be told how many rows it inserted: the user is. */
static void
tell_skipped(const GcDuplicates *table, bool is_copy)
{
	if (table->skipping > 0 && is_copy)
		ereport(NOTICE,
				(errmsg_plural("skipped " INT64_FORMAT " contact that is in %s already",
							   "skipped " INT64_FORMAT " contacts that are in %s already",
							   table->skipping, table->skipping, table->modify->rel->label),
				 errdetail("COPY counts them among its rows.")));
}

static void
skip(Waiting *waiting)
{
	ListCell *lc;

	foreach (lc, waiting->tables)
	{
		GcDuplicates *table = lfirst(lc);

		tell_skipped(table, waiting->estate->es_plannedstmt == NULL);
		gc_deliver_skipped(table->modify->target, table->skipping);
		table->skipped += table->skipping;
		table->skipping = table->ids = 0;
	}
}

/* The contact is not there: its echo must not show one that is older. */
static void
must_be_new(const GcDuplicates *table, GcRow *row, GcTime absent_at)
{
	if (table->mode != GC_DUPLICATE_ERROR)
		return;
	row->noted = true;
	row->absent_at = absent_at;
}

static void
send(Waiting *waiting)
{
	GcTime absent_at = gc_clock_now();
	GcDuplicates *table;
	int64 number = 0;
	GcRow row;

	for (; (table = next_row(waiting, &row)) != NULL; number++)
	{
		if (is_taken(waiting, number))
			continue;
		must_be_new(table, &row, absent_at);
		gc_deliver_row(table->modify->target, &row);
	}
}

/* All rows of the statement are there: what waits goes, of all tables, or nothing does. */
static void
release(void *arg)
{
	Waiting *waiting = ((GcDuplicates *) arg)->waiting;
	MemoryContext caller_cxt;

	if (waiting->rows == NULL)
		return;
	caller_cxt = MemoryContextSwitchTo(waiting->cxt);
	look_up(waiting);
	if (waiting->taken_count > 0)
		judge(waiting);
	skip(waiting);
	tuplestore_rescan(waiting->rows);
	send(waiting);
	ExecDropSingleTupleTableSlot(waiting->slot);
	tuplestore_end(waiting->rows);
	waiting->rows = NULL;
	waiting->count = 0;
	MemoryContextSwitchTo(caller_cxt);
	MemoryContextReset(waiting->cxt);
}

bool
gc_duplicates_pass(GcDuplicates *duplicates, GcRow *row)
{
	const GcModify *modify = duplicates->modify;
	const char *detail;

	if (row->made_id || !gc_lookup_one(modify, row->id))
	{
		must_be_new(duplicates, row, gc_clock_now());
		return true;
	}
	if (duplicates->mode == GC_DUPLICATE_IGNORE)
	{
		duplicates->skipped++;
		return false;
	}
	gc_deliver_taken(modify->target, 1);
	detail = psprintf(THERE ": \"%s\".", gc_value_display(row->id, NAMEDATALEN));
	if (!reject(modify, row, THERE, detail, false))
		refuse(modify, 1, detail);
	return false;
}
