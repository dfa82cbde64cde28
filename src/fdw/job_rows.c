/*
 * fdw/job_rows.c
 *	  The contacts of a part that goes as a job, and which of them the job has refused.
 */
#include "postgres.h"

#include "fdw/again.h"
#include "fdw/import_file.h"
#include "fdw/import_wait.h"
#include "fdw/job_rows.h"
#include "fdw/reject.h"
#include "fdw/staged_row.h"
#include "store/parts.h"
#include "store/rejects.h"

#include "executor/executor.h"
#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

/* A contact, as it was staged. */
typedef struct Contact
{
	size_t at; /* where its JSON is */
	int len;
	size_t id_at; /* … and its id, zero-terminated */
	int cells;
} Contact;

/* A row that was refused; all in the rows' context. */
typedef struct Refused
{
	int64 row; /* of the file, from 1; 0: unknown, or the contact is at hand */
	const char *contact_id;
	const char *field;
	const char *message;
	const char *contact; /* JSON; NULL: it is not known which one */
	int len;
} Refused;

struct GcJobRows
{
	MemoryContext cxt;
	GcImportRun *run;
	const GcPart *part;
	bool is_file;
	StringInfoData bytes;
	Contact *contacts;
	int count;
	int room;
	int64 row;		/* of the part, so many have been read */
	GcAgain *again; /* while they are read */
	Refused *refused;
	int refused_count;
	int refused_room;
	int refused_max;
	int found;				 /* of these, in the file */
	const uint8 *sent_skips; /* of the file, what was left out */
	const char *reason;
};

GcJobRows *
gc_job_rows_create(GcImportRun *run, const GcPart *part, bool is_file)
{
	GcJobRows *rows = palloc0(sizeof(GcJobRows));

	rows->cxt = CurrentMemoryContext;
	rows->run = run;
	rows->part = part;
	rows->is_file = is_file;
	rows->room = 1024;
	rows->contacts = palloc(sizeof(Contact) * rows->room);
	rows->refused_max = Max(gc_reject_max(run->rel), 1);
	initStringInfo(&rows->bytes);
	return rows;
}

/* ---- reading ---- */

static size_t
keep(GcJobRows *rows, const char *bytes, size_t len)
{
	size_t at = rows->bytes.len;

	appendBinaryStringInfo(&rows->bytes, bytes, len);
	return at;
}

static void
take_row(void *arg, const GcRow *row)
{
	GcJobRows *rows = arg;
	Contact *contact;

	if (rows->count == rows->room)
	{
		rows->room *= 2;
		rows->contacts = repalloc(rows->contacts, sizeof(Contact) * rows->room);
	}
	contact = &rows->contacts[rows->count++];
	contact->at = keep(rows, row->json, row->len);
	contact->len = row->len;
	contact->id_at = keep(rows, row->id, strlen(row->id) + 1);
	contact->cells = row->cells;
}

static void
take_chunk(GcJobRows *rows, char *payload, int len)
{
	const uint8 *skips = rows->part->skips;
	char *at = payload;
	GcRow row;

	for (; gc_staged_row_get(&at, payload + len, &row); rows->row++)
	{
		CHECK_FOR_INTERRUPTS();
		if (gc_import_bit(skips, rows->row))
			continue;
		if (rows->again)
			gc_again_row(rows->again, &row);
		else
			take_row(rows, &row);
	}
}

/* Shows each chunk of the part's payload to take(). */
static void
walk_chunks(GcJobRows *rows, void (*take)(GcJobRows *rows, char *payload, int len))
{
	MemoryContext chunk_cxt = AllocSetContextCreate(
		CurrentMemoryContext, "gc_fdw import chunk", ALLOCSET_DEFAULT_SIZES);
	MemoryContext caller_cxt = MemoryContextSwitchTo(chunk_cxt);
	char *payload;
	int len;

	for (int chunk = 1; (payload = gc_parts_chunk(rows->part->chunks, rows->run->import->id,
												  rows->part->part, chunk, &len)) != NULL;
		 chunk++)
	{
		take(rows, payload, len);
		MemoryContextReset(chunk_cxt);
	}
	MemoryContextSwitchTo(caller_cxt);
	MemoryContextDelete(chunk_cxt);
}

/* Only what the list does not show. */
static void
read_again(GcJobRows *rows, int64 *there, int64 *requests)
{
	GcImportRun *run = rows->run;
	EState *estate = CreateExecutorState();
	MemoryContext caller_cxt = MemoryContextSwitchTo(estate->es_query_cxt);
	GcTarget *target = gc_deliver_open(estate, run->conn, run->rel, run->list, &run->settings);

	rows->again =
		gc_again_create(target, run->rel, run->list, run->conn->max_in_flight, take_row, rows);
	walk_chunks(rows, take_chunk);
	*there += gc_again_finish(rows->again);
	rows->again = NULL;
	gc_deliver_drain(estate);
	*requests += gc_deliver_stat(target).requests;
	MemoryContextSwitchTo(caller_cxt);
	FreeExecutorState(estate);
}

void
gc_job_rows_read(GcJobRows *rows, bool again, int64 *there, int64 *requests)
{
	resetStringInfo(&rows->bytes);
	rows->count = 0;
	rows->row = 0;
	if (again)
		read_again(rows, there, requests);
	else
		walk_chunks(rows, take_chunk);
	gc_parts_check_rows(rows->part, rows->row);
}

int
gc_job_rows_count(const GcJobRows *rows)
{
	return rows->count;
}

void
gc_job_rows_body(const GcJobRows *rows, GcImportForm form, int first, int count,
				 StringInfo body)
{
	const GcImport *import = rows->run->import;
	GcJobWishes wishes = {.on_duplicate = import->on_duplicate,
						  .verification = import->verification};

	gc_job_body_begin(form, body);
	for (int i = first; i < first + count; i++)
	{
		const Contact *contact = &rows->contacts[i];

		gc_job_body_add(form, body, rows->bytes.data + contact->id_at,
						rows->bytes.data + contact->at + contact->cells,
						contact->len - contact->cells - 2);
	}
	gc_job_body_end(form, body, &wishes);
}

/* ---- refused ---- */

static const char *
copy_or_null(const char *string)
{
	return string ? pstrdup(string) : NULL;
}

/* The contact that an error is about: by its number, else by its id; -1: none. */
static int
find_contact(const GcJobRows *rows, int first, const GcJobError *error)
{
	int64 number = first + error->row - 1;

	if (error->row > 0 && number < rows->count &&
		(error->contact_id == NULL ||
		 strcmp(rows->bytes.data + rows->contacts[number].id_at, error->contact_id) == 0))
		return number;
	for (int i = 0; error->contact_id && i < rows->count; i++)
		if (strcmp(rows->bytes.data + rows->contacts[i].id_at, error->contact_id) == 0)
			return i;
	return -1;
}

/* A place for it; NULL: there are too many, or it is about the job as a whole. */
static Refused *
add_refused(GcJobRows *rows, const GcJobError *error)
{
	Refused *refused;

	if (error->row == 0 && error->contact_id == NULL)
	{
		if (rows->reason == NULL)
			rows->reason = copy_or_null(error->message);
		return NULL;
	}
	if (rows->refused_count == rows->refused_max)
		return NULL;
	if (rows->refused_count == rows->refused_room)
	{
		rows->refused_room = Max(rows->refused_room * 2, 16);
		rows->refused = rows->refused
							? repalloc(rows->refused, sizeof(Refused) * rows->refused_room)
							: palloc(sizeof(Refused) * rows->refused_room);
	}
	refused = &rows->refused[rows->refused_count++];
	*refused = (Refused){.contact_id = copy_or_null(error->contact_id),
						 .field = copy_or_null(error->field),
						 .message = copy_or_null(error->message)};
	return refused;
}

void
gc_job_rows_refuse(GcJobRows *rows, int first, const GcJobError *error)
{
	MemoryContext caller_cxt = MemoryContextSwitchTo(rows->cxt);
	Refused *refused = add_refused(rows, error);
	int found = refused && !rows->is_file ? find_contact(rows, first, error) : -1;

	if (refused && rows->is_file)
		refused->row = error->row;
	if (found >= 0)
	{
		const Contact *contact = &rows->contacts[found];

		refused->contact = pnstrdup(rows->bytes.data + contact->at, contact->len);
		refused->len = contact->len;
		refused->contact_id = pstrdup(rows->bytes.data + contact->id_at);
	}
	MemoryContextSwitchTo(caller_cxt);
}

/* A row of a file as a contact. */
static void
append_contact(const GcFileRow *row, StringInfo contact)
{
	appendStringInfoString(contact, "{\"id\":\"");
	gc_json_escape(contact, row->cells[0], strlen(row->cells[0]));
	appendStringInfoString(contact, "\",\"data\":{");
	for (int i = 1; i < row->count; i++)
	{
		appendStringInfoString(contact, i > 1 ? ",\"" : "\"");
		gc_json_escape(contact, row->columns[i], strlen(row->columns[i]));
		appendStringInfoString(contact, "\":\"");
		gc_json_escape(contact, row->cells[i], strlen(row->cells[i]));
		appendStringInfoChar(contact, '"');
	}
	appendStringInfoString(contact, "}}");
}

static int
compare_rows(const void *a, const void *b)
{
	int64 left = ((const Refused *) a)->row;
	int64 right = ((const Refused *) b)->row;

	return left < right ? -1 : left > right;
}

/* Refused rows come in the file's order; "row" counts those that were sent of it. */
static void
find_row(void *arg, const GcFileRow *row)
{
	GcJobRows *rows = arg;
	MemoryContext caller_cxt;
	StringInfoData contact;

	if (gc_import_bit(rows->sent_skips, row->number))
		return;
	rows->row++;
	for (; rows->found < rows->refused_count && rows->refused[rows->found].row <= rows->row;
		 rows->found++)
	{
		Refused *refused = &rows->refused[rows->found];

		if (refused->row != rows->row)
			continue;
		caller_cxt = MemoryContextSwitchTo(rows->cxt);
		initStringInfo(&contact);
		append_contact(row, &contact);
		refused->contact = contact.data;
		refused->len = contact.len;
		refused->contact_id = pstrdup(row->cells[0]);
		MemoryContextSwitchTo(caller_cxt);
	}
}

static void
find_in_file(GcJobRows *rows)
{
	rows->row = rows->found = 0;
	qsort(rows->refused, rows->refused_count, sizeof(Refused), compare_rows);
	gc_import_file_rows(rows->run->import->id, rows->part, find_row, rows);
}

static void
reject(GcJobRows *rows, GcRejectRows *as_rows, const Refused *refused,
	   const char *correlation_id)
{
	GcImportRun *run = rows->run;
	const char *id = refused->contact_id;
	const char *message = gc_import_shown(refused->message);
	GcReject row = {.at = GetCurrentTimestamp(),
					.by_role = run->import->submitted_by,
					.list_id = run->list->id,
					.source = "import",
					.source_id = run->import->id,
					.row_data = "{}",
					.code = "JOB_ERROR",
					.reason = message ? message : "The platform refused it.",
					.correlation_id = correlation_id};

	if (refused->contact)
		row.row_data = gc_reject_contact(as_rows, refused->contact, refused->len);
	row.key = gc_import_shown(id);
	row.field = gc_import_shown(gc_reject_column(run->rel, refused->field));
	gc_rejects_write(&row);
}

void
gc_job_rows_reject(GcJobRows *rows, const char *correlation_id)
{
	GcRejectRows *as_rows;

	if (rows->refused_count == 0)
		return;
	if (rows->is_file)
		find_in_file(rows);
	as_rows = gc_reject_rows_create(rows->run->rel, rows->run->list);
	for (int i = 0; i < rows->refused_count; i++)
		reject(rows, as_rows, &rows->refused[i], correlation_id);
}

int
gc_job_rows_refused(const GcJobRows *rows)
{
	return rows->refused_count;
}

void
gc_job_rows_forget(GcJobRows *rows)
{
	rows->refused_count = 0;
	rows->reason = NULL;
}

const char *
gc_job_rows_reason(const GcJobRows *rows)
{
	return rows->reason;
}

void
gc_job_rows_left_out(GcJobRows *rows, const uint8 *skips)
{
	rows->sent_skips = skips;
}
