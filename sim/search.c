/*
 * search.c
 *	  POST /contacts/search: which contacts, in which order, which page.
 *
 * Without a filter and sorts, a page is cut straight from the order of
 * arrival.  Otherwise the matches are found once and kept on the list, for
 * the pages that follow, until anything in the list changes.
 */
#include <stdlib.h>

#include "contact_json.h"
#include "contacts.h"
#include "criteria.h"
#include "errors.h"
#include "filters.h"
#include "generate.h"
#include "lag.h"
#include "paging.h"
#include "search.h"
#include "state.h"
#include "switches.h"

#define MAX_SORTS		  4
#define DEFAULT_PAGE_SIZE 25

typedef struct Sort
{
	int column;
	bool descending;
	bool numeric;
} Sort;

typedef struct Search
{
	List *list;
	Page page;
	Criteria *criteria; /* NULL = all */
	Sort sorts[MAX_SORTS];
	int nsorts;
	bool ignore_case;
	Buf scratch[2]; /* for the two cells a sort compares */
	char *key;		/* tells searches apart that find different things */
} Search;

struct SearchCache
{
	char *key;
	uint64_t changes;
	Contact **matches;
	int64_t n;
};

void
search_forget(SearchCache *cache)
{
	if (cache == NULL)
		return;
	free(cache->key);
	free(cache->matches);
	free(cache);
}

/* fieldName, direction and numeric, and nothing else. */
static bool
check_sort(Request *req, const json_t *json)
{
	json_t *numeric = json_object_get(json, "numeric");
	size_t known = (json_object_get(json, "fieldName") != NULL) +
				   (json_object_get(json, "direction") != NULL) + (numeric != NULL);

	if (!json_is_object(json) || json_object_size(json) != known)
	{
		reply_error(req, 400, "invalid.property",
					"A sort has fieldName, direction and numeric.");
		return false;
	}
	if (numeric && !json_is_boolean(numeric))
	{
		reply_error(req, 400, "bad.request", "numeric is true or false.");
		return false;
	}
	return true;
}

static bool
read_sort(Request *req, Search *search, const json_t *json)
{
	json_t *field = json_object_get(json, "fieldName");
	const char *direction = json_string_value(json_object_get(json, "direction"));
	Span name = {(char *) json_string_value(field), json_string_length(field)};
	Sort *sort = &search->sorts[search->nsorts++];

	sort->column = name.p ? columns_find(search->list->columns, name, 0) : -1;
	if (sort->column < 0)
	{
		reply_error(req, 400, "column.does.not.match.contact.list",
					"The list has no such column.");
		return false;
	}
	sort->descending = direction && strcmp(direction, "DESC") == 0;
	sort->numeric = json_is_true(json_object_get(json, "numeric"));
	if (direction && !sort->descending && strcmp(direction, "ASC") != 0)
	{
		reply_error(req, 400, "bad.request", "direction is ASC or DESC.");
		return false;
	}
	return true;
}

static bool
read_sorts(Request *req, Search *search, const json_t *json)
{
	size_t i;
	json_t *item;

	if (json == NULL || json_is_null(json))
		return true;
	if (!json_is_array(json) || json_array_size(json) > MAX_SORTS)
	{
		reply_error(req, 400, "bad.request", "contactSorts is an array of at most %d.",
					MAX_SORTS);
		return false;
	}
	json_array_foreach(json, i, item)
	{
		if (!check_sort(req, item) || !read_sort(req, search, item))
			return false;
	}
	return true;
}

/* Both are required, but for the empty body, which asks for the count. */
static bool
read_page(Request *req, Search *search, const json_t *json)
{
	json_t *number = json_object_get(json, "pageNumber");
	json_t *size = json_object_get(json, "pageSize");
	int64_t most = sw_number(SW_SEARCH_MAX_ROWS);

	search->page = (Page){1, DEFAULT_PAGE_SIZE};
	if (json_object_size(json) == 0)
		return true;
	if (!json_is_integer(number) || !json_is_integer(size))
	{
		reply_error(req, 400, "constraint.validation",
					"pageNumber and pageSize are required.");
		return false;
	}
	search->page = (Page){json_integer_value(number), json_integer_value(size)};
	if (!page_check(req, &search->page))
		return false;
	if (most > 0 && search->page.number * search->page.size > most)
	{
		reply_error(req, 400, "invalid.value", "Only the first %lld contacts can be paged to.",
					(long long) most);
		return false;
	}
	return true;
}

static bool
check_members(Request *req, const json_t *json)
{
	static const char known[] =
		" contactListFilterId criteria pageNumber pageSize contactSorts ";
	const char *name;
	json_t *value;

	if (!json_is_object(json))
	{
		reply_error(req, 400, "bad.request",
					"The request could not be understood by the server.");
		return false;
	}
	json_object_foreach((json_t *) json, name, value)
	{
		if (!strstr(known, name) || strchr(name, ' '))
		{
			reply_error(req, 400, "invalid.property", "A search has no property %s.", name);
			return false;
		}
	}
	return true;
}

static bool
read_search(Request *req, Search *search, const json_t *json)
{
	const json_t *conditions;
	json_t *sorts = json_object_get(json, "contactSorts");
	json_t *key;

	if (!check_members(req, json) || !read_page(req, search, json) ||
		!read_sorts(req, search, sorts) ||
		!filter_conditions(req, json, search->list, &conditions))
		return false;
	if (conditions &&
		!(search->criteria = criteria_read(req, conditions, search->list->columns)))
		return false;
	key = json_pack("[O?, O?, s, s]", conditions, sorts, sw_text(SW_TEXT_COMPARE),
					sw_text(SW_BETWEEN_BOUNDS));
	search->key = json_dumps(key, JSON_COMPACT);
	json_decref(key);
	return true;
}

static Span
sort_cell(const Contact *contact, int column)
{
	Span cells[MAX_COLUMNS];

	contact_cells(contact, cells);
	return cells[column];
}

static int
compare_by(Search *search, const Sort *sort, Span a, Span b)
{
	long double number[2];
	bool good[2];

	if (!sort->numeric)
		return text_compare(text_fold(a, search->ignore_case, &search->scratch[0]),
							text_fold(b, search->ignore_case, &search->scratch[1]));
	good[0] = text_number(a, &number[0]);
	good[1] = text_number(b, &number[1]);
	if (!good[0] || !good[1])
		return good[0] - good[1]; /* what is no number comes before all that are */
	return (number[0] > number[1]) - (number[0] < number[1]);
}

static int
compare_contacts(const void *left, const void *right, void *arg)
{
	const Contact *a = *(Contact *const *) left;
	const Contact *b = *(Contact *const *) right;
	Search *search = arg;

	for (int i = 0; i < search->nsorts; i++)
	{
		const Sort *sort = &search->sorts[i];
		int sign =
			compare_by(search, sort, sort_cell(a, sort->column), sort_cell(b, sort->column));

		if (sign)
			return sort->descending ? -sign : sign;
	}
	return (a->place > b->place) - (a->place < b->place);
}

/* The matches among these contacts, in order; they belong to the list. */
static SearchCache *
find_matches(Search *search, Contact **shown, int64_t n)
{
	List *list = search->list;
	SearchCache *cache = list->cache;
	bool lagging = sw_number(SW_READ_LAG_MS) > 0 ||
				   (search->criteria && criteria_is_relative(search->criteria));

	if (cache && !lagging && cache->changes == list->changes &&
		strcmp(cache->key, search->key) == 0)
		return cache;
	search_forget(cache);
	cache = list->cache = sim_alloc(sizeof(SearchCache));
	cache->key = sim_strdup(lagging ? "" : search->key);
	cache->changes = list->changes;
	cache->matches = sim_alloc(sizeof(Contact *) * (size_t) n);
	for (int64_t i = 0; i < n; i++)
	{
		Span cells[MAX_COLUMNS];

		contact_cells(shown[i], cells);
		if (!search->criteria || criteria_match(search->criteria, cells))
			cache->matches[cache->n++] = shown[i];
	}
	if (search->nsorts > 0)
		qsort_r(cache->matches, (size_t) cache->n, sizeof(Contact *), compare_contacts,
				search);
	return cache;
}

static void
put_listing(Request *req, const Search *search, Contact **contacts, int64_t total,
			int64_t count)
{
	Buf *out = &req->reply.body;
	int64_t from = page_first(search->page);
	int64_t to = from + search->page.size < total ? from + search->page.size : total;

	req->rows = to > from ? to - from : 0;
	buf_puts(out, "{\"entities\":[");
	for (int64_t i = from; i < to; i++)
	{
		if (i > from)
			buf_putc(out, ',');
		if (contacts)
			contact_put_json(out, search->list, contacts[i]);
		else
			generated_put(out, search->list, i);
	}
	buf_puts(out, "],");
	page_put(out, req, search->page, total);
	buf_printf(out, ",\"contactsCount\":%lld}", (long long) count);
	reply_ok(req);
}

static void
answer(Request *req, Search *search)
{
	List *list = search->list;
	Contact **shown;
	int64_t n;

	if (sw_is(SW_DISCARD, "on"))
	{
		put_listing(req, search, NULL, sw_number(SW_GENERATED_CONTACTS), list->accepted);
		return;
	}
	n = lag_shown(list, &shown);
	if (search->criteria || search->nsorts > 0)
	{
		SearchCache *found = find_matches(search, shown, n);

		put_listing(req, search, found->matches, found->n, n);
	}
	else
		put_listing(req, search, shown, n, n);
}

void
contacts_search(Request *req)
{
	json_t *json = json_loadb(req->body.data, req->body.len, JSON_ALLOW_NUL, NULL);
	Search search = {0};

	state_lock();
	search.ignore_case = sw_is(SW_TEXT_COMPARE, "ignorecase");
	search.list = contacts_list(req);
	if (search.list && read_search(req, &search, json))
		answer(req, &search);
	state_unlock();
	if (search.criteria)
		criteria_free(search.criteria);
	free(search.key);
	buf_free(&search.scratch[0]);
	buf_free(&search.scratch[1]);
	json_decref(json);
}
