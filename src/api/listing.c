/*
 * api/listing.c
 *	  Conditions that a listing takes, as parameters of its query.
 */
#include "postgres.h"

#include "api/listing.h"
#include "api/url.h"

/*
 * A query is no longer than that: what comes before and after it fits into the
 * eight kilobytes that an address may have.  A hundred ids take half of them.
 */
#define QUERY_MAX 7000

/* How names are compared. */
static const char *const filter_types[] = {[GC_OPERATOR_EQUALS] = "Equals",
										   [GC_OPERATOR_IN] = "Equals",
										   [GC_OPERATOR_BEGINS_WITH] = "Prefix",
										   [GC_OPERATOR_ENDS_WITH] = "EndsWith",
										   [GC_OPERATOR_CONTAINS] = "Contains"};

const GcListingFilter *
gc_listing_filter(const GcResource *resource, const GcAttribute *attribute)
{
	for (const GcListingFilter *filter = resource->filters; filter && filter->attribute;
		 filter++)
		if (strcmp(filter->attribute, attribute->name) == 0)
			return filter;
	return NULL;
}

/*
 * Is it certain that the platform understands it as it is?  An empty parameter
 * may be taken for none, blanks at an end may be cut, and what is not among the
 * words may be refused.
 */
static bool
is_plain(const GcListingFilter *filter, const char *value)
{
	size_t len = strlen(value);

	if (len == 0 || isspace((unsigned char) value[0]) ||
		isspace((unsigned char) value[len - 1]))
		return false;
	if (filter->words == NULL)
		return true;
	for (const char *const *word = filter->words; *word; word++)
		if (strcmp(*word, value) == 0)
			return true;
	return false;
}

static bool
stands_before(char *const *values, int i)
{
	for (int k = 0; k < i; k++)
		if (strcmp(values[k], values[i]) == 0)
			return true;
	return false;
}

static void
append(StringInfo query, const char *parameter, const char *value)
{
	appendStringInfo(query, "%s%s=%s", query->len > 0 ? "&" : "", parameter, value);
}

/* False if they cannot all be said. */
static bool
append_values(StringInfo query, const GcListingFilter *filter, char *const *values, int count)
{
	int said = 0;

	for (int i = 0; i < count; i++)
	{
		if (stands_before(values, i))
			continue;
		if (!is_plain(filter, values[i]) || said++ == filter->most)
			return false;
		append(query, filter->parameter, gc_url_escape(values[i]));
		if (query->len > QUERY_MAX)
			return false;
	}
	return true;
}

bool
gc_listing_add(StringInfo query, const GcListingFilter *filter, GcOperator op,
			   char *const *values, int count)
{
	int before = query->len;

	if (filter->by_name)
		append(query, "filterType", filter_types[op]);
	if (count == 0)
		append(query, filter->parameter, "?");
	if (append_values(query, filter, values, count))
		return true;
	query->len = before;
	query->data[before] = '\0';
	return false;
}
