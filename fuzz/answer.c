/*
 * fuzz/answer.c
 *	  An exchange that has ended, made of an input instead of by curl.
 */
#include "postgres.h"

#include "answer.h"
#include "shim.h"

#define MAX_HEADERS 16

struct GcHttpExchange
{
	int status; /* below 100: an outcome */
	const char *names[MAX_HEADERS];
	const char *values[MAX_HEADERS];
	int header_count;
	char *body;
	size_t body_len;
};

/* The last input, for requests that the tested code starts itself. */
static const uint8 *last_data;
static size_t last_size;

/* The next line of the input, without its end; empty at the end of the input. */
static char *
next_line(const uint8 **data, size_t *size)
{
	const uint8 *end = memchr(*data, '\n', *size);
	size_t len = end ? end - *data : *size;
	char *line = pnstrdup((const char *) *data, len);

	len += end != NULL;
	*data += len;
	*size -= len;
	return line;
}

GcHttpExchange *
answer_read(const uint8 *data, size_t size)
{
	GcHttpExchange *exchange = palloc0(sizeof(GcHttpExchange));
	char *line;

	last_data = data;
	last_size = size;
	exchange->status = strtol(next_line(&data, &size), NULL, 10) & 1023;
	while (*(line = next_line(&data, &size)) && exchange->header_count < MAX_HEADERS)
	{
		char *colon = strchr(line, ':');

		if (colon)
			*colon = '\0';
		exchange->names[exchange->header_count] = line;
		exchange->values[exchange->header_count++] = colon ? colon + 1 : "";
	}
	/* As http.c has it: a zero behind the end. */
	exchange->body = palloc(size + 1);
	memcpy(exchange->body, data, size);
	exchange->body[size] = '\0';
	exchange->body_len = size;
	return exchange;
}

GcHttpExchange *
gc_http_start(const GcHttpRequest *request)
{
	return answer_read(last_data, last_size);
}

void
gc_http_free(GcHttpExchange *exchange)
{
}

GcHttpOutcome
gc_http_outcome(const GcHttpExchange *exchange)
{
	static const GcHttpOutcome others[] = {GC_HTTP_NOT_SENT, GC_HTTP_LOST, GC_HTTP_TOO_BIG};

	return exchange->status >= 100 ? GC_HTTP_ANSWERED : others[exchange->status % 3];
}

int
gc_http_status(const GcHttpExchange *exchange)
{
	return exchange->status;
}

int64
gc_http_time_us(const GcHttpExchange *exchange)
{
	return 1000;
}

const char *
gc_http_header(const GcHttpExchange *exchange, const char *name)
{
	for (int i = 0; i < exchange->header_count; i++)
		if (pg_strcasecmp(exchange->names[i], name) == 0)
			return exchange->values[i];
	return NULL;
}

const char *
gc_http_body(const GcHttpExchange *exchange, size_t *len)
{
	*len = exchange->body_len;
	return exchange->body;
}

/* curl's words may hold what the other side said. */
const char *
gc_http_error(const GcHttpExchange *exchange)
{
	return exchange->body;
}

bool
gc_http_is_tls_error(const GcHttpExchange *exchange)
{
	return exchange->header_count == 1;
}

bool
gc_http_is_timeout(const GcHttpExchange *exchange)
{
	return exchange->header_count == 2;
}

int
gc_http_tunnel_status(const GcHttpExchange *exchange)
{
	return exchange->status < 100 ? exchange->header_count * 100 : 0;
}
