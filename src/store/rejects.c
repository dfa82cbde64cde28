/*
 * store/rejects.c
 *	  Rows of gc_fdw.rejected_rows: what they are made of.
 */
#include "postgres.h"

#include "store/rejects.h"
#include "store/stream.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/timestamp.h"

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
pack(StringInfo buf, const GcReject *reject)
{
	appendBinaryStringInfo(buf, (const char *) &reject->at, sizeof(reject->at));
	appendBinaryStringInfo(buf, (const char *) &reject->source_id, sizeof(reject->source_id));
	gc_stream_pack_text(buf, reject->by_role);
	gc_stream_pack_text(buf, reject->list_id);
	gc_stream_pack_text(buf, reject->source);
	gc_stream_pack_text(buf, reject->key);
	gc_stream_pack_text(buf, reject->row_data);
	gc_stream_pack_text(buf, reject->code);
	gc_stream_pack_text(buf, reject->reason);
	gc_stream_pack_text(buf, reject->field);
	gc_stream_pack_text(buf, reject->correlation_id);
}

static void
unpack(const char *bytes, GcReject *reject)
{
	memcpy(&reject->at, bytes, sizeof(reject->at));
	bytes += sizeof(reject->at);
	memcpy(&reject->source_id, bytes, sizeof(reject->source_id));
	bytes += sizeof(reject->source_id);
	reject->by_role = gc_stream_unpack_text(&bytes);
	reject->list_id = gc_stream_unpack_text(&bytes);
	reject->source = gc_stream_unpack_text(&bytes);
	reject->key = gc_stream_unpack_text(&bytes);
	reject->row_data = gc_stream_unpack_text(&bytes);
	reject->code = gc_stream_unpack_text(&bytes);
	reject->reason = gc_stream_unpack_text(&bytes);
	reject->field = gc_stream_unpack_text(&bytes);
	reject->correlation_id = gc_stream_unpack_text(&bytes);
}

/* ---- rows ---- */

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
	gc_stream_set_text(&values[COLUMN_LIST_ID], &isnull[COLUMN_LIST_ID], reject->list_id);
	gc_stream_set_text(&values[COLUMN_SOURCE], &isnull[COLUMN_SOURCE], reject->source);
	values[COLUMN_SOURCE_ID] = Int64GetDatum(reject->source_id);
	isnull[COLUMN_SOURCE_ID] = reject->source_id == 0;
	gc_stream_set_text(&values[COLUMN_KEY], &isnull[COLUMN_KEY], reject->key);
	values[COLUMN_ROW_DATA] = DirectFunctionCall1(jsonb_in, CStringGetDatum(reject->row_data));
	gc_stream_set_text(&values[COLUMN_CODE], &isnull[COLUMN_CODE], reject->code);
	gc_stream_set_text(&values[COLUMN_REASON], &isnull[COLUMN_REASON], reject->reason);
	gc_stream_set_text(&values[COLUMN_FIELD], &isnull[COLUMN_FIELD], reject->field);
	gc_stream_set_text(&values[COLUMN_CORRELATION_ID], &isnull[COLUMN_CORRELATION_ID],
					   reject->correlation_id);
	gc_table_insert(table, values, isnull);
}

static void
write_bytes(GcTable *table, const char *bytes)
{
	GcReject reject;

	unpack(bytes, &reject);
	write_reject(table, &reject);
}

const GcStreamTable gc_stream_rejects = {&layout, "rejected rows", write_bytes};

void
gc_rejects_put(const GcReject *reject)
{
	StringInfoData buf;

	initStringInfo(&buf);
	pack(&buf, reject);
	gc_stream_put(GC_STREAM_REJECTS, buf.data, buf.len);
	pfree(buf.data);
}

void
gc_rejects_write(const GcReject *reject)
{
	GcTable *table = gc_stream_table(&gc_stream_rejects);

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
		pack(&buf, reject);
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

		unpack(lfirst(lc), &reject);
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
