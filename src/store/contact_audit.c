/*
 * store/contact_audit.c
 *	  Rows of gc_fdw.contact_audit: opt-outs and do-not-call entries, contact by contact.
 */
#include "postgres.h"

#include "store/contact_audit.h"
#include "store/mail.h"
#include "store/stream.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "storage/ipc.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

/* Bytes of rows that are kept in memory. */
#define KEPT_BYTES (64 * 1024)

enum
{
	COLUMN_ID,
	COLUMN_AT,
	COLUMN_BY_ROLE,
	COLUMN_APPLICATION_NAME,
	COLUMN_LIST_ID,
	COLUMN_CONTACT_ID,
	COLUMN_CHANGE,
	COLUMN_OLD_VALUE,
	COLUMN_NEW_VALUE,
	COLUMN_CONFIRMED_AT,
	COLUMN_CORRELATION_ID,
	COLUMN_COUNT
};

static const GcTableColumn columns[COLUMN_COUNT] = {
	[COLUMN_ID] = {"id", INT8OID},
	[COLUMN_AT] = {"at", TIMESTAMPTZOID},
	[COLUMN_BY_ROLE] = {"by_role", NAMEOID},
	[COLUMN_APPLICATION_NAME] = {"application_name", TEXTOID},
	[COLUMN_LIST_ID] = {"list_id", TEXTOID},
	[COLUMN_CONTACT_ID] = {"contact_id", TEXTOID},
	[COLUMN_CHANGE] = {"change", TEXTOID},
	[COLUMN_OLD_VALUE] = {"old_value", TEXTOID},
	[COLUMN_NEW_VALUE] = {"new_value", TEXTOID},
	[COLUMN_CONFIRMED_AT] = {"confirmed_at", TIMESTAMPTZOID},
	[COLUMN_CORRELATION_ID] = {"correlation_id", TEXTOID},
};

static const GcTableLayout layout = {"contact_audit", true, COLUMN_COUNT, columns};

/* The transaction's rows, each behind its length, from the cursor on; NULL: none. */
static StringInfo kept = NULL; /* in TopTransactionContext */
static int kept_rows = 0;

/* It has more than memory holds: they go to the stream, or (no worker is to be had) are written. */
static bool streams = false;
static bool writes = false;
static int64 written_rows = 0;

/* For the transaction that may abort. */
static GcMail mail;

/* ---- rows as bytes ---- */

static void
pack(StringInfo buf, const GcContactChange *change)
{
	TimestampTz at = GetCurrentTimestamp();

	appendBinaryStringInfo(buf, (const char *) &at, sizeof(at));
	appendBinaryStringInfo(buf, (const char *) &change->confirmed_at,
						   sizeof(change->confirmed_at));
	gc_stream_pack_text(buf, change->by_role ? change->by_role
											 : GetUserNameFromId(GetUserId(), false));
	gc_stream_pack_text(buf, application_name);
	gc_stream_pack_text(buf, change->list_id);
	gc_stream_pack_text(buf, change->contact_id);
	gc_stream_pack_text(buf, change->change);
	gc_stream_pack_text(buf, change->old_value);
	gc_stream_pack_text(buf, change->new_value);
	gc_stream_pack_text(buf, change->correlation_id);
}

static void
write_bytes(GcTable *table, const char *bytes)
{
	static const int texts[] = {COLUMN_APPLICATION_NAME, COLUMN_LIST_ID,   COLUMN_CONTACT_ID,
								COLUMN_CHANGE,			 COLUMN_OLD_VALUE, COLUMN_NEW_VALUE,
								COLUMN_CORRELATION_ID};
	Datum values[COLUMN_COUNT] = {0};
	bool isnull[COLUMN_COUNT] = {0};
	TimestampTz times[2];
	NameData role;

	memcpy(times, bytes, sizeof(times));
	bytes += sizeof(times);
	namestrcpy(&role, gc_stream_unpack_text(&bytes));
	isnull[COLUMN_ID] = true;
	values[COLUMN_AT] = TimestampTzGetDatum(times[0]);
	values[COLUMN_CONFIRMED_AT] = TimestampTzGetDatum(times[1]);
	values[COLUMN_BY_ROLE] = NameGetDatum(&role);
	for (int i = 0; i < lengthof(texts); i++)
		gc_stream_set_text(&values[texts[i]], &isnull[texts[i]],
						   gc_stream_unpack_text(&bytes));
	gc_table_insert(table, values, isnull);
}

const GcStreamTable gc_stream_changes = {&layout, "changes of contacts", write_bytes};

/* Visits rows that lie behind each other, each behind its length. */
static void
walk(const char *bytes, int rows, void (*visit)(void *arg, const char *row, int len),
	 void *arg)
{
	for (int i = 0; i < rows; i++)
	{
		int len;

		memcpy(&len, bytes, sizeof(len));
		bytes += sizeof(len);
		visit(arg, bytes, len);
		bytes += len;
	}
}

static void
write_row(void *arg, const char *row, int len)
{
	write_bytes(arg, row);
}

/* False: there is no table any more. */
static bool
write_rows(const char *bytes, int rows)
{
	GcTable *table = gc_table_open(&layout);

	if (table == NULL)
		return false;
	walk(bytes, rows, write_row, table);
	gc_table_close(table);
	return true;
}

/* ---- in the transaction ---- */

static void
keep(const char *row, int len)
{
	if (kept == NULL)
	{
		MemoryContext caller_cxt = MemoryContextSwitchTo(TopTransactionContext);

		kept = makeStringInfo();
		MemoryContextSwitchTo(caller_cxt);
		gc_table_lock(&layout);
	}
	appendBinaryStringInfo(kept, (const char *) &len, sizeof(len));
	appendBinaryStringInfo(kept, row, len);
	kept_rows++;
	gc_mail_prepare(&mail, Max(kept->len, KEPT_BYTES / 16) * 2);
}

static const char *
kept_bytes(void)
{
	return kept->data + kept->cursor;
}

/* What is in the stream is kept no longer: an error may come between two rows. */
static void
stream_rows(void)
{
	while (kept_rows > 0)
	{
		int len;

		memcpy(&len, kept_bytes(), sizeof(len));
		gc_stream_put(GC_STREAM_CHANGES, kept_bytes() + sizeof(len), len);
		kept->cursor += sizeof(len) + len;
		kept_rows--;
	}
}

/* Memory is full.  The stream may have gone, with a savepoint or its worker. */
static void
spill(void)
{
	if (!writes)
		writes = !gc_stream_try(GC_STREAM_CHANGES);
	streams |= !writes;
	if (!writes)
		stream_rows();
	else if (write_rows(kept_bytes(), kept_rows))
		written_rows += kept_rows;
	resetStringInfo(kept);
	kept_rows = 0;
}

void
gc_contact_audit_put(const GcContactChange *change)
{
	StringInfoData row;

	initStringInfo(&row);
	pack(&row, change);
	keep(row.data, row.len);
	pfree(row.data);
	if (kept->len > KEPT_BYTES)
		spill();
}

/* ---- its end ---- */

static void
log_row(void *arg, const char *row, int len)
{
	const char *texts[8];
	TimestampTz times[2];

	memcpy(times, row, sizeof(times));
	row += sizeof(times);
	for (int i = 0; i < lengthof(texts); i++)
		texts[i] = gc_stream_unpack_text(&row);
	ereport(LOG, (errmsg("gc_fdw: not in gc_fdw.contact_audit: confirmed_at=%s by_role=\"%s\" "
						 "list_id=\"%s\" contact_id=\"%s\" change=%s correlation_id=\"%s\"",
						 timestamptz_to_str(times[1]), texts[0], texts[2], texts[3], texts[4],
						 texts[7] ? texts[7] : ""),
				  errhidestmt(true), errhidecontext(true)));
}

/* Nothing here throws. */
static void
hand_over(void)
{
	GcMailHead *head = gc_mail_head(&mail);

	if (head && kept->len <= mail.room)
	{
		memcpy(head->bytes, kept_bytes(), kept->len - kept->cursor);
		head->count = kept_rows;
		if (gc_mail_send(&mail, GC_JOB_CHANGES))
			return;
	}
	walk(kept_bytes(), kept_rows, log_row, NULL);
}

static void
on_xact(XactEvent event, void *arg)
{
	switch (event)
	{
		case XACT_EVENT_PRE_COMMIT:
			if (streams)
				gc_stream_flush();
			if (kept_rows > 0 && !write_rows(kept_bytes(), kept_rows))
				walk(kept_bytes(), kept_rows, log_row, NULL);
			return;
		case XACT_EVENT_ABORT:
			if (kept_rows > 0)
				hand_over();
			if (written_rows > 0)
				ereport(LOG, (errmsg("gc_fdw: the rollback has taken " INT64_FORMAT
									 " rows of gc_fdw.contact_audit",
									 written_rows),
							  errhidestmt(true), errhidecontext(true)));
			break;
		case XACT_EVENT_COMMIT:
		case XACT_EVENT_PREPARE:
			break;
		default:
			return;
	}
	kept = NULL;
	kept_rows = 0;
	written_rows = 0;
	streams = writes = false;
}

void
gc_contact_audit_init(void)
{
	RegisterXactCallback(on_xact, NULL);
}

/* ---- the worker's side ---- */

static bool done = false;
static GcMailHead *received = NULL;

/* Whatever ends the worker: what it was to write is in the log at least. */
static void
log_unwritten(int code, Datum arg)
{
	if (!done)
		walk(received->bytes, received->count, log_row, NULL);
}

void
gc_contact_audit_take(dsm_segment *segment)
{
	received = dsm_segment_address(segment);
	before_shmem_exit(log_unwritten, (Datum) 0);
	(void) gc_mail_take(segment);
}

void
gc_contact_audit_receive(dsm_segment *segment)
{
	StartTransactionCommand();
	done = write_rows(received->bytes, received->count);
	CommitTransactionCommand();
}
