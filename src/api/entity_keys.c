/*
 * api/entity_keys.c
 *	  The things of a collection by their natural key, as one walk over its listing found them.
 */
#include "postgres.h"

#include "api/entity_keys.h"

#include "common/hashfn.h"
#include "storage/buffile.h"
#include "utils/hsearch.h"

/* A thing's place in the file: its length, then itself. */
typedef struct Entry
{
	uint64 key; /* its hash; must be first */
	int64 place;
} Entry;

struct GcEntityKeys
{
	HTAB *places;
	MemoryContext cxt;
	BufFile *file; /* NULL until there is something in it */
	int64 end;	   /* its length */
	bool known;
};

GcEntityKeys *
gc_entity_keys_create(void)
{
	HASHCTL control = {
		.keysize = sizeof(uint64), .entrysize = sizeof(Entry), .hcxt = CurrentMemoryContext};
	GcEntityKeys *keys = palloc0(sizeof(GcEntityKeys));

	keys->cxt = CurrentMemoryContext;
	keys->places = hash_create("gc_fdw entities by key", 256, &control,
							   HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	return keys;
}

bool
gc_entity_keys_are_known(const GcEntityKeys *keys)
{
	return keys->known;
}

void
gc_entity_keys_know(GcEntityKeys *keys)
{
	keys->known = true;
}

static uint64
hash_of(const char *key)
{
	return hash_bytes_extended((const unsigned char *) key, strlen(key), 0);
}

static void
seek(GcEntityKeys *keys, int64 place)
{
	if (BufFileSeek(keys->file, 0, place, SEEK_SET) != 0)
		ereport(ERROR, (errcode_for_file_access(),
						errmsg("could not seek in the file of entities that were read")));
}

static void
read_bytes(GcEntityKeys *keys, void *bytes, size_t len)
{
	if (BufFileRead(keys->file, bytes, len) != len)
		ereport(ERROR, (errcode_for_file_access(),
						errmsg("could not read the file of entities that were read")));
}

void
gc_entity_keys_put(GcEntityKeys *keys, const char *key, const GcSpan *object, bool replaces)
{
	uint64 hash = hash_of(key);
	bool found;
	Entry *entry = hash_search(keys->places, &hash, HASH_ENTER, &found);
	int32 len = object->len;

	if (found && !replaces)
		return;
	if (keys->file == NULL)
	{
		MemoryContext caller_cxt = MemoryContextSwitchTo(keys->cxt);

		keys->file = BufFileCreateTemp(false);
		MemoryContextSwitchTo(caller_cxt);
	}
	seek(keys, keys->end);
	BufFileWrite(keys->file, &len, sizeof(len));
	BufFileWrite(keys->file, unconstify(char *, object->p), len);
	entry->place = keys->end;
	keys->end += sizeof(len) + len;
}

char *
gc_entity_keys_get(GcEntityKeys *keys, const char *key)
{
	uint64 hash = hash_of(key);
	const Entry *entry = hash_search(keys->places, &hash, HASH_FIND, NULL);
	char *object;
	int32 len;

	if (entry == NULL)
		return NULL;
	seek(keys, entry->place);
	read_bytes(keys, &len, sizeof(len));
	object = palloc(len + 1);
	read_bytes(keys, object, len);
	object[len] = '\0';
	return object;
}

void
gc_entity_keys_end(GcEntityKeys *keys)
{
	if (keys->file)
		BufFileClose(keys->file);
	keys->file = NULL;
}
