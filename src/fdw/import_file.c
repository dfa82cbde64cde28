/*
 * fdw/import_file.c
 *	  A part of an import that is a CSV file: its rows, and what is sent of it.
 */
#include "postgres.h"

#include "fdw/import_file.h"
#include "fdw/staged_csv.h"
#include "store/parts.h"

#include "common/cryptohash.h"
#include "common/sha2.h"
#include "miscadmin.h"
#include "utils/memutils.h"

/* What each row of a staged file ends with. */
#define ROW_END "\r\n"

bool
gc_import_bit(const uint8 *bits, int64 row)
{
	return bits && bits[row / 8] & 1 << row % 8;
}

/* ---- its rows ---- */

typedef struct Reading
{
	MemoryContext cxt; /* of the columns */
	char *columns[GC_CSV_MAX_COLUMNS];
	int column_count; /* 0: the header has not been read */
	int64 rows;
	void (*take)(void *arg, const GcFileRow *row);
	void *arg;
} Reading;

static void
take_chunk(Reading *reading, char *payload, int len)
{
	char *cells[GC_CSV_MAX_COLUMNS];
	GcFileRow row = {.columns = reading->columns, .cells = cells};
	char *at = payload;

	while (gc_staged_csv_get(&at, payload + len, cells, lengthof(cells), &row.count))
	{
		CHECK_FOR_INTERRUPTS();
		if (reading->column_count > 0)
		{
			row.number = reading->rows++;
			reading->take(reading->arg, &row);
			continue;
		}
		for (int i = 0; i < row.count; i++)
			reading->columns[i] = MemoryContextStrdup(reading->cxt, cells[i]);
		reading->column_count = row.count;
	}
}

void
gc_import_file_rows(int64 import_id, const GcPart *part,
					void (*take)(void *arg, const GcFileRow *row), void *arg)
{
	MemoryContext cxt = AllocSetContextCreate(CurrentMemoryContext, "gc_fdw import file",
											  ALLOCSET_DEFAULT_SIZES);
	MemoryContext chunk_cxt =
		AllocSetContextCreate(cxt, "gc_fdw import chunk", ALLOCSET_DEFAULT_SIZES);
	MemoryContext caller_cxt = MemoryContextSwitchTo(chunk_cxt);
	Reading reading = {.cxt = cxt, .take = take, .arg = arg};
	char *payload;
	int len;

	for (int chunk = 1;
		 (payload = gc_parts_chunk(part->chunks, import_id, part->part, chunk, &len)) != NULL;
		 chunk++)
	{
		take_chunk(&reading, payload, len);
		MemoryContextReset(chunk_cxt);
	}
	MemoryContextSwitchTo(caller_cxt);
	MemoryContextDelete(cxt);
}

char **
gc_import_file_columns(int64 import_id, const GcPart *part, int *count)
{
	char **columns = palloc(sizeof(char *) * GC_CSV_MAX_COLUMNS);
	int len;
	char *at = gc_parts_chunk(part->chunks, import_id, part->part, 1, &len);
	char *end = at + len;

	if (at == NULL || !gc_staged_csv_get(&at, end, columns, GC_CSV_MAX_COLUMNS, count))
		ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED), errmsg("a staged file is damaged")));
	return columns;
}

/* ---- what is sent ---- */

static bool
is_sent(const GcImportFile *file)
{
	return file->row < 0 ? !file->bare : !gc_import_bit(file->skips, file->row);
}

/* Takes the rows that are left out of a chunk; its new length. */
static int
leave_out(GcImportFile *file, char *payload, int len)
{
	const char *at = payload;
	const char *from = payload;
	char *to = payload;

	for (; gc_staged_csv_pass(&at, payload + len); from = at, file->row++)
		if (is_sent(file))
		{
			memmove(to, from, at - from);
			to += at - from;
		}
	return to - payload;
}

/* The same, with the empty cells that are added. */
static char *
widen(GcImportFile *file, char *payload, int *len)
{
	const char *at = payload;
	const char *from = payload;
	StringInfoData wide;

	initStringInfo(&wide);
	for (; gc_staged_csv_pass(&at, payload + *len); from = at, file->row++)
		if (is_sent(file))
		{
			appendBinaryStringInfo(&wide, from, at - from - strlen(ROW_END));
			for (int i = 0; i < file->added; i++)
				appendStringInfoChar(&wide, ',');
			appendStringInfoString(&wide, ROW_END);
		}
	*len = wide.len;
	return wide.data;
}

char *
gc_import_file_piece(void *arg, int number, int *len)
{
	GcImportFile *file = arg;
	char *payload;

	if (number == 1)
	{
		file->chunk = 0;
		file->row = -1; /* the header */
	}
	do
	{
		payload = gc_parts_chunk(file->part->chunks, file->import_id, file->part->part,
								 ++file->chunk, len);
		if (payload && file->added > 0)
			payload = widen(file, payload, len);
		else if (payload && (file->skips || file->bare))
			*len = leave_out(file, payload, *len);
	} while (payload && *len == 0);
	return payload;
}

static const char *
hex_of(const uint8 *bytes, int len)
{
	char *hex = palloc(len * 2 + 1);

	for (int i = 0; i < len; i++)
		snprintf(hex + i * 2, 3, "%02x", bytes[i]);
	return hex;
}

/* What is left of it, for its headers. */
static void
measure(GcImportFile *file)
{
	MemoryContext cxt = AllocSetContextCreate(CurrentMemoryContext, "gc_fdw import chunk",
											  ALLOCSET_DEFAULT_SIZES);
	MemoryContext caller_cxt = MemoryContextSwitchTo(cxt);
	uint8 digest[PG_SHA256_DIGEST_LENGTH];
	pg_cryptohash_ctx *hash = pg_cryptohash_create(PG_SHA256);
	bool sound = hash && pg_cryptohash_init(hash) == 0;
	char *piece;
	int len;

	file->bytes = 0;
	for (int number = 1; sound && (piece = gc_import_file_piece(file, number, &len)) != NULL;
		 number++)
	{
		sound = pg_cryptohash_update(hash, (uint8 *) piece, len) == 0;
		file->bytes += len;
		MemoryContextReset(cxt);
	}
	MemoryContextSwitchTo(caller_cxt);
	MemoryContextDelete(cxt);
	if (!sound || pg_cryptohash_final(hash, digest, sizeof(digest)) < 0)
		elog(ERROR, "could not compute a SHA-256");
	pg_cryptohash_free(hash);
	file->sha256 = hex_of(digest, sizeof(digest));
}

GcImportFile *
gc_import_file_open(int64 import_id, const GcPart *part, const uint8 *skips, bool bare)
{
	GcImportFile *file = palloc0(sizeof(GcImportFile));

	file->import_id = import_id;
	file->part = part;
	file->skips = skips;
	file->bare = bare;
	file->rows = part->rows;
	file->bytes = part->bytes;
	file->sha256 = part->sha256;
	for (int64 row = 0; row < part->rows; row++)
		file->rows -= gc_import_bit(skips, row);
	if (file->rows == part->rows)
		file->skips = NULL;
	if (file->rows > 0 && (file->skips || bare))
	{
		measure(file);
		gc_parts_check_rows(part, file->row);
	}
	return file;
}

void
gc_import_file_widen(GcImportFile *file, int added)
{
	if (added == file->added)
		return;
	file->added = added;
	measure(file);
}
