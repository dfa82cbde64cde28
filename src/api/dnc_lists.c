/*
 * api/dnc_lists.c
 *	  Do-not-call lists.
 */
#include "postgres.h"

#include "api/resource.h"

#define DNC_LISTS_PATH "/api/v2/outbound/dnclists"

static const GcAttribute dnc_list_attributes[] = {
	{"id", "text", "id"},
	{"name", "text", "name"},
	{"version", "integer", "version"},
	{"source_type", "text", "dncSourceType"},
	{"contact_method", "text", "contactMethod"},
	{"size", "bigint", "size"},
	{"import_state", "text", "importStatus/state"},
};

static void
dnc_lists_page(const GcPageRequest *request, StringInfo path, StringInfo body,
			   GcCallSpec *spec)
{
	resetStringInfo(path);
	appendStringInfo(path,
					 DNC_LISTS_PATH
					 "?pageSize=%d&pageNumber=" INT64_FORMAT
					 "&allowEmptyResult=true&includeSize=true"
					 "&includeImportStatus=true&sortBy=name&sortOrder=ascending",
					 request->size, request->number);
	*spec = (GcCallSpec){.call_class = GC_CALL_SAFE,
						 .method = "GET",
						 .path = path->data,
						 .endpoint = DNC_LISTS_PATH};
}

const GcResource gc_dnc_lists = {
	.object = "dnc_lists",
	.comment = "DNC lists of the organisation",
	.attributes = dnc_list_attributes,
	.attribute_count = lengthof(dnc_list_attributes),
	.default_rows = 10,
	.page = dnc_lists_page,
	.path_name = "listing",
	.method = "GET",
	.endpoint = DNC_LISTS_PATH,
};
