/*
 * api/contacts.c
 *	  Contacts of one list: how they are asked for and written.
 */
#include "postgres.h"

#include "api/clear.h"
#include "api/contacts.h"
#include "api/resource.h"
#include "api/url.h"
#include "base/json_pick.h"

#define LIST_PATH "/api/v2/outbound/contactlists/" GC_LIST_ID

static const GcExportMap exported_status = {{{"callable", "Callable-%", true}}};
static const GcExportMap exported_records = {
	{{"lastAttempt", "CallRecordLastAttempt-%"}, {"lastResult", "CallRecordLastResult-%"}}};
static const GcExportMap exported_zones = {
	{{"timeZone", "AutomaticTimeZone-%"}},
	"\"columnType\":\"PHONE\"",
	{"timeZone", "ZipCodeAutomaticTimeZone"},
	"\"columnType\":\"ZIP\"",
};

/*
 * contactable_status is not among those that an export gives: it has no columns
 * for some media, and those of an older generation for none.
 */
static const GcAttribute contact_attributes[] = {
	/* name, type, path, per column, common, role, column */
	{"id", "text", "id", false, true, GC_ROLE_ID, "contact_id",
	 .by_export.header = "inin-outbound-id"},
	{"callable", "boolean", "callable", false, true, GC_ROLE_CALLABLE,
	 .by_export = {.header = "ContactCallable", .flag = true}},
	{"phone_number_status", "jsonb", "phoneNumberStatus", false, false, GC_ROLE_STATUS,
	 .export_map = &exported_status},
	{"contactable_status", "jsonb", "contactableStatus", false, false, GC_ROLE_STATUS},
	{"call_records", "jsonb", "callRecords", .export_map = &exported_records},
	{"last_attempt", "timestamptz", "callRecords/%/lastAttempt", true, true,
	 .by_export.header = "CallRecordLastAttempt-%"},
	{"last_result", "text", "callRecords/%/lastResult", true, true,
	 .by_export.header = "CallRecordLastResult-%"},
	{"last_wrapup", "text", NULL, true, .by_export.header = "CallRecordLastAgentWrapup-%"},
	{"list_id", "text", NULL, false, false, GC_ROLE_LIST_ID},
	{"list_name", "text", NULL, false, false, GC_ROLE_LIST_NAME},
	{"time_zones", "jsonb", "contactColumnTimeZones", .export_map = &exported_zones},
	{"date_created", "timestamptz", "dateCreated"},
	{"latest_sms_evaluations", "jsonb", "latestSmsEvaluations"},
	{"latest_email_evaluations", "jsonb", "latestEmailEvaluations"},
	{"raw", "jsonb", ""},
};

static void
contacts_page(const GcPageRequest *request, StringInfo path, StringInfo body, GcCallSpec *spec)
{
	resetStringInfo(path);
	resetStringInfo(body);
	appendStringInfo(path, "/api/v2/outbound/contactlists/%s/contacts/search",
					 gc_url_escape(request->list_id));
	appendStringInfo(body, "{\"pageNumber\":" INT64_FORMAT ",\"pageSize\":%d", request->number,
					 request->size);
	if (request->criteria)
		appendStringInfo(body, ",\"criteria\":%s", request->criteria);
	if (request->sorts)
		appendStringInfo(body, ",\"contactSorts\":[%s]", request->sorts);
	appendStringInfoChar(body, '}');
	*spec = (GcCallSpec){.call_class = GC_CALL_SAFE,
						 .method = "POST",
						 .path = path->data,
						 .endpoint = LIST_PATH "/contacts/search",
						 .body = body->data,
						 .body_len = body->len};
}

const GcResource gc_contacts = {
	.object = "contacts",
	.comment = "contacts of one list",
	.attributes = contact_attributes,
	.attribute_count = lengthof(contact_attributes),
	.default_rows = 100000,
	.has_list = true,
	.insert_endpoint = GC_CONTACTS_ALL,
	.update_endpoint = GC_CONTACTS_ALL,
	.delete_endpoint = GC_CONTACTS_ALL,
	.clear_endpoint = GC_CLEAR_ENDPOINT,
	.page = contacts_page,
	.path_name = "search",
	.method = "POST",
	.endpoint = LIST_PATH "/contacts/search",
};

void
gc_contacts_by_ids(const char *list_id, char *const *ids, int count, GcCallSpec *spec)
{
	StringInfoData path;
	StringInfoData body;

	if (count == 1)
	{
		*spec = (GcCallSpec){.call_class = GC_CALL_SAFE,
							 .method = "GET",
							 .path = gc_contacts_one_path(list_id, ids[0]),
							 .endpoint = GC_CONTACTS_ONE,
							 .rate.priority = true};
		return;
	}
	initStringInfo(&path);
	appendStringInfo(&path, "/api/v2/outbound/contactlists/%s/contacts/bulk",
					 gc_url_escape(list_id));
	initStringInfo(&body);
	for (int i = 0; i < count; i++)
	{
		appendStringInfoString(&body, i == 0 ? "[\"" : "\",\"");
		gc_json_escape(&body, ids[i], strlen(ids[i]));
	}
	appendStringInfoString(&body, "\"]");
	*spec = (GcCallSpec){.call_class = GC_CALL_SAFE,
						 .method = "POST",
						 .path = path.data,
						 .endpoint = GC_CONTACTS_BULK,
						 .body = body.data,
						 .body_len = body.len,
						 .rate.bulk = true};
}

bool
gc_contacts_is_missing(const GcFailure *failure)
{
	return failure->status == 404 &&
		   (failure->code == NULL || strstr(failure->code, "contact.list") == NULL);
}

char *
gc_contacts_one_path(const char *list_id, const char *id)
{
	return psprintf("/api/v2/outbound/contactlists/%s/contacts/%s", gc_url_escape(list_id),
					gc_url_escape(id));
}

char *
gc_contacts_post_path(const char *list_id, const GcContactsFlags *flags)
{
	StringInfoData path;
	char separator = '?';

	initStringInfo(&path);
	appendStringInfo(&path, "/api/v2/outbound/contactlists/%s/contacts",
					 gc_url_escape(list_id));
	for (int i = 0; i < 3; i++)
	{
		static const char *const names[] = {"priority", "clearSystemData", "doNotQueue"};
		bool values[] = {flags->priority, flags->clear_system_data, flags->do_not_queue};

		if (values[i])
		{
			appendStringInfo(&path, "%c%s=true", separator, names[i]);
			separator = '&';
		}
	}
	return path.data;
}

int64
gc_contacts_walk_echo(const char *bytes, size_t len, GcContactVisit visit, void *arg)
{
	static const char *const members[] = {
		"id", "callable", "phoneNumberStatus", "contactableStatus", "dateCreated", "data"};
	GcPick *pick = gc_pick_create();
	GcSpan spans[lengthof(members)];
	GcJson json;
	int64 count = 0;

	for (int i = 0; i < lengthof(members); i++)
		gc_pick_add(pick, &members[i], 1, i);
	gc_json_init(&json, bytes, len);
	if (!gc_json_enter(&json, '['))
		return -1;
	while (gc_json_element(&json))
	{
		GcContactEcho echo;

		(void) gc_json_peek(&json); /* past white space */
		echo.whole = (GcSpan){.p = json.p, .type = '{'};
		if (!gc_pick_object(pick, &json, spans, lengthof(members)))
			return -1;
		echo.whole.len = json.p - echo.whole.p;
		echo.id = spans[0];
		echo.callable = spans[1];
		echo.phone_number_status = spans[2];
		echo.contactable_status = spans[3];
		echo.created = spans[4];
		echo.data = spans[5];
		visit(arg, &echo);
		count++;
	}
	return gc_json_end(&json) ? count : -1;
}
