/*
 * api/pager.c
 *	  Walks the pages of a resource, in order, some of them fetched ahead.
 *
 * The pages of a walk are counted from 1 as they are taken; of a walk over all of
 * them that is their number, too.
 */
#include "postgres.h"

#include "api/contact_lists.h"
#include "api/pager.h"

#include "common/pg_prng.h"
#include "utils/sampling.h"

/* One page asked for; its texts belong to the call, so they live as long. */
typedef struct Ahead
{
	GcCall *call; /* NULL: free */
	StringInfoData path;
	StringInfoData body;
} Ahead;

struct GcPager
{
	GcCalls *calls;
	const GcResource *resource;
	const char *list_id;
	const char *criteria;
	const char *sorts;
	const char *what;
	int page_size;	 /* as asked for */
	int64 page_rows; /* of every page but the last, as the first one says */
	int max_ahead;
	int ahead;		  /* pages in flight that are wanted now */
	Ahead *ring;	  /* max_ahead of them, by its place in the walk modulo max_ahead */
	int64 next_start; /* the next page to ask for */
	int64 next_read;  /* the next page to read */
	int64 last_page;  /* the last one there is, as far as is known; 1 at first */
	int sample;		  /* so many pages are taken at random; 0: all are */
	int64 *chosen;	  /* the numbers of those that are taken, once the first has been read */
	bool skips_first; /* which is not one of the sample */
	GcPage page;	  /* the page at hand */
	bool holds;		  /* … has its answer still */
	int left;		  /* of its entities */
	GcExpander *expander; /* or of these; NULL: entities are rows */
	const GcExpansion *expansions[GC_EXPANSIONS_MAX]; /* … whose calls can be told ahead, */
	int expansion_count;							  /* … so many */
	int64 rows;										  /* handed out */
	int64 first_total;								  /* of the first page */
	bool drifted;
	bool read_all; /* to the end, for sure */
	bool ended;
	void (*on_missing)(void *arg);
	void *on_missing_arg;
};

GcPager *
gc_pager_open(GcCalls *calls, const GcResource *resource, const char *list_id, int page_size,
			  int max_ahead, const char *what)
{
	GcPager *pager = palloc0(sizeof(GcPager));

	pager->calls = calls;
	pager->resource = resource;
	pager->list_id = list_id;
	pager->what = what;
	pager->page_size = pager->page_rows = page_size;
	pager->max_ahead = max_ahead;
	pager->ahead = 1;
	pager->ring = palloc0(sizeof(Ahead) * max_ahead);
	for (int i = 0; i < max_ahead; i++)
	{
		initStringInfo(&pager->ring[i].path);
		initStringInfo(&pager->ring[i].body);
	}
	pager->next_start = pager->next_read = pager->last_page = 1;
	pager->page.total = pager->first_total = -1;
	return pager;
}

static const char *
not_read(GcPager *pager)
{
	return psprintf("could not read %s", pager->what);
}

void
gc_pager_expand(GcPager *pager, const GcExpansion *const *expansions, int count,
				const GcSift *sift)
{
	Assert(count > 0 && count <= GC_EXPANSIONS_MAX);
	/* Further calls are those in flight, then, and there may be no more of them. */
	for (int i = 0; i < count; i++)
		pager->expander = gc_expander_create(pager->calls, expansions[i],
											 i == count - 1 ? pager->max_ahead : 1,
											 not_read(pager), pager->expander);
	pager->max_ahead = 1;
	if (sift)
		gc_expander_sift(pager->expander, sift);
	for (int i = 0; i < count && sift == NULL; i++)
		pager->expansions[pager->expansion_count++] = expansions[i];
}

static Ahead *
ring_slot(GcPager *pager, int64 page)
{
	return &pager->ring[page % pager->max_ahead];
}

/* The number of the how-manyth page of the walk. */
static int64
page_number(const GcPager *pager, int64 page)
{
	return pager->sample > 0 && page > 1 ? pager->chosen[page - 1] : page;
}

/* Asks for pages until as many are on their way as are wanted. */
static void
fetch_ahead(GcPager *pager)
{
	while (pager->next_start <= pager->last_page &&
		   pager->next_start < pager->next_read + pager->ahead)
	{
		Ahead *slot = ring_slot(pager, pager->next_start);
		GcPageRequest request = {.resource = pager->resource,
								 .list_id = pager->list_id,
								 .number = page_number(pager, pager->next_start),
								 .size = pager->page_size,
								 .criteria = pager->criteria,
								 .sorts = pager->sorts};
		GcCallSpec spec;

		pager->resource->page(&request, &slot->path, &slot->body, &spec);
		slot->call = gc_call_start(pager->calls, &spec);
		pager->next_start++;
	}
}

/* Is the page as long as its own total says?  NULL, or what is wrong. */
static const char *
page_problem(GcPager *pager)
{
	GcPage *page = &pager->page;
	int64 number = page_number(pager, pager->next_read);
	int64 expected;

	if (page->total < 0)
		return "The answer does not say how many there are in all.";
	/* What later pages say of it would only shift where they begin. */
	if (pager->next_read == 1 && page->page_size > 0)
		pager->page_rows = page->page_size;
	expected = page->total - (number - 1) * pager->page_rows;
	expected = Max(0, Min(pager->page_rows, expected));
	if (page->count < expected)
		return psprintf("Page " INT64_FORMAT " has %d entities where " INT64_FORMAT
						" were expected.",
						number, page->count, expected);
	return NULL;
}

/* Chance takes its sample among so many pages; the first has been read. */
static void
choose_pages(GcPager *pager, int64 pages)
{
	BlockSamplerData sampler;

	(void) BlockSampler_Init(&sampler, pages, pager->sample,
							 pg_prng_uint32(&pg_global_prng_state));
	pager->skips_first = true;
	pager->last_page = 1;
	while (BlockSampler_HasMore(&sampler))
	{
		int64 number = (int64) BlockSampler_Next(&sampler) + 1;

		if (number == 1)
			pager->skips_first = false;
		else
			pager->chosen[pager->last_page++] = number;
	}
}

static void
note_total(GcPager *pager)
{
	GcPage *page = &pager->page;
	int64 pages = (page->total + pager->page_rows - 1) / pager->page_rows;

	if (pager->first_total < 0)
		pager->first_total = page->total;
	else if (page->total != pager->first_total)
		pager->drifted = true;
	if (pager->sample == 0)
		pager->last_page = pages;
	else if (pager->next_read == 1)
		choose_pages(pager, pages);
	while (pager->last_page > 1 && page_number(pager, pager->last_page) > pages)
		pager->last_page--;
}

/* Is the page at hand read for its total alone? */
static bool
is_skipped(const GcPager *pager)
{
	return pager->next_read == 1 && pager->skips_first;
}

/* Those that the entities of this page and of all later ones will take. */
static int64
further_calls(GcPager *pager)
{
	int64 pages = pager->last_page - (pager->next_read - 1) - is_skipped(pager);
	int64 entities = Min(pages * pager->page_rows,
						 pager->page.total - (pager->next_read - 1) * pager->page_rows);
	int64 calls = 0;

	for (int i = 0; i < pager->expansion_count; i++)
	{
		int64 shared = Min(pager->expansions[i]->entities, pager->page_rows);

		calls += Max(0, entities + shared - 1) / shared;
	}
	return calls;
}

/* A scan that would be refused at the end is refused at its beginning. */
static void
check_allowance(GcPager *pager)
{
	int64 allowance = gc_calls_allowance(pager->calls);
	int64 needed = pager->last_page - (pager->next_start - 1);

	if (pager->expander)
		needed += further_calls(pager);
	if (allowance >= 0 && needed > allowance)
		gc_calls_refuse(pager->calls, needed, not_read(pager));
}

/* The page at hand has been used up: it was worth fetching more of them. */
static void
leave_page(GcPager *pager)
{
	Ahead *slot = ring_slot(pager, pager->next_read - 1);

	if (!pager->holds)
		return;
	gc_call_free(slot->call);
	slot->call = NULL;
	pager->holds = false;
	pager->ahead = Min(pager->ahead * 2, pager->max_ahead);
}

static void
read_answer(GcPager *pager, GcCall *call)
{
	const GcEntityKind *kind = pager->resource->kind;
	const char *problem;
	const char *bytes;
	size_t len;

	if (gc_call_failure(call))
	{
		if (gc_list_is_doubted(gc_call_failure(call)) && pager->on_missing)
			pager->on_missing(pager->on_missing_arg);
		if (pager->resource->by_options)
			kind->explain(NULL, NULL, gc_call_failure(call), not_read(pager));
		gc_call_throw(call, not_read(pager), NULL);
	}
	bytes = gc_call_reply(call, &len);
	problem = gc_page_read_items(&pager->page, bytes, len, kind ? kind->items : "entities");
	if (problem == NULL && kind && kind->unpaged)
		pager->page.total = pager->page.page_size = pager->page.count;
	if (problem == NULL)
		problem = page_problem(pager);
	if (problem)
		gc_call_throw_reply(call, problem, not_read(pager), NULL);
	note_total(pager);
}

/* Makes the next page the page at hand, if there is one. */
static GcNext
read_page(GcPager *pager, bool wait)
{
	GcCall *call;

	leave_page(pager);
	if (pager->next_read > pager->last_page)
		return GC_NEXT_END;
	fetch_ahead(pager);
	call = ring_slot(pager, pager->next_read)->call;
	if (!gc_call_try(call, wait))
		return GC_NEXT_LATER;
	read_answer(pager, call);
	pager->holds = true;
	pager->left = is_skipped(pager) ? 0 : pager->page.count;
	if (pager->expander && !is_skipped(pager))
		gc_expander_page(pager->expander, &pager->page);
	if (pager->read_all)
		check_allowance(pager);
	pager->next_read++;
	return GC_NEXT_ROW;
}

/* The next row of the page at hand. */
static GcNext
page_row(GcPager *pager, bool wait, GcJson **row)
{
	if (pager->expander)
		return gc_expander_next(pager->expander, wait, row);
	if (pager->left == 0)
		return GC_NEXT_END;
	pager->left--;
	(void) gc_json_element(&pager->page.entities);
	*row = &pager->page.entities;
	return GC_NEXT_ROW;
}

GcNext
gc_pager_next(GcPager *pager, bool wait, GcJson **row)
{
	GcNext next;

	/* A page may be empty without being the last, hence "while". */
	while ((next = page_row(pager, wait, row)) == GC_NEXT_END)
	{
		GcNext page = pager->ended ? GC_NEXT_END : read_page(pager, wait);

		pager->ended = page == GC_NEXT_END;
		if (page != GC_NEXT_ROW)
			return page;
	}
	pager->rows += next == GC_NEXT_ROW;
	return next;
}

void
gc_pager_filter(GcPager *pager, const char *criteria)
{
	pager->criteria = criteria;
}

void
gc_pager_sample(GcPager *pager, int pages)
{
	pager->sample = pages;
	pager->chosen = palloc(sizeof(int64) * (pages + 1));
}

void
gc_pager_sort(GcPager *pager, const char *sorts)
{
	pager->sorts = sorts;
}

void
gc_pager_read_all(GcPager *pager)
{
	pager->read_all = true;
}

int64
gc_pager_total(const GcPager *pager)
{
	if (pager->expander && pager->resource->expansion)
		return pager->ended ? pager->rows : -1;
	return pager->page.total;
}

bool
gc_pager_has_pages(const GcPager *pager)
{
	return pager->last_page > 1;
}

GcTime
gc_pager_asked_at(GcPager *pager)
{
	return gc_call_sent_at(ring_slot(pager, pager->next_read - 1)->call);
}

bool
gc_pager_drifted(const GcPager *pager, int64 *first, int64 *last)
{
	*first = pager->first_total;
	*last = pager->page.total;
	return pager->drifted;
}

void
gc_pager_throw(GcPager *pager, const char *problem)
{
	gc_call_throw_reply(ring_slot(pager, pager->next_read - 1)->call, problem, not_read(pager),
						NULL);
}

void
gc_pager_on_missing(GcPager *pager, void (*callback)(void *arg), void *arg)
{
	pager->on_missing = callback;
	pager->on_missing_arg = arg;
}
