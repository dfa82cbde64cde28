/*
 * lists.c
 *	  The calls on contact lists.
 */
#include <regex.h>
#include <stdlib.h>
#include <strings.h>

#include "errors.h"
#include "list_check.h"
#include "lists.h"
#include "paging.h"
#include "switches.h"

#define MAX_LISTS		  1000
#define MAX_BULK		  100
#define DEFAULT_PAGE_SIZE 25

/* What GET /contactlists asks for. */
typedef struct Query
{
	Page page;
	const char *name; /* NULL = any */
	const char *filter;
	const char *sort_by;
	regex_t regex;
	bool has_regex;
	bool descending;
	bool with_size;
	bool empty_ok;
} Query;

static void
put_date(Buf *out, const char *name, int64_t us)
{
	char text[TIME_SIZE];

	sim_format_time(us, text);
	buf_printf(out, ",\"%s\":\"%s\"", name, text);
}

/* The division of a list that names none. */
#define HOME_DIVISION "3f0b2a7e-5c1d-4e6f-9a8b-7c6d5e4f3a2b"

static const char *
division_id(const List *list)
{
	json_t *division = json_object_get(list->body, "division");
	const char *id = json_string_value(json_object_get(division, "id"));

	return id ? id : HOME_DIVISION;
}

void
list_put_json(Buf *out, const List *list, bool with_size)
{
	static const char read_only[] =
		" id dateCreated dateModified version size importStatus selfUri ";
	const char *name;
	json_t *value;

	buf_puts(out, "{\"id\":");
	buf_put_string(out, list->id, strlen(list->id));
	put_date(out, "dateCreated", list->created_us);
	put_date(out, "dateModified", list->modified_us);
	buf_printf(out, ",\"version\":%d", list->version);
	json_object_foreach(list->body, name, value)
	{
		if (json_is_null(value) || strstr(read_only, name))
			continue;
		buf_putc(out, ',');
		buf_put_string(out, name, strlen(name));
		buf_putc(out, ':');
		buf_put_json(out, value);
	}
	if (!json_is_object(json_object_get(list->body, "division")))
		buf_puts(out, ",\"division\":{\"id\":\"" HOME_DIVISION "\",\"name\":\"Home\","
					  "\"selfUri\":\"/api/v2/authorization/divisions/" HOME_DIVISION "\"}");
	if (!json_is_boolean(json_object_get(list->body, "trimWhitespace")))
		buf_puts(out, ",\"trimWhitespace\":true");
	if (with_size)
		buf_printf(out, ",\"size\":%lld", (long long) (list->ncontacts + list->accepted));
	buf_puts(out, ",\"selfUri\":\"/api/v2/outbound/contactlists/");
	buf_put_uri(out, list->id, strlen(list->id));
	buf_puts(out, "\"}");
}

static json_t *
read_body(Request *req)
{
	json_t *json = json_loadb(req->body.data, req->body.len, 0, NULL);

	if (json == NULL)
		reply_error(req, 400, "bad.request",
					"The request could not be understood by the server.");
	return json;
}

static List *
add_list(Request *req, json_t *json, const char *id)
{
	char uuid[UUID_SIZE];

	if (!list_check(req, json, NULL))
		return NULL;
	if (store_count() >= MAX_LISTS)
	{
		reply_error(req, 400, "max.entity.count.reached", "There are %d contact lists.",
					MAX_LISTS);
		return NULL;
	}
	sim_uuid(uuid);
	return store_add(id ? id : uuid, json_incref(json), list_columns(json));
}

void
lists_post(Request *req)
{
	json_t *json = read_body(req);
	List *list = json ? add_list(req, json, NULL) : NULL;

	if (list)
	{
		list->ready_us = list->created_us + sw_number(SW_PROVISION_MS) * 1000;
		list_put_json(&req->reply.body, list, false);
		reply_ok(req);
	}
	json_decref(json);
}

void
lists_seed(Request *req)
{
	json_t *json = read_body(req);
	json_t *id = json_object_get(json, "id");
	List *list = NULL;

	if (json_is_string(id) &&
		store_find((Span){(char *) json_string_value(id), json_string_length(id)}))
		reply_error(req, 400, "bad.request", "There is a list with this id.");
	else if (json)
		list = add_list(req, json, json_string_value(id));
	if (list)
	{
		list_put_json(&req->reply.body, list, true);
		reply_ok(req);
	}
	json_decref(json);
}

static bool
is_ready(const List *list)
{
	return list->ready_us <= sim_now_us();
}

static List *
find_list(Request *req, const char *code)
{
	List *list = store_find(req->arg[0]);

	if (list && is_ready(list))
		return list;
	reply_error(req, 404, code, "The contact list was not found.");
	return NULL;
}

void
list_get(Request *req)
{
	List *list = find_list(req, "contact.list.not.found");
	bool with_size = false;
	bool with_status = false;

	if (!list || !request_flag(req, "includeSize", &with_size) ||
		!request_flag(req, "includeImportStatus", &with_status))
		return;
	list_put_json(&req->reply.body, list, with_size);
	reply_ok(req);
}

void
list_put(Request *req)
{
	List *list = find_list(req, "resource.not.found");
	json_t *json = list ? read_body(req) : NULL;

	if (json && list_check_update(req, json, list))
	{
		json_decref(list->body);
		list->body = json_incref(json);
		free(list->name);
		list->name = sim_strdup(json_string_value(json_object_get(json, "name")));
		list->version++;
		list->modified_us = sim_now_us();
		list_put_json(&req->reply.body, list, false);
		reply_ok(req);
	}
	json_decref(json);
}

static void
reply_deleted(Request *req, int status)
{
	reply_empty(req,
				sw_is(SW_DELETE_STATUS, "auto") ? status : (int) sw_number(SW_DELETE_STATUS));
}

void
list_delete_one(Request *req)
{
	List *list = find_list(req, "resource.not.found");

	if (list == NULL)
		return;
	store_remove(list);
	reply_deleted(req, 200);
}

/* Those that exist are deleted; one that does not makes the reply a conflict. */
void
lists_delete(Request *req)
{
	int asked = 0;
	int missing = 0;

	for (int i = 0; i < req->nparams; i++)
		asked += span_is(req->params[i].name, "id");
	if (asked == 0 || asked > MAX_BULK)
	{
		reply_error(req, 400, asked ? "too.many.deletes" : "invalid.query.param.value",
					"Between 1 and %d ids can be given.", MAX_BULK);
		return;
	}
	for (int i = 0; i < req->nparams; i++)
	{
		List *list;

		if (!span_is(req->params[i].name, "id"))
			continue;
		if ((list = store_find(req->params[i].value)) != NULL)
			store_remove(list);
		else
			missing++;
	}
	if (missing > 0)
		reply_error(req, 409, "bulk.delete.conflict", "%d of %d lists were not deleted.",
					missing, asked);
	else
		reply_deleted(req, 204);
}

void
list_clear_contacts(Request *req)
{
	List *list = find_list(req, "contact.list.not.found");
	int64_t delay = sw_number(SW_CLEAR_MS) * 1000;

	if (list == NULL)
		return;
	list_clear(list, delay ? sim_now_us() + delay : 0);
	list->accepted = 0;
	reply_empty(req, 200);
}

static bool
one_of(Request *req, const char *name, const char *choices, const char **value)
{
	const Span *given = request_param(req, name);
	char *wanted;
	bool known;

	if (given == NULL)
		return true;
	wanted = sim_printf(" %s ", given->p);
	known = strstr(choices, wanted) != NULL;
	free(wanted);
	*value = given->p;
	if (!known)
		reply_error(req, 400, "invalid.query.param.value", "%s cannot be %s.", name, given->p);
	return known;
}

static bool
read_name(Request *req, Query *query)
{
	const Span *name = request_param(req, "name");

	query->name = name ? name->p : NULL;
	if (!name || strcmp(query->filter, "RegEx") != 0)
		return true;
	query->has_regex = regcomp(&query->regex, name->p,
							   REG_EXTENDED | REG_NOSUB |
								   (sw_is(SW_TEXT_COMPARE, "exact") ? 0 : REG_ICASE)) == 0;
	if (!query->has_regex)
		reply_error(req, 400, "invalid.query.param.value",
					"The name is no regular expression.");
	return query->has_regex;
}

static bool
read_query(Request *req, Query *query)
{
	const char *order = "ascending";
	bool with_status;
	int nids = 0;

	query->page = (Page){1, DEFAULT_PAGE_SIZE};
	query->filter = "Prefix";
	query->sort_by = "name";
	for (int i = 0; i < req->nparams; i++)
		nids += span_is(req->params[i].name, "id");
	if (nids > MAX_BULK)
	{
		reply_error(req, 400, "too.many.bulk.retrieves", "At most %d ids can be given.",
					MAX_BULK);
		return false;
	}
	if (!request_number(req, "pageSize", &query->page.size) ||
		!request_number(req, "pageNumber", &query->page.number) ||
		!page_check(req, &query->page) ||
		!request_flag(req, "allowEmptyResult", &query->empty_ok) ||
		!request_flag(req, "includeSize", &query->with_size) ||
		!request_flag(req, "includeImportStatus", &with_status) ||
		!one_of(req, "filterType",
				" Equals RegEx Contains Prefix LessThan LessThanEqualTo GreaterThan "
				"GreaterThanEqualTo BeginsWith EndsWith ",
				&query->filter) ||
		!one_of(req, "sortBy", " id name dateCreated dateModified version ",
				&query->sort_by) ||
		!one_of(req, "sortOrder", " ascending descending ", &order))
		return false;
	query->descending = strcmp(order, "descending") == 0;
	return read_name(req, query);
}

static bool
name_matches(const Query *query, const char *text)
{
	bool exact = sw_is(SW_TEXT_COMPARE, "exact");
	size_t n = strlen(query->name);
	size_t len = strlen(text);
	const char *filter = query->filter;
	int (*ncompare)(const char *, const char *, size_t) = exact ? strncmp : strncasecmp;
	int sign = exact ? strcmp(text, query->name) : strcasecmp(text, query->name);

	if (query->has_regex)
		return regexec(&query->regex, text, 0, NULL, 0) == 0;
	if (strcmp(filter, "Equals") == 0)
		return sign == 0;
	if (strcmp(filter, "Contains") == 0)
		return (exact ? strstr(text, query->name) : strcasestr(text, query->name)) != NULL;
	if (strcmp(filter, "EndsWith") == 0)
		return len >= n && ncompare(text + len - n, query->name, n) == 0;
	if (strncmp(filter, "Less", 4) == 0)
		return sign < 0 || (sign == 0 && strcmp(filter, "LessThanEqualTo") == 0);
	if (strncmp(filter, "Greater", 7) == 0)
		return sign > 0 || (sign == 0 && strcmp(filter, "GreaterThanEqualTo") == 0);
	return ncompare(text, query->name, n) == 0;
}

/* Is the value among those of a parameter that may be repeated?  Yes when there is none. */
static bool
is_named(const Request *req, const char *param, const char *value)
{
	bool given = false;

	for (int i = 0; i < req->nparams; i++)
	{
		if (!span_is(req->params[i].name, param))
			continue;
		if (span_is(req->params[i].value, value))
			return true;
		given = true;
	}
	return !given;
}

static bool
list_matches(const Request *req, const Query *query, const List *list)
{
	if (!is_ready(list) || (query->name && !name_matches(query, list->name)))
		return false;
	return is_named(req, "id", list->id) && is_named(req, "divisionId", division_id(list));
}

static int
compare_lists(const void *left, const void *right, void *arg)
{
	const List *a = *(List *const *) left;
	const List *b = *(List *const *) right;
	const Query *query = arg;
	int64_t sign;

	if (strcmp(query->sort_by, "dateCreated") == 0)
		sign = a->created_us - b->created_us;
	else if (strcmp(query->sort_by, "dateModified") == 0)
		sign = a->modified_us - b->modified_us;
	else if (strcmp(query->sort_by, "version") == 0)
		sign = a->version - b->version;
	else if (strcmp(query->sort_by, "id") == 0)
		sign = strcmp(a->id, b->id);
	else
		sign = strcasecmp(a->name, b->name);
	if (sign == 0)
		sign = strcmp(a->id, b->id);
	return (sign > 0 ? 1 : sign < 0 ? -1 : 0) * (query->descending ? -1 : 1);
}

static void
put_lists(Request *req, const Query *query, List **found, int64_t n)
{
	Buf *out = &req->reply.body;
	int64_t from = page_first(query->page);

	if (from >= n && query->page.number > 1 && !query->empty_ok &&
		sw_is(SW_PAGE_PAST_END, "error"))
	{
		reply_error(req, 400, "invalid.query.param.value", "There is no page %lld.",
					(long long) query->page.number);
		return;
	}
	req->rows = 0;
	buf_puts(out, "{\"entities\":[");
	for (int64_t i = from; i < n && i < from + query->page.size; i++)
	{
		if (i > from)
			buf_putc(out, ',');
		list_put_json(out, found[i], query->with_size);
		req->rows++;
	}
	buf_puts(out, "],");
	page_put(out, req, query->page, n);
	buf_putc(out, '}');
	reply_ok(req);
}

void
lists_get(Request *req)
{
	Query query = {0};
	List **found = sim_alloc(sizeof(List *) * (size_t) store_count());
	int64_t n = 0;

	if (read_query(req, &query))
	{
		for (List *list = store_lists(); list; list = list->next)
		{
			list_settle(list);
			if (list_matches(req, &query, list))
				found[n++] = list;
		}
		qsort_r(found, (size_t) n, sizeof(List *), compare_lists, &query);
		put_lists(req, &query, found, n);
	}
	if (query.has_regex)
		regfree(&query.regex);
	free(found);
}
