/*
 * api/dnc_lists.c
 *	  Do-not-call lists, and what they hold.
 */
#include "postgres.h"

#include "api/control.h"
#include "api/dnc_lists.h"
#include "api/export.h"
#include "api/resource.h"
#include "api/url.h"
#include "base/value.h"

#define DNC_LISTS_PATH "/api/v2/outbound/dnclists"

/* The platform returns no more of them at once. */
#define DNC_LISTS_PAGE 100

static const GcAttribute dnc_list_attributes[] = {
	{"id", "text", "id"},
	{"name", "text", "name"},
	{"version", "integer", "version"},
	{"source_type", "text", "dncSourceType"},
	{"contact_method", "text", "contactMethod"},
	{"size", "bigint", "size"},
	{"import_state", "text", "importStatus/state"},
};

static const char *const source_types[] = {"rds", "rds_custom", "dnc.com", "gryphon", NULL};

static const GcListingFilter dnc_list_filters[] = {
	{"name", "name", 1, .by_name = true},
	{"source_type", "dncSourceType", 1, .words = source_types},
	{NULL},
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
	if (request->criteria)
		appendStringInfo(path, "&%s", request->criteria);
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
	.filters = dnc_list_filters,
	.path_name = "listing",
	.method = "GET",
	.endpoint = DNC_LISTS_PATH,
};

/* ---- entries: an export has them in its first column, and in its third when they expire ---- */

static const GcAttribute entry_attributes[] = {
	{"entry", "text", .by_export.position = 1},
	{"expires_at", "timestamptz", .by_export.position = 3},
};

const GcResource gc_dnc_entries = {
	.object = "dnc_entries",
	.comment = "entries of one DNC list",
	.attributes = entry_attributes,
	.attribute_count = lengthof(entry_attributes),
	.default_rows = 10000,
	.has_dnc_list = true,
	.path_name = "export",
	.method = "POST",
	.endpoint = GC_DNC_EXPORT_ENDPOINT,
};

/* ---- which lists there are ---- */

/* Appends the lists of a page to *lists; true if it is the last one. */
static bool
read_page(GcCall *call, int number, const char *message, List **lists)
{
	json_t *reply = gc_control_json(call, message);
	json_t *entities = json_object_get(reply, "entities");
	json_t *entity;
	size_t i;

	if (!json_is_array(entities))
		gc_call_throw_reply(call, "The answer has no entities.", message, NULL);
	json_array_foreach(entities, i, entity)
	{
		const char *id = json_string_value(json_object_get(entity, "id"));
		const char *name = json_string_value(json_object_get(entity, "name"));
		GcDncList *list = palloc0(sizeof(GcDncList));

		if (id == NULL || name == NULL)
			gc_call_throw_reply(call, "The answer is not a DNC list with id and name.",
								message, NULL);
		list->id = pstrdup(id);
		list->name = pstrdup(name);
		*lists = lappend(*lists, list);
	}
	return number >= json_integer_value(json_object_get(reply, "pageCount"));
}

/* The lists that "filter" leaves; *refused (if not NULL) if they are not to be seen. */
static List *
read_lists(GcCalls *calls, const char *filter, const char *message, bool *refused)
{
	List *lists = NIL;
	bool done = false;

	for (int number = 1; !done; number++)
	{
		char *path = psprintf(DNC_LISTS_PATH "?pageSize=%d&pageNumber=%d"
											 "&allowEmptyResult=true&sortBy=name"
											 "&sortOrder=ascending%s",
							  DNC_LISTS_PAGE, number, filter);
		GcCallSpec spec = {.call_class = GC_CALL_SAFE,
						   .method = "GET",
						   .path = path,
						   .endpoint = DNC_LISTS_PATH};
		GcCall *call = gc_call_start(calls, &spec);

		gc_call_wait(call);
		if (gc_call_failure(call) && gc_call_failure(call)->status == 403 && refused)
			*refused = done = true;
		else if (gc_call_failure(call))
			gc_call_throw(call, message, NULL);
		else
			done = read_page(call, number, message, &lists);
		gc_call_free(call);
	}
	return lists;
}

void
gc_dnc_list_missing(const char *wanted)
{
	ereport(ERROR,
			(errcode(ERRCODE_FDW_TABLE_NOT_FOUND),
			 errmsg("DNC list \"%s\" does not exist", gc_value_display(wanted, NAMEDATALEN)),
			 errhint("SELECT name FROM a table with object 'dnc_lists' shows the lists "
					 "that this OAuth client may see.")));
	pg_unreachable();
}

char *
gc_dnc_list_find(GcConnection *conn, GcStat *stat, const char *name)
{
	GcCalls *calls = gc_calls_open(conn, stat);
	List *lists = read_lists(
		calls, psprintf("&filterType=Equals&name=%s", gc_url_escape(name)),
		psprintf("could not read DNC list \"%s\"", gc_value_display(name, NAMEDATALEN)), NULL);
	ListCell *lc;

	gc_calls_close(calls);
	foreach (lc, lists)
	{
		GcDncList *list = lfirst(lc);

		/* The platform's comparison may be looser than ours. */
		if (strcmp(list->name, name) == 0)
			return list->id;
	}
	gc_dnc_list_missing(name);
}

List *
gc_dnc_list_all(GcConnection *conn, GcStat *stat, const char *prefix, bool *refused)
{
	GcCalls *calls = gc_calls_open(conn, stat);
	const char *filter =
		prefix ? psprintf("&filterType=Prefix&name=%s", gc_url_escape(prefix)) : "";
	List *lists = read_lists(calls, filter, "could not read the DNC lists", refused);
	List *wanted = NIL;
	ListCell *lc;

	gc_calls_close(calls);
	foreach (lc, lists)
		if (prefix == NULL ||
			strncmp(((GcDncList *) lfirst(lc))->name, prefix, strlen(prefix)) == 0)
			wanted = lappend(wanted, lfirst(lc));
	return wanted;
}
