/*
 * api/entity.c
 *	  Things of the API one by one, and how they are made, changed and deleted.
 */
#include "postgres.h"

#include "api/entity.h"
#include "api/url.h"
#include "base/value.h"

/* A listing is asked for so many at once. */
#define PAGE_SIZE 100

/* ---- calls ---- */

char *
gc_entity_path(const GcEntityKind *kind, const char *id, const char *rest)
{
	return psprintf("%s/%s%s", kind->path, gc_url_escape(id), rest);
}

static void
explain(const GcEntityWriter *writer, const GcCall *call, const char *failed)
{
	if (writer->kind->explain)
		writer->kind->explain(writer, gc_call_failure(call), failed);
}

/* An ended call's answer, which has to be one object. */
static char *
take_object(GcCall *call, const char *failed)
{
	size_t len;
	const char *bytes = gc_call_reply(call, &len);
	GcJson json;
	GcSpan object;

	gc_json_init(&json, bytes, len);
	if (!gc_json_value(&json, &object) || object.type != '{' || !gc_json_end(&json))
		gc_call_throw_reply(call, "The answer is not a JSON object.", failed, NULL);
	return pnstrdup(bytes, len);
}

static GcSpan
span_of(const char *object)
{
	return (GcSpan){.p = object, .len = strlen(object), .type = '{'};
}

char *
gc_entity_read(const GcEntityWriter *writer, const char *id, const char *failed)
{
	GcCallSpec spec = {.call_class = GC_CALL_SAFE,
					   .method = "GET",
					   .path = gc_entity_path(writer->kind, id, ""),
					   .endpoint = writer->kind->endpoint};
	GcCall *call = gc_call_start(writer->calls, &spec);
	char *object = NULL;

	gc_call_wait(call);
	if (gc_call_failure(call) == NULL)
		object = take_object(call, failed);
	else if (gc_call_failure(call)->cause != GC_CAUSE_NOT_FOUND)
		gc_call_throw(call, failed, NULL);
	gc_call_free(call);
	return object;
}

void
gc_entity_call(const GcEntityWriter *writer, const GcCallSpec *spec, const char *failed)
{
	GcCall *call = gc_call_start(writer->calls, spec);

	gc_call_wait(call);
	if (gc_call_failure(call))
	{
		explain(writer, call, failed);
		gc_call_throw(call, failed, NULL);
	}
	gc_call_free(call);
}

/* ---- making ---- */

/* What messages call it: campaign "x". */
static char *
label(const GcEntityKind *kind, const char *name)
{
	return name ? psprintf("%s \"%s\"", kind->label, gc_value_display(name, NAMEDATALEN))
				: pstrdup(kind->label);
}

static const char *
name_member(const GcEntityKind *kind)
{
	return kind->name_of ? kind->name_of : kind->natural_key;
}

static char *
text_at(const GcSpan *object, const char *path)
{
	GcSpan span = path ? gc_json_member(object, path) : (GcSpan){0};
	int len;

	return span.p ? gc_value_span_text(&span, &len) : NULL;
}

static char *
edited(const GcSpan *object, const GcEntityChange *changes, int count)
{
	GcJsonChange *members = palloc(sizeof(GcJsonChange) * Max(count, 1));
	StringInfoData out;

	for (int i = 0; i < count; i++)
		members[i] = changes[i].member;
	initStringInfo(&out);
	if (!gc_json_edit(&out, object, members, count))
		elog(ERROR, "could not edit a JSON object");
	return out.data;
}

/* The one with that natural key on a page of the listing; *last: there are no more pages. */
static char *
find_on_page(const GcEntityWriter *writer, GcCall *call, const char *key, const char *failed,
			 int number, bool *last)
{
	char *reply = take_object(call, failed);
	GcSpan object = span_of(reply);
	GcSpan items = gc_json_member(&object, writer->kind->items);
	char *pages = text_at(&object, "pageCount");
	GcJson json;
	GcSpan item;

	*last = pages == NULL || number >= atoi(pages);
	gc_json_init(&json, items.p ? items.p : "[]", items.p ? items.len : 2);
	if (!gc_json_enter(&json, '['))
		gc_call_throw_reply(call, "The answer has no entities.", failed, NULL);
	while (gc_json_element(&json) && gc_json_value(&json, &item))
	{
		char *found = item.type == '{' ? text_at(&item, writer->kind->natural_key) : NULL;

		if (found && strcmp(found, key) == 0)
			return pnstrdup(item.p, item.len);
	}
	return NULL;
}

static char *
page_path(const GcEntityKind *kind, const char *key, int number)
{
	if (kind->filters_by_name)
		return psprintf("%s?pageSize=%d&pageNumber=%d&filterType=Equals&%s=%s", kind->path,
						PAGE_SIZE, number, kind->natural_key, gc_url_escape(key));
	return psprintf("%s?pageSize=%d&pageNumber=%d", kind->path, PAGE_SIZE, number);
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
	GcSpan object = span_of(there);
	StringInfoData differ;

	initStringInfo(&differ);
	for (int i = 0; i < count; i++)
	{
		const char *wanted = changes[i].member.json;
		GcSpan has = gc_json_member(&object, changes[i].member.path);
		GcSpan wants = {0};
		GcJson json;

		gc_json_init(&json, wanted ? wanted : "null", wanted ? strlen(wanted) : 4);
		(void) gc_json_value(&json, &wants);
		if (!gc_json_same(&has, &wants))
			appendStringInfo(&differ, "%s\"%s\"", differ.len ? ", " : "", changes[i].name);
	}
	if (differ.len)
		ereport(ERROR, (errcode(ERRCODE_UNIQUE_VIOLATION),
						errmsg("%s exists and is another one", label(kind, key)),
						errdetail("It differs in %s.", differ.data),
						errhint("Use another name, or UPDATE the one that is there.")));
}

/* After a lost answer it is looked for, before it is made again. */
static char *
make(const GcEntityWriter *writer, const char *body, const char *failed)
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
	char *made;

	gc_call_wait(call);
	if (gc_call_failure(call))
	{
		explain(writer, call, failed);
		gc_call_throw(call, failed, NULL);
	}
	(*writer->in_doubt)--;
	made = take_object(call, failed);
	gc_call_free(call);
	return made;
}

char *
gc_entity_create(const GcEntityWriter *writer, const GcEntityChange *changes, int count,
				 bool *made)
{
	const GcEntityKind *kind = writer->kind;
	const GcSpan nothing = {0};
	char *body = edited(&nothing, changes, count);
	GcSpan object = span_of(body);
	char *key = text_at(&object, kind->natural_key);
	char *failed = psprintf("could not create %s", label(kind, key));
	char *there = NULL;
	char *id;

	if (kind->check)
		kind->check(writer, &object);
	if (key)
		there = find(writer, key, failed);
	*made = there == NULL;
	if (there)
	{
		check_same(kind, there, key, changes, count);
		return there;
	}
	there = make(writer, body, failed);
	object = span_of(there);
	id = text_at(&object, "id");
	if (id && kind->await)
		return kind->await(writer, id);
	return there;
}

/* ---- changing ---- */

static GcSpan
value_of(const char *json)
{
	GcSpan span = {0};
	GcJson cursor;

	if (json)
	{
		gc_json_init(&cursor, json, strlen(json));
		(void) gc_json_value(&cursor, &span);
	}
	return span;
}

/*
 * Is there something to change?  Throws if somebody else has changed a member meanwhile
 * that is to be changed here, to something else.
 */
static bool
check_changes(const GcEntityKind *kind, const GcSpan *seen, const GcSpan *now,
			  const GcEntityChange *changes, int count)
{
	bool any = false;

	for (int i = 0; i < count; i++)
	{
		GcSpan was = gc_json_member(seen, changes[i].member.path);
		GcSpan is = gc_json_member(now, changes[i].member.path);
		GcSpan wanted = value_of(changes[i].member.json);

		if (gc_json_same(&is, &wanted))
			continue;
		if (!gc_json_same(&was, &is))
			ereport(ERROR, (errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
							errmsg("could not update %s",
								   label(kind, text_at(now, name_member(kind)))),
							errdetail("Somebody else has changed \"%s\" since it was read.",
									  changes[i].name),
							errhint("Run it again.")));
		if (changes[i].unchangeable)
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("\"%s\" of %s cannot be changed", changes[i].name,
							label(kind, text_at(now, name_member(kind)))),
					 kind->unchangeable_hint ? errhint("%s", kind->unchangeable_hint) : 0));
		any = true;
	}
	return any;
}

/* Writes it whole; NULL: somebody else was quicker, and "last" does not have it. */
static char *
put(const GcEntityWriter *writer, const char *id, const char *body, bool last,
	const char *failed)
{
	GcCallSpec spec = {.call_class = GC_CALL_IDEMPOTENT,
					   .method = "PUT",
					   .path = gc_entity_path(writer->kind, id, ""),
					   .endpoint = writer->kind->endpoint,
					   .body = body,
					   .body_len = strlen(body),
					   .in_doubt = writer->in_doubt,
					   .rows = 1};
	GcCall *call = gc_call_start(writer->calls, &spec);
	const GcFailure *failure;
	char *written = NULL;

	gc_call_wait(call);
	failure = gc_call_failure(call);
	if (failure && (failure->cause != GC_CAUSE_VERSION || last))
	{
		explain(writer, call, failed);
		gc_call_throw(call, failed, NULL);
	}
	if (failure == NULL)
	{
		(*writer->in_doubt)--;
		written = take_object(call, failed);
	}
	gc_call_free(call);
	return written;
}

/* The PUT, of the newest version; NULL: it is gone. */
static char *
change(const GcEntityWriter *writer, const char *id, const GcSpan *seen,
	   const GcEntityChange *changes, int count, const char *failed)
{
	for (int tries = 1;; tries++)
	{
		char *now = gc_entity_read(writer, id, failed);
		GcSpan object;
		char *written;

		if (now == NULL)
			return NULL;
		object = span_of(now);
		if (!check_changes(writer->kind, seen, &object, changes, count))
			return now;
		written =
			put(writer, id, edited(&object, changes, count), tries == GC_ENTITY_TRIES, failed);
		if (written)
			return written;
	}
}

/* Those of the changes that have that turn, and how many. */
static GcEntityChange *
with_turn(const GcEntityKind *kind, const GcEntityChange *changes, int count,
		  GcEntityTurn turn, int *found)
{
	GcEntityChange *those = palloc(sizeof(GcEntityChange) * Max(count, 1));

	*found = 0;
	for (int i = 0; i < count; i++)
		if ((kind->turn ? kind->turn(&changes[i]) : GC_TURN_PUT) == turn)
			those[(*found)++] = changes[i];
	return those;
}

/* Makes the changes that have calls of their own; are there any? */
static bool
act(const GcEntityWriter *writer, const char *id, const GcEntityChange *changes, int count,
	GcEntityTurn turn, const char *failed)
{
	int found;
	GcEntityChange *those = with_turn(writer->kind, changes, count, turn, &found);

	for (int i = 0; i < found; i++)
		writer->kind->act(writer, id, &those[i], failed);
	return found > 0;
}

char *
gc_entity_update(const GcEntityWriter *writer, const char *id, const GcSpan *seen,
				 const GcEntityChange *changes, int count)
{
	const GcEntityKind *kind = writer->kind;
	char *failed =
		psprintf("could not update %s", label(kind, text_at(seen, name_member(kind))));
	int put_count;
	GcEntityChange *by_put = with_turn(kind, changes, count, GC_TURN_PUT, &put_count);
	char *written;

	(void) act(writer, id, changes, count, GC_TURN_BEFORE, failed);
	written = change(writer, id, seen, by_put, put_count, failed);
	if (written && act(writer, id, changes, count, GC_TURN_AFTER, failed))
		written = gc_entity_read(writer, id, failed);
	return written;
}

bool
gc_entity_delete(const GcEntityWriter *writer, const char *id, const char *name)
{
	char *failed = psprintf("could not delete %s", label(writer->kind, name));
	GcCallSpec spec = {.call_class = GC_CALL_IDEMPOTENT,
					   .method = "DELETE",
					   .path = gc_entity_path(writer->kind, id, ""),
					   .endpoint = writer->kind->endpoint,
					   .may_be_empty = true,
					   .in_doubt = writer->in_doubt,
					   .rows = 1};
	GcCall *call = gc_call_start(writer->calls, &spec);
	bool was_there = true;

	gc_call_wait(call);
	if (gc_call_failure(call))
	{
		was_there = false;
		if (gc_call_failure(call)->cause != GC_CAUSE_NOT_FOUND)
		{
			explain(writer, call, failed);
			gc_call_throw(call, failed, NULL);
		}
	}
	else
		(*writer->in_doubt)--;
	gc_call_free(call);
	return was_there;
}
