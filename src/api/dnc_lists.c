/*
 * api/dnc_lists.c
 *	  Do-not-call lists, and what they hold.
 */
#include "postgres.h"

#include "api/control.h"
#include "api/dnc_lists.h"
#include "api/resource.h"
#include "api/url.h"
#include "base/value.h"

/* The platform returns no more of them at once. */
#define DNC_LISTS_PAGE 100

static const GcAttribute dnc_list_attributes[] = {
	{"id", "text", "id"},
	{"name", "text", "name", .written = GC_WRITTEN_ALWAYS},
	{"version", "integer", "version"},
	{"source_type", "text", "dncSourceType", .written = GC_WRITTEN_ONCE},
	{"contact_method", "text", "contactMethod", .written = GC_WRITTEN_ALWAYS},
	{"size", "bigint", "size"},
	{"import_state", "text", "importStatus/state"},
	{"division", "text", "division/id", .written = GC_WRITTEN_ALWAYS},
	{"custom_exclusion_column", "text", "customExclusionColumn", .written = GC_WRITTEN_ALWAYS},
	{"login_id", "text", "loginId", .written = GC_WRITTEN_ALWAYS},
	{"campaign_id", "text", "campaignId", .written = GC_WRITTEN_ALWAYS},
	{"dnc_codes", "text[]", "dncCodes", .written = GC_WRITTEN_ALWAYS},
	{"license_id", "text", "licenseId", .written = GC_WRITTEN_ALWAYS},
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
					 GC_DNC_LISTS_PATH
					 "?pageSize=%d&pageNumber=" INT64_FORMAT
					 "&allowEmptyResult=true&includeSize=true"
					 "&includeImportStatus=true&sortBy=name&sortOrder=ascending",
					 request->size, request->number);
	if (request->criteria)
		appendStringInfo(path, "&%s", request->criteria);
	*spec = (GcCallSpec){.call_class = GC_CALL_SAFE,
						 .method = "GET",
						 .path = path->data,
						 .endpoint = GC_DNC_LISTS_PATH};
}

/* ---- writing ---- */

static const char source_hint[] =
	"It is one of \"rds\", \"rds_custom\", \"dnc.com\" and \"gryphon\".";

/* The platform's own answer to one that it does not know names no other. */
static void
check_source_type(const GcSpan *type)
{
	int len;
	const char *given = gc_value_span_text(type, &len);

	for (int i = 0; source_types[i]; i++)
		if (given && strcmp(given, source_types[i]) == 0)
			return;
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					errmsg("\"%s\" is no source type of a DNC list",
						   gc_value_display(given ? given : "", NAMEDATALEN)),
					errhint("%s", source_hint)));
}

/* Who makes a list has to say where its entries are. */
static void
check_list(const GcEntityWriter *writer, const GcSpan *body, const char *failed)
{
	static const char *const needed[] = {"name", "dncSourceType"};
	static const char *const columns[] = {"name", "source_type"};
	GcSpan type = gc_json_member(body, "dncSourceType");

	for (int i = 0; i < lengthof(needed); i++)
		if (gc_json_member(body, needed[i]).p == NULL)
			ereport(ERROR, (errcode(ERRCODE_NOT_NULL_VIOLATION),
							errmsg("a DNC list needs a value in column \"%s\"", columns[i]),
							i == 1 ? errhint("%s", source_hint) : 0));
	check_source_type(&type);
}

/* What holds a list: it is taken from that first. */
static void
explain_list(const GcEntityWriter *writer, const char *id, const GcFailure *failure,
			 const char *failed)
{
	GcFailure told = *failure;

	if (failure->cause == GC_CAUSE_REFERENCE && strcmp(failure->method, "DELETE") == 0)
		told.hint = "Take it out of the campaigns' dnc_list_ids first.";
	else if (failure->code && strstr(failure->code, "import.in.progress"))
	{
		told.sqlstate = ERRCODE_OBJECT_IN_USE;
		told.hint = "Run it again when the import has ended.";
	}
	else
		return;
	gc_failure_throw(&told, failed, NULL);
}

/* What only a reading shows. */
static const char *const shown_members[] = {"size", "importStatus", NULL};

static const GcEntityKind dnc_list_kind = {
	.label = "DNC list",
	.path = GC_DNC_LISTS_PATH,
	.endpoint = GC_DNC_LIST_ONE,
	.items = "entities",
	.version_field = "version",
	.natural_key = "name",
	.filters_by_name = true,
	.listing_query = "includeSize=true&includeImportStatus=true",
	.read_query = "includeSize=true&includeImportStatus=true",
	.shown = shown_members,
	.is_list = true,
	.unchangeable_hint = "Make another list, and move the entries.",
	.check = check_list,
	.explain = explain_list,
};

const GcResource gc_dnc_lists = {
	.object = "dnc_lists",
	.comment = "DNC lists of the organisation",
	.attributes = dnc_list_attributes,
	.attribute_count = lengthof(dnc_list_attributes),
	.default_rows = 10,
	.page = dnc_lists_page,
	.filters = dnc_list_filters,
	.kind = &dnc_list_kind,
	.insert_endpoint = GC_DNC_LISTS_PATH,
	.update_endpoint = GC_DNC_LIST_ONE,
	.delete_endpoint = GC_DNC_LIST_ONE,
	.path_name = "listing",
	.method = "GET",
	.endpoint = GC_DNC_LISTS_PATH,
};

/* ---- which lists there are ---- */

static char *
copy_member(json_t *entity, const char *name)
{
	const char *value = json_string_value(json_object_get(entity, name));

	return value ? pstrdup(value) : NULL;
}

/* The list that an answer has. */
static GcDncList *
read_list(GcCall *call, json_t *entity, const char *message)
{
	GcDncList *list = palloc0(sizeof(GcDncList));

	list->id = copy_member(entity, "id");
	list->name = copy_member(entity, "name");
	list->source_type = copy_member(entity, "dncSourceType");
	list->contact_method = copy_member(entity, "contactMethod");
	if (list->id == NULL || list->name == NULL)
		gc_call_throw_reply(call, "The answer is not a DNC list with id and name.", message,
							NULL);
	return list;
}

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
	json_array_foreach(entities, i, entity) *lists =
		lappend(*lists, read_list(call, entity, message));
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
		char *path = psprintf(GC_DNC_LISTS_PATH "?pageSize=%d&pageNumber=%d"
												"&allowEmptyResult=true&sortBy=name"
												"&sortOrder=ascending%s",
							  DNC_LISTS_PAGE, number, filter);
		GcCallSpec spec = {.call_class = GC_CALL_SAFE,
						   .method = "GET",
						   .path = path,
						   .endpoint = GC_DNC_LISTS_PATH,
						   .rate.priority = true};
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

static char *
not_read(const char *wanted)
{
	return psprintf("could not read DNC list \"%s\"", gc_value_display(wanted, NAMEDATALEN));
}

static GcDncList *
find_by_id(GcCalls *calls, const char *id)
{
	GcCallSpec spec = {.call_class = GC_CALL_SAFE,
					   .method = "GET",
					   .path = psprintf("%s/%s", GC_DNC_LISTS_PATH, gc_url_escape(id)),
					   .endpoint = GC_DNC_LIST_ONE};
	GcCall *call = gc_call_start(calls, &spec);
	GcDncList *list;

	gc_call_wait(call);
	if (gc_call_failure(call) && gc_call_failure(call)->cause == GC_CAUSE_NOT_FOUND)
		gc_dnc_list_missing(id);
	if (gc_call_failure(call))
		gc_call_throw(call, not_read(id), NULL);
	list = read_list(call, gc_control_json(call, not_read(id)), not_read(id));
	gc_call_free(call);
	return list;
}

static GcDncList *
find_by_name(GcCalls *calls, const char *name)
{
	List *lists =
		read_lists(calls, psprintf("&filterType=Equals&name=%s", gc_url_escape(name)),
				   not_read(name), NULL);
	ListCell *lc;

	foreach (lc, lists)
	{
		GcDncList *list = lfirst(lc);

		/* The platform's comparison may be looser than ours. */
		if (strcmp(list->name, name) == 0)
			return list;
	}
	gc_dnc_list_missing(name);
}

GcDncList *
gc_dnc_list_get(GcConnection *conn, GcStat *stat, const char *id, const char *name)
{
	GcCalls *calls = gc_calls_open(conn, stat);
	GcDncList *list = id ? find_by_id(calls, id) : find_by_name(calls, name);

	gc_calls_close(calls);
	return list;
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
