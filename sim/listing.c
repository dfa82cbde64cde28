/*
 * listing.c
 *	  Listings of named things, as the platform pages, filters and sorts them.
 */
#include <stdlib.h>
#include <strings.h>

#include "errors.h"
#include "listing.h"
#include "switches.h"

#define MAX_IDS			  100
#define DEFAULT_PAGE_SIZE 25

const char *
division_of(const json_t *body)
{
	json_t *division = json_object_get(body, "division");
	const char *id = json_string_value(json_object_get(division, "id"));

	return id ? id : HOME_DIVISION;
}

json_t *
division_home(void)
{
	return json_pack("{s:s, s:s, s:s}", "id", HOME_DIVISION, "name", "Home", "selfUri",
					 "/api/v2/authorization/divisions/" HOME_DIVISION);
}

bool
listing_one_of(Request *req, const char *name, const char *choices, const char **value)
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
read_name(Request *req, Listing *listing)
{
	const Span *name = request_param(req, "name");

	listing->name = name ? name->p : NULL;
	if (!name || strcmp(listing->filter, "RegEx") != 0)
		return true;
	listing->has_regex = regcomp(&listing->regex, name->p,
								 REG_EXTENDED | REG_NOSUB |
									 (sw_is(SW_TEXT_COMPARE, "exact") ? 0 : REG_ICASE)) == 0;
	if (!listing->has_regex)
		reply_error(req, 400, "invalid.query.param.value",
					"The name is no regular expression.");
	return listing->has_regex;
}

/* Only ids and divisions may be given more than once. */
static bool
check_repeated(Request *req)
{
	for (int i = 0; i < req->nparams; i++)
		for (int j = 0; j < i; j++)
		{
			Span name = req->params[i].name;

			if (span_is(name, "id") || span_is(name, "divisionId") ||
				!span_is(name, req->params[j].name.p))
				continue;
			reply_error(req, 400, "constraint.validation", "%s is given twice.", name.p);
			return false;
		}
	return true;
}

bool
listing_open(Listing *listing, Request *req)
{
	const char *order = "ascending";
	int nids = 0;

	*listing = (Listing){
		.req = req, .page = {1, DEFAULT_PAGE_SIZE}, .filter = "Prefix", .sort_by = "name"};
	for (int i = 0; i < req->nparams; i++)
		nids += span_is(req->params[i].name, "id");
	if (nids > MAX_IDS)
	{
		reply_error(req, 400, "too.many.bulk.retrieves", "At most %d ids can be given.",
					MAX_IDS);
		return false;
	}
	if (!check_repeated(req) || !request_number(req, "pageSize", &listing->page.size) ||
		!request_number(req, "pageNumber", &listing->page.number) ||
		!page_check(req, &listing->page) ||
		!request_flag(req, "allowEmptyResult", &listing->empty_ok) ||
		!request_flag(req, "includeSize", &listing->with_size) ||
		!request_flag(req, "includeImportStatus", &listing->with_status) ||
		!listing_one_of(req, "filterType",
						" Equals RegEx Contains Prefix LessThan LessThanEqualTo GreaterThan "
						"GreaterThanEqualTo BeginsWith EndsWith ",
						&listing->filter) ||
		!listing_one_of(req, "sortBy", " id name dateCreated dateModified timestamp version ",
						&listing->sort_by) ||
		!listing_one_of(req, "sortOrder", " ascending descending ", &order))
		return false;
	listing->descending = strcmp(order, "descending") == 0;
	return read_name(req, listing);
}

static bool
name_matches(const Listing *listing, const char *text)
{
	bool exact = sw_is(SW_TEXT_COMPARE, "exact");
	size_t n = strlen(listing->name);
	size_t len = strlen(text);
	const char *filter = listing->filter;
	int (*ncompare)(const char *, const char *, size_t) = exact ? strncmp : strncasecmp;
	int sign = exact ? strcmp(text, listing->name) : strcasecmp(text, listing->name);

	if (listing->has_regex)
		return regexec(&listing->regex, text, 0, NULL, 0) == 0;
	if (strcmp(filter, "Equals") == 0)
		return sign == 0;
	if (strcmp(filter, "Contains") == 0)
		return (exact ? strstr(text, listing->name) : strcasestr(text, listing->name)) != NULL;
	if (strcmp(filter, "EndsWith") == 0)
		return len >= n && ncompare(text + len - n, listing->name, n) == 0;
	if (strncmp(filter, "Less", 4) == 0)
		return sign < 0 || (sign == 0 && strcmp(filter, "LessThanEqualTo") == 0);
	if (strncmp(filter, "Greater", 7) == 0)
		return sign > 0 || (sign == 0 && strcmp(filter, "GreaterThanEqualTo") == 0);
	return ncompare(text, listing->name, n) == 0;
}

bool
listing_names(const Request *req, const char *param, const char *value)
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

void
listing_offer(Listing *listing, const Listed *listed)
{
	if ((listing->name && !name_matches(listing, listed->name)) ||
		!listing_names(listing->req, "id", listed->id) ||
		(listed->division && !listing_names(listing->req, "divisionId", listed->division)))
		return;
	if (listing->n == listing->room)
	{
		listing->room = listing->room ? listing->room * 2 : 64;
		listing->found = sim_realloc(listing->found, sizeof(Listed) * listing->room);
	}
	listing->found[listing->n++] = *listed;
}

static int
compare_listed(const void *left, const void *right, void *arg)
{
	const Listed *a = left;
	const Listed *b = right;
	const Listing *listing = arg;
	const char *by = listing->sort_by;
	int64_t sign;

	if (strcmp(by, "dateCreated") == 0 || strcmp(by, "timestamp") == 0)
		sign = a->created_us - b->created_us;
	else if (strcmp(by, "dateModified") == 0)
		sign = a->modified_us - b->modified_us;
	else if (strcmp(by, "version") == 0)
		sign = a->version - b->version;
	else if (strcmp(by, "id") == 0)
		sign = strcmp(a->id, b->id);
	else
		sign = strcasecmp(a->name, b->name);
	if (sign == 0)
		sign = strcmp(a->id, b->id);
	return (sign > 0 ? 1 : sign < 0 ? -1 : 0) * (listing->descending ? -1 : 1);
}

void
listing_reply(Listing *listing, ListingPut put)
{
	Request *req = listing->req;
	Buf *out = &req->reply.body;
	int64_t from = page_first(listing->page);
	int64_t n = (int64_t) listing->n;

	if (from >= n && listing->page.number > 1 && !listing->empty_ok &&
		sw_is(SW_PAGE_PAST_END, "error"))
	{
		reply_error(req, 400, "invalid.query.param.value", "There is no page %lld.",
					(long long) listing->page.number);
		return;
	}
	if (n > 0)
		qsort_r(listing->found, listing->n, sizeof(Listed), compare_listed, listing);
	req->rows = 0;
	buf_puts(out, "{\"entities\":[");
	for (int64_t i = from; i < n && i < from + listing->page.size; i++)
	{
		if (i > from)
			buf_putc(out, ',');
		put(out, listing, listing->found[i].thing);
		req->rows++;
	}
	buf_puts(out, "],");
	page_put(out, req, listing->page, n);
	buf_putc(out, '}');
	reply_ok(req);
}

void
listing_close(Listing *listing)
{
	if (listing->has_regex)
		regfree(&listing->regex);
	free(listing->found);
}
