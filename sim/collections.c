/*
 * collections.c
 *	  Collections of all sorts: wrap-up codes, management units, staffing groups, groups, schedules.
 */
#include <stdlib.h>

#include "collections.h"
#include "errors.h"
#include "paging.h"
#include "things.h"

#define WFM "/api/v2/workforcemanagement/"

typedef struct Collection
{
	const char *begin; /* of the path */
	const char *end;   /* … and its end, where one part stands between; or NULL */
	bool paged;
	const char *version; /* where it stands: members with "/" between; NULL = nowhere */
	const char *details; /* a member that the listing has only with "expand"; NULL = none */
	const char *stale;	 /* what is said of a version that is not the newest */
} Collection;

static const Collection collections[] = {
	{"/api/v2/routing/wrapupcodes", NULL, true, NULL, NULL, NULL},
	{WFM "managementunits", NULL, false, "settings/metadata/version", "settings",
	 "Resource conflict - Unexpected version was provided"},
	{WFM "businessunits/", "/staffinggroups", false, "metadata/version", NULL,
	 "Resource conflict - Unexpected version was provided"},
	{"/api/v2/wfm/users/groups", NULL, false, "version", NULL,
	 "The resource has been modified since the last request. Please refresh and retry."},
	{"/api/v2/wfm/schedules", NULL, false, "version", NULL,
	 "The resource has been modified since the last request. Please refresh and retry."},
};

/* By path of a collection, by id. */
static json_t *all;

/* The collection that a path is in, and the length of its own path; NULL = none. */
static const Collection *
find(const char *path, size_t *len)
{
	for (size_t i = 0; i < sizeof(collections) / sizeof(collections[0]); i++)
	{
		const Collection *collection = &collections[i];
		size_t n = strlen(collection->begin);

		if (strncmp(path, collection->begin, n) != 0)
			continue;
		if (collection->end)
		{
			const char *end = strstr(path + n, collection->end);

			if (end == NULL)
				continue;
			n = (size_t) (end - path) + strlen(collection->end);
		}
		*len = n;
		return collection;
	}
	return NULL;
}

/* What the collection has; made when it is asked for first. */
static json_t *
entities_of(const char *path, size_t len)
{
	char *key = sim_printf("%.*s", (int) len, path);
	json_t *entities;

	if (all == NULL)
		all = json_object();
	entities = json_object_get(all, key);
	if (entities == NULL)
	{
		entities = json_object();
		json_object_set_new(all, key, entities);
	}
	free(key);
	return entities;
}

void
collections_reset(void)
{
	json_decref(all);
	all = NULL;
}

/* The member at a path; where "make", objects on the way are made, and it is set to that. */
static json_t *
member_at(json_t *body, const char *path, json_t *make)
{
	const char *slash = strchr(path, '/');
	char *name = slash ? sim_printf("%.*s", (int) (slash - path), path) : sim_strdup(path);
	json_t *member = json_object_get(body, name);

	if (slash && make && !json_is_object(member))
	{
		member = json_object();
		json_object_set_new(body, name, member);
	}
	if (slash == NULL && make)
		json_object_set(body, name, make);
	free(name);
	if (slash)
		return member_at(member, slash + 1, make);
	return make ? make : member;
}

static json_int_t
version_of(const Collection *collection, json_t *body)
{
	return collection->version ? json_integer_value(member_at(body, collection->version, NULL))
							   : 0;
}

static void
set_version(const Collection *collection, json_t *body, json_int_t version)
{
	json_t *value = json_integer(version);

	if (collection->version)
		member_at(body, collection->version, value);
	json_decref(value);
}

/* ---- reading ---- */

static void
put_entity(Buf *out, const Collection *collection, json_t *body, bool details)
{
	json_t *shown = json_copy(body);

	if (collection->details && !details)
		json_object_del(shown, collection->details);
	buf_put_json(out, shown);
	json_decref(shown);
}

void
collection_get(Request *req)
{
	size_t len;
	const Collection *collection = find(req->path, &len);
	json_t *entities = entities_of(req->path, len);
	Page page = {1, (int64_t) json_object_size(entities)};
	bool details = request_param(req, "expand") != NULL;
	Buf *out = &req->reply.body;
	int64_t i = 0;
	const char *id;
	json_t *body;

	if (collection->paged)
	{
		page.size = 25;
		if (!request_number(req, "pageSize", &page.size) ||
			!request_number(req, "pageNumber", &page.number) || !page_check(req, &page))
			return;
	}
	buf_puts(out, "{\"entities\":[");
	json_object_foreach(entities, id, body)
	{
		int64_t place = i++ - page_first(page);

		if (collection->paged && (place < 0 || place >= page.size))
			continue;
		if (out->data[out->len - 1] != '[')
			buf_putc(out, ',');
		put_entity(out, collection, body, details);
	}
	buf_putc(out, ']');
	if (collection->paged)
	{
		buf_putc(out, ',');
		page_put(out, req, page, (int64_t) json_object_size(entities));
	}
	buf_putc(out, '}');
	reply_ok(req);
}

/* The one that the path names; NULL, with 404 as the reply. */
static json_t *
named(Request *req, const Collection **collection)
{
	size_t len;
	json_t *entities;
	json_t *body;
	char *id;

	*collection = find(req->path, &len);
	entities = entities_of(req->path, len);
	id = sim_printf("%.*s", (int) req->part[req->nparts - 1].n, req->part[req->nparts - 1].p);
	body = json_object_get(entities, id);
	free(id);
	if (body == NULL)
		reply_error(req, 404, "not.found", "There is no such entity.");
	return body;
}

void
collection_get_one(Request *req)
{
	const Collection *collection;
	json_t *body = named(req, &collection);

	if (body)
		reply_json(req, 200, json_incref(body));
}

/* ---- writing ---- */

static const char *
name_of(const json_t *body)
{
	const char *name = json_string_value(json_object_get(body, "name"));

	return name ? name : "";
}

/* It has a name, which no other one has. */
static bool
check_name(Request *req, json_t *entities, const json_t *body, const json_t *self)
{
	const char *id;
	json_t *other;

	if (!*name_of(body))
	{
		reply_error(req, 400, "constraint.validation", "name is required.");
		return false;
	}
	json_object_foreach(entities, id, other)
	{
		if (other == self || strcmp(name_of(other), name_of(body)) != 0)
			continue;
		reply_error(req, 409, "conflict", "An entity with that name already exists.");
		return false;
	}
	return true;
}

static json_t *
add(const Collection *collection, json_t *entities, json_t *body, const char *id)
{
	json_object_set_new(body, "id", json_string(id));
	set_version(collection, body, 1);
	json_object_set(entities, id, body);
	return body;
}

void
collection_post(Request *req)
{
	json_t *body = thing_body(req);
	size_t len;
	const Collection *collection = find(req->path, &len);
	json_t *entities = entities_of(req->path, len);
	char uuid[UUID_SIZE];

	sim_uuid(uuid);
	if (body && check_name(req, entities, body, NULL))
		reply_json(req, 200, json_incref(add(collection, entities, body, uuid)));
	json_decref(body);
}

/* The version is that which is there. */
static bool
check_version(Request *req, const Collection *collection, json_t *body, json_t *given)
{
	if (collection->version == NULL)
		return true;
	if (!json_is_integer(member_at(given, collection->version, NULL)))
		reply_error(req, 400, "constraint.validation", "%s is required.", collection->version);
	else if (version_of(collection, given) != version_of(collection, body))
		reply_error(req, 409, "conflict", "%s", collection->stale);
	else
		return true;
	return false;
}

/* PUT replaces all members, PATCH those that it has. */
static void
change(const Collection *collection, json_t *body, json_t *given, bool whole)
{
	json_int_t version = version_of(collection, body) + 1;
	json_t *id = json_incref(json_object_get(body, "id"));

	if (whole)
		json_object_clear(body);
	json_object_update_recursive(body, given);
	json_object_set_new(body, "id", id);
	set_version(collection, body, version);
}

void
collection_update(Request *req)
{
	const Collection *collection;
	json_t *body = named(req, &collection);
	json_t *given = body ? thing_body(req) : NULL;
	bool whole = strcmp(req->method, "PUT") == 0;
	size_t len;

	if (given == NULL)
		return;
	(void) find(req->path, &len);
	if (check_version(req, collection, body, given) &&
		((!whole && json_object_get(given, "name") == NULL) ||
		 check_name(req, entities_of(req->path, len), given, body)))
	{
		change(collection, body, given, whole);
		reply_json(req, 200, json_incref(body));
	}
	json_decref(given);
}

void
collection_delete(Request *req)
{
	const Collection *collection;
	json_t *body = named(req, &collection);
	size_t len;

	if (body == NULL)
		return;
	(void) find(req->path, &len);
	json_object_del(entities_of(req->path, len),
					json_string_value(json_object_get(body, "id")));
	reply_empty(req, 204);
}

void
collections_seed(Request *req)
{
	json_t *given = thing_body(req);
	const char *path = json_string_value(json_object_get(given, "path"));
	const char *id = json_string_value(json_object_get(given, "id"));
	size_t len = 0;
	const Collection *collection = path ? find(path, &len) : NULL;
	json_t *body;

	if (given == NULL)
		return;
	if (collection == NULL || id == NULL || path[len] != '\0')
	{
		reply_error(req, 400, "bad.request", "There is no such collection, or no id.");
		json_decref(given);
		return;
	}
	body = json_object_get(entities_of(path, len), id);
	if (body == NULL)
	{
		body = json_object();
		add(collection, entities_of(path, len), body, id);
		set_version(collection, body, 0);
		json_decref(body);
	}
	json_object_del(given, "path");
	change(collection, body, given, false);
	reply_json(req, 200, json_incref(body));
	json_decref(given);
}
