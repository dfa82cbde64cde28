/*
 * jread.c
 *	  Reads JSON text piece by piece, without a tree.
 */
#include <string.h>

#include "jread.h"

#define MAX_DEPTH 64

static bool
fail(JRead *in)
{
	in->bad = true;
	in->p = in->end;
	return false;
}

static inline void
skip_blanks(JRead *in)
{
	while (in->p < in->end &&
		   (*in->p == ' ' || *in->p == '\n' || *in->p == '\t' || *in->p == '\r'))
		in->p++;
}

static inline bool
take(JRead *in, char c)
{
	if (in->p >= in->end || *in->p != c)
		return false;
	in->p++;
	return true;
}

void
jread_start(JRead *in, char *text, size_t len)
{
	in->p = text;
	in->end = text + len;
	in->bad = false;
}

JKind
jread_peek(JRead *in)
{
	skip_blanks(in);
	if (in->p >= in->end)
		return J_BAD;
	switch (*in->p)
	{
		case '{':
			return J_OBJECT;
		case '[':
			return J_ARRAY;
		case '"':
			return J_STRING;
		case 't':
			return J_TRUE;
		case 'f':
			return J_FALSE;
		case 'n':
			return J_NULL;
		default:
			return (*in->p == '-' || (*in->p >= '0' && *in->p <= '9')) ? J_NUMBER : J_BAD;
	}
}

bool
jread_open(JRead *in, char bracket)
{
	skip_blanks(in);
	if (!take(in, bracket))
		return fail(in);
	skip_blanks(in);
	return !take(in, (char) (bracket + 2)); /* '[' + 2 is ']', '{' + 2 is '}' */
}

bool
jread_more(JRead *in, char bracket)
{
	skip_blanks(in);
	if (take(in, bracket))
		return false;
	if (!take(in, ','))
		return fail(in);
	return true;
}

/* The length of the valid UTF-8 sequence at p, or 0. */
static int
utf8_sequence(const char *text, const char *end)
{
	const unsigned char *p = (const unsigned char *) text;
	int len = p[0] < 0xc2 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : p[0] < 0xf5 ? 4 : 0;

	if (len == 0 || end - text < len)
		return 0;
	for (int i = 1; i < len; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
		(p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
		return 0;
	return len;
}

static int
four_digits(const char *p, const char *end)
{
	int value = 0;

	if (end - p < 4)
		return -1;
	for (int i = 0; i < 4; i++)
	{
		char c = p[i];
		int digit = c >= '0' && c <= '9' ? c - '0' : (c | 32) - 'a' + 10;

		if (digit < 0 || digit > 15 || (c > '9' && (c | 32) < 'a'))
			return -1;
		value = value << 4 | digit;
	}
	return value;
}

static char *
put_utf8(char *out, int c)
{
	if (c < 0x80)
		*out++ = (char) c;
	else if (c < 0x800)
	{
		*out++ = (char) (0xc0 | c >> 6);
		*out++ = (char) (0x80 | (c & 63));
	}
	else if (c < 0x10000)
	{
		*out++ = (char) (0xe0 | c >> 12);
		*out++ = (char) (0x80 | (c >> 6 & 63));
		*out++ = (char) (0x80 | (c & 63));
	}
	else
	{
		*out++ = (char) (0xf0 | c >> 18);
		*out++ = (char) (0x80 | (c >> 12 & 63));
		*out++ = (char) (0x80 | (c >> 6 & 63));
		*out++ = (char) (0x80 | (c & 63));
	}
	return out;
}

/*
 * The character of the escape at *p (just past the backslash), which moves
 * past it; -1 when it is none.  Half a surrogate pair is none: no UTF-8 text
 * can hold it.
 */
static int
read_escape(char **p, const char *end)
{
	static const char from[] = "\"\\/bfnrt";
	static const char to[] = "\"\\/\b\f\n\r\t";
	const char *found;
	int c;
	int low;

	if (*p >= end)
		return -1;
	c = *(*p)++;
	if (c != 'u')
		return c && (found = strchr(from, c)) ? to[found - from] : -1;
	c = four_digits(*p, end);
	*p += 4;
	if (c < 0xd800 || c > 0xdfff)
		return c;
	if (c > 0xdbff || end - *p < 6 || (*p)[0] != '\\' || (*p)[1] != 'u')
		return -1;
	low = four_digits(*p + 2, end);
	*p += 6;
	if (low < 0xdc00 || low > 0xdfff)
		return -1;
	return 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
}

/* With value NULL the string is checked and stays as it is. */
static bool
read_string(JRead *in, Span *value)
{
	char *p;
	char *out;
	char *start;

	skip_blanks(in);
	if (!take(in, '"'))
		return fail(in);
	start = out = p = in->p;
	while (p < in->end && *p != '"')
	{
		unsigned char c = (unsigned char) *p;
		int len = 1;

		if (c == '\\')
		{
			int escaped;

			p++;
			if ((escaped = read_escape(&p, in->end)) < 0)
				return fail(in);
			if (value)
				out = put_utf8(out, escaped);
			continue;
		}
		if (c < 0x20 || (c >= 0x80 && (len = utf8_sequence(p, in->end)) == 0))
			return fail(in);
		if (!value || out == p)
		{
			p += len;
			if (value)
				out = p;
		}
		else
			while (len-- > 0)
				*out++ = *p++;
	}
	if (p >= in->end)
		return fail(in);
	in->p = p + 1;
	if (value)
		*value = (Span){start, (size_t) (out - start)};
	return true;
}

bool
jread_string(JRead *in, Span *value)
{
	return read_string(in, value);
}

bool
jread_key(JRead *in, Span *key)
{
	if (!read_string(in, key))
		return false;
	skip_blanks(in);
	return take(in, ':') || fail(in);
}

static bool
skip_digits(JRead *in)
{
	char *from = in->p;

	while (in->p < in->end && *in->p >= '0' && *in->p <= '9')
		in->p++;
	return in->p > from;
}

static bool
skip_number(JRead *in)
{
	take(in, '-');
	if (!take(in, '0') && !skip_digits(in))
		return fail(in);
	if (take(in, '.') && !skip_digits(in))
		return fail(in);
	if (take(in, 'e') || take(in, 'E'))
	{
		if (!take(in, '-'))
			take(in, '+');
		if (!skip_digits(in))
			return fail(in);
	}
	return true;
}

static bool
skip_word(JRead *in, const char *word)
{
	size_t len = strlen(word);

	if ((size_t) (in->end - in->p) < len || memcmp(in->p, word, len) != 0)
		return fail(in);
	in->p += len;
	return true;
}

static bool
skip_value(JRead *in, int depth)
{
	JKind kind = jread_peek(in);
	bool more;

	if (depth > MAX_DEPTH)
		return fail(in);
	switch (kind)
	{
		case J_OBJECT:
			for (more = jread_open(in, '{'); more; more = jread_more(in, '}'))
			{
				if (!read_string(in, NULL))
					return false;
				skip_blanks(in);
				if (!take(in, ':'))
					return fail(in);
				if (!skip_value(in, depth + 1))
					return false;
			}
			return !in->bad;
		case J_ARRAY:
			for (more = jread_open(in, '['); more; more = jread_more(in, ']'))
				if (!skip_value(in, depth + 1))
					return false;
			return !in->bad;
		case J_STRING:
			return read_string(in, NULL);
		case J_NUMBER:
			return skip_number(in);
		case J_TRUE:
			return skip_word(in, "true");
		case J_FALSE:
			return skip_word(in, "false");
		case J_NULL:
			return skip_word(in, "null");
		default:
			return fail(in);
	}
}

bool
jread_skip(JRead *in, Span *raw)
{
	char *from;

	skip_blanks(in);
	from = in->p;
	if (!skip_value(in, 0))
		return false;
	if (raw)
		*raw = (Span){from, (size_t) (in->p - from)};
	return true;
}

bool
jread_finish(JRead *in)
{
	skip_blanks(in);
	return !in->bad && in->p == in->end;
}
