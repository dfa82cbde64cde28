/*
 * fdw/staged_forget.c
 *	  A contact leaves the staged rows of imports.
 *
 * What is open is sent without it, and says so: its rows, bytes and hash are those that are
 * left.  What is over keeps the figures that it ended with.
 */
#include "postgres.h"

#include <ctype.h>

#include "fdw/staged_csv.h"
#include "fdw/staged_forget.h"
#include "fdw/staged_row.h"
#include "store/erase.h"
#include "store/parts.h"

#include "common/cryptohash.h"
#include "common/sha2.h"
#include "miscadmin.h"
#include "utils/memutils.h"

/* A part that is read through. */
typedef struct Walk
{
	const GcKeptPart *part;
	const char *id;
	int64 row;	/* the next one; -1: the header */
	int64 kept; /* rows so far */
	int64 erased;
	int64 bytes;  /* of what is kept */
	uint8 *skips; /* of what is kept; NULL: none */
	pg_cryptohash_ctx *hash;
	MemoryContext row_cxt;
} Walk;

/* ---- rows ---- */

/* Sets *at behind the row there; false at the end. */
static bool
pass_row(const GcKeptPart *part, const char **at, const char *end)
{
	const char *line_end;

	if (part->is_file)
		return gc_staged_csv_pass(at, end);
	if (*at >= end)
		return false;
	line_end = memchr(*at, '\n', end - *at);
	*at = line_end ? line_end + 1 : end;
	return true;
}

/* Is it the contact's row?  It is taken apart in a copy. */
static bool
is_wanted(const Walk *walk, const char *from, int len)
{
	MemoryContext caller_cxt = MemoryContextSwitchTo(walk->row_cxt);
	char *copy = pnstrdup(from, len);
	char *cells[GC_CSV_MAX_COLUMNS];
	const char *id;
	int count;
	GcRow row;
	bool wanted;

	if (walk->part->is_file)
	{
		(void) gc_staged_csv_get(&copy, copy + len, cells, lengthof(cells), &count);
		id = cells[0];
	}
	else
	{
		(void) gc_staged_row_get(&copy, copy + len, &row);
		id = row.id;
	}
	wanted = strcmp(id, walk->id) == 0;
	MemoryContextSwitchTo(caller_cxt);
	MemoryContextReset(walk->row_cxt);
	return wanted;
}

/* Can a row with that id be told by its bytes alone?  Then most chunks need not be taken apart. */
static bool
is_plain(const char *id)
{
	for (; *id; id++)
		if (!isalnum((unsigned char) *id) && strchr("-_.@+", *id) == NULL)
			return false;
	return true;
}

static bool
has_bytes(const char *payload, int len, const char *id)
{
	int id_len = strlen(id);
	const char *end = payload + len - id_len;

	for (const char *at = payload; at <= end; at++)
	{
		at = memchr(at, *id, end - at + 1);
		if (at == NULL)
			return false;
		if (memcmp(at, id, id_len) == 0)
			return true;
	}
	return false;
}

static bool
bit(const uint8 *bits, int64 row)
{
	return bits && bits[row / 8] & 1 << row % 8;
}

static void
note_kept(Walk *walk)
{
	if (bit(walk->part->skips, walk->row))
		walk->skips[walk->kept / 8] |= 1 << walk->kept % 8;
	walk->kept++;
}

/* Takes the contact's rows out of a chunk, in place; its new length. */
static int
take_out(Walk *walk, char *payload, int len)
{
	const char *at = payload;
	const char *from = payload;
	char *to = payload;

	for (; pass_row(walk->part, &at, payload + len); from = at, walk->row++)
	{
		CHECK_FOR_INTERRUPTS();
		if (walk->row >= 0 && is_wanted(walk, from, at - from))
		{
			walk->erased++;
			continue;
		}
		if (walk->row >= 0)
			note_kept(walk);
		memmove(to, from, at - from);
		to += at - from;
	}
	return to - payload;
}

/* ---- parts ---- */

static Walk
begin(const GcKeptPart *part, const char *id)
{
	Walk walk = {.part = part, .id = id, .row = part->is_file ? -1 : 0};

	walk.row_cxt =
		AllocSetContextCreate(CurrentMemoryContext, "gc_fdw staged row", ALLOCSET_SMALL_SIZES);
	return walk;
}

/* Does a part have the contact?  Nothing is changed, or locked. */
static bool
has_contact(const GcKeptPart *part, const char *id, MemoryContext chunk_cxt)
{
	MemoryContext caller_cxt = MemoryContextSwitchTo(chunk_cxt);
	bool plain = is_plain(id);
	bool found = false;
	bool first = part->is_file;
	char *payload;
	int len;

	for (int chunk = 1; !found && (payload = gc_parts_chunk(part->chunks, part->import_id,
															part->part, chunk, &len)) != NULL;
		 chunk++)
	{
		Walk walk = begin(part, id);

		/* The header is not compared. */
		walk.row = first ? -1 : 0;
		if (!plain || has_bytes(payload, len, id))
		{
			const char *at = payload;
			const char *from = payload;

			for (; !found && pass_row(part, &at, payload + len); from = at, walk.row++)
			{
				CHECK_FOR_INTERRUPTS();
				found = walk.row >= 0 && is_wanted(&walk, from, at - from);
			}
		}
		first = false;
		MemoryContextReset(chunk_cxt);
	}
	MemoryContextSwitchTo(caller_cxt);
	return found;
}

static void
check_hash(int result)
{
	if (result < 0)
		elog(ERROR, "could not compute a SHA-256");
}

/* Rewrites the chunks that have it. */
static void
rewrite_chunks(Walk *walk, MemoryContext chunk_cxt)
{
	MemoryContext caller_cxt = MemoryContextSwitchTo(chunk_cxt);
	const GcKeptPart *part = walk->part;
	char *payload;
	int len;

	for (int chunk = 1; (payload = gc_parts_chunk(part->chunks, part->import_id, part->part,
												  chunk, &len)) != NULL;
		 chunk++)
	{
		int left = take_out(walk, payload, len);

		if (left != len)
			gc_erase_chunk(part, chunk, payload, left);
		walk->bytes += left;
		check_hash(pg_cryptohash_update(walk->hash, (uint8 *) payload, left));
		MemoryContextReset(chunk_cxt);
	}
	MemoryContextSwitchTo(caller_cxt);
}

/* How many rows there were. */
static int64
rewrite(const GcKeptPart *part, const char *id, MemoryContext chunk_cxt)
{
	Walk walk = begin(part, id);
	uint8 sha256[PG_SHA256_DIGEST_LENGTH];

	if (part->skips)
		walk.skips = palloc0(part->rows / 8 + 1);
	walk.hash = pg_cryptohash_create(PG_SHA256);
	if (walk.hash == NULL)
		ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory")));
	check_hash(pg_cryptohash_init(walk.hash));
	rewrite_chunks(&walk, chunk_cxt);
	check_hash(pg_cryptohash_final(walk.hash, sha256, sizeof(sha256)));
	pg_cryptohash_free(walk.hash);
	if (part->is_open && walk.erased > 0)
		gc_erase_settle(part, &(GcLeftPart){.erased = walk.erased,
											.bytes = walk.bytes,
											.sha256 = sha256,
											.skips = walk.skips});
	MemoryContextDelete(walk.row_cxt);
	return walk.erased;
}

static List *
add_refused(List *refused, int64 import_id)
{
	int64 *copy;

	if (refused != NIL && *(int64 *) llast(refused) == import_id)
		return refused;
	copy = palloc(sizeof(int64));
	*copy = import_id;
	return lappend(refused, copy);
}

int64
gc_staged_forget(const char *id, const char *server, List **refused)
{
	MemoryContext chunk_cxt = AllocSetContextCreate(
		CurrentMemoryContext, "gc_fdw import chunk", ALLOCSET_DEFAULT_SIZES);
	int64 erased = 0;
	ListCell *lc;

	*refused = NIL;
	foreach (lc, gc_erase_parts(server))
	{
		GcKeptPart *part = lfirst(lc);

		if (!has_contact(part, id, chunk_cxt) || !gc_erase_lock(part))
			continue;
		if (part->is_under_way)
			*refused = add_refused(*refused, part->import_id);
		else
			erased += rewrite(part, id, chunk_cxt);
	}
	MemoryContextDelete(chunk_cxt);
	return erased;
}
