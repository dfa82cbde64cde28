/*
 * fuzz/pages.c
 *	  A walk over all pages of a search, fetched ahead.
 */
#include "postgres.h"

#include "calls.h"
#include "shim.h"

#include "api/pager.h"

typedef struct Walk
{
	bool read_all;
	int ahead;
} Walk;

/* Every entity once, each from its page, and no page more than there is said to be. */
static void
run(void *arg)
{
	Walk *walk = arg;
	GcPager *pager =
		gc_pager_open(NULL, &gc_contacts, "list", 2, walk->ahead, "contact list \"x\"");
	int64 count = 0;
	int64 first;
	int64 last;
	GcJson *json;

	if (walk->read_all)
		gc_pager_read_all(pager);
	while ((json = gc_pager_next(pager)) != NULL)
	{
		GcSpan entity;

		if (!gc_json_value(json, &entity))
			gc_pager_throw(pager, "An entity is malformed");
		shim_check(entity.p >= json->start && entity.p + entity.len <= json->end);
		count++;
	}
	shim_check(gc_pager_next(pager) == NULL);
	shim_check(gc_pager_drifted(pager, &first, &last) || count >= gc_pager_total(pager));
}

int
LLVMFuzzerTestOneInput(const uint8 *data, size_t size)
{
	for (int i = 0; i < 4; i++)
	{
		calls_answer(data, size);
		if (!shim_try(run, &(Walk){i % 2 == 1, i < 2 ? 1 : 3}))
			shim_check(shim_error.sqlstate != ERRCODE_INTERNAL_ERROR);
	}
	return 0;
}
