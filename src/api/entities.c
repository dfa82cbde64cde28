/*
 * api/entities.c
 *	  Any collection of the API, as a table's options describe it.
 */
#include "postgres.h"

#include "api/entities.h"
#include "api/entity_parts.h"

#define PATH_BEGIN "/api/v2/"

/* What stands here until a table's options are read. */
static const GcEntityKind any_kind = {.label = "entity"};

static void
entities_page(const GcPageRequest *request, StringInfo path, StringInfo body, GcCallSpec *spec)
{
	const GcEntityKind *kind = request->resource->kind;
	char separator = '?';

	resetStringInfo(path);
	appendStringInfoString(path, kind->path);
	if (!kind->unpaged)
	{
		appendStringInfo(path, "?pageSize=%d&pageNumber=" INT64_FORMAT, request->size,
						 request->number);
		separator = '&';
	}
	if (kind->listing_query)
		appendStringInfo(path, "%c%s", separator, kind->listing_query);
	*spec = (GcCallSpec){.call_class = GC_CALL_SAFE,
						 .method = "GET",
						 .path = path->data,
						 .endpoint = kind->path};
}

const GcResource gc_entities = {
	.object = "entities",
	.comment = "entities of a collection",
	.default_rows = 100,
	.page = entities_page,
	.by_options = true,
	.kind = &any_kind,
	.insert_endpoint = PATH_BEGIN,
	.update_endpoint = PATH_BEGIN,
	.delete_endpoint = PATH_BEGIN,
	.path_name = "listing",
	.method = "GET",
	.endpoint = PATH_BEGIN,
};

const char *
gc_entities_path_problem(const char *path)
{
	if (strncmp(path, PATH_BEGIN, strlen(PATH_BEGIN)) != 0 || path[strlen(PATH_BEGIN)] == '\0')
		return "It begins with \"" PATH_BEGIN "\" and names a collection.";
	if (strstr(path, "/../") || strstr(path, "/./") || strstr(path, "//"))
		return "It leads straight to a collection.";
	for (const char *p = path; *p; p++)
		if (*p <= ' ' || *p > '~' || *p == '#' || *p == '\\' || *p == '"')
			return "Other characters than those of a URL are written as %XX.";
	return NULL;
}

/* What can be done about a call that the API does not have. */
static const char *
not_allowed_hint(const char *method)
{
	if (strcmp(method, "POST") == 0)
		return "The API makes nothing in this collection; what is there may be read and "
			   "changed. Check the table option \"path\".";
	if (strcmp(method, "DELETE") == 0)
		return "The API deletes nothing from this collection; what is there may be read and "
			   "changed. Check the table option \"path\".";
	return "Check the table options \"update_method\" and \"path\".";
}

/* What is not there is the collection: of a single entity that has gone the statement knows. */
static void
explain_entity(const GcEntityWriter *writer, const char *id, const GcFailure *failure,
			   const char *failed)
{
	GcFailure told = *failure;

	if (failure->status == GC_HTTP_METHOD_NOT_ALLOWED)
	{
		told.sqlstate = ERRCODE_FEATURE_NOT_SUPPORTED;
		told.hint = not_allowed_hint(failure->method);
	}
	else if (failure->cause == GC_CAUSE_NOT_FOUND)
		told.hint = "Check the table option \"path\", and the server option \"region\" or "
					"\"api_url\".";
	else
		return;
	gc_failure_throw(&told, failed, NULL);
}

const GcResource *
gc_entities_resource(const GcEntitiesOptions *options)
{
	GcEntityKind *kind = palloc0(sizeof(GcEntityKind));
	GcResource *resource = palloc(sizeof(GcResource));
	const char *query = strchr(options->path, '?');
	size_t len = query ? (size_t) (query - options->path) : strlen(options->path);

	if (len > 0 && options->path[len - 1] == '/')
		len--;
	kind->label = "entity";
	kind->explain = explain_entity;
	kind->path = pnstrdup(options->path, len);
	kind->endpoint = psprintf("%s/{id}", kind->path);
	kind->listing_query = query && query[1] ? query + 1 : NULL;
	kind->items = options->items;
	kind->id_field = options->id_field;
	kind->natural_key = options->natural_key;
	kind->name_of = options->natural_key ? options->natural_key : options->id_field;
	kind->version_field = options->version_field;
	kind->unpaged = !options->paged;
	kind->patches = options->patches;
	*resource = gc_entities;
	resource->kind = kind;
	resource->comment = psprintf("entities at %s", kind->path);
	resource->endpoint = resource->insert_endpoint = kind->path;
	resource->update_endpoint = resource->delete_endpoint = kind->endpoint;
	return resource;
}

static bool
is_member(const char *path, const char *member)
{
	return member && strcmp(path, member) == 0;
}

const GcAttribute *
gc_entities_attribute(const GcResource *resource, const char *name, const char *path,
					  bool quoted)
{
	const GcEntityKind *kind = resource->kind;
	GcAttribute *attribute = palloc0(sizeof(GcAttribute));

	attribute->name = name;
	attribute->type = quoted ? "text" : "jsonb";
	attribute->path = path;
	attribute->written =
		is_member(path, kind->id_field) || is_member(path, kind->version_field)
			? GC_WRITTEN_NEVER
			: GC_WRITTEN_ALWAYS;
	return attribute;
}
