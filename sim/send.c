/*
 * send.c
 *	  Replies on their way out: at once, compressed, slowly or in part.
 */
#include <stdlib.h>

#include "bodies.h"
#include "exchange.h"
#include "switches.h"

#define SLICE		 16384
#define STREAM_SLICE (256 * 1024)

/* A body that goes out piece by piece. */
typedef struct Trickle
{
	Exchange *exchange;
	Stream *stream; /* the body, or NULL */
	Buf body;		/* else what there is of it; the rest is made as it goes */
	size_t len;		/* what the header declares */
	size_t limit;	/* what is sent before the connection is closed */
	int64_t rate;	/* bytes a second, 0 = no limit */
	int fd;
} Trickle;

static bool
takes_gzip(const Request *req)
{
	const char *accepted = request_header(req, "Accept-Encoding");

	return sw_is(SW_GZIP, "on") && accepted && strstr(accepted, "gzip") &&
		   req->reply.body.len > 0;
}

static bool
trickle_fill(const Trickle *trickle, size_t pos, char *out, size_t n)
{
	size_t own = pos < trickle->body.len ? trickle->body.len - pos : 0;

	if (trickle->stream)
		return stream_read(trickle->stream, pos, out, n);
	if (own > n)
		own = n;
	if (own > 0)
		memcpy(out, trickle->body.data + pos, own);
	if (n > own)
		body_stream(trickle->exchange->fault->body_kind, trickle->len, pos + own, out + own,
					n - own);
	return true;
}

static ssize_t
trickle_read(void *cls, uint64_t pos, char *out, size_t max)
{
	Trickle *trickle = cls;
	size_t n = trickle->limit - (size_t) pos;

	if (n == 0) /* only when cut short */
	{
		if (trickle->exchange->fault->rst)
			connection_reset(trickle->fd);
		return MHD_CONTENT_READER_END_WITH_ERROR;
	}
	if (n > max)
		n = max;
	if (trickle->rate > 0)
	{
		size_t step = (size_t) (trickle->rate + 19) / 20;

		if (n > step)
			n = step;
		if (!wait_us(trickle->fd, (int64_t) n * 1000000 / trickle->rate))
			return MHD_CONTENT_READER_END_WITH_ERROR;
	}
	if (!trickle_fill(trickle, (size_t) pos, out, n))
		return MHD_CONTENT_READER_END_WITH_ERROR;
	if (pos + n == trickle->len)
		exchange_leave(trickle->exchange);
	return (ssize_t) n;
}

static void
trickle_free(void *cls)
{
	Trickle *trickle = cls;

	stream_release(trickle->stream);
	buf_free(&trickle->body);
	free(trickle);
}

static struct MHD_Response *
create_trickle(Exchange *exchange, Buf body, Stream *stream, size_t len)
{
	const Fault *fault = exchange->fault;
	Trickle *trickle = sim_alloc(sizeof(Trickle));

	trickle->exchange = exchange;
	trickle->body = body;
	trickle->stream = stream;
	trickle->len = trickle->limit = len;
	if (fault && fault->truncate >= 0 && (size_t) fault->truncate < len)
		trickle->limit = (size_t) fault->truncate;
	trickle->rate = fault ? fault->bytes_per_second : 0;
	trickle->fd = exchange->fd;
	return MHD_create_response_from_callback(len, stream ? STREAM_SLICE : SLICE, trickle_read,
											 trickle, trickle_free);
}

/* Takes the body. */
static struct MHD_Response *
create_response(Exchange *exchange)
{
	Reply *reply = &exchange->req->reply;
	const Fault *fault = exchange->fault;
	Buf body = reply->body;
	Stream *stream = reply->stream;
	size_t streamed =
		fault ? body_stream_length((BodyKind) fault->body_kind, fault->body_bytes) : 0;

	reply->body = (Buf){0};
	reply->stream = NULL;
	if (stream)
		return create_trickle(exchange, body, stream, stream_length(stream));
	if (body.len == 0 && streamed == 0)
	{
		buf_free(&body);
		exchange_leave(exchange);
		return MHD_create_response_from_buffer(0, "", MHD_RESPMEM_PERSISTENT);
	}
	if (fault && (streamed > 0 || fault->truncate >= 0 || fault->bytes_per_second > 0))
		return create_trickle(exchange, body, NULL, streamed > 0 ? streamed : body.len);
	exchange_leave(exchange);
	return MHD_create_response_from_buffer_with_free_callback(body.len, body.data, free);
}

enum MHD_Result
exchange_send(Exchange *exchange, struct MHD_Connection *connection)
{
	Request *req = exchange->req;
	Reply *reply = &req->reply;
	struct MHD_Response *response;
	enum MHD_Result queued;

	if (!exchange->control && takes_gzip(req) &&
		!(exchange->fault && exchange->fault->body_kind))
		body_compress(req);
	response = create_response(exchange);
	/* libmicrohttpd refuses an empty value; a blank one is the same to a client. */
	for (int i = 0; i < reply->nheaders; i++)
		MHD_add_response_header(response, reply->names[i],
								*reply->values[i] ? reply->values[i] : " ");
	if (reply->content_type)
		MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, reply->content_type);
	queued = MHD_queue_response(connection, (unsigned) reply->status, response);
	MHD_destroy_response(response);
	return queued;
}
