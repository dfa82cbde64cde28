/*
 * record.c
 *	  What was asked, for tests to look at: the most recent requests.
 */
#include <ctype.h>
#include <stdlib.h>
#include <strings.h>

#include "auth.h"
#include "digest.h"
#include "record.h"
#include "route.h"
#include "switches.h"

struct Record
{
	uint64_t seq;
	int64_t at_us;
	char method[12];
	char *path;
	char *query;
	Buf headers;	 /* a JSON object */
	char sha256[65]; /* "" = not taken */
	size_t body_bytes;
	Buf body; /* data NULL = not kept */
	int64_t rows;
	int status; /* 0 = none, or none yet */
	const char *client;
	unsigned connection;
	int in_flight;
};

/*
 * A ring: the record of seq stands at seq % capacity.  A reset begins a new
 * epoch, so that a request from before cannot write into what came after.
 */
static Record **ring;
static uint64_t capacity;
static uint64_t first = 1;
static uint64_t next = 1;
static unsigned epoch;

static void
record_free(Record *record)
{
	free(record->path);
	free(record->query);
	buf_free(&record->headers);
	buf_free(&record->body);
	free(record);
}

static void
put_headers(Buf *out, const Request *req)
{
	buf_putc(out, '{');
	for (int i = 0; i < req->nheaders; i++)
	{
		const char *value = req->headers[i].value;
		char name[128];
		size_t len = 0;

		for (const char *c = req->headers[i].name; *c && len + 1 < sizeof(name); c++)
			name[len++] = (char) tolower((unsigned char) *c);
		name[len] = '\0';
		if (i > 0)
			buf_putc(out, ',');
		buf_put_string(out, name, len);
		buf_putc(out, ':');
		if (strcmp(name, "authorization") == 0 || strcmp(name, "proxy-authorization") == 0)
			buf_put_string(out, value, strcspn(value, " "));
		else
			buf_put_string(out, value, strlen(value));
	}
	buf_putc(out, '}');
}

static bool
wants_digest(void)
{
	return sw_is(SW_RECORD_DIGEST, "on") ||
		   (sw_is(SW_RECORD_DIGEST, "auto") && sw_is(SW_DISCARD, "off"));
}

Record *
record_prepare(const Request *req)
{
	Record *record = sim_alloc(sizeof(Record));

	record->at_us = req->arrived_us;
	strncpy(record->method, req->method, sizeof(record->method) - 1);
	record->path = sim_strdup(req->path);
	record->query = sim_strdup(req->query);
	put_headers(&record->headers, req);
	if (req->intake)
		memcpy(record->sha256, req->intake->sha256, sizeof(record->sha256));
	else if (wants_digest())
		sha256_hex(req->body.data, req->body.len, record->sha256);
	record->body_bytes = req->body_bytes;
	/* Never of a token call: its form may hold a secret.  Always of a webhook. */
	if ((sw_is(SW_RECORD_BODIES, "on") && !request_is(req, "/oauth/token")) ||
		route_is_webhook(req))
	{
		buf_reserve(&record->body, req->body.len + 1);
		buf_put(&record->body, req->body.data, req->body.len);
	}
	record->rows = -1;
	record->connection = req->connection;
	record->in_flight = req->in_flight;
	return record;
}

static void
drop_oldest(void)
{
	record_free(ring[first % capacity]);
	ring[first % capacity] = NULL;
	first++;
}

static void
make_room(void)
{
	uint64_t most = (uint64_t) sw_number(SW_RECORD_MAX);
	uint64_t larger = capacity ? capacity * 2 : 1024;
	Record **grown;

	while (next > first && next - first >= most)
		drop_oldest();
	if (next - first < capacity)
		return;
	grown = sim_alloc(larger * sizeof(Record *));
	for (uint64_t seq = first; seq < next; seq++)
		grown[seq % larger] = ring[seq % capacity];
	free(ring);
	ring = grown;
	capacity = larger;
}

void
record_add(Request *req, Record *record)
{
	req->epoch = epoch;
	make_room();
	req->seq = record->seq = next;
	ring[next++ % capacity] = record;
}

void
record_finish(const Request *req)
{
	Record *record;

	if (req->epoch != epoch || req->seq < first || req->seq >= next)
		return;
	record = ring[req->seq % capacity];
	record->status = req->reply.status;
	record->rows = req->rows;
	record->client = req->client ? req->client->id : NULL;
}

void
record_clear(void)
{
	while (first < next)
		drop_oldest();
}

void
record_reset(void)
{
	record_clear();
	first = next = 1;
	epoch++;
}

/* A body is shown as text, and left out when it is none. */
static void
put_body(Buf *out, const Record *record)
{
	json_t *text;

	if (record->body.data == NULL ||
		!(text = json_stringn(record->body.data, record->body.len)))
		return;
	json_decref(text);
	buf_puts(out, ",\"body\":");
	buf_put_string(out, record->body.data, record->body.len);
}

static void
put_nullable(Buf *out, const char *name, const char *text)
{
	buf_printf(out, ",\"%s\":", name);
	if (text)
		buf_put_string(out, text, strlen(text));
	else
		buf_puts(out, "null");
}

static void
put_record(Buf *out, const Record *record)
{
	buf_printf(out, "{\"seq\":%llu,\"at\":%lld.%06d", (unsigned long long) record->seq,
			   (long long) (record->at_us / 1000000), (int) (record->at_us % 1000000));
	put_nullable(out, "method", record->method);
	put_nullable(out, "path", record->path);
	put_nullable(out, "query", record->query);
	buf_puts(out, ",\"headers\":");
	buf_put(out, record->headers.data, record->headers.len);
	put_nullable(out, "body_sha256", record->sha256[0] ? record->sha256 : NULL);
	buf_printf(out, ",\"body_bytes\":%zu", record->body_bytes);
	put_body(out, record);
	if (record->rows >= 0)
		buf_printf(out, ",\"rows\":%lld", (long long) record->rows);
	else
		buf_puts(out, ",\"rows\":null");
	buf_printf(out, ",\"status\":%d", record->status);
	put_nullable(out, "client", record->client);
	buf_printf(out, ",\"connection\":%u,\"in_flight\":%d}", record->connection,
			   record->in_flight);
}

void
record_list(Request *req, int64_t since, const char *path)
{
	Buf *out = &req->reply.body;
	const char *before = "[";
	uint64_t from = (uint64_t) since + 1 > first ? (uint64_t) since + 1 : first;

	for (uint64_t seq = from; seq < next; seq++)
	{
		const Record *record = ring[seq % capacity];

		if (strstr(record->path, path) == NULL)
			continue;
		buf_puts(out, before);
		put_record(out, record);
		before = ",\n";
	}
	buf_puts(out, *before == '[' ? "[]" : "]");
	reply_ok(req);
}
