/*
 * store/parts.c
 *	  The rows of an import, as its table keeps them until they are sent.
 */
#include "postgres.h"

#include "base/compat.h"
#include "store/parts.h"
#include "store/table.h"

#include "catalog/pg_type.h"
#include "common/cryptohash.h"
#include "common/sha2.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

enum
{
	PART_IMPORT_ID,
	PART_PART,
	PART_STATE,
	PART_METHOD,
	PART_ROWS,
	PART_BYTES,
	PART_SHA256,
	PART_ATTEMPTS,
	PART_ROWS_ACCEPTED,
	PART_ROWS_REJECTED,
	PART_COLUMNS
};

static const GcTableColumn part_columns[PART_COLUMNS] = {
	[PART_IMPORT_ID] = {"import_id", INT8OID},
	[PART_PART] = {"part", INT4OID},
	[PART_STATE] = {"state", TEXTOID},
	[PART_METHOD] = {"method", TEXTOID},
	[PART_ROWS] = {"rows", INT8OID},
	[PART_BYTES] = {"bytes", INT8OID},
	[PART_SHA256] = {"sha256", BYTEAOID},
	[PART_ATTEMPTS] = {"attempts", INT4OID},
	[PART_ROWS_ACCEPTED] = {"rows_accepted", INT8OID},
	[PART_ROWS_REJECTED] = {"rows_rejected", INT8OID},
};

static const GcTableLayout part_layout = {"import_parts", false, PART_COLUMNS, part_columns};

enum
{
	CHUNK_IMPORT_ID,
	CHUNK_PART,
	CHUNK_CHUNK,
	CHUNK_PAYLOAD,
	CHUNK_COLUMNS
};

static const GcTableColumn chunk_columns[CHUNK_COLUMNS] = {
	[CHUNK_IMPORT_ID] = {"import_id", INT8OID},
	[CHUNK_PART] = {"part", INT4OID},
	[CHUNK_CHUNK] = {"chunk", INT4OID},
	[CHUNK_PAYLOAD] = {"payload", BYTEAOID},
};

static const GcTableLayout chunk_layout = {"import_chunks", false, CHUNK_COLUMNS,
										   chunk_columns};

struct GcPartWriter
{
	int64 import_id;
	MemoryContext row_cxt; /* of what a row of a table takes */
	int part;			   /* the one at hand, from 1; 0: none was begun */
	const char *method;
	int64 rows;
	int64 bytes;
	int chunk; /* how many it has so far */
	StringInfoData payload;
	pg_cryptohash_ctx *hash;
};

static void
check_hash(GcPartWriter *writer, int result)
{
	if (result < 0)
		elog(ERROR, "could not compute a SHA-256: %s", pg_cryptohash_error(writer->hash));
}

GcPartWriter *
gc_parts_open(int64 import_id)
{
	GcPartWriter *writer = palloc0(sizeof(GcPartWriter));

	writer->import_id = import_id;
	writer->row_cxt = AllocSetContextCreate(CurrentMemoryContext, "gc_fdw import part",
											ALLOCSET_DEFAULT_SIZES);
	writer->hash = pg_cryptohash_create(PG_SHA256);
	if (writer->hash == NULL)
		ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory")));
	initStringInfo(&writer->payload);
	/* Room for the varlena's header first, so that the payload need not be copied. */
	appendStringInfoSpaces(&writer->payload, VARHDRSZ);
	return writer;
}

static void
insert(GcPartWriter *writer, const GcTableLayout *layout, const Datum *values)
{
	bool isnull[PART_COLUMNS] = {0};
	GcTable *table = gc_table_open(layout);

	if (table == NULL)
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_TABLE),
						errmsg("there is no table gc_fdw.%s any more", layout->name)));
	gc_table_insert(table, values, isnull);
	gc_table_close(table);
	MemoryContextReset(writer->row_cxt);
}

static void
end_chunk(GcPartWriter *writer)
{
	MemoryContext caller_cxt = MemoryContextSwitchTo(writer->row_cxt);
	StringInfo payload = &writer->payload;

	if (payload->len > VARHDRSZ)
	{
		check_hash(writer,
				   pg_cryptohash_update(writer->hash, (uint8 *) payload->data + VARHDRSZ,
										payload->len - VARHDRSZ));
		SET_VARSIZE(payload->data, payload->len);
		insert(writer, &chunk_layout,
			   (Datum[]){Int64GetDatum(writer->import_id), Int32GetDatum(writer->part),
						 Int32GetDatum(++writer->chunk), PointerGetDatum(payload->data)});
		payload->len = VARHDRSZ;
	}
	MemoryContextSwitchTo(caller_cxt);
}

static void
end_part(GcPartWriter *writer)
{
	MemoryContext caller_cxt;
	bytea *sha256;

	if (writer->part == 0)
		return;
	end_chunk(writer);
	caller_cxt = MemoryContextSwitchTo(writer->row_cxt);
	sha256 = palloc(VARHDRSZ + PG_SHA256_DIGEST_LENGTH);
	SET_VARSIZE(sha256, VARHDRSZ + PG_SHA256_DIGEST_LENGTH);
	check_hash(writer, pg_cryptohash_final(writer->hash, (uint8 *) VARDATA(sha256),
										   PG_SHA256_DIGEST_LENGTH));
	insert(writer, &part_layout,
		   (Datum[]){Int64GetDatum(writer->import_id), Int32GetDatum(writer->part),
					 CStringGetTextDatum("staged"), CStringGetTextDatum(writer->method),
					 Int64GetDatum(writer->rows), Int64GetDatum(writer->bytes),
					 PointerGetDatum(sha256), Int32GetDatum(0), Int64GetDatum(0),
					 Int64GetDatum(0)});
	MemoryContextSwitchTo(caller_cxt);
}

void
gc_parts_begin(GcPartWriter *writer, const char *method)
{
	end_part(writer);
	check_hash(writer, pg_cryptohash_init(writer->hash));
	writer->part++;
	writer->method = method;
	writer->rows = writer->bytes = writer->chunk = 0;
}

void
gc_parts_add(GcPartWriter *writer, const char *bytes, size_t len, int rows)
{
	StringInfo payload = &writer->payload;

	if (payload->len > VARHDRSZ && payload->len + len > VARHDRSZ + GC_CHUNK_BYTES)
		end_chunk(writer);
	appendBinaryStringInfo(payload, bytes, len);
	writer->bytes += len;
	writer->rows += rows;
}

bool
gc_parts_is_of(const GcPartWriter *writer, const char *method)
{
	return writer->part > 0 && strcmp(writer->method, method) == 0;
}

int64
gc_parts_rows(const GcPartWriter *writer)
{
	return writer->rows;
}

int64
gc_parts_bytes(const GcPartWriter *writer)
{
	return writer->bytes;
}

int
gc_parts_close(GcPartWriter *writer)
{
	end_part(writer);
	pg_cryptohash_free(writer->hash);
	MemoryContextDelete(writer->row_cxt);
	pfree(writer->payload.data);
	return writer->part;
}

char *
gc_parts_chunk(Oid table, int64 import_id, int part, int chunk, int *len)
{
	const Datum key[] = {Int64GetDatum(import_id), Int32GetDatum(part), Int32GetDatum(chunk)};
	struct varlena *payload = gc_table_read(table, &chunk_layout, key, CHUNK_PAYLOAD);

	if (payload == NULL)
		return NULL;
	*len = VARSIZE(payload) - VARHDRSZ;
	/* Room for a zero; of so large a block, next to nothing. */
	payload = repalloc(payload, VARHDRSZ + *len + 1);
	VARDATA(payload)[*len] = '\0';
	return VARDATA(payload);
}

void
gc_parts_check_rows(const GcPart *part, int64 rows)
{
	if (rows != part->rows)
		ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED),
						errmsg("part %d of the import has lost rows", part->part),
						errdetail("Staged: " INT64_FORMAT ", still there: " INT64_FORMAT ".",
								  part->rows, rows)));
}

void
gc_parts_keep(Oid table)
{
	gc_table_keep(table, &chunk_layout);
}
