/*
 * import_control.c
 *	  Imports as tests see and steer them.
 */
#include <stdlib.h>

#include "errors.h"
#include "import_control.h"
#include "limit.h"
#include "things.h"

static const char *const kinds[IMPORT_KINDS] = {"upload", "presigned", "bulk", "file",
												"import"};
static const char *const states[] = {"queued", "inProgress", "completed", "failed",
									 "canceled"};

const char *
import_state_name(const Import *import)
{
	return states[import->state];
}

/* What the platform tells of a job that has ended, to whom it concerns. */
static json_t *
completion_event(const Import *import)
{
	char time[TIME_SIZE];
	json_t *event;

	sim_format_time(import->end_us, time);
	event = json_pack("{s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:s}", "eventType",
					  "outbound.contact.upload.completed", "contactListId", import->list_id,
					  "jobId", import->id, "status", states[import->state], "totalRecords",
					  (json_int_t) import->total, "successfulRecords",
					  (json_int_t) import->accepted, "failedRecords",
					  (json_int_t) (import->total - import->accepted), "timestamp", time);
	if (import->sha256[0])
		json_object_set_new(event, "sha256", json_string(import->sha256));
	return event;
}

/* Likewise of a list; its members have other names than those of the status. */
static json_t *
status_event(const Import *import)
{
	char *topic = sim_printf("v2.outbound.contactlists.%s.importstatus", import->list_id);
	json_t *body = json_pack("{s:I, s:I, s:I}", "totalRecords", (json_int_t) import->total,
							 "completedRecords", (json_int_t) import->done,
							 "percentageComplete", (json_int_t) import_percent(import));
	json_t *event = json_pack("{s:s, s:o}", "topicName", topic, "eventBody", body);

	if (import_is_active(import))
		json_object_set_new(body, "importState", json_string("IN_PROGRESS"));
	else if (import->state != IMPORT_COMPLETED)
		json_object_set_new(body, "importState", json_string("FAILED"));
	if (import->failure)
		json_object_set_new(body, "failureReason", json_string(import->failure));
	free(topic);
	return event;
}

static json_t *
show(const Import *import)
{
	json_t *shown = json_pack(
		"{s:s, s:s, s:s, s:s, s:s?, s:I, s:I, s:I, s:I, s:I, s:o, s:I, s:s, s:s, s:s, s:o, "
		"s:o, s:O, s:o}",
		"id", import->id, "listId", import->list_id, "kind", kinds[import->kind], "state",
		states[import->state], "failureReason", import->failure, "totalRecords",
		(json_int_t) import->total, "done", (json_int_t) import->done, "accepted",
		(json_int_t) import->accepted, "rejected", (json_int_t) import->rejected,
		"percentComplete", (json_int_t) import_percent(import), "hold",
		import->hold == NOT_HELD ? json_null() : json_integer(import->hold), "bytes",
		(json_int_t) import->bytes, "sha256", import->sha256, "client", import->client,
		"correlationId", import->correlation_id, "arrivedAt", limit_time(import->arrived_us),
		"endedAt", limit_time(import->end_us), "errors", import->errors, "notification",
		status_event(import));

	if (import_is_job(import) && !import_is_active(import))
		json_object_set_new(shown, "event", completion_event(import));
	return shown;
}

json_t *
imports_show(const char *list_id)
{
	json_t *all = json_array();

	for (Import *import = imports_first(); import; import = import->next)
		if (list_id == NULL || strcmp(list_id, import->list_id) == 0)
			json_array_append_new(all, show(import));
	return all;
}

void
control_imports(Request *req)
{
	const Span *list_id = request_param(req, "listId");

	reply_json(req, 200, imports_show(list_id ? list_id->p : NULL));
}

static int
find_word(const char *const *words, int n, const json_t *word)
{
	for (int i = 0; json_is_string(word) && i < n; i++)
		if (strcmp(words[i], json_string_value(word)) == 0)
			return i;
	return -1;
}

/* Stands still at so many percent, goes on, or ends as it is. */
static bool
steer(Import *import, const json_t *body)
{
	json_t *hold = json_object_get(body, "hold");
	json_t *state = json_object_get(body, "state");
	int end = find_word(states, IMPORT_CANCELED + 1, state);

	if (hold && json_is_null(hold))
		import->hold = NOT_HELD;
	else if (json_is_integer(hold))
		import->hold = json_integer_value(hold);
	else if (hold)
		return false;
	if (end > IMPORT_AT_WORK)
		import_end(import, (ImportState) end,
				   json_string_value(json_object_get(body, "failureReason")));
	return !state || end > IMPORT_AT_WORK;
}

/* Those that are active and have the id, or are of the list, or all. */
static void
steer_all(Request *req, const json_t *body)
{
	const char *id = json_string_value(json_object_get(body, "id"));
	const char *list_id = json_string_value(json_object_get(body, "listId"));
	json_int_t n = 0;
	bool good = true;

	for (Import *import = imports_first(); import; import = import->next)
	{
		if (!import_is_active(import) || (id && strcmp(id, import->id) != 0) ||
			(list_id && strcmp(list_id, import->list_id) != 0))
			continue;
		good = steer(import, body) && good;
		n++;
	}
	imports_settle();
	if (good)
		reply_json(req, 200, json_pack("{s:I}", "imports", n));
	else
		reply_error(req, 400, "bad.request",
					"hold is a number or null, state completed, failed or canceled.");
}

/* Somebody else's, which brings nothing. */
static void
begin_other(Request *req, const json_t *body)
{
	const json_t *id = json_object_get(body, "listId");
	const json_t *kind = json_object_get(body, "kind");
	int place = kind ? find_word(kinds, IMPORT_KINDS, kind) : IMPORT_UPLOAD;
	Import *import;

	if (place < 0 || !json_is_string(id) ||
		!store_find((Span){(char *) json_string_value(id), json_string_length(id)}))
	{
		reply_error(req, 404, "not.found", "listId names no list, or kind no kind.");
		return;
	}
	import = import_add(req, json_string_value(id), (ImportKind) place, rows_of_nothing(false),
						json_integer_value(json_object_get(body, "totalRecords")));
	if (!steer(import, body))
		reply_error(req, 400, "bad.request", "hold is a number or null.");
	imports_settle();
	if (req->reply.status == 0)
		reply_json(req, 200, show(import));
}

void
control_set_imports(Request *req)
{
	json_t *body = thing_body(req);

	if (body && json_object_get(body, "totalRecords"))
		begin_other(req, body);
	else if (body)
		steer_all(req, body);
	json_decref(body);
}
