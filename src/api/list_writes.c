/*
 * api/list_writes.c
 *	  Contact lists as they are made, changed and deleted.
 *
 * A list can be used a moment after it was made (SCENARIOS A2), and its columns are fixed
 * from then on; the rest of it is changed as that of all other things (api/entity.h).
 */
#include "postgres.h"

#include "api/contact_lists.h"
#include "api/control.h"
#include "api/entity_parts.h"
#include "api/list_writes.h"
#include "api/resource.h"
#include "api/url.h"
#include "base/nearest.h"
#include "base/value.h"
#include "base/wait.h"

#define DIVISIONS_PATH "/api/v2/authorization/divisions"
#define CAMPAIGNS_PATH "/api/v2/outbound/campaigns"

/* Divisions, or campaigns, that are asked for at once. */
#define PAGE_SIZE 100

#define FIXED_HINT                                                                            \
	"The columns of a contact list are fixed: make a new list with the columns wanted, or "   \
	"leave the column out of the table."

/* ---- what there is already ---- */

static const char *
column_name(json_t *column)
{
	const char *name = json_string_value(json_object_get(column, "columnName"));

	return name ? name : "";
}

/* Does a column have all that is wanted of it?  The platform may say more. */
static bool
column_has(json_t *has, json_t *wants)
{
	const char *member;
	json_t *value;

	json_object_foreach(wants, member, value)
	{
		json_t *there = json_object_get(has, member);

		if (!json_equal(there, value) && !(json_is_null(value) && there == NULL))
			return false;
	}
	return true;
}

/* The same columns, in whatever order? */
static bool
same_columns(json_t *has, json_t *wants)
{
	size_t i;
	size_t k;
	json_t *wanted;
	json_t *there;

	if (json_array_size(has) != json_array_size(wants))
		return false;
	json_array_foreach(wants, i, wanted)
	{
		bool found = false;

		json_array_foreach(has, k, there)
		{
			if (strcmp(column_name(there), column_name(wanted)) == 0)
				found = column_has(there, wanted);
		}
		if (!found)
			return false;
	}
	return true;
}

/* NULL for one that is absent or null. */
static json_t *
load(const GcSpan *value)
{
	return value->p && value->type == '[' ? json_loadb(value->p, value->len, 0, NULL) : NULL;
}

static bool
same_arrays(const GcSpan *has, const GcSpan *wants)
{
	json_t *there = load(has);
	json_t *wanted = load(wants);
	bool same = same_columns(there, wanted);

	json_decref(there);
	json_decref(wanted);
	return same;
}

static bool
is_true(const GcSpan *value, bool if_absent)
{
	if (value->p == NULL || value->type == 'n')
		return if_absent;
	return value->type == 't';
}

static bool
member_same(const GcEntityChange *change, const GcSpan *has, const GcSpan *wants)
{
	const char *path = change->member.path;

	if (strcmp(path, "phoneColumns") == 0 || strcmp(path, "emailColumns") == 0 ||
		strcmp(path, "whatsAppColumns") == 0 ||
		strcmp(path, "columnDataTypeSpecifications") == 0)
		return same_arrays(has, wants);
	if (strcmp(path, "automaticTimeZoneMapping") == 0)
		return is_true(has, false) == is_true(wants, false);
	if (strcmp(path, "trimWhitespace") == 0)
		return is_true(has, true) == is_true(wants, true);
	return gc_json_same(has, wants);
}

/* ---- divisions, by name ---- */

/* The id of the one with that name, if it is on the page; the others are offered as hints. */
static const char *
division_on_page(json_t *page, const char *name, GcNearest *nearest)
{
	json_t *divisions = json_object_get(page, "entities");
	const char *found = NULL;
	size_t i;
	json_t *division;

	json_array_foreach(divisions, i, division)
	{
		const char *id = json_string_value(json_object_get(division, "id"));
		const char *called = json_string_value(json_object_get(division, "name"));

		if (id && called && strcmp(called, name) == 0)
			found = id;
		else if (called)
			gc_nearest_offer(nearest, gc_value_display(called, NAMEDATALEN));
	}
	return found;
}

/* A filter finds those whose names are alike; without one it is a look for a hint. */
static char *
find_division(const GcEntityWriter *writer, const char *name, bool filter, GcNearest *nearest,
			  const char *failed)
{
	char *id = NULL;
	bool last = false;

	for (int number = 1; id == NULL && !last; number++)
	{
		GcCallSpec spec = {
			.call_class = GC_CALL_SAFE, .method = "GET", .endpoint = DIVISIONS_PATH};
		GcCall *call;
		json_t *page;
		const char *found;

		spec.path =
			psprintf(DIVISIONS_PATH "?pageSize=%d&pageNumber=%d%s%s", PAGE_SIZE, number,
					 filter ? "&name=" : "", filter ? gc_url_escape(name) : "");
		call = gc_control_run(writer->calls, &spec, failed);
		page = gc_control_json(call, failed);
		found = division_on_page(page, name, nearest);
		id = found ? pstrdup(found) : NULL;
		last = number >= json_integer_value(json_object_get(page, "pageCount"));
		gc_call_free(call);
	}
	return id;
}

static char *
division_id(const GcEntityWriter *writer, const char *name, const char *failed)
{
	const char *shown = gc_value_display(name, NAMEDATALEN);
	GcNearest nearest;
	char *id;

	gc_nearest_init(&nearest, shown);
	id = find_division(writer, name, true, &nearest, failed);
	if (id == NULL)
		id = find_division(writer, name, false, &nearest, failed);
	if (id == NULL)
		ereport(
			ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT), errmsg("%s", failed),
			 errdetail("There is no division \"%s\" that this OAuth client may see.", shown),
			 nearest.best ? errhint("Perhaps you meant \"%s\".", nearest.best) : 0));
	return id;
}

static void
resolve_division(const GcEntityWriter *writer, GcEntityChange *change, const char *failed)
{
	GcSpan name;
	GcJson json;
	StringInfoData id;
	char *found;
	int len;

	if (strcmp(change->member.path, "division/name") != 0)
		return;
	if (change->member.json == NULL)
		ereport(ERROR, (errcode(ERRCODE_NOT_NULL_VIOLATION), errmsg("%s", failed),
						errdetail("A contact list always has a division.")));
	gc_json_init(&json, change->member.json, strlen(change->member.json));
	(void) gc_json_value(&json, &name);
	found = division_id(writer, gc_value_span_text(&name, &len), failed);
	initStringInfo(&id);
	appendStringInfoChar(&id, '"');
	gc_json_escape(&id, found, strlen(found));
	appendStringInfoChar(&id, '"');
	change->member = (GcJsonChange){.path = "division/id", .json = id.data};
}

/* ---- provisioning ---- */

static GcCall *
ask(const GcEntityWriter *writer, const char *id)
{
	GcCallSpec spec = {
		.call_class = GC_CALL_SAFE,
		.method = "GET",
		.path = gc_entity_path(writer->kind, id, psprintf("?%s", writer->kind->read_query)),
		.endpoint = writer->kind->endpoint,
		.lock_ends = true};
	GcCall *call = gc_call_start(writer->calls, &spec);

	gc_call_wait(call);
	return call;
}

bool
gc_list_is_not_yet(const GcFailure *failure)
{
	return failure->cause == GC_CAUSE_NOT_FOUND || failure->cause == GC_CAUSE_LOCKED;
}

static _Noreturn void
not_ready(const GcEntityWriter *writer, const char *id, const char *shown)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("contact list \"%s\" was created, but cannot be used yet", shown),
			 errdetail("It did not answer within ready_timeout (%g s). Its id is %s.",
					   writer->ready_timeout_ms / 1000.0, gc_value_display(id, NAMEDATALEN)),
			 errhint("Run the INSERT again later: it takes the list that is there.")));
}

static char *
await_list(const GcEntityWriter *writer, const char *id, const char *name, char *made)
{
	const char *shown = gc_value_display(name ? name : id, NAMEDATALEN);
	char *failed = psprintf("contact list \"%s\" was created, but could not be read", shown);
	GcTime now = gc_clock_now();
	GcTime until = now + writer->ready_timeout_ms * INT64CONST(1000);
	char *object = NULL;

	/* What is listed can be used. */
	if (!*writer->counted)
		return made;
	while (object == NULL)
	{
		GcCall *call;

		(void) gc_calls_sleep(writer->calls, Min(now + GC_LIST_POLL_US, until),
							  GC_WAIT_BACKOFF, true);
		call = ask(writer, id);
		now = gc_clock_now();
		if (gc_call_failure(call) == NULL)
		{
			object = gc_entity_take(call, failed);
			gc_calls_expect(writer->conn, gc_entity_path(writer->kind, id, ""), 0);
		}
		else if (!gc_list_is_not_yet(gc_call_failure(call)))
			gc_call_throw(call, failed, NULL);
		else if (now >= until)
			not_ready(writer, id, shown);
		gc_call_free(call);
	}
	return object;
}

/* ---- what the platform refuses ---- */

/* The campaigns of a list, for a message; NULL: none, or they cannot be seen. */
static char *
campaigns_of(const GcEntityWriter *writer, const char *id)
{
	GcCallSpec spec = {.call_class = GC_CALL_SAFE,
					   .method = "GET",
					   .path = psprintf(CAMPAIGNS_PATH
										"?pageSize=%d&pageNumber=1&contactListId=%s",
										PAGE_SIZE, gc_url_escape(id)),
					   .endpoint = CAMPAIGNS_PATH};
	GcCall *call = gc_call_start(writer->calls, &spec);
	StringInfoData names;
	json_t *campaigns = NULL;
	size_t i;
	json_t *campaign;

	initStringInfo(&names);
	gc_call_wait(call);
	if (gc_call_failure(call) == NULL)
		campaigns =
			json_object_get(gc_control_json(call, "could not read campaigns"), "entities");
	json_array_foreach(campaigns, i, campaign)
	{
		const char *name = json_string_value(json_object_get(campaign, "name"));

		if (name)
			appendStringInfo(&names, "%s\"%s\"", names.len ? ", " : "",
							 gc_value_display(name, NAMEDATALEN));
	}
	gc_call_free(call);
	return names.len ? names.data : NULL;
}

static bool
says(const GcFailure *failure, const char *code)
{
	return failure->code && strstr(failure->code, code);
}

static void
explain_use(const GcEntityWriter *writer, const char *id, const GcFailure *failure,
			const char *failed)
{
	GcFailure in_use = *failure;
	char *campaigns = campaigns_of(writer, id);

	if (failure->cause != GC_CAUSE_REFERENCE)
		in_use.sqlstate = ERRCODE_OBJECT_IN_USE;
	in_use.hint = campaigns ? "Bind the campaigns to other lists, or delete them, first."
							: "Take it out of what uses it first: campaigns, sequences, "
							  "filters.";
	gc_failure_throw(&in_use, failed,
					 campaigns ? psprintf("Campaigns that it belongs to: %s.", campaigns)
							   : NULL);
}

void
gc_list_explain(const GcEntityWriter *writer, const char *id, const GcFailure *failure,
				const char *failed)
{
	GcFailure explained = *failure;
	bool deletes = strcmp(failure->method, "DELETE") == 0;

	if (deletes && id &&
		(says(failure, "list.in.use") || failure->cause == GC_CAUSE_REFERENCE))
		explain_use(writer, id, failure, failed);
	if (says(failure, "cannot.update.") || says(failure, "cannot.edit.") ||
		(failure->code && strcmp(failure->code, "invalid.update") == 0))
	{
		explained.sqlstate = ERRCODE_FEATURE_NOT_SUPPORTED;
		explained.hint = writer->kind->unchangeable_hint;
		gc_failure_throw(&explained, failed, NULL);
	}
	if (says(failure, "limit.exceeded") || says(failure, "max.entity.count"))
	{
		explained.sqlstate = ERRCODE_PROGRAM_LIMIT_EXCEEDED;
		gc_failure_throw(&explained, failed, NULL);
	}
}

/* ---- the kind ---- */

static const char *const shown_by_reading[] = {"size", "importStatus", NULL};

static void
note_list(const GcEntityWriter *writer, const char *id, const char *object)
{
	gc_list_note(writer->conn, id, object);
}

const GcEntityKind gc_list_kind = {
	.label = "contact list",
	.path = GC_LISTS_PATH,
	.endpoint = GC_LISTS_PATH "/" GC_LIST_ID,
	.items = "entities",
	.version_field = "version",
	.natural_key = "name",
	.filters_by_name = true,
	.listing_query = "allowEmptyResult=true&includeSize=true&includeImportStatus=true",
	.read_query = "includeSize=true&includeImportStatus=true",
	.shown = shown_by_reading,
	.unchangeable_hint = FIXED_HINT,
	.is_list = true,
	.check = gc_list_check_new,
	.same = member_same,
	.resolve = resolve_division,
	.await = await_list,
	.note = note_list,
	.explain = gc_list_explain,
};
