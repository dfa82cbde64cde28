/*
 * base/seen.c
 *	  Which ids have been seen: 16 bytes for each, however long it is.
 */
#include "postgres.h"

#include "base/seen.h"

#include "common/hashfn.h"
#include "utils/memutils.h"

#define SEEN_FIRST_ROOM 256

/* The server's hash tables take three times as much for an entry of this size. */
typedef struct Mark
{
	uint64 a;
	uint64 b; /* odd; 0: free */
} Mark;

struct GcSeen
{
	Mark *marks;
	uint64 room; /* at least a quarter of it free */
	uint64 count;
	uint64 expected; /* the room that will do, if all goes as expected */
};

static Mark *
marks_create(uint64 room)
{
	return MemoryContextAllocExtended(CurrentMemoryContext, room * sizeof(Mark),
									  MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
}

GcSeen *
gc_seen_create(int64 expected)
{
	GcSeen *seen = palloc(sizeof(GcSeen));

	seen->room = SEEN_FIRST_ROOM;
	seen->count = 0;
	seen->expected = expected + expected / 2;
	seen->marks = marks_create(seen->room);
	return seen;
}

void
gc_seen_free(GcSeen *seen)
{
	pfree(seen->marks);
	pfree(seen);
}

/* The place of a mark, or where it would go. */
static Mark *
place_of(GcSeen *seen, const Mark *mark)
{
	uint64 i = mark->a % seen->room;

	while (seen->marks[i].b != 0 &&
		   (seen->marks[i].a != mark->a || seen->marks[i].b != mark->b))
		i = i + 1 < seen->room ? i + 1 : 0;
	return &seen->marks[i];
}

static void
grow(GcSeen *seen)
{
	GcSeen old = *seen;
	MemoryContext caller_cxt = MemoryContextSwitchTo(GetMemoryChunkContext(seen));

	/* In few steps to what is expected, and no further without need. */
	if (seen->room < seen->expected)
		seen->room = Min(seen->room * 4, seen->expected);
	else
		seen->room += seen->room / 2;
	seen->marks = marks_create(seen->room);
	for (uint64 i = 0; i < old.room; i++)
		if (old.marks[i].b != 0)
			*place_of(seen, &old.marks[i]) = old.marks[i];
	pfree(old.marks);
	MemoryContextSwitchTo(caller_cxt);
}

static Mark
mark_of(const char *id, int len)
{
	const unsigned char *bytes = (const unsigned char *) id;

	return (Mark){hash_bytes_extended(bytes, len, 0), hash_bytes_extended(bytes, len, 1) | 1};
}

bool
gc_seen_has(GcSeen *seen, const char *id, int len)
{
	Mark mark = mark_of(id, len);

	return place_of(seen, &mark)->b != 0;
}

bool
gc_seen_note(GcSeen *seen, const char *id, int len)
{
	Mark mark = mark_of(id, len);
	Mark *place = place_of(seen, &mark);

	if (place->b != 0)
		return true;
	*place = mark;
	if (++seen->count > seen->room / 4 * 3)
		grow(seen);
	return false;
}
