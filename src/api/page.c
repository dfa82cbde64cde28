/*
 * api/page.c
 *	  The envelope of a page of entities, as every paged listing has it.
 */
#include "postgres.h"

#include "api/page.h"

/* More than this is no count of anything; and products of two of them do not overflow. */
#define COUNT_MAX 1000000000

/* A whole number that can be a count; -1 for anything else. */
static int64
span_int(const GcSpan *span)
{
	int64 value;
	char digits[20];

	if (span->type != '0' || span->len >= sizeof(digits))
		return -1;
	memcpy(digits, span->p, span->len);
	digits[span->len] = '\0';
	if (strspn(digits, "0123456789") != span->len)
		return -1; /* negative, a fraction, or 1e3 */
	value = strtoll(digits, NULL, 10);
	return value > COUNT_MAX ? -1 : value;
}

static void
enter_entities(GcPage *page, const GcSpan *span)
{
	GcJson counter;

	gc_json_init(&page->entities, span->p, span->len);
	(void) gc_json_enter(&page->entities, '[');
	counter = page->entities;
	page->count = 0;
	while (gc_json_element(&counter) && gc_json_value(&counter, NULL))
		page->count++;
}

const char *
gc_page_read(GcPage *page, const char *bytes, size_t len)
{
	return gc_page_read_items(page, bytes, len, "entities");
}

const char *
gc_page_read_items(GcPage *page, const char *bytes, size_t len, const char *items)
{
	GcJson json;
	GcSpan key;
	GcSpan value;
	bool found = false;

	memset(page, 0, sizeof(*page));
	page->total = page->page_count = page->page_size = -1;
	gc_json_init(&json, bytes, len);
	if (!gc_json_enter(&json, '{'))
		return psprintf("The answer is not a JSON object: %s.", json.error);
	while (gc_json_key(&json, &key) && gc_json_value(&json, &value))
	{
		if (gc_json_span_is(&key, items) && value.type == '[')
		{
			found = true;
			enter_entities(page, &value);
		}
		else if (gc_json_span_is(&key, "total"))
			page->total = span_int(&value);
		else if (gc_json_span_is(&key, "pageCount"))
			page->page_count = span_int(&value);
		else if (gc_json_span_is(&key, "pageSize"))
			page->page_size = span_int(&value);
	}
	if (!gc_json_end(&json))
		return psprintf("The answer is not well-formed JSON: %s at byte " INT64_FORMAT ".",
						json.error ? json.error : "something stands behind its end",
						(int64) (json.p - json.start));
	return found ? NULL : gc_page_lacks(items);
}

const char *
gc_page_lacks(const char *items)
{
	return strcmp(items, "entities") == 0 ? "The answer has no entities."
										  : psprintf("The answer has no array \"%s\".", items);
}
