/*
 * fdw/removed.c
 *	  The contacts of a large DELETE: whether they are gone, at its end.
 */
#include "postgres.h"

#include "fdw/id_sort.h"
#include "fdw/lookup.h"
#include "fdw/removed.h"
#include "fdw/source.h"

#include "miscadmin.h"
#include "utils/memutils.h"

struct GcRemoved
{
	const GcModify *modify;
	const char *way;
	MemoryContext cxt; /* of what waits */
	GcIdSort *ids;	   /* that do; NULL: none */
	int64 count;
	/* While they are looked for: */
	GcLookup *lookup;
	GcIdSort *listed; /* those that the list seems to have */
	int64 held;		  /* those that it has, and that are not rejected */
};

static void
note_removed(void *arg, const char *id)
{
	GcRemoved *removed = arg;
	MemoryContext caller_cxt = MemoryContextSwitchTo(removed->cxt);

	if (removed->ids == NULL)
		removed->ids = gc_id_sort_create(work_mem / 4);
	gc_id_sort_put(removed->ids, id, strlen(id), 0);
	removed->count++;
	MemoryContextSwitchTo(caller_cxt);
}

static void
note_held(void *arg, const GcFound *found)
{
	GcRemoved *removed = arg;
	GcHeld held = {.id = pnstrdup(found->id, found->len),
				   .json = found->contact.p,
				   .len = found->contact.len};

	removed->held += gc_deliver_held(removed->modify->target, &held, found->answer);
}

/* What is only listed may have been deleted since; what was looked up is there. */
static void
note_found(void *arg, const GcFound *found)
{
	GcRemoved *removed = arg;

	if (gc_lookup_is_by_ids(removed->lookup))
		note_held(arg, found);
	else
		gc_id_sort_put(removed->listed, found->id, found->len, 0);
}

static void
look_for(GcLookup *lookup, GcIdSort *ids)
{
	const char *id;
	int len;
	int64 number;

	gc_id_sort_finish(ids);
	while (gc_id_sort_next(ids, &id, &len, &number))
	{
		CHECK_FOR_INTERRUPTS();
		gc_lookup_put(lookup, id, len, number);
	}
	gc_lookup_end(lookup);
	gc_id_sort_end(ids);
}

/* They have all been deleted: which of them are there nevertheless? */
static void
check(void *arg)
{
	GcRemoved *removed = arg;
	const GcModify *modify = removed->modify;
	MemoryContext caller_cxt = MemoryContextSwitchTo(removed->cxt);

	removed->held = 0;
	removed->listed = gc_id_sort_create(work_mem / 4);
	removed->lookup = gc_lookup_begin_left(modify, removed->count, note_found, removed);
	removed->way = gc_lookup_way(removed->lookup);
	look_for(removed->lookup, removed->ids);
	look_for(gc_lookup_begin_ids(modify, note_held, removed), removed->listed);
	gc_deliver_checked(modify->target, removed->held);
	removed->ids = NULL;
	removed->count = 0;
	MemoryContextSwitchTo(caller_cxt);
	MemoryContextReset(removed->cxt);
}

GcRemoved *
gc_removed_open(const GcModify *modify, int64 rows, EState *estate)
{
	MemoryContext caller_cxt;
	GcRemoved *removed;

	/* What else writes the list may bring back what has been deleted. */
	if (modify->target == NULL || !gc_deliver_is_alone(modify->target) ||
		!gc_lookup_left_exports(modify, rows))
		return NULL;
	caller_cxt = MemoryContextSwitchTo(estate->es_query_cxt);
	removed = palloc0(sizeof(GcRemoved));
	removed->modify = modify;
	removed->way = gc_source_ids.name;
	removed->cxt = AllocSetContextCreate(CurrentMemoryContext, "gc_fdw deleted ids",
										 ALLOCSET_DEFAULT_SIZES);
	gc_deliver_defer_check(modify->target, note_removed, check, removed);
	MemoryContextSwitchTo(caller_cxt);
	return removed;
}

const char *
gc_removed_way(const GcRemoved *removed)
{
	return removed->way;
}
