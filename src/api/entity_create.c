/*
 * api/entity_create.c
 *	  Things of the API one by one, and how they are made.
 */
#include "postgres.h"

#include "api/entity_parts.h"
#include "base/wait.h"

/* How often it is looked for what a listing does not show yet. */
#define FIND_POLL_US 500000

/* A3: what is there is what is wanted, or nothing is made. */
static void
check_same(const GcEntityKind *kind, const char *there, const char *key,
		   const GcEntityChange *changes, int count)
{
	GcSpan object = gc_entity_span(kind->view ? kind->view(there) : there);
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

/* One whose name is taken, though no listing may have it for so long. */
static char *
find_taken(const GcEntityWriter *writer, const char *key, int wait_ms, const char *failed)
{
	GcTime until = gc_clock_now() + wait_ms * INT64CONST(1000);

	for (;;)
	{
		char *found = gc_entity_find(writer, writer->kind->natural_key, key, failed);
		GcTime now = gc_clock_now();

		if (found || now >= until)
			return found;
		(void) gc_calls_sleep(writer->calls, Min(now + FIND_POLL_US, until), GC_WAIT_LAG,
							  true);
	}
}

/* One that is surely there, and takes its time until it can be used, is listed by then. */
static int
wait_for_taken(const GcEntityWriter *writer, bool surely)
{
	if (surely && writer->kind->await)
		return Max(writer->ready_timeout_ms, writer->read_lag_ms);
	return writer->read_lag_ms;
}

/* What was made, by its answer; one that is to be waited for, and has no id there, is looked for. */
static char *
take_made(const GcEntityWriter *writer, GcCall *call, const char *key, const char *failed)
{
	char *made = gc_entity_take(call, failed);
	GcSpan object = gc_entity_span(made);

	if (writer->kind->await == NULL || gc_entity_id(writer->kind, &object))
		return made;
	made = key ? find_taken(writer, key, wait_for_taken(writer, true), failed) : NULL;
	if (made == NULL)
		gc_call_throw_reply(call, "The answer does not tell its id.", failed, NULL);
	return made;
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
		there = find_taken(writer, key,
						   wait_for_taken(writer, failure->cause == GC_CAUSE_NAME), failed);
	*found = there != NULL;
	if (failure && !*found)
		gc_entity_fail(writer, NULL, call, failed);
	if (failure == NULL || failure->in_doubt)
	{
		(*writer->in_doubt)--;
		gc_entity_took_effect(writer, call);
	}
	if (!*found)
		there = take_made(writer, call, key, failed);
	gc_call_free(call);
	return there;
}

static bool
has_all(const GcEntityKind *kind, const char *there, const GcEntityChange *changes, int count)
{
	GcSpan object = gc_entity_span(there);

	for (int i = 0; i < count; i++)
		if (!gc_entity_has(kind, &object, &changes[i]))
			return false;
	return true;
}

/* What is to be written to make one. */
static char *
body_of(const GcEntityWriter *writer, const GcEntityChange *changes, int count,
		const char *failed)
{
	const GcSpan nothing = {0};
	GcEntityChange *wanted = palloc(sizeof(GcEntityChange) * Max(count, 1));

	memcpy(wanted, changes, sizeof(GcEntityChange) * count);
	if (writer->kind->combine)
		wanted = writer->kind->combine(writer, &nothing, &nothing, changes, &count, failed);
	gc_entity_resolve(writer, wanted, count, failed);
	return gc_entity_edited(writer->kind, &nothing, wanted, count);
}

/* It can be used, and is as it is then; what is listed in short, as a whole. */
static char *
usable(const GcEntityWriter *writer, char *there, const char *key)
{
	GcSpan object = gc_entity_span(there);
	char *id = gc_entity_id(writer->kind, &object);

	return id && writer->kind->await ? writer->kind->await(writer, id, key, there) : there;
}

/* What is there, made what it is to be. */
static char *
brought_about(const GcEntityWriter *writer, char *there, const GcEntityChange *changes,
			  int count)
{
	GcSpan object = gc_entity_span(there);
	char *id = gc_entity_id(writer->kind, &object);
	char *written = NULL;

	if (has_all(writer->kind, there, changes, count))
		return there;
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
	char *known = NULL;
	char *there;
	bool found;

	if (kind->check)
		kind->check(writer, &object, failed);
	if (key)
		known = gc_entity_look_up(writer, key, failed);
	there = known;
	found = known != NULL;
	if (!found)
		there = make(writer, body_of(writer, changes, count, failed), key, failed, &found);
	if (found && writer->there == GC_THERE_IGNORE && !*writer->counted)
	{
		*made = false;
		return NULL;
	}
	there = usable(writer, there, key);
	if (found && writer->there == GC_THERE_UPDATE)
		there = brought_about(writer, there, changes, count);
	else if (found)
		check_same(kind, there, key, changes, count);
	*made = *writer->counted;
	object = gc_entity_span(there);
	if (there != known)
		gc_entity_remember(writer, key, there);
	gc_entity_note(writer, gc_entity_id(kind, &object), there);
	return there;
}
