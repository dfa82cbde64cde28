/*
 * api/contact_lists.c
 *	  What a contact list is: its name, columns and types.
 */
#include "postgres.h"

#include "api/contact_lists.h"
#include "api/control.h"
#include "api/dialect.h"
#include "api/list_shape.h"
#include "api/list_writes.h"
#include "api/resource.h"
#include "api/url.h"
#include "base/nearest.h"
#include "base/value.h"

#include "utils/memutils.h"

/* The platform returns no more of them at once. */
#define LISTS_PAGE 100

/* At most this many pages are read for a hint. */
#define HINT_PAGES 10

static const char *
derive_status(const GcSpan *state)
{
	if (state->p != NULL && gc_json_span_is(state, "IN_PROGRESS"))
		return "PROCESSING";
	if (state->p != NULL && gc_json_span_is(state, "FAILED"))
		return "ERROR";
	return "READY";
}

static const GcAttribute list_attributes[] = {
	{"id", "text", "id"},
	{"name", "text", "name", .written = GC_WRITTEN_ALWAYS},
	{"division", "text", "division/name", .written = GC_WRITTEN_ALWAYS},
	{"version", "integer", "version"},
	{"column_names", "text[]", "columnNames", .written = GC_WRITTEN_ONCE},
	{"phone_columns", "jsonb", "phoneColumns", .written = GC_WRITTEN_ONCE},
	{"email_columns", "jsonb", "emailColumns", .written = GC_WRITTEN_ALWAYS},
	{"whatsapp_columns", "jsonb", "whatsAppColumns", .written = GC_WRITTEN_ALWAYS},
	{"column_types", "jsonb", "columnDataTypeSpecifications", .written = GC_WRITTEN_ONCE},
	{"attempt_limits_id", "text", "attemptLimits/id", .written = GC_WRITTEN_ALWAYS},
	{"automatic_time_zone_mapping", "boolean", "automaticTimeZoneMapping",
	 .written = GC_WRITTEN_ONCE},
	{"zip_code_column", "text", "zipCodeColumnName", .written = GC_WRITTEN_ONCE},
	{"trim_whitespace", "boolean", "trimWhitespace", .written = GC_WRITTEN_ALWAYS},
	{"size", "bigint", "size"},
	{"status", "text", "importStatus/state", .derive = derive_status},
	{"import_state", "text", "importStatus/state"},
	{"import_percent", "integer", "importStatus/percentComplete"},
	{"import_failure", "text", "importStatus/failureReason"},
	{"date_created", "timestamptz", "dateCreated"},
	{"date_modified", "timestamptz", "dateModified"},
};

const GcListingFilter gc_list_filters[] = {
	{"id", "id", GC_LISTING_MAX_IDS},
	{"name", "name", 1, .by_name = true},
	{NULL},
};

void
gc_lists_page(const GcPageRequest *request, StringInfo path, StringInfo body, GcCallSpec *spec)
{
	resetStringInfo(path);
	appendStringInfo(path,
					 GC_LISTS_PATH "?pageSize=%d&pageNumber=" INT64_FORMAT
								   "&allowEmptyResult=true&includeSize=true"
								   "&includeImportStatus=true&sortBy=name&sortOrder=ascending",
					 request->size, request->number);
	if (request->criteria)
		appendStringInfo(path, "&%s", request->criteria);
	*spec = (GcCallSpec){.call_class = GC_CALL_SAFE,
						 .method = "GET",
						 .path = path->data,
						 .endpoint = GC_LISTS_PATH};
}

const GcResource gc_contact_lists = {
	.object = "contact_lists",
	.comment = "contact lists of the organisation",
	.attributes = list_attributes,
	.attribute_count = lengthof(list_attributes),
	.default_rows = 100,
	.page = gc_lists_page,
	.filters = gc_list_filters,
	.kind = &gc_list_kind,
	.insert_endpoint = GC_LISTS_PATH,
	.update_endpoint = GC_LISTS_PATH "/" GC_LIST_ID,
	.delete_endpoint = GC_LISTS_PATH "/" GC_LIST_ID,
	.path_name = "listing",
	.method = "GET",
	.endpoint = GC_LISTS_PATH,
};

/* ---- what the session knows ---- */

static bool
same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static bool
same_list(const GcList *a, const GcList *b)
{
	if (strcmp(a->name, b->name) != 0 || a->column_count != b->column_count ||
		a->trims != b->trims || !same_text(a->zip_column, b->zip_column))
		return false;
	for (int i = 0; i < a->column_count; i++)
		if (strcmp(a->columns[i], b->columns[i]) != 0 || a->types[i] != b->types[i] ||
			a->max_chars[i] != b->max_chars[i] || a->is_phone[i] != b->is_phone[i] ||
			a->is_email[i] != b->is_email[i] || a->is_required[i] != b->is_required[i])
			return false;
	return true;
}

/* Who goes by that id, or by that name (names are unique), is known no longer. */
static void
forget(GcConnection *conn, const char *id, const char *name)
{
	GcList *known;

	while (id && (known = gc_list_known(conn, id, NULL)) != NULL)
		gc_list_forget(known);
	while (name && (known = gc_list_known(conn, NULL, name)) != NULL)
		gc_list_forget(known);
}

void
gc_list_expect(GcConnection *conn, const char *id, int64 age_us)
{
	const char *path = gc_dialect(conn->server_options)->lists_path;

	gc_calls_expect(conn, psprintf(GC_LISTS_PATH "/%s", gc_url_escape(id)), age_us);
	if (strcmp(path, GC_LISTS_PATH) != 0)
		gc_calls_expect(conn, psprintf("%s/%s", path, gc_url_escape(id)), age_us);
}

/* Made a moment ago, its contacts may not be found yet (A2); whoever made it. */
static void
expect_young(GcConnection *conn, json_t *entity, const GcCall *call)
{
	const char *id = json_string_value(json_object_get(entity, "id"));
	const char *created = json_string_value(json_object_get(entity, "dateCreated"));
	TimestampTz now = gc_call_answer_time(call);
	TimestampTz made;

	if (!TIMESTAMP_IS_NOBEGIN(now) && created && gc_value_moment(created, &made) &&
		now - made < GC_YOUNG_US)
		gc_list_expect(conn, id, Max(now - made, 0));
}

/* A list in an answer; NULL: it is none. */
typedef GcList *(*ListReader)(json_t *entity);

/* The same, completed by what a listing has of it, if one knows. */
static GcList *
read_whole(json_t *entity, ListReader read, const GcList *listed)
{
	GcList *list = read(entity);

	if (list && listed)
		gc_list_complete(list, listed);
	return list;
}

/*
 * Keeps a list with its connection.  One that is as it was is not kept twice,
 * whatever its version has become: a session that asks often must not grow.  "call" gave
 * it; NULL: a write did.
 */
static GcList *
list_keep(GcConnection *conn, json_t *entity, ListReader read, const GcList *listed,
		  const GcCall *call)
{
	GcList *list = read_whole(entity, read, listed);
	GcList *known = list ? gc_list_known(conn, list->id, NULL) : NULL;
	MemoryContext caller_cxt;

	if (known && same_list(known, list))
	{
		known->size = list->size;
		known->read_at = list->read_at;
		return known;
	}
	if (list == NULL)
		return NULL;
	forget(conn, list->id, list->name);
	if (call)
		expect_young(conn, entity, call);
	caller_cxt = MemoryContextSwitchTo(conn->cxt);
	list = read_whole(entity, read, listed);
	conn->cache = lappend(conn->cache, list);
	MemoryContextSwitchTo(caller_cxt);
	return list;
}

/* Does a listing say all that the dialect knows of a list? */
static bool
reads_listing(GcConnection *conn)
{
	return gc_dialect(conn->server_options)->list_read == gc_list_from_listing;
}

/* What a listing has of a list, for a dialect that reads it by its fields. */
static GcList *
read_listed(GcConnection *conn, const GcCall *call, json_t *entity)
{
	expect_young(conn, entity, call);
	return gc_list_from_listing(entity);
}

GcList *
gc_list_known(GcConnection *conn, const char *id, const char *name)
{
	ListCell *lc;

	foreach (lc, (List *) conn->cache)
	{
		GcList *list = lfirst(lc);

		if (!list->forgotten &&
			(id ? strcmp(list->id, id) == 0 : strcmp(list->name, name) == 0))
			return list;
	}
	return NULL;
}

void
gc_list_note(GcConnection *conn, const char *id, const char *object)
{
	json_t *entity = object ? json_loads(object, 0, NULL) : NULL;

	/* What is written has the form of a listing, which may not say enough of it. */
	if (entity == NULL || !reads_listing(conn) ||
		list_keep(conn, entity, gc_list_from_listing, NULL, NULL) == NULL)
		forget(conn, id, NULL);
	if (object == NULL)
		gc_list_expect(conn, id, GC_YOUNG_US);
	json_decref(entity);
}

void
gc_list_forget(GcList *list)
{
	list->forgotten = true;
}

int
gc_list_column(const GcList *list, const char *name)
{
	for (int i = 0; i < list->column_count; i++)
		if (strcmp(list->columns[i], name) == 0)
			return i;
	return -1;
}

/* ---- asking ---- */

static const char *
not_read(const char *wanted)
{
	return psprintf("could not read contact list \"%s\"",
					gc_value_display(wanted, NAMEDATALEN));
}

static void
list_malformed(GcCall *call, const char *message)
{
	gc_call_throw_reply(call, "The answer is not a contact list with id, name and columns.",
						message, NULL);
}

/* Looks at one list of a page; true ends the walk. */
typedef bool (*ListVisit)(void *arg, GcCall *call, json_t *entity);

/* Reads a page of lists and shows each to visit(); true if no more are wanted, or there. */
static bool
lists_page_walk(GcCalls *calls, int number, const char *filter, const char *message,
				ListVisit visit, void *arg)
{
	StringInfoData path;
	GcCallSpec spec;
	GcCall *call;
	json_t *reply;
	json_t *entities;
	json_t *entity;
	size_t i;
	bool done;

	initStringInfo(&path);
	gc_lists_page(&(GcPageRequest){.number = number, .size = LISTS_PAGE, .criteria = filter},
				  &path, NULL, &spec);
	spec.rate.priority = true; /* somebody waits to begin */
	call = gc_control_run(calls, &spec, message);
	reply = gc_control_json(call, message);
	entities = json_object_get(reply, "entities");
	if (!json_is_array(entities))
		gc_call_throw_reply(call, "The answer has no entities.", message, NULL);
	done = number >= json_integer_value(json_object_get(reply, "pageCount"));
	json_array_foreach(entities, i, entity)
	{
		if (visit(arg, call, entity))
		{
			done = true;
			break;
		}
	}
	gc_call_free(call);
	return done;
}

/* Walks the lists that "filter" (NULL: none) leaves, at most "max_pages" of them (0: all). */
static void
lists_walk(GcCalls *calls, const char *filter, int max_pages, const char *message,
		   ListVisit visit, void *arg)
{
	int number = 1;

	while (!lists_page_walk(calls, number, filter, message, visit, arg))
		if (number++ == max_pages)
			break;
}

static bool
offer_list(void *arg, GcCall *call, json_t *entity)
{
	const char *name = json_string_value(json_object_get(entity, "name"));
	const char *id = json_string_value(json_object_get(entity, "id"));

	if (name)
		gc_nearest_offer(arg, gc_value_display(name, NAMEDATALEN));
	if (id)
		gc_nearest_offer(arg, gc_value_display(id, NAMEDATALEN));
	return false;
}

/* The hint for a list that does not exist. */
static const char *
nearest_list(GcCalls *calls, const char *wanted, const char *message)
{
	GcNearest nearest;

	/* Distances are counted in the database's encoding. */
	gc_nearest_init(&nearest, gc_value_display(wanted, NAMEDATALEN));
	lists_walk(calls, NULL, HINT_PAGES, message, offer_list, &nearest);
	return nearest.best;
}

static void
list_not_found(GcCalls *calls, const char *wanted, const char *message)
{
	const char *shown = gc_value_display(wanted, NAMEDATALEN);
	const char *best = nearest_list(calls, wanted, message);

	/* The listing may lag behind, and have it still, or already. */
	if (best && strcmp(best, shown) == 0)
		best = NULL;
	ereport(
		ERROR,
		(errcode(ERRCODE_FDW_TABLE_NOT_FOUND),
		 errmsg("contact list \"%s\" does not exist", shown),
		 best ? errhint("Perhaps you meant the list \"%s\".", best)
			  : errhint("SELECT name FROM a table with object 'contact_lists' shows the lists "
						"that this OAuth client may see.")));
}

/* Runs the call that reads a list; its answer.  NULL: there is no such list. */
static GcCall *
ask_by_id(GcCalls *calls, const GcDialect *dialect, const char *id, const char *message)
{
	GcCallSpec spec;
	GcCall *call;

	dialect->list_call(id, &spec);
	call = gc_call_start(calls, &spec);
	gc_call_wait(call);
	if (gc_call_failure(call) == NULL)
		return call;
	if (gc_call_failure(call)->cause != GC_CAUSE_NOT_FOUND)
		gc_call_throw(call, message, NULL);
	gc_call_free(call);
	return NULL;
}

/*
 * What a listing has of a list that the dialect reads by its fields; NULL if it does so
 * itself, or has none of it.
 */
static GcList *
fetch_listed(GcConnection *conn, GcCalls *calls, const char *id, const char *message)
{
	GcCall *call;
	GcList *listed;

	if (reads_listing(conn))
		return NULL;
	call = ask_by_id(calls, &gc_dialect_platform, id, message);
	if (call == NULL)
		return NULL;
	listed = read_listed(conn, call, gc_control_json(call, message));
	gc_call_free(call);
	return listed;
}

/* "listed" (NULL: not known) is what a listing has of it. */
static GcList *
fetch_by_id(GcConnection *conn, GcCalls *calls, const char *id, const GcList *listed)
{
	const GcDialect *dialect = gc_dialect(conn->server_options);
	const char *message = not_read(id);
	GcCall *call = ask_by_id(calls, dialect, id, message);
	GcList *list;

	if (call == NULL)
	{
		forget(conn, id, NULL);
		list_not_found(calls, id, message);
	}
	if (listed == NULL)
		listed = fetch_listed(conn, calls, id, message);
	list = list_keep(conn, gc_control_json(call, message), dialect->list_read, listed, call);
	if (list == NULL)
		list_malformed(call, message);
	return list;
}

typedef struct NameSearch
{
	GcConnection *conn;
	const char *name;
	const char *message;
	GcList *found; /* as the listing has it; NULL: there is none */
} NameSearch;

static bool
match_name(void *arg, GcCall *call, json_t *entity)
{
	NameSearch *search = arg;
	const char *name = json_string_value(json_object_get(entity, "name"));

	/* The platform's comparison may be looser than ours. */
	if (name == NULL || strcmp(name, search->name) != 0)
		return false;
	search->found = reads_listing(search->conn)
						? list_keep(search->conn, entity, gc_list_from_listing, NULL, call)
						: read_listed(search->conn, call, entity);
	if (search->found == NULL)
		list_malformed(call, search->message);
	return true;
}

static GcList *
fetch_by_name(GcConnection *conn, GcCalls *calls, const char *name)
{
	NameSearch search = {conn, name, not_read(name)};
	char *filter = psprintf("filterType=Equals&name=%s", gc_url_escape(name));

	lists_walk(calls, filter, 0, search.message, match_name, &search);
	if (search.found == NULL)
	{
		forget(conn, NULL, name);
		list_not_found(calls, name, search.message);
	}
	return reads_listing(conn) ? search.found
							   : fetch_by_id(conn, calls, search.found->id, search.found);
}

static GcList *
fetch(GcConnection *conn, GcStat *stat, const char *id, const char *name)
{
	GcCalls *calls = gc_calls_open(conn, stat);
	GcList *list = id ? fetch_by_id(conn, calls, id, NULL) : fetch_by_name(conn, calls, name);

	gc_calls_close(calls);
	return list;
}

GcList *
gc_list_get(GcConnection *conn, GcStat *stat, const char *id, const char *name)
{
	GcList *list = gc_list_known(conn, id, name);

	return list ? list : fetch(conn, stat, id, name);
}

GcList *
gc_list_current(GcConnection *conn, GcStat *stat, const char *id, const char *name,
				int max_age_ms)
{
	GcList *list = gc_list_known(conn, id, name);

	if (list && gc_clock_now() - list->read_at <= max_age_ms * INT64CONST(1000))
		return list;
	return fetch(conn, stat, id, name);
}

typedef struct ListCollection
{
	GcConnection *conn;
	const char *prefix;
	List *lists;
} ListCollection;

static const char *const lists_not_read = "could not read the contact lists";

static bool
collect_list(void *arg, GcCall *call, json_t *entity)
{
	ListCollection *all = arg;
	/* What a dialect has by its fields is not kept without them. */
	GcList *list = reads_listing(all->conn)
					   ? list_keep(all->conn, entity, gc_list_from_listing, NULL, call)
					   : read_listed(all->conn, call, entity);

	if (list == NULL)
		list_malformed(call, lists_not_read);
	if (all->prefix == NULL || strncmp(list->name, all->prefix, strlen(all->prefix)) == 0)
		all->lists = lappend(all->lists, list);
	return false;
}

List *
gc_list_all(GcConnection *conn, GcStat *stat, const char *prefix)
{
	ListCollection all = {conn, prefix, NIL};
	GcCalls *calls = gc_calls_open(conn, stat);
	char *filter =
		prefix ? psprintf("filterType=Prefix&name=%s", gc_url_escape(prefix)) : NULL;

	lists_walk(calls, filter, 0, lists_not_read, collect_list, &all);
	gc_calls_close(calls);
	return all.lists;
}

GcList *
gc_list_whole(GcConnection *conn, GcStat *stat, GcList *listed)
{
	GcCalls *calls;
	GcList *list;

	if (reads_listing(conn))
		return listed;
	calls = gc_calls_open(conn, stat);
	list = fetch_by_id(conn, calls, listed->id, listed);
	gc_calls_close(calls);
	return list;
}

GcList *
gc_list_grown(GcConnection *conn, GcStat *stat, GcList *list, GcTime since)
{
	if (gc_dialect(conn->server_options)->grow_hint == NULL || list->read_at >= since)
		return list;
	return fetch(conn, stat, list->id, NULL);
}
