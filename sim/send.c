/*
 * send.c
 *	  Replies on their way out: at once, compressed, slowly or in part.
 */
#include <stdlib.h>
#include <zlib.h>

#include "exchange.h"
#include "switches.h"

#define SLICE 16384

/* A body that goes out piece by piece. */
typedef struct Trickle
{
	Exchange *exchange;
	char *data;
	size_t len;	  /* what the header declares */
	size_t limit; /* what is sent before the connection is closed */
	int64_t rate; /* bytes a second, 0 = no limit */
	int fd;
} Trickle;

static bool
takes_gzip(const Request *req)
{
	const char *accepted = request_header(req, "Accept-Encoding");

	return sw_is(SW_GZIP, "on") && accepted && strstr(accepted, "gzip") &&
		   req->reply.body.len > 0;
}

static void
compress_body(Request *req)
{
	Buf *body = &req->reply.body;
	z_stream z = {0};
	Buf out = {0};

	if (deflateInit2(&z, Z_BEST_SPEED, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		return;
	buf_reserve(&out, deflateBound(&z, body->len));
	z.next_in = (unsigned char *) body->data;
	z.avail_in = (unsigned) body->len;
	z.next_out = (unsigned char *) out.data;
	z.avail_out = (unsigned) out.cap;
	deflate(&z, Z_FINISH);
	out.len = z.total_out;
	deflateEnd(&z);
	buf_free(body);
	*body = out;
	reply_header(req, "Content-Encoding", "gzip");
}

static ssize_t
trickle_read(void *cls, uint64_t pos, char *out, size_t max)
{
	Trickle *trickle = cls;
	size_t n = trickle->limit - (size_t) pos;

	if (n == 0)
		return MHD_CONTENT_READER_END_WITH_ERROR; /* only when cut short */
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
	memcpy(out, trickle->data + pos, n);
	if (pos + n == trickle->len)
		exchange_leave(trickle->exchange);
	return (ssize_t) n;
}

static void
trickle_free(void *cls)
{
	Trickle *trickle = cls;

	free(trickle->data);
	free(trickle);
}

static struct MHD_Response *
create_trickle(Exchange *exchange, char *data, size_t len)
{
	const Fault *fault = exchange->fault;
	Trickle *trickle = sim_alloc(sizeof(Trickle));

	trickle->exchange = exchange;
	trickle->data = data;
	trickle->len = trickle->limit = len;
	if (fault->truncate >= 0 && (size_t) fault->truncate < len)
		trickle->limit = (size_t) fault->truncate;
	trickle->rate = fault->bytes_per_second;
	trickle->fd = exchange->fd;
	return MHD_create_response_from_callback(len, SLICE, trickle_read, trickle, trickle_free);
}

/* Takes the body. */
static struct MHD_Response *
create_response(Exchange *exchange)
{
	Reply *reply = &exchange->req->reply;
	const Fault *fault = exchange->fault;
	Buf body = reply->body;

	reply->body = (Buf){0};
	if (body.len == 0)
	{
		buf_free(&body);
		exchange_leave(exchange);
		return MHD_create_response_from_buffer(0, "", MHD_RESPMEM_PERSISTENT);
	}
	if (fault && (fault->truncate >= 0 || fault->bytes_per_second > 0))
		return create_trickle(exchange, body.data, body.len);
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

	if (!exchange->control && takes_gzip(req))
		compress_body(req);
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
