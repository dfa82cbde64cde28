/*
 * buf.c
 *	  Bytes that grow, and JSON text written straight into them.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "buf.h"

static const char hex_digits[] = "0123456789abcdef";

void
buf_grow(Buf *buf, size_t more)
{
	size_t cap = buf->cap ? buf->cap : 256;

	while (cap - buf->len < more)
		cap *= 2;
	buf->data = sim_realloc(buf->data, cap);
	buf->cap = cap;
}

void
buf_printf(Buf *buf, const char *fmt, ...)
{
	va_list args;
	va_list again;
	int len;

	va_start(args, fmt);
	va_copy(again, args);
	len = vsnprintf(NULL, 0, fmt, args);
	va_end(args);
	buf_reserve(buf, (size_t) len + 1);
	vsnprintf(buf->data + buf->len, (size_t) len + 1, fmt, again);
	va_end(again);
	buf->len += (size_t) len;
}

void
buf_put_int(Buf *buf, int64_t value)
{
	buf_printf(buf, "%lld", (long long) value);
}

static int
append_dumped(const char *bytes, size_t len, void *arg)
{
	buf_put(arg, bytes, len);
	return 0;
}

void
buf_put_json(Buf *buf, const json_t *value)
{
	json_dump_callback(value, append_dumped, buf, JSON_COMPACT | JSON_ENCODE_ANY);
}

static void
put_escape(Buf *buf, unsigned char c)
{
	static const char shorts[] = "btn\0fr"; /* 0x08 to 0x0d; 0x0b has none */
	char out[6] = {'\\', 'u', '0', '0', hex_digits[c >> 4], hex_digits[c & 15]};

	if (c == '"' || c == '\\')
	{
		out[1] = (char) c;
		buf_put(buf, out, 2);
	}
	else if (c >= 8 && c <= 13 && shorts[c - 8])
	{
		out[1] = shorts[c - 8];
		buf_put(buf, out, 2);
	}
	else
		buf_put(buf, out, 6);
}

void
buf_put_string(Buf *buf, const char *text, size_t len)
{
	const char *end = text + len;
	const char *from = text;

	buf_reserve(buf, len + 2);
	buf_putc(buf, '"');
	for (const char *p = text; p < end; p++)
	{
		unsigned char c = (unsigned char) *p;

		if (c >= 0x20 && c != '"' && c != '\\')
			continue;
		buf_put(buf, from, (size_t) (p - from));
		put_escape(buf, c);
		from = p + 1;
	}
	buf_put(buf, from, (size_t) (end - from));
	buf_putc(buf, '"');
}

void
buf_put_uri(Buf *buf, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
	{
		unsigned char c = (unsigned char) text[i];

		if ((c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z') ||
			(c && strchr("-._~:@", c)))
			buf_putc(buf, (char) c);
		else
		{
			buf_putc(buf, '%');
			buf_putc(buf, hex_digits[c >> 4]);
			buf_putc(buf, hex_digits[c & 15]);
		}
	}
}

void
buf_free(Buf *buf)
{
	free(buf->data);
	memset(buf, 0, sizeof(*buf));
}
