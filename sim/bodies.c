/*
 * bodies.c
 *	  Bodies of replies as no honest server sends them; and compressed ones.
 */
#include <pthread.h>
#include <stdlib.h>
#include <zlib.h>

#include "bodies.h"

#define DEEP_LEVELS	   10000
#define LARGE		   ((int64_t) 1 << 30)
#define GZIP_HEADER	   10
#define GZIP_WINDOW	   (15 + 16) /* the largest, with a gzip header */
#define BEGINNING	   "{\"entities\":["
#define BOMB_PIECE	   65536
#define RESERVED_BLOCK 0xff /* a kind of block that deflate does not have */

const char *const body_kind_names[] = {"html",		"deep",	 "huge", "gzip_damaged",
									   "gzip_bomb", "empty", NULL};

static const char page[] = "<!DOCTYPE html>\n<html><head><title>Gateway</title></head>\n"
						   "<body><h1>The gateway could not answer</h1></body></html>\n";

/* What a huge body repeats. */
static const char filler[] =
	"{\"id\":\"00000000\",\"data\":{\"A\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"}},";

/* The bomb made last: it takes seconds, and tests ask for the same one again. */
static pthread_mutex_t bomb_lock = PTHREAD_MUTEX_INITIALIZER;
static Buf bomb;
static int64_t bomb_size;

int64_t
body_size(BodyKind kind, int64_t given)
{
	return given > 0 ? given : kind == BODY_DEEP ? DEEP_LEVELS : LARGE;
}

void
body_compress(Request *req)
{
	Buf *body = &req->reply.body;
	z_stream z = {0};
	Buf out = {0};

	if (deflateInit2(&z, Z_BEST_SPEED, Z_DEFLATED, GZIP_WINDOW, 8, Z_DEFAULT_STRATEGY) != Z_OK)
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

/* What it inflates to: the beginning of a page, and then blanks without end. */
static void
make_bomb(int64_t size)
{
	unsigned char piece[BOMB_PIECE];
	z_stream z = {0};

	bomb.len = 0;
	memset(piece, ' ', sizeof(piece));
	memcpy(piece, BEGINNING, strlen(BEGINNING));
	if (deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, GZIP_WINDOW, 8,
					 Z_DEFAULT_STRATEGY) != Z_OK)
		return;
	for (int64_t left = size; left > 0 || bomb.len == 0;)
	{
		int64_t n = left < BOMB_PIECE ? left : BOMB_PIECE;

		z.next_in = piece;
		z.avail_in = (unsigned) n;
		left -= n;
		do
		{
			buf_reserve(&bomb, BOMB_PIECE);
			z.next_out = (unsigned char *) bomb.data + bomb.len;
			z.avail_out = BOMB_PIECE;
			deflate(&z, left > 0 ? Z_NO_FLUSH : Z_FINISH);
			bomb.len += BOMB_PIECE - z.avail_out;
		} while (z.avail_out == 0);
		memset(piece, ' ', strlen(BEGINNING));
	}
	deflateEnd(&z);
}

void
body_prepare(BodyKind kind, int64_t size)
{
	if (kind != BODY_GZIP_BOMB)
		return;
	pthread_mutex_lock(&bomb_lock);
	if (size != bomb_size)
		make_bomb(size);
	bomb_size = size;
	pthread_mutex_unlock(&bomb_lock);
}

static void
take_bomb(Request *req, int64_t size)
{
	body_prepare(BODY_GZIP_BOMB, size); /* another fault may have asked for another */
	pthread_mutex_lock(&bomb_lock);
	req->reply.body.len = 0;
	buf_put(&req->reply.body, bomb.data, bomb.len);
	pthread_mutex_unlock(&bomb_lock);
	reply_header(req, "Content-Encoding", "gzip");
}

static void
damage(Request *req)
{
	if (req->reply.body.len == 0)
		buf_puts(&req->reply.body, "{\"entities\":[]}");
	body_compress(req);
	req->reply.body.data[GZIP_HEADER] = (char) RESERVED_BLOCK;
}

void
body_make(Request *req, BodyKind kind, int64_t size)
{
	Buf *body = &req->reply.body;

	if (kind == BODY_GZIP_DAMAGED)
		damage(req);
	else if (kind == BODY_GZIP_BOMB)
		take_bomb(req, size);
	else
	{
		body->len = 0;
		if (kind == BODY_HTML)
			buf_puts(body, page);
		else if (kind == BODY_HUGE)
			buf_puts(body, BEGINNING);
	}
	free(req->reply.content_type);
	req->reply.content_type =
		kind == BODY_EMPTY
			? NULL
			: sim_strdup(kind == BODY_HTML ? "text/html; charset=utf-8" : "application/json");
}

size_t
body_stream_length(BodyKind kind, int64_t size)
{
	return kind == BODY_DEEP ? (size_t) size * 2 : kind == BODY_HUGE ? (size_t) size : 0;
}

/* Deep: as many brackets as close again. */
static void
stream_deep(size_t length, size_t pos, char *out, size_t n)
{
	size_t opening = pos < length / 2 ? length / 2 - pos : 0;

	if (opening > n)
		opening = n;
	memset(out, '[', opening);
	memset(out + opening, ']', n - opening);
}

void
body_stream(BodyKind kind, size_t length, size_t pos, char *out, size_t n)
{
	const size_t period = sizeof(filler) - 1;

	if (kind == BODY_DEEP)
	{
		stream_deep(length, pos, out, n);
		return;
	}
	pos -= strlen(BEGINNING);
	while (n > 0)
	{
		size_t from = pos % period;
		size_t piece = period - from < n ? period - from : n;

		memcpy(out, filler + from, piece);
		out += piece;
		pos += piece;
		n -= piece;
	}
}
