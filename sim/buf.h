/*
 * buf.h
 *	  Bytes that grow, and JSON text written straight into them.
 *
 * The owner of a Buf frees it with buf_free, or hands buf->data to free().
 */
#ifndef SIM_BUF_H
#define SIM_BUF_H

#include <jansson.h>
#include <stdint.h>
#include <string.h>

#include "util.h"

typedef struct Buf
{
	char *data;
	size_t len;
	size_t cap;
} Buf;

extern void buf_grow(Buf *buf, size_t more);
extern void buf_printf(Buf *buf, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
extern void buf_put_int(Buf *buf, int64_t value);
extern void buf_put_json(Buf *buf, const json_t *value);			/* compact */
extern void buf_put_string(Buf *buf, const char *text, size_t len); /* quoted, escaped */
extern void buf_put_uri(Buf *buf, const char *text, size_t len);	/* percent-coded */
extern void buf_free(Buf *buf);

static inline void
buf_reserve(Buf *buf, size_t more)
{
	if (buf->cap - buf->len < more)
		buf_grow(buf, more);
}

static inline void
buf_put(Buf *buf, const void *bytes, size_t len)
{
	if (len == 0)
		return;
	buf_reserve(buf, len);
	memcpy(buf->data + buf->len, bytes, len);
	buf->len += len;
}

static inline void
buf_puts(Buf *buf, const char *text)
{
	buf_put(buf, text, strlen(text));
}

static inline void
buf_putc(Buf *buf, char c)
{
	buf_reserve(buf, 1);
	buf->data[buf->len++] = c;
}

#endif
