/*
 * api/import_jobs.c
 *	  What the platform shows of imports and bulk jobs, list by list.
 *
 * There is no listing of jobs: that of the contact lists has each list's one
 * import status, and each list is asked for its bulk jobs.
 */
#include "postgres.h"

#include "api/page.h"
#include "api/resource.h"
#include "api/url.h"
#include "base/json_pick.h"
#include "base/value.h"

#include "utils/timestamp.h"

#define LISTS_PATH	  "/api/v2/outbound/contactlists"
#define JOBS_ENDPOINT LISTS_PATH "/" GC_LIST_ID "/contacts/bulk/jobs"

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

	if (state->p == NULL || state->type == 'n' || gc_json_span_is(state, "Complete"))
		return "done";
	if (gc_json_span_is(state, "IN_PROGRESS") || gc_json_span_is(state, "InProgress"))
		return "running";
	if (gc_json_span_is(state, "FAILED") || gc_json_span_is(state, "Failed"))
		return "failed";
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

static GcSpan
member_of(const GcSpan *object, const char *name)
{
	return gc_pick_member(object, &name, 1);
}

/* NULL: it has none, so it is no list. */
static char *
id_of(const GcSpan *list)
{
	GcSpan id = member_of(list, "id");
	int len;

	return id.type == '"' ? gc_value_span_text(&id, &len) : NULL;
}

static bool
jobs_call(const GcSpan *list, int count, StringInfo path, StringInfo body, GcCallSpec *spec)
{
	char *list_id = id_of(list);

	if (list_id == NULL)
		return false;
	appendStringInfo(path, LISTS_PATH "/%s/contacts/bulk/jobs", gc_url_escape(list_id));
	*spec = (GcCallSpec){.call_class = GC_CALL_SAFE,
						 .method = "GET",
						 .path = path->data,
						 .endpoint = JOBS_ENDPOINT};
	return true;
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

static int
jobs_rows(const GcSpan *list, int count, const char *bytes, size_t len, StringInfo rows)
{
	GcSpan status = member_of(list, "importStatus");
	GcPage page;
	int made = 0;

	if (id_of(list) == NULL)
	{
		/* Nothing in silence: no object is a row that its reader refuses. */
		gc_json_append_comma(rows);
		appendStringInfoString(rows, "null");
		return 1;
	}
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
	.makes_rows = true,
	.entities = 1,
	.each = "contact list",
	.may_be_gone = true,
	.method = "GET",
	.endpoint = JOBS_ENDPOINT,
	.call = jobs_call,
	.rows = jobs_rows,
};

const GcResource gc_import_jobs = {
	.object = "import_jobs",
	.comment = "import jobs of the organisation",
	.attributes = job_attributes,
	.attribute_count = lengthof(job_attributes),
	.default_rows = 100,
	.page = jobs_page,
	.expansion = &jobs_expansion,
	.filters = job_filters,
	.path_name = "listing",
	.method = "GET",
	.endpoint = LISTS_PATH,
};
