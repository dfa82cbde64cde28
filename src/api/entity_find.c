/*
 * api/entity_find.c
 *	  Things of the API one by one, and how they are found in a listing.
 */
#include "postgres.h"

#include "api/entity_keys.h"
#include "api/entity_parts.h"
#include "api/page.h"
#include "api/url.h"

/* A listing is asked for so many at once. */
#define PAGE_SIZE 100

/* A walk over a listing, in the order of its pages. */
typedef struct Walk
{
	const GcEntityWriter *writer;
	const char
		*member; /* what is looked for: the first with that value; NULL: all are noted */
	const char *value;
	const char *failed;
	char *found;
} Walk;

/* One of the listing; false: no more need be looked at. */
static bool
look_at(Walk *walk, const GcSpan *item)
{
	const GcEntityWriter *writer = walk->writer;
	const char *member = walk->member ? walk->member : writer->kind->natural_key;
	char *value = item->type == '{' ? gc_entity_text(item, member) : NULL;

	if (walk->member == NULL && value)
		gc_entity_keys_put(writer->keys, value, item, false);
	else if (value && strcmp(value, walk->value) == 0)
		walk->found = pnstrdup(item->p, item->len);
	if (value)
		pfree(value);
	return walk->found == NULL;
}

/* Looks through a page; *last: there are no more pages. */
static void
look_through(Walk *walk, GcCall *call, int number, bool *last)
{
	char *reply = gc_entity_take(call, walk->failed);
	GcSpan object = gc_entity_span(reply);
	GcSpan items = gc_json_member(&object, walk->writer->kind->items);
	char *pages = gc_entity_text(&object, "pageCount");
	GcJson json;
	GcSpan item;

	*last = pages == NULL || number >= atoi(pages);
	/* Taken for an empty one, it would have everything made a second time. */
	gc_json_init(&json, items.p ? items.p : "", items.p ? items.len : 0);
	if (!gc_json_enter(&json, '['))
		gc_call_throw_reply(call, gc_page_lacks(walk->writer->kind->items), walk->failed,
							NULL);
	while (gc_json_element(&json) && gc_json_value(&json, &item) && look_at(walk, &item))
		;
	pfree(reply);
}

static char *
page_path(const Walk *walk, int number)
{
	const GcEntityKind *kind = walk->writer->kind;
	const char *separator = "?";
	StringInfoData path;

	initStringInfo(&path);
	appendStringInfoString(&path, gc_entity_collection(kind));
	if (!kind->unpaged)
	{
		appendStringInfo(&path, "?pageSize=%d&pageNumber=%d", PAGE_SIZE, number);
		separator = "&";
	}
	if (kind->filters_by_name && walk->member && strcmp(walk->member, kind->natural_key) == 0)
		appendStringInfo(&path, "%sfilterType=Equals&%s=%s", separator, walk->member,
						 gc_url_escape(walk->value));
	if (kind->listing_query)
		appendStringInfo(&path, "%s%s", separator, kind->listing_query);
	return path.data;
}

static char *
go_over(Walk *walk)
{
	const GcEntityWriter *writer = walk->writer;
	bool last = false;

	for (int number = 1; walk->found == NULL && !last; number++)
	{
		GcCallSpec spec = {.call_class = GC_CALL_SAFE,
						   .method = "GET",
						   .path = page_path(walk, number),
						   .endpoint = gc_entity_collection(writer->kind)};
		GcCall *call = gc_call_start(writer->calls, &spec);

		gc_call_wait(call);
		if (gc_call_failure(call))
			gc_entity_fail(writer, NULL, call, walk->failed);
		look_through(walk, call, number, &last);
		gc_call_free(call);
	}
	return walk->found;
}

char *
gc_entity_find(const GcEntityWriter *writer, const char *member, const char *value,
			   const char *failed)
{
	return go_over(
		&(Walk){.writer = writer, .member = member, .value = value, .failed = failed});
}

char *
gc_entity_look_up(const GcEntityWriter *writer, const char *key, const char *failed)
{
	const char *member = writer->kind->natural_key;
	char *there;
	GcSpan object;
	char *its_key;

	if (writer->keys == NULL)
		return gc_entity_find(writer, member, key, failed);
	if (!gc_entity_keys_are_known(writer->keys))
		(void) go_over(&(Walk){.writer = writer, .failed = failed});
	gc_entity_keys_know(writer->keys);
	there = gc_entity_keys_get(writer->keys, key);
	if (there == NULL)
		return NULL;
	object = gc_entity_span(there);
	its_key = gc_entity_text(&object, member);
	/* Another key with the same hash */
	return its_key && strcmp(its_key, key) == 0 ? there
												: gc_entity_find(writer, member, key, failed);
}

void
gc_entity_remember(const GcEntityWriter *writer, const char *key, const char *object)
{
	GcSpan span = gc_entity_span(object);

	if (writer->keys && key)
		gc_entity_keys_put(writer->keys, key, &span, true);
}
