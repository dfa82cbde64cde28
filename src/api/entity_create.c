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

/* What is looked for in a listing. */
typedef struct Wanted
{
	const char *member;
	const char *value;
	const char *failed;
} Wanted;

/* The one that is wanted on a page of the listing; *last: there are no more pages. */
static char *
find_on_page(const GcEntityWriter *writer, GcCall *call, const Wanted *wanted, int number,
			 bool *last)
{
	char *reply = gc_entity_take(call, wanted->failed);
	GcSpan object = gc_entity_span(reply);
	GcSpan items = gc_json_member(&object, writer->kind->items);
	char *pages = gc_entity_text(&object, "pageCount");
	GcJson json;
	GcSpan item;

	*last = pages == NULL || number >= atoi(pages);
	gc_json_init(&json, items.p ? items.p : "[]", items.p ? items.len : 2);
	if (!gc_json_enter(&json, '['))
		gc_call_throw_reply(call, "The answer has no entities.", wanted->failed, NULL);
	while (gc_json_element(&json) && gc_json_value(&json, &item))
	{
		char *found = item.type == '{' ? gc_entity_text(&item, wanted->member) : NULL;

		if (found && strcmp(found, wanted->value) == 0)
			return pnstrdup(item.p, item.len);
	}
	return NULL;
}

static char *
page_path(const GcEntityKind *kind, const Wanted *wanted, int number)
{
	const char *separator = "?";
	StringInfoData path;

	initStringInfo(&path);
	appendStringInfoString(&path, kind->path);
	if (!kind->unpaged)
	{
		appendStringInfo(&path, "?pageSize=%d&pageNumber=%d", PAGE_SIZE, number);
		separator = "&";
	}
	if (kind->filters_by_name && strcmp(wanted->member, kind->natural_key) == 0)
		appendStringInfo(&path, "%sfilterType=Equals&%s=%s", separator, wanted->member,
						 gc_url_escape(wanted->value));
	if (kind->listing_query)
		appendStringInfo(&path, "%s%s", separator, kind->listing_query);
	return path.data;
}

char *
gc_entity_find(const GcEntityWriter *writer, const char *member, const char *value,
			   const char *failed)
{
	const Wanted wanted = {.member = member, .value = value, .failed = failed};
	char *found = NULL;
	bool last = false;

	for (int number = 1; found == NULL && !last; number++)
	{
		GcCallSpec spec = {.call_class = GC_CALL_SAFE,
						   .method = "GET",
						   .path = page_path(writer->kind, &wanted, number),
						   .endpoint = writer->kind->path};
		GcCall *call = gc_call_start(writer->calls, &spec);

		gc_call_wait(call);
		if (gc_call_failure(call))
			gc_call_throw(call, failed, NULL);
		found = find_on_page(writer, call, &wanted, number, &last);
		gc_call_free(call);
	}
	return found;
}

/* The one with that natural key; NULL: there is none. */
static char *
find(const GcEntityWriter *writer, const char *key, const char *failed)
{
	return gc_entity_find(writer, writer->kind->natural_key, key, failed);
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

/* What is there, made what it is to be. */
static char *
brought_about(const GcEntityWriter *writer, char *there, const GcEntityChange *changes,
			  int count)
{
	GcSpan object = gc_entity_span(there);
	char *id = gc_entity_id(writer->kind, &object);
	char *written = NULL;

	if (id)
		written = gc_entity_update(writer, id, &object, changes, count);
	if (written == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				 errmsg("could not update %s",
						gc_entity_label(writer->kind,
										gc_entity_text(&object, writer->kind->natural_key))),
				 errdetail(id ? "Somebody else has deleted it since it was looked up."
							  : "The listing does not tell its id."),
				 errhint("Run it again.")));
	return written;
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
	if (found && writer->there == GC_THERE_IGNORE && !*writer->counted)
	{
		*made = false;
		return NULL;
	}
	if (found && writer->there == GC_THERE_UPDATE)
		there = brought_about(writer, there, changes, count);
	else if (found)
		check_same(kind, there, key, changes, count);
	*made = *writer->counted;
	object = gc_entity_span(there);
	id = gc_entity_id(kind, &object);
	if (*made && id && kind->await)
		there = kind->await(writer, id, key);
	gc_entity_note(writer, id, there);
	return there;
}
