/*
 * api/import_jobs.c
 *	  What the platform shows of imports and bulk jobs, list by list.
 *
 * There is no listing of jobs: that of the contact lists has each list's one
 * import status, and each list is asked for its bulk jobs; in dialect "jobs", where
 * a list has no such status, for its queue.
 */
#include "postgres.h"

#include "api/import_jobs.h"
#include "api/page.h"
#include "api/resource.h"
#include "api/url.h"
#include "base/json_pick.h"
#include "base/value.h"

#include "utils/timestamp.h"

#define LISTS_PATH	   "/api/v2/outbound/contactlists"
#define QUEUE_ENDPOINT LISTS_PATH "/" GC_LIST_ID "/contacts/import"
#define JOBS_ENDPOINT  LISTS_PATH "/" GC_LIST_ID "/contacts/bulk/jobs"

static GcImportFinder find_import = NULL;

void
gc_import_jobs_init(GcImportFinder finder)
{
	find_import = finder;
}

/* ---- columns: of a row {"id", "listId", "listName", "job": as the platform has it} ---- */

static const char *
derive_kind(const GcSpan *type)
{
	int len;

	if (type->p == NULL)
		return "import";
	if (gc_json_span_is(type, "BulkEdit"))
		return "bulk edit";
	if (gc_json_span_is(type, "BulkDelete"))
		return "bulk delete";
	return gc_value_span_text(type, &len);
}

/* Imports and bulk jobs have words of their own; an import that has succeeded has none. */
static const char *
derive_state(const GcSpan *state)
{
	int len;

	static const struct
	{
		const char *word;
		const char *state;
	} states[] = {{"Complete", "done"},		  {"completed", "done"},
				  {"IN_PROGRESS", "running"}, {"InProgress", "running"},
				  {"inProgress", "running"},  {"FAILED", "failed"},
				  {"Failed", "failed"},		  {"canceled", "cancelled"}};

	if (state->p == NULL || state->type == 'n')
		return "done";
	for (int i = 0; i < lengthof(states); i++)
		if (gc_json_span_is(state, states[i].word))
			return states[i].state;
	return gc_value_span_text(state, &len);
}

/* A code, or an object with a message and a code. */
static const char *
derive_failure(const GcSpan *reason)
{
	static const char *const message_path = "message";
	static const char *const code_path = "code";
	GcSpan message_span = gc_pick_member(reason, &message_path, 1);
	GcSpan code_span = gc_pick_member(reason, &code_path, 1);
	int len;
	const char *message;
	const char *code;

	if (reason->type != '{')
		return gc_value_span_text(reason, &len);
	message = gc_value_span_text(&message_span, &len);
	code = gc_value_span_text(&code_span, &len);
	if (message && code)
		return psprintf("%s (%s)", message, code);
	return message ? message : code;
}

static GcSpan
member_of(const GcSpan *object, const char *name)
{
	return gc_pick_member(object, &name, 1);
}

/* Ours, of a whole row; the import status of a list has no id but that of the list. */
static const char *
derive_import(const GcSpan *row)
{
	GcSpan list_id = member_of(row, "listId");
	GcSpan job = member_of(row, "job");
	GcSpan id = member_of(&job, "id");
	GcSpan type = member_of(&job, "type");
	GcSpan total = member_of(&job, "totalRecords");
	int len;
	int64 import;

	if (find_import == NULL || type.p != NULL)
		return NULL;
	import = find_import(gc_value_span_text(&list_id, &len),
						 id.p ? gc_value_span_text(&id, &len) : NULL,
						 total.p ? strtoll(total.p, NULL, 10) : -1);
	return import ? psprintf(INT64_FORMAT, import) : NULL;
}

static const GcAttribute job_attributes[] = {
	{"list_id", "text", "listId"},
	{"list_name", "text", "listName"},
	{"job_id", "text", "job/id"},
	{"kind", "text", "job/type", .derive = derive_kind},
	{"state", "text", "job/state", .derive = derive_state},
	{"total", "bigint", "job/totalRecords"},
	{"completed", "bigint", "job/completedRecords"},
	{"failed", "bigint", "job/failedRecords"},
	{"percent", "integer", "job/percentComplete"},
	{"failure_reason", "text", "job/failureReason", .derive = derive_failure},
	{"import_id", "bigint", "", .derive = derive_import},
	{"seen_at", "timestamptz", "seenAt"},
};

static const GcListingFilter job_filters[] = {
	{"list_id", "id", GC_LISTING_MAX_IDS},
	{"list_name", "name", 1, .by_name = true},
	{NULL},
};

static void
jobs_page(const GcPageRequest *request, StringInfo path, StringInfo body, GcCallSpec *spec)
{
	resetStringInfo(path);
	appendStringInfo(path,
					 LISTS_PATH "?pageSize=%d&pageNumber=" INT64_FORMAT
								"&allowEmptyResult=true&includeImportStatus=true"
								"&sortBy=name&sortOrder=ascending",
					 request->size, request->number);
	if (request->criteria)
		appendStringInfo(path, "&%s", request->criteria);
	*spec = (GcCallSpec){.call_class = GC_CALL_SAFE,
						 .method = "GET",
						 .path = path->data,
						 .endpoint = LISTS_PATH};
}

/* ---- rows ---- */

/* NULL: it has none, so it is no list. */
static char *
id_of(const GcSpan *list)
{
	GcSpan id = member_of(list, "id");
	int len;

	return id.type == '"' ? gc_value_span_text(&id, &len) : NULL;
}

static bool
list_call(const GcSpan *list, const char *format, const char *endpoint, StringInfo path,
		  GcCallSpec *spec)
{
	char *list_id = id_of(list);

	if (list_id == NULL)
		return false;
	appendStringInfo(path, LISTS_PATH "/%s/contacts/%s", gc_url_escape(list_id), format);
	*spec = (GcCallSpec){
		.call_class = GC_CALL_SAFE, .method = "GET", .path = path->data, .endpoint = endpoint};
	return true;
}

static bool
jobs_call(const GcSpan *list, int count, StringInfo path, StringInfo body, GcCallSpec *spec)
{
	return list_call(list, "bulk/jobs", JOBS_ENDPOINT, path, spec);
}

static bool
queue_call(const GcSpan *list, int count, StringInfo path, StringInfo body, GcCallSpec *spec)
{
	return list_call(list, "import", QUEUE_ENDPOINT, path, spec);
}

static void
append_member(StringInfo rows, const char *name, const GcSpan *value)
{
	if (value->p == NULL)
		return;
	gc_json_append_comma(rows);
	appendStringInfo(rows, "\"%s\":", name);
	gc_json_append(rows, value);
}

/* Its id tells a row from others, should pages shift: a list has one import, which has none. */
static void
append_job(StringInfo rows, const GcSpan *list, const GcSpan *job)
{
	GcSpan id = member_of(job, "id");
	GcSpan list_id = member_of(list, "id");
	GcSpan name = member_of(list, "name");

	gc_json_append_comma(rows);
	appendStringInfoChar(rows, '{');
	append_member(rows, "id", id.p ? &id : &list_id);
	append_member(rows, "listId", &list_id);
	append_member(rows, "listName", &name);
	append_member(rows, "job", job);
	gc_json_append_comma(rows);
	appendStringInfo(rows, "\"seenAt\":\"%s\"}", timestamptz_to_str(GetCurrentTimestamp()));
}

/* One that is at work, has failed, or came to its end; a list without any has a status, too. */
static bool
is_import(const GcSpan *status)
{
	GcSpan state = member_of(status, "state");
	GcSpan percent = member_of(status, "percentComplete");

	return (state.p != NULL && state.type == '"') || gc_json_span_is(&percent, "100");
}

/* Nothing in silence: no object is a row that its reader refuses. */
static int
no_list(StringInfo rows)
{
	gc_json_append_comma(rows);
	appendStringInfoString(rows, "null");
	return 1;
}

static int
jobs_rows(const GcSpan *list, int count, const char *bytes, size_t len, StringInfo rows)
{
	GcSpan status = member_of(list, "importStatus");
	GcPage page;
	int made = 0;

	if (id_of(list) == NULL)
		return no_list(rows);
	if (is_import(&status))
	{
		append_job(rows, list, &status);
		made++;
	}
	if (bytes == NULL)
		return made;
	if (gc_page_read(&page, bytes, len) != NULL)
		return -1;
	while (gc_json_element(&page.entities))
	{
		GcSpan job;

		(void) gc_json_value(&page.entities, &job);
		append_job(rows, list, &job);
		made++;
	}
	return made;
}

static const GcExpansion jobs_expansion = {
	.of = &gc_contact_lists,
	.entities = 1,
	.each = "contact list",
	.may_be_gone = true,
	.method = "GET",
	.endpoint = JOBS_ENDPOINT,
	.call = jobs_call,
	.rows = jobs_rows,
};

/* ---- the queue ---- */

static int64
number_of(const GcSpan *job, const char *name)
{
	GcSpan span = member_of(job, name);

	return span.p && span.type == '0' ? strtoll(span.p, NULL, 10) : -1;
}

/* A job of the queue, as the platform would have it. */
static void
append_queued(StringInfo rows, const GcSpan *list, const GcSpan *queued)
{
	GcSpan id = member_of(queued, "jobId");
	GcSpan state = member_of(queued, "status");
	GcSpan total = member_of(queued, "totalRecords");
	GcSpan successful = member_of(queued, "successfulRecords");
	GcSpan failed = member_of(queued, "failedRecords");
	int64 over = number_of(queued, "successfulRecords") + number_of(queued, "failedRecords");
	StringInfoData job;

	initStringInfo(&job);
	appendStringInfoChar(&job, '{');
	append_member(&job, "id", &id);
	append_member(&job, "state", &state);
	append_member(&job, "totalRecords", &total);
	append_member(&job, "completedRecords", &successful);
	append_member(&job, "failedRecords", &failed);
	if (number_of(queued, "totalRecords") > 0 && over >= 0)
	{
		gc_json_append_comma(&job);
		appendStringInfo(&job, "\"percentComplete\":" INT64_FORMAT,
						 Min(over * 100 / number_of(queued, "totalRecords"), 100));
	}
	appendStringInfoChar(&job, '}');
	append_job(rows, list, &(GcSpan){.p = job.data, .len = job.len, .type = '{'});
	pfree(job.data);
}

static int
queue_rows(const GcSpan *list, int count, const char *bytes, size_t len, StringInfo rows)
{
	GcSpan answer = {.p = bytes, .len = len, .type = '{'};
	GcSpan statuses;
	GcJson json;
	int made = 0;

	if (id_of(list) == NULL)
		return no_list(rows);
	if (bytes == NULL)
		return 0;
	statuses = member_of(&answer, "jobStatuses");
	if (statuses.p == NULL || statuses.type != '[')
		return -1;
	gc_json_init(&json, statuses.p, statuses.len);
	(void) gc_json_enter(&json, '[');
	while (gc_json_element(&json))
	{
		GcSpan queued;

		if (!gc_json_value(&json, &queued) || queued.type != '{')
			return -1;
		append_queued(rows, list, &queued);
		made++;
	}
	return made;
}

static const GcExpansion queue_expansion = {
	.of = &gc_contact_lists,
	.entities = 1,
	.each = "contact list",
	.may_be_gone = true,
	.method = "GET",
	.endpoint = QUEUE_ENDPOINT,
	.call = queue_call,
	.rows = queue_rows,
};

/* ---- the tables ---- */

#define JOBS_TABLE                                                                            \
	.object = "import_jobs", .comment = "import jobs of the organisation",                    \
	.attributes = job_attributes, .attribute_count = lengthof(job_attributes),                \
	.default_rows = 100, .page = jobs_page, .filters = job_filters, .path_name = "listing",   \
	.method = "GET", .endpoint = LISTS_PATH

const GcResource gc_import_jobs = {JOBS_TABLE, .expansion = &jobs_expansion};
const GcResource gc_import_queues = {JOBS_TABLE, .expansion = &queue_expansion};
