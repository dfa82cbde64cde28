/*
 * api/entity_create.c
 *	  Things of the API one by one, and how they are made.
 */
#include "postgres.h"

#include "api/entity_parts.h"
#include "api/url.h"
#include "base/wait.h"

/* A listing is asked for so many at once. */
#define PAGE_SIZE 100

/* How often it is looked for what a listing does not show yet. */
#define FIND_POLL_US 500000

static GcEntityChange *
copied(const GcEntityChange *changes, int count)
{
	GcEntityChange *copy = palloc(sizeof(GcEntityChange) * Max(count, 1));

	memcpy(copy, changes, sizeof(GcEntityChange) * count);
	return copy;
}

/* The one with that natural key on a page of the listing; *last: there are no more pages. */
static char *
find_on_page(const GcEntityWriter *writer, GcCall *call, const char *key, const char *failed,
			 int number, bool *last)
{
	char *reply = gc_entity_take(call, failed);
	GcSpan object = gc_entity_span(reply);
	GcSpan items = gc_json_member(&object, writer->kind->items);
	char *pages = gc_entity_text(&object, "pageCount");
	GcJson json;
	GcSpan item;

	*last = pages == NULL || number >= atoi(pages);
	gc_json_init(&json, items.p ? items.p : "[]", items.p ? items.len : 2);
	if (!gc_json_enter(&json, '['))
		gc_call_throw_reply(call, "The answer has no entities.", failed, NULL);
	while (gc_json_element(&json) && gc_json_value(&json, &item))
	{
		char *found =
			item.type == '{' ? gc_entity_text(&item, writer->kind->natural_key) : NULL;

		if (found && strcmp(found, key) == 0)
			return pnstrdup(item.p, item.len);
	}
	return NULL;
}

static char *
page_path(const GcEntityKind *kind, const char *key, int number)
{
	StringInfoData path;

	initStringInfo(&path);
	appendStringInfo(&path, "%s?pageSize=%d&pageNumber=%d", kind->path, PAGE_SIZE, number);
	if (kind->filters_by_name)
		appendStringInfo(&path, "&filterType=Equals&%s=%s", kind->natural_key,
						 gc_url_escape(key));
	if (kind->listing_query)
		appendStringInfo(&path, "&%s", kind->listing_query);
	return path.data;
}

/* The one with that natural key; NULL: there is none. */
static char *
find(const GcEntityWriter *writer, const char *key, const char *failed)
{
	char *found = NULL;
	bool last = false;

	for (int number = 1; found == NULL && !last; number++)
	{
		GcCallSpec spec = {.call_class = GC_CALL_SAFE,
						   .method = "GET",
						   .path = page_path(writer->kind, key, number),
						   .endpoint = writer->kind->path};
		GcCall *call = gc_call_start(writer->calls, &spec);

		gc_call_wait(call);
		if (gc_call_failure(call))
			gc_call_throw(call, failed, NULL);
		found = find_on_page(writer, call, key, failed, number, &last);
		gc_call_free(call);
	}
	return found;
}

/* A3: what is there is what is wanted, or nothing is made. */
static void
check_same(const GcEntityKind *kind, const char *there, const char *key,
		   const GcEntityChange *changes, int count)
{
	GcSpan object = gc_entity_span(there);
	StringInfoData differ;

	initStringInfo(&differ);
	for (int i = 0; i < count; i++)
		if (!gc_entity_has(kind, &object, &changes[i]))
			appendStringInfo(&differ, "%s\"%s\"", differ.len ? ", " : "", changes[i].name);
	if (differ.len)
		ereport(ERROR, (errcode(ERRCODE_UNIQUE_VIOLATION),
						errmsg("%s exists and is another one", gc_entity_label(kind, key)),
						errdetail("It differs in %s.", differ.data),
						errhint("Use another name, or UPDATE the one that is there.")));
}

/* The same for a name that is taken though no listing has it yet: for a while it may not. */
static char *
find_taken(const GcEntityWriter *writer, const char *key, const char *failed)
{
	GcTime until = gc_clock_now() + writer->read_lag_ms * INT64CONST(1000);

	for (;;)
	{
		char *found = find(writer, key, failed);
		GcTime now = gc_clock_now();

		if (found || now >= until)
			return found;
		(void) gc_calls_sleep(writer->calls, Min(now + FIND_POLL_US, until), GC_WAIT_LAG,
							  true);
	}
}

/*
 * Makes it; or it is *found: somebody else was quicker, or the answer to what made it was
 * lost.
 */
static char *
make(const GcEntityWriter *writer, const char *body, const char *key, const char *failed,
	 bool *found)
{
	GcCallSpec spec = {.call_class = GC_CALL_UNSAFE,
					   .method = "POST",
					   .path = writer->kind->path,
					   .endpoint = writer->kind->path,
					   .body = body,
					   .body_len = strlen(body),
					   .in_doubt = writer->in_doubt,
					   .rows = 1};
	GcCall *call = gc_call_start(writer->calls, &spec);
	const GcFailure *failure;
	char *there = NULL;

	gc_call_wait(call);
	failure = gc_call_failure(call);
	if (failure && key && (failure->cause == GC_CAUSE_NAME || failure->in_doubt))
		there = find_taken(writer, key, failed);
	*found = there != NULL;
	if (failure && !*found)
		gc_entity_fail(writer, NULL, call, failed);
	if (failure == NULL || failure->in_doubt)
	{
		(*writer->in_doubt)--;
		gc_entity_took_effect(writer, call);
	}
	if (!*found)
		there = gc_entity_take(call, failed);
	gc_call_free(call);
	return there;
}

char *
gc_entity_create(const GcEntityWriter *writer, const GcEntityChange *changes, int count,
				 bool *made)
{
	const GcEntityKind *kind = writer->kind;
	const GcSpan nothing = {0};
	char *body = gc_entity_edited(kind, &nothing, changes, count);
	GcSpan object = gc_entity_span(body);
	char *key = gc_entity_text(&object, kind->natural_key);
	char *failed = psprintf("could not create %s", gc_entity_label(kind, key));
	char *there = NULL;
	bool found = false;
	char *id;

	if (kind->check)
		kind->check(writer, &object, failed);
	if (key)
		there = find(writer, key, failed);
	if (there == NULL)
	{
		GcEntityChange *resolved = copied(changes, count);

		gc_entity_resolve(writer, resolved, count, failed);
		there = make(writer, gc_entity_edited(kind, &nothing, resolved, count), key, failed,
					 &found);
	}
	else
		found = true;
	*made = *writer->counted;
	if (found)
		check_same(kind, there, key, changes, count);
	object = gc_entity_span(there);
	id = gc_entity_text(&object, "id");
	if (*made && id && kind->await)
		there = kind->await(writer, id, key);
	gc_entity_note(writer, id, there);
	return there;
}
