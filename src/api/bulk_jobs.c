/*
 * api/bulk_jobs.c
 *	  Bulk jobs of a contact list: an edit or a removal of many contacts.
 */
#include "postgres.h"

#include "api/bulk_jobs.h"
#include "api/url.h"
#include "base/json_pick.h"
#include "base/value.h"

GcCall *
gc_bulk_submit(GcCalls *calls, const GcList *list, bool edit, const char *body,
			   int64 *in_doubt, int rows)
{
	GcCallSpec spec = {.call_class = GC_CALL_UNSAFE,
					   .method = "POST",
					   .path = psprintf("/api/v2/outbound/contactlists/%s/contacts/bulk/%s",
										gc_url_escape(list->id), edit ? "update" : "remove"),
					   .endpoint = edit ? GC_BULK_EDIT : GC_BULK_REMOVE,
					   .body = body,
					   .body_len = strlen(body),
					   .rate.bulk = true,
					   .in_doubt = in_doubt,
					   .rows = rows};

	return gc_call_start(calls, &spec);
}

GcCall *
gc_bulk_look(GcCalls *calls, const GcList *list, const char *job_id)
{
	GcCallSpec spec = {.call_class = GC_CALL_SAFE,
					   .method = "GET",
					   .path =
						   psprintf("/api/v2/outbound/contactlists/%s/contacts/bulk/jobs/%s",
									gc_url_escape(list->id), gc_url_escape(job_id)),
					   .endpoint = GC_BULK_JOB};

	return gc_call_start(calls, &spec);
}

/* A text that says something; else NULL. */
static char *
text_of(const GcSpan *span)
{
	int len;

	return span->type == '"' ? gc_value_span_text(span, &len) : NULL;
}

/* A count; -1 for anything else. */
static int64
count_of(const GcSpan *span)
{
	char digits[20];

	if (span->type != '0' || span->len >= sizeof(digits))
		return -1;
	memcpy(digits, span->p, span->len);
	digits[span->len] = '\0';
	return strspn(digits, "0123456789") == span->len ? strtoll(digits, NULL, 10) : -1;
}

const char *
gc_bulk_read(GcCall *call, GcBulkJob *job)
{
	static const char *const names[][2] = {{"id"},
										   {"state"},
										   {"totalRecords"},
										   {"completedRecords"},
										   {"failureReason", "message"},
										   {"failureReason", "code"}};
	GcSpan spans[lengthof(names)];
	GcPick *pick = gc_pick_create();
	GcJson json;
	const char *bytes;
	size_t len;

	for (int i = 0; i < lengthof(names); i++)
		gc_pick_add(pick, names[i], names[i][1] ? 2 : 1, i);
	bytes = gc_call_reply(call, &len);
	gc_json_init(&json, bytes, len);
	if (!gc_pick_object(pick, &json, spans, lengthof(names)) || !gc_json_end(&json))
		return "The answer is not a JSON object.";
	job->id = text_of(&spans[0]);
	job->failed = gc_json_span_is(&spans[1], "Failed");
	job->ended = job->failed || gc_json_span_is(&spans[1], "Complete");
	job->total = count_of(&spans[2]);
	job->completed = count_of(&spans[3]);
	job->why = text_of(&spans[4]);
	job->code = text_of(&spans[5]);
	if (job->id == NULL || (!job->ended && !gc_json_span_is(&spans[1], "InProgress")))
		return "The answer is not a bulk job with its id and state.";
	/* Which a job may have no count of yet. */
	if (job->ended && (job->total < 0 || job->completed < 0))
		return "The answer does not say how many contacts the job was about.";
	return NULL;
}
