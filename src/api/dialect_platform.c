/*
 * api/dialect_platform.c
 *	  Dialect "platform": the public API.
 */
#include "postgres.h"

#include "api/contacts.h"
#include "api/dialect.h"
#include "api/list_shape.h"
#include "api/resource.h"
#include "api/url.h"

#define CAMPAIGN "/api/v2/outbound/campaigns/{campaignId}"

static const GcImportWay ways[] = {
	/* Full requests, three rounds of four at once. */
	{"contacts", GC_IMPORT_POSTS, 12 * GC_CONTACTS_MAX_ROWS, 1000000},
	{"upload", GC_IMPORT_FILE, 1000000, 1000000, INT64CONST(500) * 1000 * 1000},
	{NULL},
};

static void
list_call(const char *list_id, GcCallSpec *spec)
{
	*spec = (GcCallSpec){
		.call_class = GC_CALL_SAFE,
		.method = "GET",
		.path = psprintf(GC_LISTS_PATH "/%s?includeSize=true", gc_url_escape(list_id)),
		.endpoint = GC_LISTS_PATH "/" GC_LIST_ID,
		.rate.priority = true};
}

static void
campaign_start(const char *path, GcCallSpec *spec)
{
	*spec = (GcCallSpec){.call_class = GC_CALL_IDEMPOTENT,
						 .method = "POST",
						 .path = psprintf("%s/start", path),
						 .endpoint = CAMPAIGN "/start",
						 .may_be_empty = true};
}

void
gc_platform_campaign_stop(const char *path, GcCallSpec *spec)
{
	*spec = (GcCallSpec){.call_class = GC_CALL_IDEMPOTENT,
						 .method = "POST",
						 .path = psprintf("%s/stop", path),
						 .endpoint = CAMPAIGN "/stop",
						 .may_be_empty = true};
}

const GcDialect gc_dialect_platform = {
	.name = "platform",
	.contacts_max_rows = GC_CONTACTS_MAX_ROWS,
	.ways = ways,
	.contact_lists = &gc_contact_lists,
	.import_jobs = &gc_import_jobs,
	.lists_path = GC_LISTS_PATH,
	.list_call = list_call,
	.list_read = gc_list_from_listing,
	.campaign_start = campaign_start,
	.campaign_stop = gc_platform_campaign_stop,
};
