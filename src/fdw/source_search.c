/*
 * fdw/source_search.c
 *	  Rows from the pages of a search, or of any listing.
 */
#include "postgres.h"

#include "api/pager.h"
#include "base/option.h"
#include "base/seen.h"
#include "fdw/decode.h"
#include "fdw/source.h"

typedef struct SearchSource
{
	GcSource base;
	GcPager *pager;
	GcDecoder *decoder;
	GcSeen *seen; /* rows of more than one page; NULL: there is none */
	MemoryContext cxt;
} SearchSource;

static void
forget_list(void *arg)
{
	gc_list_forget(((SearchSource *) arg)->base.request->list);
}

static GcSource *
search_open(const GcSourceRequest *request)
{
	SearchSource *source = palloc0(sizeof(SearchSource));
	GcList *list = request->list;
	const GcExpansion *expansions[GC_EXPANSIONS_MAX];
	int expansion_count;

	source->base.ops = &gc_source_search;
	source->base.request = request;
	source->cxt = CurrentMemoryContext;
	source->decoder = gc_decoder_create(request->rel, list, request->columns);
	source->pager =
		gc_pager_open(gc_calls_open(request->conn, request->stat), request->rel->resource,
					  list ? list->id : NULL, request->page_size, request->conn->max_in_flight,
					  request->rel->label);
	gc_pager_filter(source->pager, request->criteria);
	gc_pager_sort(source->pager, request->sorts);
	expansion_count = gc_relation_expansions(request->rel, request->columns, expansions);
	if (expansion_count > 0)
		gc_pager_expand(source->pager, expansions, expansion_count, request->sift);
	if (list)
		gc_pager_on_missing(source->pager, forget_list, source);
	if (request->sample_pages > 0)
		gc_pager_sample(source->pager, request->sample_pages);
	if (request->reads_all)
		gc_pager_read_all(source->pager);
	return &source->base;
}

/* Was the row there before?  Pages shift while the list changes, so one may come again. */
static bool
is_repeated(SearchSource *source)
{
	int64 pages = source->base.request->sample_pages;
	GcSpan id = gc_decoder_id(source->decoder);

	if (source->seen == NULL && gc_pager_has_pages(source->pager))
	{
		MemoryContext caller_cxt = MemoryContextSwitchTo(source->cxt);

		source->seen = gc_seen_create(pages > 0 ? pages * source->base.request->page_size
												: gc_pager_total(source->pager));
		MemoryContextSwitchTo(caller_cxt);
	}
	return source->seen && id.p && gc_seen_note(source->seen, id.p, id.len);
}

static GcNext
search_next(GcSource *base, bool wait, Datum *values, bool *nulls)
{
	SearchSource *source = (SearchSource *) base;
	GcNext next;
	GcJson *json;

	while ((next = gc_pager_next(source->pager, wait, &json)) == GC_NEXT_ROW)
	{
		if (!gc_decoder_row(source->decoder, json, values, nulls))
			gc_pager_throw(source->pager,
						   psprintf("An entity is not a JSON object: %s.", json->error));
		if (!is_repeated(source))
			break;
	}
	return next;
}

static void
search_identify(GcSource *base, GcSourceRow *row)
{
	SearchSource *source = (SearchSource *) base;

	row->id = gc_decoder_id(source->decoder);
	row->raw = gc_decoder_raw(source->decoder);
	row->read_at = gc_pager_asked_at(source->pager);
	row->lags = true;
}

static int64
search_total(GcSource *base)
{
	return gc_pager_total(((SearchSource *) base)->pager);
}

static void
search_finish(GcSource *base)
{
	SearchSource *source = (SearchSource *) base;
	int64 first;
	int64 last;
	bool fails;
	const char *on_drift = gc_option_string(base->request->rel->options,
											base->request->rel->server_options, "on_drift");

	if (!gc_pager_drifted(source->pager, &first, &last) || strcmp(on_drift, "ignore") == 0)
		return;
	fails = strcmp(on_drift, "error") == 0;
	ereport(
		fails ? ERROR : WARNING,
		(errcode(fails ? ERRCODE_T_R_SERIALIZATION_FAILURE : ERRCODE_WARNING),
		 errmsg("%s changed while it was read", base->request->rel->label),
		 errdetail("It had " INT64_FORMAT " %s at first and " INT64_FORMAT
				   " at last: some may be missing.",
				   first, base->request->rel->resource->expansion ? "lists" : "rows", last)));
}

GcDecoder *
gc_source_search_decoder(GcSource *base)
{
	return ((SearchSource *) base)->decoder;
}

const GcSourceOps gc_source_search = {.name = "search",
									  .open = search_open,
									  .next = search_next,
									  .identify = search_identify,
									  .total = search_total,
									  .finish = search_finish};
