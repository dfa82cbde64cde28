/*
 * fdw/size.c
 *	  How many rows tables were last seen to have, for the planner.
 */
#include "postgres.h"

#include "fdw/size.h"

#include "common/hashfn.h"
#include "miscadmin.h"

/* Sizes that are kept; a key may lie in any of PROBES places from its own on. */
#define SIZES  1024
#define PROBES 8

typedef struct KnownSize
{
	uint64 key; /* 0: free */
	uint64 stamp;
	int64 rows;
} KnownSize;

typedef struct SizeMemory
{
	GcSharedHead head;
	uint64 last_stamp;
	KnownSize sizes[SIZES];
} SizeMemory;

static Size
size_memory_size(void)
{
	return sizeof(SizeMemory);
}

GcSharedPart gc_size_part = {.name = "gc_fdw sizes", .size = size_memory_size};

/* By what the table shows, not by the table: several may show the same. */
static uint64
size_key(Oid server_id, const GcResource *resource, const char *by, const char *label)
{
	char *name = psprintf("%u %u %s %s %s", MyDatabaseId, server_id, resource->object, by,
						  label ? label : "");
	uint64 key = hash_bytes_extended((unsigned char *) name, strlen(name), 0);

	pfree(name);
	return key ? key : 1;
}

static uint64
relation_key(const GcRelation *rel)
{
	const char *id = rel->list_id ? rel->list_id : rel->dnc_list_id;
	const char *name = rel->list_name ? rel->list_name : rel->dnc_list_name;

	return size_key(rel->server_id, rel->resource, id ? "id" : "name", id ? id : name);
}

/* The place of a key; where it has none, with "make" that of the one noted longest ago. */
static KnownSize *
size_find(SizeMemory *memory, uint64 key, bool make)
{
	KnownSize *oldest = NULL;

	for (int i = 0; i < PROBES; i++)
	{
		KnownSize *size = &memory->sizes[(key + i) % SIZES];

		if (size->key == key)
			return size;
		if (oldest == NULL || size->stamp < oldest->stamp)
			oldest = size;
	}
	return make ? oldest : NULL;
}

static void
note(uint64 key, int64 rows)
{
	SizeMemory *memory = gc_shared_get(&gc_size_part);
	KnownSize *size;

	if (rows < 0)
		return;
	gc_shared_lock(&gc_size_part, LW_EXCLUSIVE);
	size = size_find(memory, key, true);
	*size = (KnownSize){.key = key, .stamp = ++memory->last_stamp, .rows = rows};
	gc_shared_unlock(&gc_size_part);
}

static int64
known(uint64 key)
{
	SizeMemory *memory = gc_shared_get(&gc_size_part);
	KnownSize *size;
	int64 rows;

	gc_shared_lock(&gc_size_part, LW_SHARED);
	size = size_find(memory, key, false);
	rows = size ? size->rows : -1;
	gc_shared_unlock(&gc_size_part);
	return rows;
}

void
gc_size_note(const GcRelation *rel, int64 rows)
{
	note(relation_key(rel), rows);
}

void
gc_size_note_written(const GcRelation *rel, int64 before, int64 rows)
{
	uint64 key = relation_key(rel);
	int64 seen = known(key);

	if (seen < 0)
		rows = Max(rows, Max(before, (int64) rel->analyzed_rows));
	if (rows > seen)
		note(key, rows);
}

void
gc_size_note_list(Oid server_id, const char *list_id, int64 rows)
{
	note(size_key(server_id, &gc_contacts, "id", list_id), rows);
}

int64
gc_size_known(const GcRelation *rel)
{
	return known(relation_key(rel));
}

int64
gc_size_known_object(Oid server_id, const GcResource *resource)
{
	return known(size_key(server_id, resource, "name", NULL));
}
