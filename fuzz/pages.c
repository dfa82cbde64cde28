/*
 * fuzz/pages.c
 *	  A walk over all pages of a search or listing, fetched ahead, with further calls.
 */
#include "postgres.h"

#include "calls.h"
#include "shim.h"

#include "api/pager.h"

typedef struct Walk
{
	const GcResource *resource;
	bool read_all;
	int ahead;
	int sample; /* pages; 0: all */
	bool wait;
} Walk;

static GcNext
next_row(GcPager *pager, bool wait, GcJson **row)
{
	GcNext next;

	do
		next = gc_pager_next(pager, wait, row);
	while (next == GC_NEXT_LATER);
	return next;
}

static bool
passes(void *arg, const GcSpan *entity)
{
	return true;
}

static const GcSift every = {passes, NULL};

/* All further calls that there are. */
static int
expansions_of(const GcResource *resource, const GcExpansion **found)
{
	int count = 0;

	if (resource->expansion)
		found[count++] = resource->expansion;
	for (int i = 0; i < resource->attribute_count; i++)
	{
		const GcExpansion *expansion = resource->attributes[i].expanded;

		if (expansion && (count == 0 || found[count - 1] != expansion))
			found[count++] = expansion;
	}
	return count;
}

/* Every entity once, each from its page, and no page more than there is said to be. */
static void
run(void *arg)
{
	Walk *walk = arg;
	GcPager *pager =
		gc_pager_open(NULL, walk->resource, "list", 2, walk->ahead, "contact list \"x\"");
	const GcExpansion *expansions[GC_EXPANSIONS_MAX];
	int expansion_count = expansions_of(walk->resource, expansions);
	int64 count = 0;
	int64 first;
	int64 last;
	GcJson *json;

	if (expansion_count > 0)
		gc_pager_expand(pager, expansions, expansion_count, walk->wait ? NULL : &every);
	if (walk->sample > 0)
		gc_pager_sample(pager, walk->sample);
	if (walk->read_all)
		gc_pager_read_all(pager);
	while (next_row(pager, walk->wait, &json) == GC_NEXT_ROW)
	{
		GcSpan entity;

		if (!gc_json_value(json, &entity))
			gc_pager_throw(pager, "An entity is malformed");
		shim_check(entity.p >= json->start && entity.p + entity.len <= json->end);
		count++;
	}
	shim_check(gc_pager_next(pager, walk->wait, &json) == GC_NEXT_END);
	shim_check(walk->sample > 0 || gc_pager_drifted(pager, &first, &last) ||
			   count >= gc_pager_total(pager));
}

int
LLVMFuzzerTestOneInput(const uint8 *data, size_t size)
{
	static const GcResource *const resources[] = {&gc_contacts, &gc_campaigns,
												  &gc_import_jobs};

	for (int i = 0; i < 16 * lengthof(resources); i++)
	{
		Walk walk = {resources[i / 16], i % 2 == 1, i % 4 < 2 ? 1 : 3, i % 8 < 4 ? 0 : 2,
					 i % 16 < 8};

		calls_answer(data, size);
		if (!shim_try(run, &walk))
			shim_check(shim_error.sqlstate != ERRCODE_INTERNAL_ERROR);
	}
	return 0;
}
