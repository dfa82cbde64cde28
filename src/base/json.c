/*
 * base/json.c
 *	  Reading JSON in place, and writing JSON strings.
 */
#include "postgres.h"

#include <limits.h>

#include "base/json.h"

#include "mb/pg_wchar.h"

static bool
json_fail(GcJson *json, const char *error)
{
	if (json->error == NULL)
		json->error = error;
	return false;
}

static inline void
skip_space(GcJson *json)
{
	while (json->p < json->end &&
		   (*json->p == ' ' || *json->p == '\n' || *json->p == '\r' || *json->p == '\t'))
		json->p++;
}

void
gc_json_init(GcJson *json, const char *bytes, size_t len)
{
	json->start = json->p = bytes;
	json->end = bytes + len;
	json->error = NULL;
	json->fresh = false;
}

char
gc_json_peek(GcJson *json)
{
	skip_space(json);
	if (json->p >= json->end)
	{
		json_fail(json, "unexpected end");
		return 0;
	}
	if ((*json->p >= '0' && *json->p <= '9') || *json->p == '-')
		return '0';
	return *json->p;
}

bool
gc_json_enter(GcJson *json, char type)
{
	if (json->error || gc_json_peek(json) != type)
		return json_fail(json,
						 type == '{' ? "an object was expected" : "an array was expected");
	json->p++;
	json->fresh = true;
	return true;
}

/* Steps over the comma before an item, or over the closing bracket: false. */
static bool
next_item(GcJson *json, char close)
{
	bool fresh = json->fresh;

	json->fresh = false;
	if (json->error || gc_json_peek(json) == 0)
		return false;
	if (*json->p == close)
	{
		json->p++;
		return false;
	}
	if (fresh)
		return true;
	if (*json->p != ',')
		return json_fail(json, "a comma was expected");
	json->p++;
	skip_space(json);
	return true;
}

/* Reads a string; p is on its opening quote. */
static bool
read_string(GcJson *json, GcSpan *span)
{
	const char *from = ++json->p;
	bool escaped = false;
	const char *quote = NULL;

	for (;;)
	{
		const char *back;

		if (quote < json->p)
			quote = memchr(json->p, '"', json->end - json->p);
		if (quote == NULL)
			return json_fail(json, "unterminated string");
		back = memchr(json->p, '\\', quote - json->p);
		if (back == NULL)
		{
			json->p = quote + 1;
			break;
		}
		escaped = true;
		if (back + 2 > json->end)
			return json_fail(json, "unterminated string");
		json->p = back + 2; /* whatever is escaped, a quote included, is inside */
	}
	if (span)
	{
		span->p = from;
		span->len = json->p - 1 - from;
		span->type = '"';
		span->escaped = escaped;
	}
	return true;
}

bool
gc_json_key(GcJson *json, GcSpan *key)
{
	if (!next_item(json, '}'))
		return false;
	if (gc_json_peek(json) != '"')
		return json_fail(json, "a member's name was expected");
	if (!read_string(json, key))
		return false;
	if (gc_json_peek(json) != ':')
		return json_fail(json, "a colon was expected");
	json->p++;
	return true;
}

bool
gc_json_element(GcJson *json)
{
	return next_item(json, ']');
}

static int
count_digits(GcJson *json)
{
	int n = 0;

	while (json->p < json->end && *json->p >= '0' && *json->p <= '9')
	{
		json->p++;
		n++;
	}
	return n;
}

static bool
read_number(GcJson *json)
{
	if (*json->p == '-')
		json->p++;
	if (json->p < json->end && *json->p == '0')
		json->p++; /* no digit follows a leading zero */
	else if (count_digits(json) == 0)
		return json_fail(json, "invalid number");
	if (json->p < json->end && *json->p == '.')
	{
		json->p++;
		if (count_digits(json) == 0)
			return json_fail(json, "invalid number");
	}
	if (json->p < json->end && (*json->p == 'e' || *json->p == 'E'))
	{
		json->p++;
		if (json->p < json->end && (*json->p == '+' || *json->p == '-'))
			json->p++;
		if (count_digits(json) == 0)
			return json_fail(json, "invalid number");
	}
	return true;
}

static bool
read_literal(GcJson *json, const char *word)
{
	size_t len = strlen(word);

	if (json->end - json->p < len || memcmp(json->p, word, len) != 0)
		return json_fail(json, "invalid literal");
	json->p += len;
	return true;
}

/* Reads a value that is neither object nor array. */
static bool
read_scalar(GcJson *json, GcSpan *span)
{
	const char *from = json->p;
	char type = gc_json_peek(json);
	bool ok;

	switch (type)
	{
		case '"':
			return read_string(json, span);
		case '0':
			ok = read_number(json);
			break;
		case 't':
			ok = read_literal(json, "true");
			break;
		case 'f':
			ok = read_literal(json, "false");
			break;
		case 'n':
			ok = read_literal(json, "null");
			break;
		default:
			return json_fail(json, "a value was expected");
	}
	if (span)
	{
		span->p = from;
		span->len = json->p - from;
		span->type = type;
		span->escaped = false;
	}
	return ok;
}

/*
 * Steps over a container.  Its own stack of bracket types, not recursion: the
 * depth is the sender's to choose.
 */
static bool
skip_container(GcJson *json)
{
	char closers[GC_JSON_MAX_DEPTH];
	int depth = 0;

	do
	{
		char type = gc_json_peek(json);

		if (type == '{' || type == '[')
		{
			if (depth == GC_JSON_MAX_DEPTH)
				return json_fail(json, "nested too deeply");
			closers[depth++] = type == '{' ? '}' : ']';
			json->p++;
			json->fresh = true;
		}
		else if (!read_scalar(json, NULL))
			return false;
		/* Leave what ends here; stop before the next value. */
		while (depth > 0)
		{
			GcSpan key;

			if (closers[depth - 1] == '}' ? gc_json_key(json, &key) : gc_json_element(json))
				break;
			if (json->error)
				return false;
			depth--;
		}
	} while (depth > 0);
	return true;
}

bool
gc_json_value(GcJson *json, GcSpan *value)
{
	char type = json->error ? 0 : gc_json_peek(json);
	const char *from = json->p;

	if (type == 0)
		return false;
	if (type != '{' && type != '[')
		return read_scalar(json, value);
	if (!skip_container(json))
		return false;
	if (value)
	{
		value->p = from;
		value->len = json->p - from;
		value->type = type;
		value->escaped = false;
	}
	return true;
}

bool
gc_json_end(GcJson *json)
{
	skip_space(json);
	return json->error == NULL && json->p == json->end;
}

/* Four hexadecimal digits, or -1. */
static int
read_hex4(const char *p, const char *end)
{
	int value = 0;

	if (end - p < 4)
		return -1;
	for (int i = 0; i < 4; i++)
	{
		char c = p[i];

		if (c >= '0' && c <= '9')
			value = value * 16 + (c - '0');
		else if (c >= 'a' && c <= 'f')
			value = value * 16 + (c - 'a' + 10);
		else if (c >= 'A' && c <= 'F')
			value = value * 16 + (c - 'A' + 10);
		else
			return -1;
	}
	return value;
}

/* Decodes the \uXXXX (or pair of them) whose 'u' is at *p; advances *p behind it. */
static int
unescape_unicode(const char **p, const char *end, char *dst)
{
	int code = read_hex4(*p + 1, end);

	*p += 5;
	if (code == 0)
		return -2;
	if (code >= 0xD800 && code <= 0xDBFF)
	{
		int low =
			end - *p >= 6 && (*p)[0] == '\\' && (*p)[1] == 'u' ? read_hex4(*p + 2, end) : -1;
		if (low < 0xDC00 || low > 0xDFFF)
			return -1;
		code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
		*p += 6;
	}
	else if (code < 0 || (code >= 0xDC00 && code <= 0xDFFF))
		return -1;
	unicode_to_utf8((pg_wchar) code, (unsigned char *) dst);
	return pg_utf_mblen((unsigned char *) dst);
}

int
gc_json_unescape(const GcSpan *span, char *dst)
{
	const char *p = span->p;
	const char *end = span->p + span->len;
	char *to = dst;

	while (p < end)
	{
		static const char from_c[] = "\"\\/bfnrt";
		static const char to_c[] = "\"\\/\b\f\n\r\t";
		const char *simple;

		if (*p != '\\')
		{
			*to++ = *p++;
			continue;
		}
		p++;
		if (p < end && *p == 'u')
		{
			int len = unescape_unicode(&p, end, to);

			if (len < 0)
				return len;
			to += len;
			continue;
		}
		simple = p < end ? strchr(from_c, *p) : NULL;
		if (simple == NULL || *simple == '\0')
			return -1;
		*to++ = to_c[simple - from_c];
		p++;
	}
	return to - dst;
}

bool
gc_json_span_is(const GcSpan *span, const char *word)
{
	return span->len == strlen(word) && memcmp(span->p, word, span->len) == 0;
}

/* Steps over a string whose opening quote is behind us; NULL if it does not end. */
static const char *
skip_string(const char *p, const char *end)
{
	for (;;)
	{
		const char *quote = memchr(p, '"', end - p);
		const char *back;

		if (quote == NULL)
			return NULL;
		for (back = quote; back[-1] == '\\'; back--)
			;
		if ((quote - back) % 2 == 0)
			return quote + 1;
		p = quote + 1; /* it was escaped */
	}
}

/* Nothing but white space from here to the end? */
static bool
only_space(const char *p, const char *end)
{
	while (p < end && isspace((unsigned char) *p))
		p++;
	return p == end;
}

int64
gc_json_count_objects(const char *bytes, size_t len)
{
	const char *p = bytes;
	const char *end = bytes + len;
	int depth = 0;
	int64 count = 0;
	bool expected = true; /* at depth 1: an object comes next */

	while (p < end)
	{
		char c = *p++;

		if (c == '"' && depth > 1)
		{
			p = skip_string(p, end);
			if (p == NULL)
				return -1;
		}
		else if (c == '{' || c == '[')
		{
			if (depth == 0 ? c != '[' : depth == 1 && (c != '{' || !expected))
				return -1;
			if (depth++ == 1)
			{
				count++;
				expected = false;
			}
		}
		else if (c == '}' || c == ']')
		{
			if (depth == 0 || (depth == 1 && (c != ']' || (expected && count > 0))))
				return -1;
			if (--depth == 0)
				return only_space(p, end) ? count : -1;
		}
		else if (depth == 1 && c == ',' && !expected)
			expected = true;
		else if (depth <= 1 && !isspace((unsigned char) c))
			return -1;
	}
	return -1;
}

void
gc_json_escape(StringInfo buf, const char *cell, int len)
{
	static const char hex[] = "0123456789abcdef";
	const char *p = cell;
	const char *end = cell + len;
	int room = Min(len, INT_MAX / 6) * 6;

	/* Worst case once, so that the loop below only stores; a StringInfo refuses INT_MAX. */
	if (buf->maxlen - buf->len <= room)
		enlargeStringInfo(buf, room);
	while (p < end)
	{
		const char *from = p;
		char *to = buf->data + buf->len;
		unsigned char c;

		while (p < end && (unsigned char) *p >= 0x20 && *p != '"' && *p != '\\')
			p++;
		memcpy(to, from, p - from);
		buf->len += p - from;
		if (p == end)
			break;
		to += p - from;
		c = *p++;
		*to++ = '\\';
		buf->len += 2;
		switch (c)
		{
			case '"':
			case '\\':
				*to = c;
				break;
			case '\n':
				*to = 'n';
				break;
			case '\r':
				*to = 'r';
				break;
			case '\t':
				*to = 't';
				break;
			default:
				memcpy(to, "u00", 3);
				to[3] = hex[c >> 4];
				to[4] = hex[c & 15];
				buf->len += 4;
				break;
		}
	}
	buf->data[buf->len] = '\0';
}

void
gc_json_append(StringInfo buf, const GcSpan *value)
{
	int quote = value->type == '"' ? 1 : 0; /* spans of strings are without */

	appendBinaryStringInfo(buf, value->p - quote, value->len + 2 * quote);
}

void
gc_json_append_comma(StringInfo buf)
{
	char last = buf->data[buf->len - 1];

	if (last != '[' && last != '{')
		appendStringInfoChar(buf, ',');
}
