/*
 * api/events.c
 *	  Outbound events: what the platform has to say of imports, campaigns, limits.
 */
#include "postgres.h"

#include "api/resource.h"
#include "api/url.h"
#include "base/json_pick.h"
#include "base/value.h"

#define EVENTS_PATH "/api/v2/outbound/events"

/* Behind these in a URI stand the ids of a list and of a contact in it. */
#define LIST_SEGMENT	"/contactlists/"
#define CONTACT_SEGMENT "/contacts/"

/* An event names two entities; what they are, only their URIs say. */
static const char *
entity_uri(const GcSpan *event, const char *entity)
{
	const char *path[] = {entity, "selfUri"};
	GcSpan uri = gc_pick_member(event, path, lengthof(path));
	int len;

	return uri.type == '"' ? gc_value_span_text(&uri, &len) : NULL;
}

/* The id behind the first of the segments, or behind the second where that follows. */
static const char *
id_in_uri(const char *uri, bool of_contact)
{
	const char *id = uri ? strstr(uri, LIST_SEGMENT) : NULL;

	if (id == NULL)
		return NULL;
	id += strlen(LIST_SEGMENT);
	if (of_contact)
	{
		id += strcspn(id, "/?");
		if (strncmp(id, CONTACT_SEGMENT, strlen(CONTACT_SEGMENT)) != 0)
			return NULL;
		id += strlen(CONTACT_SEGMENT);
	}
	return gc_url_unescape(id, strcspn(id, "/?"));
}

static const char *
named_id(const GcSpan *event, bool of_contact)
{
	const char *id = id_in_uri(entity_uri(event, "errorEntity"), of_contact);

	return id ? id : id_in_uri(entity_uri(event, "relatedEntity"), of_contact);
}

static const char *
derive_list_id(const GcSpan *event)
{
	return named_id(event, false);
}

static const char *
derive_contact_id(const GcSpan *event)
{
	return named_id(event, true);
}

static const GcAttribute event_attributes[] = {
	{"id", "text", "id"},
	{"time", "timestamptz", "timestamp"},
	{"level", "text", "level"},
	{"category", "text", "category"},
	{"code", "text", "eventMessage/code"},
	{"message", "text", "eventMessage/message"},
	{"list_id", "text", "", .derive = derive_list_id},
	{"contact_id", "text", "", .derive = derive_contact_id},
	{"correlation_id", "text", "correlationId"},
	{"raw", "jsonb", ""},
};

static const char *const levels[] = {"INFO", "WARNING", "ERROR", NULL};

static const char *const categories[] = {"CALLBACK",
										 "CALL_RESTRICTION",
										 "CALL_RULE",
										 "CAMPAIGN",
										 "CAMPAIGN_RULE",
										 "CONTACT",
										 "CONTACT_LIST_FILTER",
										 "DIGITAL_RULE",
										 "DNC_LIST",
										 "ENTITY_LIMIT",
										 "IMPORT_ERROR",
										 "MESSAGE_RESTRICTION",
										 "MESSAGING_CAMPAIGN",
										 "IMPORT_TEMPLATE",
										 "ORGANIZATION_CONFIGURATION",
										 "SCHEDULE",
										 "MESSAGING_CAMPAIGN_SCHEDULE",
										 "EMAIL_CAMPAIGN_SCHEDULE",
										 "WHATSAPP_CAMPAIGN_SCHEDULE",
										 NULL};

static const GcListingFilter event_filters[] = {
	{"category", "category", 1, .words = categories},
	{"level", "level", 1, .words = levels},
	{NULL},
};

static void
events_page(const GcPageRequest *request, StringInfo path, StringInfo body, GcCallSpec *spec)
{
	resetStringInfo(path);
	appendStringInfo(path, EVENTS_PATH "?pageSize=%d&pageNumber=" INT64_FORMAT, request->size,
					 request->number);
	if (request->criteria)
		appendStringInfo(path, "&%s", request->criteria);
	*spec = (GcCallSpec){.call_class = GC_CALL_SAFE,
						 .method = "GET",
						 .path = path->data,
						 .endpoint = EVENTS_PATH};
}

const GcResource gc_events = {
	.object = "events",
	.comment = "outbound events of the organisation",
	.attributes = event_attributes,
	.attribute_count = lengthof(event_attributes),
	.default_rows = 1000,
	.page = events_page,
	.filters = event_filters,
	.path_name = "listing",
	.method = "GET",
	.endpoint = EVENTS_PATH,
};
