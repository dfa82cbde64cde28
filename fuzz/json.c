/*
 * fuzz/json.c
 *	  The JSON reader against jansson: what one takes the other does, with the same values.
 *
 * They differ where json.h says so: what is inside a string is only judged
 * when it is decoded, numbers of any size are numbers, and nesting has a limit.
 */
#include "postgres.h"

#include "oracle.h"
#include "shim.h"

#include "base/json.h"
#include "mb/pg_wchar.h"

/* What the reader made of a document. */
typedef struct Reading
{
	GcJson json;
	bool clean; /* no string that jansson would refuse */
} Reading;

/* A string's content, or NULL; "dst" has room for just span->len bytes, as promised. */
static char *
decode(const GcSpan *span, int *len)
{
	char *dst = palloc(span->len);

	*len = span->len;
	if (span->escaped)
		*len = gc_json_unescape(span, dst);
	else
		memcpy(dst, span->p, span->len);
	shim_check(*len <= span->len);
	return *len < 0 ? NULL : dst;
}

static bool
is_clean(const GcSpan *span)
{
	int len;

	for (int i = 0; i < span->len; i++)
		if ((unsigned char) span->p[i] < 0x20)
			return false;
	return decode(span, &len) != NULL &&
		   pg_encoding_verifymbstr(PG_UTF8, span->p, span->len) == span->len;
}

/* The same value?  "expected" NULL: only read. */
static void
read_scalar(Reading *reading, json_t *expected)
{
	GcSpan span;
	char *bytes;
	int len;

	if (!gc_json_value(&reading->json, &span))
		return;
	shim_check(span.p >= reading->json.start && span.p + span.len <= reading->json.p);
	if (span.type == '"')
		reading->clean = is_clean(&span) && reading->clean;
	if (expected == NULL)
		return;
	switch (span.type)
	{
		case '"':
			bytes = decode(&span, &len);
			shim_check(bytes && len == json_string_length(expected) &&
					   memcmp(bytes, json_string_value(expected), len) == 0);
			break;
		case '0':
			shim_check(json_is_number(expected));
			bytes = pnstrdup(span.p, span.len);
			shim_check(strtod(bytes, NULL) == json_number_value(expected));
			break;
		default:
			shim_check(span.type == 't'	  ? json_is_true(expected)
					   : span.type == 'f' ? json_is_false(expected)
										  : json_is_null(expected));
	}
}

static void read_value(Reading *reading, json_t *expected, int depth);

static json_t *
member(json_t *object, const GcSpan *key)
{
	int len;
	char *bytes = decode(key, &len);
	json_t *value = bytes ? json_object_get(object, pnstrdup(bytes, len)) : NULL;

	shim_check(object == NULL || value != NULL);
	return value;
}

static void
read_container(Reading *reading, char type, json_t *expected, int depth)
{
	GcJson *json = &reading->json;
	size_t count = 0;
	GcSpan key;

	(void) gc_json_enter(json, type);
	if (type == '{')
		while (gc_json_key(json, &key))
		{
			reading->clean = is_clean(&key) && reading->clean;
			read_value(reading, expected ? member(expected, &key) : NULL, depth + 1);
			count++;
		}
	else
		while (gc_json_element(json))
			read_value(reading, json_array_get(expected, count++), depth + 1);
	if (expected)
		shim_check(count ==
				   (type == '{' ? json_object_size(expected) : json_array_size(expected)));
}

static void
read_value(Reading *reading, json_t *expected, int depth)
{
	char type = gc_json_peek(&reading->json);

	if ((type == '{' || type == '[') && depth < GC_JSON_MAX_DEPTH)
		read_container(reading, type, expected, depth);
	else if (type == '{' || type == '[')
		reading->json.error = "nested too deeply";
	else
		read_scalar(reading, expected);
}

/* Members, elements and scalars one by one; false if it is not well-formed. */
static bool
read_document(Reading *reading, const uint8 *data, size_t size, json_t *expected)
{
	gc_json_init(&reading->json, (const char *) data, size);
	reading->clean = true;
	read_value(reading, expected, 0);
	return gc_json_end(&reading->json);
}

/* jansson has limits of its own, and refuses a name that comes twice. */
static bool
refused_for_limits(const json_error_t *error)
{
	switch (json_error_code(error))
	{
		case json_error_numeric_overflow:
		case json_error_duplicate_key:
		case json_error_null_byte_in_key:
		case json_error_stack_overflow:
			return true;
		default:
			return false;
	}
}

static void
compare(const uint8 *data, size_t size, json_t *tree, const json_error_t *error)
{
	Reading reading;
	GcJson whole;
	bool taken = read_document(&reading, data, size, NULL);

	gc_json_init(&whole, (const char *) data, size);
	shim_check((gc_json_value(&whole, NULL) && gc_json_end(&whole)) == taken);
	if (taken && reading.clean && tree == NULL)
		shim_check(refused_for_limits(error));
	if (tree == NULL || (whole.error && strcmp(whole.error, "nested too deeply") == 0))
		return;
	shim_check(taken && read_document(&reading, data, size, tree));
}

static int64
count_objects(json_t *tree)
{
	size_t i;
	json_t *element;

	if (!json_is_array(tree))
		return -1;
	json_array_foreach(tree, i, element) if (!json_is_object(element)) return -1;
	return json_array_size(tree);
}

/* What is written as a string reads back as it was. */
static void
round_trip(const uint8 *data, size_t size)
{
	StringInfoData buf;
	GcSpan span;
	GcJson json;
	int len;
	char *bytes;

	initStringInfo(&buf);
	appendStringInfoChar(&buf, '"');
	gc_json_escape(&buf, (const char *) data, size);
	appendStringInfoChar(&buf, '"');
	gc_json_init(&json, buf.data, buf.len);
	shim_check(gc_json_value(&json, &span) && span.type == '"' && gc_json_end(&json));
	bytes = decode(&span, &len);
	if (memchr(data, 0, size))
		shim_check(bytes == NULL && len == -2);
	else
		shim_check(len == size && memcmp(bytes, data, size) == 0);
}

typedef struct Input
{
	const uint8 *data;
	size_t size;
} Input;

static void
run(void *arg)
{
	Input *input = arg;
	json_error_t error;
	json_t *tree = oracle_load(input->data, input->size,
							   JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, &error);
	int64 count = gc_json_count_objects((const char *) input->data, input->size);

	if (tree)
		shim_check(count == count_objects(tree));
	compare(input->data, input->size, tree, &error);
	round_trip(input->data, input->size);
	json_decref(tree);
}

int
LLVMFuzzerTestOneInput(const uint8 *data, size_t size)
{
	shim_check(shim_try(run, &(Input){data, size}));
	return 0;
}
