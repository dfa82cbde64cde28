/*
 * api/list_jobs.c
 *	  Contact lists as dialect "jobs" has them: with fields, a schema version and a status.
 *
 * They are listed, and deleted, as on the platform; a listing does not have their status and
 * their fields, which take a call for each list.  A list can be used when it answers, is
 * READY, and shows the version that was asked for (SCENARIOS A2): whoever makes or changes
 * one waits for that.
 */
#include "postgres.h"

#include "api/contact_lists.h"
#include "api/control.h"
#include "api/entity_parts.h"
#include "api/list_fields.h"
#include "api/list_jobs.h"
#include "api/list_writes.h"
#include "api/resource.h"
#include "api/url.h"
#include "base/json_pick.h"
#include "base/value.h"
#include "base/wait.h"

/* ---- until it can be used ---- */

/* What a list that is waited for was, and is to be. */
typedef struct Awaited
{
	const char *id;
	const char *shown;	 /* its name */
	const char *done;	 /* what was done to it */
	const char *again;	 /* what to do if it takes longer */
	int64 version;		 /* that it is to show, at least */
	const char *status;	 /* that it showed last; NULL: it does not answer */
	int64 shows_version; /* … and that version */
} Awaited;

static int64
version_of(const char *object)
{
	GcSpan span = gc_entity_span(object);
	char *version = gc_entity_text(&span, "schema/version");

	return version ? strtoll(version, NULL, 10) : 0;
}

static char *
status_of(const char *object)
{
	GcSpan span = gc_entity_span(object);

	return gc_entity_text(&span, "status");
}

static _Noreturn void
not_ready(const GcEntityWriter *writer, const Awaited *list)
{
	char *is = list->status
				   ? psprintf("It shows status %s and schema version " INT64_FORMAT,
							  gc_value_display(list->status, NAMEDATALEN), list->shows_version)
				   : pstrdup("It did not answer");

	ereport(
		ERROR,
		(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
		 errmsg("contact list \"%s\" %s, but cannot be used yet", list->shown, list->done),
		 errdetail("%s, when ready_timeout (%g s) was over. Its id is %s.", is,
				   writer->ready_timeout_ms / 1000.0, gc_value_display(list->id, NAMEDATALEN)),
		 errhint("%s", list->again)));
}

static _Noreturn void
in_error(const Awaited *list)
{
	ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					errmsg("contact list \"%s\" %s, and its status is ERROR", list->shown,
						   list->done),
					errdetail("Its id is %s. It takes no contacts while that is so.",
							  gc_value_display(list->id, NAMEDATALEN)),
					errhint("Look for the cause at the gateway; DELETE removes the list.")));
}

static GcCall *
ask(const GcEntityWriter *writer, const char *id)
{
	GcCallSpec spec = {.call_class = GC_CALL_SAFE,
					   .method = "GET",
					   .path = gc_entity_path(writer->kind, id, ""),
					   .endpoint = GC_JOB_LISTS_ENDPOINT,
					   .lock_ends = true};
	GcCall *call = gc_call_start(writer->calls, &spec);

	gc_call_wait(call);
	return call;
}

/* The list as an answer has it, if it can be used. */
static char *
take_usable(GcCall *call, Awaited *list, const char *failed)
{
	char *object;

	list->status = NULL;
	if (gc_call_failure(call) && !gc_list_is_not_yet(gc_call_failure(call)))
		gc_call_throw(call, failed, NULL);
	if (gc_call_failure(call))
		return NULL;
	object = gc_entity_take(call, failed);
	list->status = status_of(object);
	list->shows_version = version_of(object);
	if (list->status && strcmp(list->status, "ERROR") == 0)
		in_error(list);
	return list->status && strcmp(list->status, "READY") == 0 &&
				   list->shows_version >= list->version
			   ? object
			   : NULL;
}

static char *
wait_until_usable(const GcEntityWriter *writer, Awaited *list, bool sleep_first)
{
	char *failed =
		psprintf("contact list \"%s\" %s, but could not be read", list->shown, list->done);
	GcTime now = gc_clock_now();
	GcTime until = now + writer->ready_timeout_ms * INT64CONST(1000);
	char *object = NULL;

	for (bool first = true; object == NULL; first = false)
	{
		GcCall *call;

		if (!first || sleep_first)
			(void) gc_calls_sleep(writer->calls, Min(now + GC_LIST_POLL_US, until),
								  GC_WAIT_BACKOFF, true);
		call = ask(writer, list->id);
		now = gc_clock_now();
		object = take_usable(call, list, failed);
		gc_call_free(call);
		if (object == NULL && now >= until)
			not_ready(writer, list);
	}
	if (*writer->counted)
		gc_list_expect(writer->conn, list->id, 0);
	return object;
}

static char *
await_list(const GcEntityWriter *writer, const char *id, const char *name, char *object)
{
	bool was_made = *writer->counted;
	Awaited list = {
		.id = id,
		.shown = gc_value_display(name ? name : id, NAMEDATALEN),
		.done = was_made ? "was created" : "is there",
		.again = "Run the INSERT again later: it takes the list that is there.",
		.version = version_of(object),
	};

	return wait_until_usable(writer, &list, was_made);
}

static char *
settle_list(const GcEntityWriter *writer, const char *id, const char *name, char *object)
{
	char *status = status_of(object);
	Awaited list = {
		.id = id,
		.shown = gc_value_display(name ? name : id, NAMEDATALEN),
		.done = *writer->counted ? "was changed" : "is what it is to be",
		.again = "Run the UPDATE again later: it changes nothing twice, and waits.",
		.version = version_of(object),
	};

	if (!*writer->counted && status && strcmp(status, "READY") == 0)
		return object;
	return wait_until_usable(writer, &list, *writer->counted);
}

static void
note_list(const GcEntityWriter *writer, const char *id, const char *object)
{
	gc_list_note(writer->conn, id, object);
}

static const GcEntityKind job_list_kind = {
	.label = "contact list",
	.path = GC_JOB_LISTS_PATH,
	.listed_at = GC_LISTS_PATH,
	.listed_endpoint = GC_LISTS_PATH "/" GC_LIST_ID,
	.endpoint = GC_JOB_LISTS_ENDPOINT,
	.items = "entities",
	.version_field = "schema/version",
	.natural_key = "name",
	.filters_by_name = true,
	.listing_query = "allowEmptyResult=true",
	.unchangeable_hint = GC_FIELDS_HINT,
	.is_list = true,
	.check = gc_list_fields_check,
	.same = gc_list_fields_same,
	.combine = gc_list_fields_combine,
	.view = gc_list_fields_shown,
	.await = await_list,
	.settle = settle_list,
	.note = note_list,
	.explain = gc_list_explain,
};

/* ---- the table ---- */

static const GcExpansion list_expansion;

static const GcAttribute list_attributes[] = {
	{"id", "text", "id"},
	{"name", "text", "name", .written = GC_WRITTEN_ALWAYS},
	{"description", "text", "description", .expanded = &list_expansion,
	 .written = GC_WRITTEN_ALWAYS},
	{"division", "text"},
	{"version", "integer", "version", .expanded = &list_expansion},
	{"column_names", "text[]", "columnNames", .expanded = &list_expansion,
	 .written = GC_WRITTEN_ALWAYS},
	{"phone_columns", "jsonb", "phoneColumns", .expanded = &list_expansion,
	 .written = GC_WRITTEN_ALWAYS},
	{"email_columns", "jsonb", "emailColumns", .expanded = &list_expansion,
	 .written = GC_WRITTEN_ALWAYS},
	{"whatsapp_columns", "jsonb"},
	{"column_types", "jsonb", "columnDataTypeSpecifications", .expanded = &list_expansion,
	 .written = GC_WRITTEN_ALWAYS},
	{"attempt_limits_id", "text"},
	{"automatic_time_zone_mapping", "boolean"},
	{"zip_code_column", "text"},
	{"trim_whitespace", "boolean"},
	{"size", "bigint", "size"},
	{"status", "text", "status", .expanded = &list_expansion},
	{"import_state", "text", "importStatus/state"},
	{"import_percent", "integer", "importStatus/percentComplete"},
	{"import_failure", "text", "importStatus/failureReason"},
	{"date_created", "timestamptz", "dateCreated"},
	{"date_modified", "timestamptz", "dateModified"},
};

static bool
list_call(const GcSpan *lists, int count, StringInfo path, StringInfo body, GcCallSpec *spec)
{
	char *id = gc_entity_text(&lists[0], "id");

	if (id == NULL)
		return false;
	appendStringInfo(path, GC_JOB_LISTS_PATH "/%s", gc_url_escape(id));
	*spec = (GcCallSpec){.call_class = GC_CALL_SAFE,
						 .method = "GET",
						 .path = path->data,
						 .endpoint = GC_JOB_LISTS_ENDPOINT};
	return true;
}

/* One that is gone, or does not answer yet, is as it was listed. */
static int
list_rows(const GcSpan *lists, int count, const char *bytes, size_t len, StringInfo rows)
{
	json_t *listing = json_loadb(lists[0].p, lists[0].len, 0, NULL);
	json_t *list = bytes ? json_loadb(bytes, len, 0, NULL) : NULL;
	json_t *view = list ? gc_list_fields_view(list, listing) : NULL;
	char *json = view ? json_dumps(view, JSON_COMPACT) : NULL;

	json_decref(view);
	json_decref(list);
	json_decref(listing);
	if (json)
		appendStringInfoString(rows, json);
	else if (bytes == NULL)
		gc_json_append(rows, &lists[0]);
	free(json);
	return json || bytes == NULL ? 1 : -1;
}

static const GcExpansion list_expansion = {
	.entities = 1,
	.each = "list",
	.may_be_gone = true,
	.method = "GET",
	.endpoint = GC_JOB_LISTS_ENDPOINT,
	.call = list_call,
	.rows = list_rows,
};

const GcResource gc_job_lists = {
	.object = "contact_lists",
	.comment = "contact lists of the organisation",
	.attributes = list_attributes,
	.attribute_count = lengthof(list_attributes),
	.default_rows = 100,
	.page = gc_lists_page,
	.filters = gc_list_filters,
	.kind = &job_list_kind,
	.insert_endpoint = GC_JOB_LISTS_PATH,
	.update_endpoint = GC_JOB_LISTS_ENDPOINT,
	.delete_endpoint = GC_LISTS_PATH "/" GC_LIST_ID,
	.path_name = "listing",
	.method = "GET",
	.endpoint = GC_LISTS_PATH,
};
