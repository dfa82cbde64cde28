/*
 * fdw/import_seen.c
 *	  Is a file's content there?  The list is read back by one export (DESIGN 3).
 *
 * Of each row of the part 16 bytes are kept, whatever its size (base/seen.h).
 */
#include "postgres.h"

#include "api/export.h"
#include "base/csv.h"
#include "base/option.h"
#include "base/seen.h"
#include "fdw/import_seen.h"
#include "fdw/staged_csv.h"
#include "store/parts.h"

#include "access/table.h"
#include "miscadmin.h"
#include "utils/memutils.h"

/* So few contacts are asked for by their ids, in the export's body. */
#define IDS_MAX 1000

#define EXPORT_ID "inin-outbound-id"

typedef struct Reading
{
	MemoryContext cxt;
	GcImportRun *run;
	const GcPart *part;
	GcExport *export;
	GcSeen *rows;
	char *columns[GC_CSV_MAX_COLUMNS]; /* of the file; the first has the ids */
	int column_count;
	int places[GC_CSV_MAX_COLUMNS]; /* in the export */
	StringInfoData ids;				/* JSON; "": too many */
	StringInfoData row;
} Reading;

/* A row as it is compared: its cells, each with its length before it. */
static void
note_cell(StringInfo row, const char *cell)
{
	appendStringInfo(row, "%zu:%s", strlen(cell), cell);
}

static void
take_chunk(Reading *reading, char *payload, int len, bool is_first)
{
	char *cells[GC_CSV_MAX_COLUMNS];
	char *at = payload;
	int count;

	while (gc_staged_csv_get(&at, payload + len, cells, GC_CSV_MAX_COLUMNS, &count))
	{
		CHECK_FOR_INTERRUPTS();
		if (is_first)
		{
			for (int i = 0; i < count; i++)
				reading->columns[i] = MemoryContextStrdup(reading->cxt, cells[i]);
			reading->column_count = count;
			is_first = false;
			continue;
		}
		resetStringInfo(&reading->row);
		for (int i = 0; i < count; i++)
			note_cell(&reading->row, cells[i]);
		(void) gc_seen_note(reading->rows, reading->row.data, reading->row.len);
		if (reading->part->rows > IDS_MAX)
			continue;
		appendStringInfoString(&reading->ids, reading->ids.len ? ",\"" : "\"");
		gc_json_escape(&reading->ids, cells[0], strlen(cells[0]));
		appendStringInfoChar(&reading->ids, '"');
	}
}

static void
take_part(Reading *reading)
{
	MemoryContext chunk_cxt = AllocSetContextCreate(
		CurrentMemoryContext, "gc_fdw import chunk", ALLOCSET_DEFAULT_SIZES);
	MemoryContext caller_cxt = MemoryContextSwitchTo(chunk_cxt);
	char *payload;
	int len;

	for (int chunk = 1; (payload = gc_parts_chunk(reading->run->import->id,
												  reading->part->part, chunk, &len)) != NULL;
		 chunk++)
	{
		take_chunk(reading, payload, len, chunk == 1);
		MemoryContextReset(chunk_cxt);
	}
	MemoryContextSwitchTo(caller_cxt);
	MemoryContextDelete(chunk_cxt);
}

static int
read_file(void *arg, char *buf, int min, int max)
{
	return gc_export_read(((Reading *) arg)->export, buf, min, max);
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
find_columns(Reading *reading, char **headers, int count)
{
	for (int i = 0; i < reading->column_count; i++)
	{
		reading->places[i] =
			find_header(headers, count, i == 0 ? EXPORT_ID : reading->columns[i]);
		if (reading->places[i] < 0)
			gc_export_throw(reading->export,
							psprintf("Its export has no column \"%s\".",
									 i == 0 ? EXPORT_ID : reading->columns[i]),
							NULL);
	}
}

static int64
count_shown(Reading *reading, GcCsv *csv)
{
	char **cells;
	int count;
	int64 shown = 0;

	if (!gc_csv_next(csv, &cells, &count))
		gc_export_throw(reading->export, "Its export is empty, without a line of headers.",
						NULL);
	find_columns(reading, cells, count);
	while (gc_csv_next(csv, &cells, &count))
	{
		resetStringInfo(&reading->row);
		for (int i = 0; i < reading->column_count; i++)
		{
			const char *cell = reading->places[i] < count ? cells[reading->places[i]] : NULL;

			note_cell(&reading->row, cell ? cell : "");
		}
		shown += gc_seen_has(reading->rows, reading->row.data, reading->row.len);
	}
	return shown;
}

static int64
read_back(Reading *reading, GcStat *stat)
{
	GcImportRun *run = reading->run;
	GcExportRequest wanted = {
		.conn = run->conn,
		.stat = stat,
		.list_id = run->list->id,
		.body =
			reading->ids.len > 0 ? psprintf("{\"contactIds\":[%s]}", reading->ids.data) : NULL,
		.what = run->rel->label,
		.ready_timeout =
			gc_option_ms(run->rel->options, run->rel->server_options, "ready_timeout")};
	Relation relation = table_open(run->rel->relid, AccessShareLock);
	GcCsv *csv;
	int64 shown;

	reading->export = gc_export_open(&wanted);
	(void) gc_export_begin(reading->export, true);
	csv = gc_csv_open(relation, read_file, reading);
	shown = count_shown(reading, csv);
	table_close(relation, AccessShareLock);
	return shown;
}

int64
gc_import_seen(GcImportRun *run, const GcPart *part, GcStat *stat)
{
	MemoryContext cxt = AllocSetContextCreate(CurrentMemoryContext, "gc_fdw import read back",
											  ALLOCSET_DEFAULT_SIZES);
	MemoryContext caller_cxt = MemoryContextSwitchTo(cxt);
	Reading *reading = palloc0(sizeof(Reading));
	int64 shown;

	reading->cxt = cxt;
	reading->run = run;
	reading->part = part;
	reading->rows = gc_seen_create(part->rows);
	initStringInfo(&reading->ids);
	initStringInfo(&reading->row);
	take_part(reading);
	shown = read_back(reading, stat);
	MemoryContextSwitchTo(caller_cxt);
	MemoryContextDelete(cxt);
	return shown;
}
