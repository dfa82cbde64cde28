/*
 * fdw/import_seen.c
 *	  Which rows of a file are there?  The list is read back by one export (DESIGN 3).
 *
 * Of each contact of the part 16 bytes are kept, whatever its size: that two are taken for
 * one, among a million, has a chance of one in 10^7; and then one of them is sent again.
 */
#include "postgres.h"

#include "api/export.h"
#include "base/csv.h"
#include "base/option.h"
#include "fdw/import_file.h"
#include "fdw/import_seen.h"
#include "fdw/staged_csv.h"

#include "access/table.h"
#include "common/hashfn.h"
#include "utils/memutils.h"

/* So few contacts are asked for by their ids, in the export's body. */
#define IDS_MAX 1000

#define EXPORT_ID "inin-outbound-id"

#define ALL_MARKS (GC_ROW_THERE | GC_ROW_REFUSED | GC_ROW_TOLD)

typedef struct Contact
{
	uint64 id;	/* hashed; 0: free */
	uint64 row; /* likewise, its last bits aside, which are marks */
} Contact;

struct GcImportSeen
{
	MemoryContext cxt;
	GcImportRun *run;
	const GcPart *part;
	GcExport *export;
	Contact *contacts;
	uint64 room;
	char *columns[GC_CSV_MAX_COLUMNS]; /* of the file; the first has the ids */
	int column_count;				   /* 0: none has been read */
	int places[GC_CSV_MAX_COLUMNS];	   /* in the export */
	StringInfoData ids;				   /* JSON; "": too many */
	StringInfoData row;
	uint8 *bits;
};

/* ---- contacts ---- */

static uint64
hash_of(const char *bytes, int len)
{
	return hash_bytes_extended((const unsigned char *) bytes, len, 0);
}

/* The contact's place, or where it would go. */
static Contact *
place_of(const GcImportSeen *seen, const char *id)
{
	uint64 hash = Max(hash_of(id, strlen(id)), 1);
	uint64 i = hash % seen->room;

	while (seen->contacts[i].id != 0 && seen->contacts[i].id != hash)
		i = i + 1 < seen->room ? i + 1 : 0;
	return &seen->contacts[i];
}

/* A row as it is compared: its cells, each with its length before it. */
static void
note_cell(StringInfo row, const char *cell)
{
	appendStringInfo(row, "%zu:", strlen(cell));
	appendStringInfoString(row, cell);
}

static void
note_id(GcImportSeen *seen, const char *id)
{
	if (seen->part->rows > IDS_MAX)
		return;
	appendStringInfoString(&seen->ids, seen->ids.len ? ",\"" : "\"");
	gc_json_escape(&seen->ids, id, strlen(id));
	appendStringInfoChar(&seen->ids, '"');
}

static void
take_row(void *arg, const GcFileRow *row)
{
	GcImportSeen *seen = arg;
	Contact *contact = place_of(seen, row->cells[0]);

	for (; seen->column_count < row->count; seen->column_count++)
		seen->columns[seen->column_count] =
			MemoryContextStrdup(seen->cxt, row->columns[seen->column_count]);
	if (gc_import_bit(seen->part->skips, row->number))
		return;
	resetStringInfo(&seen->row);
	for (int i = 0; i < row->count; i++)
		note_cell(&seen->row, row->cells[i]);
	contact->id = Max(hash_of(row->cells[0], strlen(row->cells[0])), 1);
	contact->row = hash_of(seen->row.data, seen->row.len) & ~(uint64) ALL_MARKS;
	note_id(seen, row->cells[0]);
}

GcImportSeen *
gc_import_seen_create(GcImportRun *run, const GcPart *part)
{
	GcImportSeen *seen = palloc0(sizeof(GcImportSeen));

	seen->cxt = CurrentMemoryContext;
	seen->run = run;
	seen->part = part;
	seen->room = part->rows + part->rows / 2 + 1;
	seen->contacts = MemoryContextAllocExtended(
		CurrentMemoryContext, seen->room * sizeof(Contact), MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	initStringInfo(&seen->ids);
	initStringInfo(&seen->row);
	gc_import_file_rows(run->import->id, part, take_row, seen);
	return seen;
}

bool
gc_import_seen_mark(GcImportSeen *seen, const char *id, GcRowMark mark)
{
	Contact *contact = place_of(seen, id);

	if (contact->id == 0 || contact->row & (GC_ROW_THERE | mark))
		return false;
	contact->row |= mark;
	return true;
}

int64
gc_import_seen_missing(const GcImportSeen *seen)
{
	int64 missing = 0;

	for (uint64 i = 0; i < seen->room; i++)
		missing += seen->contacts[i].id != 0 &&
				   (seen->contacts[i].row & (GC_ROW_THERE | GC_ROW_REFUSED)) == 0;
	return missing;
}

static void
set_bit(void *arg, const GcFileRow *row)
{
	GcImportSeen *seen = arg;

	if (gc_import_bit(seen->part->skips, row->number) ||
		place_of(seen, row->cells[0])->row & (GC_ROW_THERE | GC_ROW_REFUSED))
		seen->bits[row->number / 8] |= 1 << row->number % 8;
}

uint8 *
gc_import_seen_bits(GcImportSeen *seen)
{
	seen->bits = palloc0(seen->part->rows / 8 + 1);
	gc_import_file_rows(seen->run->import->id, seen->part, set_bit, seen);
	return seen->bits;
}

/* ---- what the list shows ---- */

static int
read_file(void *arg, char *buf, int min, int max)
{
	return gc_export_read(((GcImportSeen *) arg)->export, buf, min, max);
}

/* Its place among the headers, whose first may still have stray quotes; -1: it is not there. */
static int
find_header(char **headers, int count, const char *name)
{
	for (int i = 0; i < count; i++)
	{
		const char *header = headers[i] ? headers[i] : "";
		size_t quotes = strspn(header, "\"");

		if (strncmp(header + quotes, name, strlen(name)) == 0 &&
			strspn(header + quotes + strlen(name), "\"") ==
				strlen(header + quotes + strlen(name)))
			return i;
	}
	return -1;
}

static void
find_columns(GcImportSeen *seen, char **headers, int count)
{
	for (int i = 0; i < seen->column_count; i++)
	{
		seen->places[i] = find_header(headers, count, i == 0 ? EXPORT_ID : seen->columns[i]);
		if (seen->places[i] < 0)
			gc_export_throw(seen->export,
							psprintf("Its export has no column \"%s\".",
									 i == 0 ? EXPORT_ID : seen->columns[i]),
							NULL);
	}
}

static void
compare(GcImportSeen *seen, char **cells, int count)
{
	Contact *contact = NULL;

	resetStringInfo(&seen->row);
	for (int i = 0; i < seen->column_count; i++)
	{
		const char *cell = seen->places[i] < count ? cells[seen->places[i]] : NULL;

		note_cell(&seen->row, cell ? cell : "");
		if (i == 0)
			contact = place_of(seen, cell ? cell : "");
	}
	if (contact && contact->id != 0 &&
		((contact->row ^ hash_of(seen->row.data, seen->row.len)) & ~(uint64) ALL_MARKS) == 0)
		contact->row |= GC_ROW_THERE;
}

static void
read_list(GcImportSeen *seen, GcCsv *csv)
{
	char **cells;
	int count;

	if (!gc_csv_next(csv, &cells, &count))
		gc_export_throw(seen->export, "Its export is empty, without a line of headers.", NULL);
	find_columns(seen, cells, count);
	while (gc_csv_next(csv, &cells, &count))
		compare(seen, cells, count);
}

void
gc_import_seen_look(GcImportSeen *seen, GcStat *stat)
{
	GcImportRun *run = seen->run;
	MemoryContext cxt = AllocSetContextCreate(CurrentMemoryContext, "gc_fdw import read back",
											  ALLOCSET_DEFAULT_SIZES);
	MemoryContext caller_cxt = MemoryContextSwitchTo(cxt);
	GcExportRequest wanted = {
		.conn = run->conn,
		.stat = stat,
		.list_id = run->list->id,
		.body = seen->ids.len > 0 ? psprintf("{\"contactIds\":[%s]}", seen->ids.data) : NULL,
		.what = run->rel->label,
		.ready_timeout =
			gc_option_ms(run->rel->options, run->rel->server_options, "ready_timeout")};
	Relation relation = table_open(run->rel->relid, AccessShareLock);

	run->asks = true;
	seen->export = gc_export_open(&wanted);
	(void) gc_export_begin(seen->export, true);
	read_list(seen, gc_csv_open(relation, read_file, seen));
	run->asks = false;
	table_close(relation, AccessShareLock);
	MemoryContextSwitchTo(caller_cxt);
	MemoryContextDelete(cxt);
}
