/*
 * api/jobs.c
 *	  Contacts handed to the platform as a job, and what becomes of it (SCENARIOS L).
 */
#include "postgres.h"

#include "api/control.h"
#include "api/jobs.h"
#include "api/list_shape.h"
#include "api/resource.h"
#include "api/url.h"
#include "base/json_pick.h"
#include "base/value.h"

#include "common/string.h"

#define LIST	"/api/v2/outbound/lists/{listId}"
#define CONTACT "/api/v2/outbound/contactlists/" GC_LIST_ID "/contacts"

/* ---- bodies ---- */

void
gc_job_body_begin(GcImportForm form, StringInfo body)
{
	resetStringInfo(body);
	appendStringInfoString(body, form == GC_IMPORT_APPEND ? "[" : "{\"contacts\":[");
}

void
gc_job_body_add(GcImportForm form, StringInfo body, const char *id, const char *cells, int len)
{
	gc_json_append_comma(body);
	appendStringInfoString(body,
						   form == GC_IMPORT_APPEND ? "{\"contactId\":\"" : "{\"id\":\"");
	gc_json_escape(body, id, strlen(id));
	appendStringInfoChar(body, '"');
	if (form == GC_IMPORT_APPEND)
	{
		if (len > 0)
			appendStringInfoChar(body, ',');
		appendBinaryStringInfo(body, cells, len);
	}
	else
	{
		appendStringInfoString(body, ",\"data\":{");
		appendBinaryStringInfo(body, cells, len);
		appendStringInfoChar(body, '}');
	}
	appendStringInfoChar(body, '}');
}

void
gc_job_body_end(GcImportForm form, StringInfo body, const GcJobWishes *wishes)
{
	appendStringInfoChar(body, ']');
	if (form != GC_IMPORT_APPEND)
		appendStringInfo(body, ",\"duplicateDetection\":\"%s\",\"formatVerification\":\"%s\"}",
						 wishes->on_duplicate, wishes->verification);
}

/* ---- submitting ---- */

GcJobOutcome
gc_job_outcome(const GcFailure *failure)
{
	switch (failure->cause)
	{
		case GC_CAUSE_LOCKED:
			return GC_JOB_NOT_READY;
		case GC_CAUSE_JOBS:
			return GC_JOB_TOO_MANY;
		case GC_CAUSE_TOO_LARGE:
			return GC_JOB_TOO_LARGE;
		default:
			return failure->in_doubt ? GC_JOB_IN_DOUBT : GC_JOB_TAKEN;
	}
}

static GcSpan
member(const GcSpan *object, const char *name)
{
	return gc_pick_member(object, &name, 1);
}

char *
gc_job_id(const char *bytes, size_t len)
{
	GcSpan answer = {.p = bytes, .len = len, .type = '{'};
	GcSpan span = member(&answer, "jobId");
	char *id = gc_value_span_words(&span);

	/* It is kept in a table, asked for, and compared with those of the queue. */
	return id && pg_is_ascii(id) && strlen(id) < sizeof(((GcJob *) NULL)->id) ? id : NULL;
}

GcJobOutcome
gc_job_submit(GcCalls *calls, GcImportForm form, const char *list_id, const StringInfo body,
			  const char *message, GcJobTicket *ticket)
{
	bool append = form == GC_IMPORT_APPEND;
	const char *list = gc_url_escape(list_id);
	GcCallSpec spec = {
		.call_class = GC_CALL_UNSAFE,
		.method = "POST",
		.path = append ? psprintf("/api/v2/outbound/lists/%s/contacts/bulk?mode=append", list)
					   : psprintf("/api/v2/outbound/contactlists/%s/contacts/import", list),
		.endpoint = append ? LIST "/contacts/bulk" : CONTACT "/import",
		.body = body->data,
		.body_len = body->len,
		.rate.bulk = true,
		.lock_ends = true};
	GcCall *call = gc_call_start(calls, &spec);
	const char *bytes;
	const char *correlation_id;
	size_t len;

	gc_call_wait(call);
	if (gc_call_failure(call))
	{
		GcJobOutcome outcome = gc_job_outcome(gc_call_failure(call));

		if (outcome == GC_JOB_TAKEN)
			gc_call_throw(call, message, NULL);
		gc_call_free(call);
		return outcome;
	}
	bytes = gc_call_reply(call, &len);
	ticket->job_id = gc_job_id(bytes, len);
	correlation_id = gc_call_header(call, "inin-correlation-id");
	ticket->correlation_id = correlation_id ? pstrdup(correlation_id) : NULL;
	gc_call_free(call);
	return ticket->job_id ? GC_JOB_TAKEN : GC_JOB_IN_DOUBT;
}

/* ---- what becomes of them ---- */

static int64
number(const GcSpan *object, const char *name)
{
	GcSpan span = member(object, name);

	return span.p && span.type == '0' ? strtoll(span.p, NULL, 10) : -1;
}

static GcJobState
state_of(const GcSpan *word)
{
	static const struct
	{
		const char *word;
		GcJobState state;
	} states[] = {{"completed", GC_JOB_COMPLETED},
				  {"failed", GC_JOB_FAILED},
				  {"canceled", GC_JOB_CANCELLED},
				  {"cancelled", GC_JOB_CANCELLED}};

	for (int i = 0; i < lengthof(states); i++)
		if (word->p && strlen(states[i].word) == word->len &&
			pg_strncasecmp(states[i].word, word->p, word->len) == 0)
			return states[i].state;
	return GC_JOB_ACTIVE;
}

static void
read_job(const GcSpan *object, GcJob *job)
{
	GcSpan id = member(object, "jobId");
	GcSpan state = member(object, "status");

	memset(job, 0, sizeof(*job));
	if (id.p && id.type == '"')
		strlcpy(job->id, id.p, Min(id.len + 1, sizeof(job->id)));
	job->state = state_of(&state);
	job->total = number(object, "totalRecords");
	job->successful = number(object, "successfulRecords");
	job->failed = number(object, "failedRecords");
}

static const char *
string_member(const GcSpan *object, const char *name)
{
	GcSpan span = member(object, name);

	return gc_value_span_words(&span);
}

static void
take_errors(const GcSpan *object, void (*take)(void *arg, const GcJobError *error), void *arg)
{
	GcSpan errors = member(object, "errors");
	GcJson json;

	gc_json_init(&json, errors.p, errors.p ? errors.len : 0);
	if (errors.p == NULL || errors.type != '[' || !gc_json_enter(&json, '['))
		return;
	while (gc_json_element(&json))
	{
		GcSpan one;
		GcJobError error;

		if (!gc_json_value(&json, &one) || one.type != '{')
			return;
		error.row = Max(number(&one, "row"), 0);
		error.contact_id = string_member(&one, "contactId");
		error.field = string_member(&one, "field");
		error.message = string_member(&one, "message");
		take(arg, &error);
	}
}

/* Runs a call that reads; NULL: it passes by itself, or there is no such thing: *gone. */
static GcCall *
read_call(GcCalls *calls, const char *path, const char *endpoint, const char *what, bool *gone)
{
	GcCall *call = gc_call_start(calls, &(GcCallSpec){.call_class = GC_CALL_SAFE,
													  .method = "GET",
													  .path = path,
													  .endpoint = endpoint});
	const GcFailure *failure;

	gc_call_wait(call);
	failure = gc_call_failure(call);
	*gone = failure && failure->cause == GC_CAUSE_NOT_FOUND;
	if (failure == NULL)
		return call;
	if (!*gone && !gc_failure_passes(failure))
		gc_call_throw(call, psprintf("could not read the jobs of %s", what), NULL);
	gc_call_free(call);
	return NULL;
}

GcJobLook
gc_job_get(GcCalls *calls, const char *list_id, const char *job_id, const char *what,
		   GcJob *job, void (*take)(void *arg, const GcJobError *error), void *arg)
{
	const char *id = gc_url_escape(job_id);
	GcSpan object = {.type = '{'};
	size_t len;
	bool gone;
	GcCall *call = read_call(calls, psprintf("/api/v2/outbound/jobs/%s", id),
							 "/api/v2/outbound/jobs/{jobId}", what, &gone);

	/* The queue may know it still, or know it by another name. */
	if (gone)
		call = read_call(calls,
						 psprintf("/api/v2/outbound/contactlists/%s/contacts/import/%s",
								  gc_url_escape(list_id), id),
						 CONTACT "/import/{jobId}", what, &gone);
	if (call == NULL)
		return gone ? GC_JOB_GONE : GC_JOB_UNSEEN;
	object.p = gc_call_reply(call, &len);
	object.len = len;
	read_job(&object, job);
	if (job->state != GC_JOB_ACTIVE)
		take_errors(&object, take, arg);
	gc_call_free(call);
	return GC_JOB_SEEN;
}

bool
gc_job_queue(GcCalls *calls, const char *list_id, const char *what,
			 void (*visit)(void *arg, const GcJob *job), void *arg)
{
	GcSpan object = {.type = '{'};
	GcSpan statuses;
	GcJson json;
	size_t len;
	bool gone;
	GcCall *call = read_call(
		calls,
		psprintf("/api/v2/outbound/contactlists/%s/contacts/import", gc_url_escape(list_id)),
		CONTACT "/import", what, &gone);

	if (call == NULL)
		return gone;
	object.p = gc_call_reply(call, &len);
	object.len = len;
	statuses = member(&object, "jobStatuses");
	gc_json_init(&json, statuses.p, statuses.p ? statuses.len : 0);
	if (statuses.p && statuses.type == '[' && gc_json_enter(&json, '['))
		while (gc_json_element(&json))
		{
			GcSpan one;
			GcJob job;

			if (!gc_json_value(&json, &one) || one.type != '{')
				break;
			read_job(&one, &job);
			visit(arg, &job);
		}
	gc_call_free(call);
	return true;
}

static GcList *
read_list(GcCall *call, const char *message)
{
	GcList *list = gc_list_from_fields(gc_control_json(call, message));

	if (list == NULL)
		gc_call_throw_reply(call, "The answer has no fields.", message, NULL);
	return list;
}

GcListStatus
gc_job_list_status(GcCalls *calls, const char *list_id, const char *what, GcList **list)
{
	GcSpan object = {.type = '{'};
	GcSpan status;
	GcListStatus result = GC_LIST_READY;
	size_t len;
	bool gone;
	GcCall *call =
		read_call(calls, psprintf("/api/v2/outbound/lists/%s", gc_url_escape(list_id)), LIST,
				  what, &gone);

	if (list)
		*list = NULL;
	/* Whoever sends to one that is gone is told so. */
	if (call == NULL)
		return gone ? GC_LIST_READY : GC_LIST_PROCESSING;
	object.p = gc_call_reply(call, &len);
	object.len = len;
	status = member(&object, "status");
	if (gc_json_span_is(&status, "PROCESSING"))
		result = GC_LIST_PROCESSING;
	else if (gc_json_span_is(&status, "ERROR"))
		result = GC_LIST_ERROR;
	if (list && result == GC_LIST_READY)
		*list = read_list(call, psprintf("could not read the fields of %s", what));
	gc_call_free(call);
	return result;
}
