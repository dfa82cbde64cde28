/*
 * api/dialect_jobs.c
 *	  Dialect "jobs": gateways in which every bulk write is answered with a job (SCENARIOS L).
 */
#include "postgres.h"

#include "api/dialect.h"
#include "api/list_jobs.h"
#include "api/list_shape.h"
#include "api/resource.h"
#include "api/url.h"

#define CAMPAIGN "/api/v2/outbound/campaigns/{campaignId}"

/* Contacts of a POST that is echoed; whatever is more is a job's. */
#define SMALL_BLOCK 50

/* What a job takes of an append and an import, less what stands around its contacts. */
#define BODY_BYTES (9 * 1024 * 1024)

static const GcImportWay ways[] = {
	{"contacts", GC_IMPORT_POSTS, 1000, 1000000},
	{"bulk", GC_IMPORT_APPEND, 2500, 5000, BODY_BYTES},
	{"import", GC_IMPORT_QUEUE, 50000, 50000, BODY_BYTES},
	{"upload", GC_IMPORT_JOB_FILE, 1000000, 1000000, INT64CONST(500) * 1000 * 1000},
	{NULL},
};

static void
list_call(const char *list_id, GcCallSpec *spec)
{
	*spec = (GcCallSpec){.call_class = GC_CALL_SAFE,
						 .method = "GET",
						 .path = psprintf(GC_JOB_LISTS_PATH "/%s", gc_url_escape(list_id)),
						 .endpoint = GC_JOB_LISTS_ENDPOINT,
						 .rate.priority = true};
}

static void
campaign_bind(const char *path, const char *list_id, GcCallSpec *spec)
{
	const char *body = psprintf("{\"contactListId\":%s}", list_id);

	*spec = (GcCallSpec){.call_class = GC_CALL_IDEMPOTENT,
						 .method = "PATCH",
						 .path = path,
						 .body = body,
						 .body_len = strlen(body),
						 .endpoint = CAMPAIGN,
						 .may_be_empty = true};
}

static void
campaign_start(const char *path, GcCallSpec *spec)
{
	static const char body[] = "{\"campaignStatus\":\"on\"}";

	*spec = (GcCallSpec){.call_class = GC_CALL_IDEMPOTENT,
						 .method = "POST",
						 .path = path,
						 .body = body,
						 .body_len = strlen(body),
						 .endpoint = CAMPAIGN,
						 .may_be_empty = true};
}

const GcDialect gc_dialect_jobs = {
	.name = "jobs",
	.contacts_max_rows = SMALL_BLOCK,
	.ways = ways,
	.contact_lists = &gc_job_lists,
	.import_jobs = &gc_import_queues,
	.lists_path = GC_JOB_LISTS_PATH,
	.grow_hint =
		"UPDATE of the list's column_names, in a table with object 'contact_lists', adds "
		"a column to it. Or set the column's option field, or leave it out of the "
		"table.",
	.list_call = list_call,
	.list_read = gc_list_from_fields,
	.campaign_bind = campaign_bind,
	.campaign_start = campaign_start,
	.campaign_stop = gc_platform_campaign_stop,
};
