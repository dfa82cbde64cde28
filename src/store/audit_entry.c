/*
 * store/audit_entry.c
 *	  Rows of gc_fdw.audit_log: written here and now, by a worker, or to the log.
 */
#include "postgres.h"

#include "store/audit_entry.h"
#include "store/mail.h"
#include "store/table.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "storage/ipc.h"
#include "utils/builtins.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"

enum
{
	COLUMN_ID,
	COLUMN_AT,
	COLUMN_BY_ROLE,
	COLUMN_APPLICATION_NAME,
	COLUMN_OPERATION,
	COLUMN_LIST_ID,
	COLUMN_SOURCE_ID,
	COLUMN_STATUS,
	COLUMN_LATENCY_MS,
	COLUMN_TOTAL,
	COLUMN_ACCEPTED,
	COLUMN_IN_DOUBT,
	COLUMN_REJECTED,
	COLUMN_SUCCESS_RATE,
	COLUMN_REQUESTS,
	COLUMN_CORRELATION_ID,
	COLUMN_STATEMENTS,
	COLUMN_COUNT
};

static const GcTableColumn columns[COLUMN_COUNT] = {
	[COLUMN_ID] = {"id", INT8OID},
	[COLUMN_AT] = {"at", TIMESTAMPTZOID},
	[COLUMN_BY_ROLE] = {"by_role", NAMEOID},
	[COLUMN_APPLICATION_NAME] = {"application_name", TEXTOID},
	[COLUMN_OPERATION] = {"operation", TEXTOID},
	[COLUMN_LIST_ID] = {"list_id", TEXTOID},
	[COLUMN_SOURCE_ID] = {"source_id", INT8OID},
	[COLUMN_STATUS] = {"status", TEXTOID},
	[COLUMN_LATENCY_MS] = {"latency_ms", FLOAT8OID},
	[COLUMN_TOTAL] = {"total", INT8OID},
	[COLUMN_ACCEPTED] = {"accepted", INT8OID},
	[COLUMN_IN_DOUBT] = {"in_doubt", INT8OID},
	[COLUMN_REJECTED] = {"rejected", INT8OID},
	[COLUMN_SUCCESS_RATE] = {"success_rate", NUMERICOID},
	[COLUMN_REQUESTS] = {"requests", INT8OID},
	[COLUMN_CORRELATION_ID] = {"correlation_id", TEXTOID},
	[COLUMN_STATEMENTS] = {"statements", INT8OID},
};

static const GcTableLayout layout = {"audit_log", true, COLUMN_COUNT, columns};

static const char *
status_name(GcAuditStatus status)
{
	switch (status)
	{
		case GC_AUDIT_FAILED:
			return "failed";
		case GC_AUDIT_ROLLED_BACK:
			return "rolled back";
		case GC_AUDIT_RUNNING:
		case GC_AUDIT_COMPLETED:
			break;
	}
	return "completed";
}

void
gc_audit_entry_prepare(void)
{
	gc_table_lock(&layout);
}

/* In percent, with two digits behind the point. */
static Datum
success_rate(const GcAuditEntry *entry)
{
	int64 hundredths = 0;

	if (entry->total > 0)
		hundredths = (entry->accepted * 10000 + entry->total / 2) / entry->total;
	return NumericGetDatum(int64_div_fast_to_numeric(hundredths, 2));
}

static void
write_entry(GcTable *table, const GcAuditEntry *entry)
{
	Datum values[COLUMN_COUNT] = {0};
	bool isnull[COLUMN_COUNT] = {0};
	NameData role;

	namestrcpy(&role, entry->by_role);
	values[COLUMN_ID] = Int64GetDatum(entry->id);
	isnull[COLUMN_ID] = entry->id == 0;
	values[COLUMN_AT] = TimestampTzGetDatum(entry->at);
	values[COLUMN_BY_ROLE] = NameGetDatum(&role);
	values[COLUMN_APPLICATION_NAME] = CStringGetTextDatum(entry->application_name);
	values[COLUMN_OPERATION] = CStringGetTextDatum(entry->operation);
	values[COLUMN_LIST_ID] = CStringGetTextDatum(entry->list_id);
	isnull[COLUMN_LIST_ID] = entry->list_id[0] == '\0';
	isnull[COLUMN_SOURCE_ID] = true;
	values[COLUMN_STATUS] = CStringGetTextDatum(status_name(entry->status));
	values[COLUMN_LATENCY_MS] = Float8GetDatum(entry->latency_us / 1000.0);
	values[COLUMN_TOTAL] = Int64GetDatum(entry->total);
	values[COLUMN_ACCEPTED] = Int64GetDatum(entry->accepted);
	values[COLUMN_IN_DOUBT] = Int64GetDatum(entry->in_doubt);
	values[COLUMN_REJECTED] = Int64GetDatum(entry->rejected);
	values[COLUMN_SUCCESS_RATE] = success_rate(entry);
	values[COLUMN_REQUESTS] = Int64GetDatum(entry->requests);
	values[COLUMN_CORRELATION_ID] = CStringGetTextDatum(entry->correlation_id);
	isnull[COLUMN_CORRELATION_ID] = entry->correlation_id[0] == '\0';
	values[COLUMN_STATEMENTS] = Int64GetDatum(entry->statements);
	gc_table_insert(table, values, isnull);
}

bool
gc_audit_entry_write(const GcAuditEntry *const *entries, int count)
{
	GcTable *table = gc_table_open(&layout);

	if (table == NULL)
		return false;
	for (int i = 0; i < count; i++)
		write_entry(table, entries[i]);
	gc_table_close(table);
	return true;
}

void
gc_audit_entry_log(const GcAuditEntry *entry)
{
	ereport(
		LOG,
		(errmsg(
			 "gc_fdw: not in gc_fdw.audit_log: at=%s by_role=\"%s\" application_name=\"%s\" "
			 "operation=%s list_id=\"%s\" status=\"%s\" latency_ms=%.3f total=" INT64_FORMAT
			 " accepted=" INT64_FORMAT " in_doubt=" INT64_FORMAT " rejected=" INT64_FORMAT
			 " requests=" INT64_FORMAT " correlation_id=\"%s\" statements=" INT64_FORMAT,
			 timestamptz_to_str(entry->at), entry->by_role, entry->application_name,
			 entry->operation, entry->list_id, status_name(entry->status),
			 entry->latency_us / 1000.0, entry->total, entry->accepted, entry->in_doubt,
			 entry->rejected, entry->requests, entry->correlation_id, entry->statements),
		 errhidestmt(true), errhidecontext(true)));
}

int64
gc_audit_entry_next_id(void)
{
	GcTable *table = gc_table_open(&layout);
	int64 id;

	if (table == NULL)
		return 0;
	id = gc_table_next_id(table);
	gc_table_close(table);
	return id;
}

/* ---- the worker's side ---- */

static bool written = false;
static GcMailHead *mail = NULL;

static const GcAuditEntry *
mailed(int number)
{
	return (const GcAuditEntry *) mail->bytes + number;
}

/* Whatever ends the worker: what it was to write is in the log at least. */
static void
log_unwritten(int code, Datum arg)
{
	for (int i = 0; !written && i < mail->count; i++)
		gc_audit_entry_log(mailed(i));
}

void
gc_audit_entry_take(dsm_segment *segment)
{
	mail = dsm_segment_address(segment);
	before_shmem_exit(log_unwritten, (Datum) 0);
	(void) gc_mail_take(segment);
}

void
gc_audit_entry_receive(dsm_segment *segment)
{
	const GcAuditEntry **entries;
	bool done;

	StartTransactionCommand();
	entries = palloc(sizeof(GcAuditEntry *) * mail->count);
	for (int i = 0; i < mail->count; i++)
		entries[i] = mailed(i);
	done = gc_audit_entry_write(entries, mail->count);
	CommitTransactionCommand();
	written = done;
}
