/*
 * api/entity.c
 *	  Things of the API one by one, and how they are changed and deleted.
 */
#include "postgres.h"

#include "api/entity_parts.h"
#include "api/url.h"
#include "base/stat.h"
#include "base/wait.h"

#include "common/string.h"

/* How often it is looked whether somebody else's change shows. */
#define VERSION_POLL_US 500000

/* ---- calls ---- */

char *
gc_entity_path(const GcEntityKind *kind, const char *id, const char *rest)
{
	return psprintf("%s/%s%s", kind->path, gc_url_escape(id), rest);
}

const char *
gc_entity_collection(const GcEntityKind *kind)
{
	return kind->listed_at ? kind->listed_at : kind->path;
}

/* Throws a call's failure. */
void
gc_entity_fail(const GcEntityWriter *writer, const char *id, const GcCall *call,
			   const char *failed)
{
	if (writer->kind->explain)
		writer->kind->explain(writer, id, gc_call_failure(call), failed);
	gc_call_throw(call, failed, NULL);
}

/* A call was taken: the row counts as accepted, with the first one. */
void
gc_entity_took_effect(const GcEntityWriter *writer, const GcCall *call)
{
	const char *correlation_id =
		gc_call_failure(call) ? NULL : gc_call_header(call, "inin-correlation-id");

	if (correlation_id && pg_is_ascii(correlation_id))
		strlcpy(writer->correlation_id, correlation_id, GC_STAT_ID_SIZE);
	if (!*writer->counted)
		(*writer->accepted)++;
	*writer->counted = true;
}

void
gc_entity_note(const GcEntityWriter *writer, const char *id, const char *object)
{
	if (writer->kind->note && id)
		writer->kind->note(writer, id, object);
}

/* An ended call's answer, which has to be one object. */
char *
gc_entity_take(GcCall *call, const char *failed)
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

/* Of some collections nothing but the listing can be read. */
static char *
read_listed(const GcEntityWriter *writer, const char *id, const char *failed)
{
	const char *field = writer->kind->id_field;

	return gc_entity_find(writer, field ? field : "id", id, failed);
}

char *
gc_entity_read(const GcEntityWriter *writer, const char *id, const char *failed)
{
	const char *query = writer->kind->read_query;
	GcCallSpec spec = {
		.call_class = GC_CALL_SAFE,
		.method = "GET",
		.path = gc_entity_path(writer->kind, id, query ? psprintf("?%s", query) : ""),
		.endpoint = writer->kind->endpoint};
	GcCall *call;
	char *object = NULL;

	if (*writer->listed_only)
		return read_listed(writer, id, failed);
	call = gc_call_start(writer->calls, &spec);
	gc_call_wait(call);
	if (gc_call_failure(call) == NULL)
		object = gc_entity_take(call, failed);
	else if (gc_call_failure(call)->status == GC_HTTP_METHOD_NOT_ALLOWED)
	{
		*writer->listed_only = true;
		object = read_listed(writer, id, failed);
	}
	else if (gc_call_failure(call)->cause != GC_CAUSE_NOT_FOUND)
		gc_call_throw(call, failed, NULL);
	gc_call_free(call);
	return object;
}

/* Does the answer say that there is no such call, or none for us? */
static bool
is_withheld(const GcFailure *failure)
{
	return failure->cause == GC_CAUSE_NOT_FOUND || failure->cause == GC_CAUSE_NOT_OFFERED ||
		   failure->cause == GC_CAUSE_FORBIDDEN;
}

/* What it is after a change: an answer without its id says nothing of it, and it is read. */
static char *
take_changed(const GcEntityWriter *writer, const char *id, GcCall *call, const char *failed)
{
	size_t len;

	(void) gc_call_reply(call, &len);
	if (len > 0)
	{
		char *changed = gc_entity_take(call, failed);
		GcSpan object = gc_entity_span(changed);

		if (gc_entity_id(writer->kind, &object))
			return changed;
	}
	return gc_entity_read(writer, id, failed);
}

/*
 * A call that changes something, and what that is then (*now, which may be NULL); false if it
 * is withheld, and may be.
 */
static bool
run(const GcEntityWriter *writer, const char *id, const GcCallSpec *spec, bool may_be_withheld,
	char **now, const char *failed)
{
	GcCall *call = gc_call_start(writer->calls, spec);
	const GcFailure *failure;
	bool withheld;

	gc_call_wait(call);
	failure = gc_call_failure(call);
	withheld = failure && may_be_withheld && is_withheld(failure);
	if (failure && !withheld)
		gc_entity_fail(writer, id, call, failed);
	if (!withheld)
	{
		if (spec->in_doubt)
			*spec->in_doubt -= spec->rows;
		gc_entity_took_effect(writer, call);
		if (now)
			*now = take_changed(writer, id, call, failed);
	}
	gc_call_free(call);
	return !withheld;
}

char *
gc_entity_call(const GcEntityWriter *writer, const char *id, const GcCallSpec *spec,
			   const char *failed)
{
	char *now = NULL;

	(void) run(writer, id, spec, false, &now, failed);
	return now;
}

bool
gc_entity_try(const GcEntityWriter *writer, const char *id, const GcCallSpec *spec,
			  const char *failed)
{
	return run(writer, id, spec, true, NULL, failed);
}

/* ---- changing ---- */

void
gc_entity_resolve(const GcEntityWriter *writer, GcEntityChange *changes, int count,
				  const char *failed)
{
	for (int i = 0; i < count && writer->kind->resolve; i++)
		writer->kind->resolve(writer, &changes[i], failed);
}

void
gc_entity_check_change(const GcEntityKind *kind, const GcSpan *seen, const GcSpan *now,
					   const GcEntityChange *change)
{
	GcSpan was = gc_json_member(seen, change->member.path);
	GcSpan is = gc_json_member(now, change->member.path);
	const char *called = gc_entity_label(kind, gc_entity_name(kind, now));

	if (!gc_json_same(&was, &is))
		ereport(
			ERROR,
			(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE), errmsg("could not update %s", called),
			 errdetail("Somebody else has changed \"%s\" since it was read.", change->name),
			 errhint("Run it again.")));
	if (change->unchangeable)
		ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						errmsg("\"%s\" of %s cannot be changed", change->name, called),
						kind->unchangeable_hint ? errhint("%s", kind->unchangeable_hint) : 0));
}

/* Those of the changes that it does not have yet, and how many. */
static GcEntityChange *
still_to_make(const GcEntityKind *kind, const GcSpan *seen, const GcSpan *now,
			  const GcEntityChange *changes, int count, int *found)
{
	GcEntityChange *those = palloc(sizeof(GcEntityChange) * Max(count, 1));

	*found = 0;
	for (int i = 0; i < count; i++)
	{
		if (gc_entity_has(kind, now, &changes[i]))
			continue;
		if (!changes[i].merged)
			gc_entity_check_change(kind, seen, now, &changes[i]);
		those[(*found)++] = changes[i];
	}
	return those;
}

/* The body that makes these changes to an object: all of it, or they alone and its version. */
static char *
change_body(const GcEntityKind *kind, const GcSpan *object, const GcEntityChange *changes,
			int count)
{
	const GcSpan nothing = {0};
	GcSpan version = {0};
	GcEntityChange *all;
	StringInfoData json;

	if (!kind->patches)
		return gc_entity_edited(kind, object, changes, count);
	all = palloc0(sizeof(GcEntityChange) * (count + 1));
	for (int i = 0; i < count; i++)
	{
		all[i] = changes[i];
		/* What is left out of a PATCH stays. */
		if (all[i].member.json == NULL)
			all[i].member.json = "null";
	}
	if (kind->version_field)
		version = gc_json_member(object, kind->version_field);
	if (version.p == NULL)
		return gc_entity_edited(kind, &nothing, all, count);
	initStringInfo(&json);
	gc_json_append(&json, &version);
	all[count].member = (GcJsonChange){.path = kind->version_field, .json = json.data};
	return gc_entity_edited(kind, &nothing, all, count + 1);
}

/* Some take null for "leave it as it is". */
static void
check_taken_away(const GcEntityKind *kind, const char *written, const GcEntityChange *changes,
				 int count)
{
	GcSpan object = gc_entity_span(written);

	for (int i = 0; i < count && kind->patches; i++)
		if (changes[i].member.json == NULL && !gc_entity_has(kind, &object, &changes[i]))
			ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
							errmsg("\"%s\" of %s still has a value", changes[i].name,
								   gc_entity_label(kind, gc_entity_name(kind, &object))),
							errdetail("The platform took null for leaving it as it is.")));
}

/*
 * Is it enough to change it as it was seen?  The version tells if it is that no more; and
 * what is left out of the listing, if there is more to be read, no PATCH loses.
 */
static bool
may_be_changed_unread(const GcEntityWriter *writer, const GcSpan *seen)
{
	const GcEntityKind *kind = writer->kind;

	return kind->version_field && (kind->patches || *writer->listed_only) &&
		   gc_json_member(seen, kind->version_field).p;
}

/*
 * Writes it; NULL: somebody else was quicker, and "last" does not have it, or that was an
 * earlier try of the same call: then it is *doubted.
 */
static char *
put(const GcEntityWriter *writer, const char *id, const char *body, bool last, bool *doubted,
	const char *failed)
{
	GcCallSpec spec = {.call_class = GC_CALL_IDEMPOTENT,
					   .method = writer->kind->patches ? "PATCH" : "PUT",
					   .path = gc_entity_path(writer->kind, id, ""),
					   .endpoint = writer->kind->endpoint,
					   .body = body,
					   .body_len = strlen(body),
					   .may_be_empty = writer->kind->patches,
					   .in_doubt = writer->in_doubt,
					   .rows = 1};
	GcCall *call = gc_call_start(writer->calls, &spec);
	const GcFailure *failure;
	char *written = NULL;

	gc_call_wait(call);
	failure = gc_call_failure(call);
	if (failure && (failure->cause != GC_CAUSE_VERSION || last))
		gc_entity_fail(writer, id, call, failed);
	*doubted = failure && failure->in_doubt;
	if (failure == NULL)
	{
		(*writer->in_doubt)--;
		gc_entity_took_effect(writer, call);
		written = take_changed(writer, id, call, failed);
	}
	gc_call_free(call);
	return written;
}

/*
 * Reads it after it was refused.  A reading may lag behind what others have written, and would
 * be refused again: it is repeated while it has the version that was, for read_lag since the
 * first of them (*until; 0: there was none).
 */
static char *
read_newer(const GcEntityWriter *writer, const char *id, const GcSpan *refused, GcTime *until,
		   const char *failed)
{
	const char *path = writer->kind->version_field;
	GcSpan was = {0};

	if (path)
		was = gc_json_member(refused, path);
	if (*until == 0)
		*until = gc_clock_now() + writer->read_lag_ms * INT64CONST(1000);
	for (;;)
	{
		char *object = gc_entity_read(writer, id, failed);
		GcTime now = gc_clock_now();
		GcSpan read;
		GcSpan is;

		if (object == NULL || was.p == NULL)
			return object;
		read = gc_entity_span(object);
		is = gc_json_member(&read, path);
		if (!gc_json_same(&was, &is))
		{
			*until = 0;
			return object;
		}
		if (now >= *until)
			return object;
		(void) gc_calls_sleep(writer->calls, Min(now + VERSION_POLL_US, *until), GC_WAIT_LAG,
							  true);
	}
}

char *
gc_entity_put(const GcEntityWriter *writer, const char *id, const GcSpan *seen, char *now,
			  const GcEntityChange *changes, int count, const char *failed)
{
	bool doubted = false;
	GcSpan object = {0};
	GcTime until = 0;

	for (int tries = 1;; tries++)
	{
		const GcEntityChange *wanted = changes;
		int wanted_count = count;
		GcEntityChange *those;
		char *written;
		int found;

		if (tries > 1)
			now = read_newer(writer, id, &object, &until, failed);
		else if (now == NULL && may_be_changed_unread(writer, seen))
			now = pnstrdup(seen->p, seen->len);
		else if (now == NULL)
			now = gc_entity_read(writer, id, failed);
		/* What it is now says whether that took effect. */
		*writer->in_doubt -= doubted;
		if (now == NULL)
			return NULL;
		object = gc_entity_span(now);
		if (writer->kind->combine)
			wanted =
				writer->kind->combine(writer, seen, &object, changes, &wanted_count, failed);
		those = still_to_make(writer->kind, seen, &object, wanted, wanted_count, &found);
		if (found == 0)
			return now;
		gc_entity_resolve(writer, those, found, failed);
		written = put(writer, id, change_body(writer->kind, &object, those, found),
					  tries == GC_ENTITY_TRIES, &doubted, failed);
		if (written)
		{
			check_taken_away(writer->kind, written, those, found);
			return gc_entity_with_shown(writer->kind, written, &object);
		}
	}
}

/* Those of the changes that have that turn, and how many. */
static GcEntityChange *
with_turn(const GcEntityWriter *writer, const GcEntityChange *changes, int count,
		  GcEntityTurn turn, int *found)
{
	const GcEntityKind *kind = writer->kind;
	GcEntityChange *those = palloc(sizeof(GcEntityChange) * Max(count, 1));

	*found = 0;
	for (int i = 0; i < count; i++)
		if ((kind->turn ? kind->turn(writer, &changes[i]) : GC_TURN_PUT) == turn)
			those[(*found)++] = changes[i];
	return those;
}

/* Makes the changes that have calls of their own, and that turn. */
static char *
act(const GcEntityWriter *writer, const char *id, const GcSpan *seen, char *now,
	const GcEntityChange *changes, int count, const char *failed)
{
	for (int i = 0; i < count; i++)
	{
		const GcEntityKind *kind = writer->kind;
		bool unread = kind->acts_unread && kind->acts_unread(&changes[i]);

		if (now == NULL && !unread)
			now = gc_entity_read(writer, id, failed);
		if (now || unread)
			now = kind->act(writer, id, seen, now, &changes[i], failed);
		if (now == NULL)
			break;
	}
	return now;
}

char *
gc_entity_apply(const GcEntityWriter *writer, const char *id, const GcSpan *seen, char *now,
				const GcEntityChange *changes, int count, const char *failed)
{
	for (GcEntityTurn turn = GC_TURN_FIRST; turn <= GC_TURN_AFTER; turn++)
	{
		int found;
		GcEntityChange *those = with_turn(writer, changes, count, turn, &found);

		if (turn == GC_TURN_PUT && (found > 0 || count == 0))
			now = gc_entity_put(writer, id, seen, now, those, found, failed);
		else if (turn != GC_TURN_PUT && found > 0)
			now = act(writer, id, seen, now, those, found, failed);
		else
			continue;
		if (now == NULL)
			return NULL;
	}
	return now;
}

char *
gc_entity_update(const GcEntityWriter *writer, const char *id, const GcSpan *seen,
				 const GcEntityChange *changes, int count)
{
	const GcEntityKind *kind = writer->kind;
	char *name = gc_entity_name(kind, seen);
	char *failed = psprintf("could not update %s", gc_entity_label(kind, name));
	char *written = gc_entity_apply(writer, id, seen, NULL, changes, count, failed);

	if (written && kind->settle)
		written = kind->settle(writer, id, name, written);
	gc_entity_note(writer, id, written);
	return written;
}

bool
gc_entity_delete(const GcEntityWriter *writer, const char *id, const GcSpan *seen)
{
	const GcEntityKind *kind = writer->kind;
	char *name = gc_entity_name(kind, seen);
	char *failed = psprintf("could not delete %s", gc_entity_label(kind, name ? name : id));
	GcCallSpec spec = {.call_class = GC_CALL_IDEMPOTENT,
					   .method = "DELETE",
					   .path =
						   psprintf("%s/%s", gc_entity_collection(kind), gc_url_escape(id)),
					   .endpoint = kind->listed_at ? kind->listed_endpoint : kind->endpoint,
					   .may_be_empty = true,
					   .in_doubt = writer->in_doubt,
					   .rows = 1};
	GcCall *call = gc_call_start(writer->calls, &spec);
	bool gone;
	bool was_there;

	gc_call_wait(call);
	gone = gc_call_failure(call) && gc_call_failure(call)->cause == GC_CAUSE_NOT_FOUND;
	if (gc_call_failure(call) && !gone)
		gc_entity_fail(writer, id, call, failed);
	/* An answer that was lost, then "not found": it was this call that deleted it. */
	was_there = !gone || gc_call_doubted(call) != 0;
	if (was_there)
	{
		(*writer->in_doubt)--;
		gc_entity_took_effect(writer, call);
	}
	gc_call_free(call);
	gc_entity_note(writer, id, NULL);
	return was_there;
}
