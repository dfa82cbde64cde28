/*
 * store/rejects_receive.c
 *	  Rows of gc_fdw.rejected_rows: a stream to a worker, the worker's end of it.
 */
#include "postgres.h"

#include "store/rejects.h"
#include "store/rejects_channel.h"
#include "store/table.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "storage/ipc.h"
#include "storage/proc.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

/* Rows of one transaction at most. */
#define BATCH_ROWS 1000

enum
{
	COLUMN_ID,
	COLUMN_AT,
	COLUMN_BY_ROLE,
	COLUMN_LIST_ID,
	COLUMN_SOURCE,
	COLUMN_SOURCE_ID,
	COLUMN_KEY,
	COLUMN_ROW_DATA,
	COLUMN_CODE,
	COLUMN_REASON,
	COLUMN_FIELD,
	COLUMN_CORRELATION_ID,
	COLUMN_COUNT
};

static const GcTableColumn columns[COLUMN_COUNT] = {
	[COLUMN_ID] = {"id", INT8OID},
	[COLUMN_AT] = {"at", TIMESTAMPTZOID},
	[COLUMN_BY_ROLE] = {"by_role", NAMEOID},
	[COLUMN_LIST_ID] = {"list_id", TEXTOID},
	[COLUMN_SOURCE] = {"source", TEXTOID},
	[COLUMN_SOURCE_ID] = {"source_id", INT8OID},
	[COLUMN_KEY] = {"key", TEXTOID},
	[COLUMN_ROW_DATA] = {"row_data", JSONBOID},
	[COLUMN_CODE] = {"code", TEXTOID},
	[COLUMN_REASON] = {"reason", TEXTOID},
	[COLUMN_FIELD] = {"field", TEXTOID},
	[COLUMN_CORRELATION_ID] = {"correlation_id", TEXTOID},
};

static const GcTableLayout layout = {"rejected_rows", true, COLUMN_COUNT, columns};

/* ---- messages ---- */

static void
pack_text(StringInfo buf, const char *string)
{
	appendStringInfoChar(buf, string != NULL);
	if (string)
		appendBinaryStringInfo(buf, string, strlen(string) + 1);
}

void
gc_rejects_pack(StringInfo buf, const GcReject *reject)
{
	appendBinaryStringInfo(buf, (const char *) &reject->at, sizeof(reject->at));
	appendBinaryStringInfo(buf, (const char *) &reject->source_id, sizeof(reject->source_id));
	pack_text(buf, reject->by_role);
	pack_text(buf, reject->list_id);
	pack_text(buf, reject->source);
	pack_text(buf, reject->key);
	pack_text(buf, reject->row_data);
	pack_text(buf, reject->code);
	pack_text(buf, reject->reason);
	pack_text(buf, reject->field);
	pack_text(buf, reject->correlation_id);
}

static const char *
unpack_text(const char **bytes)
{
	const char *string = NULL;

	if (*(*bytes)++)
	{
		string = *bytes;
		*bytes += strlen(string) + 1;
	}
	return string;
}

void
gc_rejects_unpack(const char *bytes, GcReject *reject)
{
	memcpy(&reject->at, bytes, sizeof(reject->at));
	bytes += sizeof(reject->at);
	memcpy(&reject->source_id, bytes, sizeof(reject->source_id));
	bytes += sizeof(reject->source_id);
	reject->by_role = unpack_text(&bytes);
	reject->list_id = unpack_text(&bytes);
	reject->source = unpack_text(&bytes);
	reject->key = unpack_text(&bytes);
	reject->row_data = unpack_text(&bytes);
	reject->code = unpack_text(&bytes);
	reject->reason = unpack_text(&bytes);
	reject->field = unpack_text(&bytes);
	reject->correlation_id = unpack_text(&bytes);
}

/* ---- rows ---- */

static void
set_text(Datum *values, bool *isnull, int column, const char *string)
{
	isnull[column] = string == NULL;
	if (string)
		values[column] = CStringGetTextDatum(string);
}

static void
write_reject(GcTable *table, const GcReject *reject)
{
	Datum values[COLUMN_COUNT] = {0};
	bool isnull[COLUMN_COUNT] = {0};
	NameData role;

	namestrcpy(&role, reject->by_role);
	isnull[COLUMN_ID] = true;
	values[COLUMN_AT] = TimestampTzGetDatum(reject->at);
	values[COLUMN_BY_ROLE] = NameGetDatum(&role);
	set_text(values, isnull, COLUMN_LIST_ID, reject->list_id);
	set_text(values, isnull, COLUMN_SOURCE, reject->source);
	values[COLUMN_SOURCE_ID] = Int64GetDatum(reject->source_id);
	isnull[COLUMN_SOURCE_ID] = reject->source_id == 0;
	set_text(values, isnull, COLUMN_KEY, reject->key);
	values[COLUMN_ROW_DATA] = DirectFunctionCall1(jsonb_in, CStringGetDatum(reject->row_data));
	set_text(values, isnull, COLUMN_CODE, reject->code);
	set_text(values, isnull, COLUMN_REASON, reject->reason);
	set_text(values, isnull, COLUMN_FIELD, reject->field);
	set_text(values, isnull, COLUMN_CORRELATION_ID, reject->correlation_id);
	gc_table_insert(table, values, isnull);
}

static GcTable *
open_table(void)
{
	GcTable *table = gc_table_open(&layout);

	if (table == NULL)
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_TABLE),
						errmsg("there is no table gc_fdw.rejected_rows any more")));
	return table;
}

static GcTable *
begin_batch(void)
{
	StartTransactionCommand();
	return open_table();
}

/* Wakes whoever waits at the other end. */
static void
tell_sender(GcRejectsChannel *channel)
{
	SetLatch(&shm_mq_get_sender(gc_rejects_queue(channel))->procLatch);
}

static void
commit_batch(GcRejectsChannel *channel, GcTable *table, int rows)
{
	gc_table_close(table);
	CommitTransactionCommand();
	pg_atomic_fetch_add_u64(&channel->committed, rows);
	tell_sender(channel);
}

void
gc_rejects_write(const GcReject *reject)
{
	GcTable *table = open_table();

	write_reject(table, reject);
	gc_table_close(table);
}

/* ---- rows that are kept ---- */

/* What is beyond that is only counted. */
#define KEPT_BYTES (16 * 1024 * 1024)

void
gc_rejects_keep(GcRejectsKept *kept, const GcReject *reject)
{
	MemoryContext caller_cxt = MemoryContextSwitchTo(kept->cxt);
	StringInfoData buf;

	if (kept->bytes < KEPT_BYTES)
	{
		initStringInfo(&buf);
		gc_rejects_pack(&buf, reject);
		kept->rows = lappend(kept->rows, buf.data);
		kept->bytes += buf.maxlen;
	}
	MemoryContextSwitchTo(caller_cxt);
}

int
gc_rejects_write_kept(const GcRejectsKept *kept)
{
	ListCell *lc;

	foreach (lc, kept->rows)
	{
		GcReject reject;

		gc_rejects_unpack(lfirst(lc), &reject);
		gc_rejects_write(&reject);
	}
	return list_length(kept->rows);
}

void
gc_rejects_drop_kept(GcRejectsKept *kept)
{
	list_free_deep(kept->rows);
	kept->rows = NIL;
	kept->bytes = 0;
}

/* ---- the worker ---- */

static void
channel_ended(int code, Datum arg)
{
	GcRejectsChannel *channel = dsm_segment_address((dsm_segment *) DatumGetPointer(arg));

	pg_atomic_write_u32(&channel->state, GC_REJECTS_ENDED);
	tell_sender(channel);
}

void
gc_rejects_take(dsm_segment *segment)
{
	before_shmem_exit(channel_ended, PointerGetDatum(segment));
	shm_mq_set_receiver(gc_rejects_queue(dsm_segment_address(segment)), MyProc);
}

/* Takes rows until there are none for now, or enough; commits them.  False: there will be no more. */
static bool
receive_batch(GcRejectsChannel *channel, shm_mq_handle *queue, MemoryContext row_cxt)
{
	GcTable *table = NULL;
	shm_mq_result result;
	int rows = 0;
	Size len;
	void *bytes;

	while ((result = shm_mq_receive(queue, &len, &bytes, rows > 0)) == SHM_MQ_SUCCESS)
	{
		MemoryContext caller_cxt;
		GcReject reject;

		if (table == NULL)
			table = begin_batch();
		caller_cxt = MemoryContextSwitchTo(row_cxt);
		gc_rejects_unpack(bytes, &reject);
		write_reject(table, &reject);
		MemoryContextSwitchTo(caller_cxt);
		MemoryContextReset(row_cxt);
		if (++rows == BATCH_ROWS)
			break;
		CHECK_FOR_INTERRUPTS();
	}
	if (table)
		commit_batch(channel, table, rows);
	return result != SHM_MQ_DETACHED;
}

void
gc_rejects_receive(dsm_segment *segment)
{
	GcRejectsChannel *channel = dsm_segment_address(segment);
	MemoryContext row_cxt =
		AllocSetContextCreate(TopMemoryContext, "gc_fdw rejected row", ALLOCSET_DEFAULT_SIZES);
	shm_mq_handle *queue;

	/* The sender begins when it is known that rows can be written. */
	commit_batch(channel, begin_batch(), 0);
	MemoryContextSwitchTo(TopMemoryContext);
	queue = shm_mq_attach(gc_rejects_queue(channel), segment, NULL);
	pg_atomic_write_u32(&channel->state, GC_REJECTS_READY);
	tell_sender(channel);
	while (receive_batch(channel, queue, row_cxt))
		MemoryContextSwitchTo(TopMemoryContext);
}
