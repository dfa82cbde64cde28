/*
 * net/http.h
 *	  HTTPS exchanges, several in flight.
 *
 * Knows sockets and bytes; knows nothing of tokens, rate limits or JSON.
 * Throws only for out-of-memory: any answer, or none, comes back in the
 * exchange; net/loop.h has the wait.  An exchange lives in the memory context that was
 * current at its start, and is aborted with it; its request body belongs to
 * the caller and must outlive it.
 */
#ifndef GC_NET_HTTP_H
#define GC_NET_HTTP_H

#include "postgres.h"

typedef enum GcHttpOutcome
{
	GC_HTTP_PENDING,
	GC_HTTP_ANSWERED, /* status, headers and body are there */
	GC_HTTP_NOT_SENT, /* no connection, so nothing took effect */
	GC_HTTP_LOST,	  /* the request went out, or part of it; no whole answer came */
	GC_HTTP_TOO_BIG,  /* the answer was larger than allowed, and dropped */
} GcHttpOutcome;

typedef struct GcHttpRequest
{
	const char *method;
	const char *url;
	const char *const *headers; /* "Name: value", NULL-terminated */
	const char *body;			/* NULL: none */
	size_t body_len;
	const char *ca_file;	 /* NULL: the system's; for an https proxy, too */
	const char *client_cert; /* PEM files, NULL: none */
	const char *client_key;
	const char *proxy; /* its URL; NULL: none, whatever the environment says */
	const char *proxy_user;
	const char *proxy_password;
	int connect_timeout; /* ms */
	int request_timeout; /* ms, of the whole exchange */
	size_t max_reply;	 /* bytes, decompressed */
	/*
	 * A download, unless 0: where the answer is a success, it counts as answered
	 * as soon as its first bytes are there.  They are taken with gc_http_take();
	 * at most so many are kept ahead, then the transfer pauses.  Neither
	 * max_reply nor request_timeout holds for them.
	 */
	size_t window;
	bool fresh_connection; /* never on a kept-alive one, which may have died */
	/*
	 * The body is body_len bytes, which come piece by piece by gc_http_give();
	 * request_timeout is then how long nothing may move.
	 */
	bool streamed;
	/* They are the field "file" of a form, behind these: name, value …; NULL: they are all. */
	const char *const *form;
} GcHttpRequest;

typedef struct GcHttpExchange GcHttpExchange;

/* Starts an exchange.  What "request" points to is copied, but for the body. */
extern GcHttpExchange *gc_http_start(const GcHttpRequest *request);

/* Aborts the exchange if it is pending, and frees it.  NULL is allowed. */
extern void gc_http_free(GcHttpExchange *exchange);

extern GcHttpOutcome gc_http_outcome(const GcHttpExchange *exchange);

/* The following need an outcome; strings live as long as the exchange. */
extern int gc_http_status(const GcHttpExchange *exchange);
extern int64 gc_http_time_us(const GcHttpExchange *exchange); /* from start to end */
/* NULL: there is none, or it is not ASCII. */
extern const char *gc_http_header(const GcHttpExchange *exchange, const char *name);
extern const char *gc_http_body(const GcHttpExchange *exchange,
								size_t *len); /* zero-terminated */

/*
 * Has a streamed body taken all that it was given, and is there more of it to come?  Then
 * give it the next bytes, which are to stay until it asks again.
 */
extern bool gc_http_wants(const GcHttpExchange *exchange);
extern void gc_http_give(GcHttpExchange *exchange, const char *bytes, size_t len);

/* The next bytes of a download: how many there were, up to "max". */
extern size_t gc_http_take(GcHttpExchange *exchange, char *buf, size_t max);

/* Will no more bytes come than are there to be taken?  Then: are they all that were sent? */
extern bool gc_http_is_over(const GcHttpExchange *exchange);
extern bool gc_http_is_whole(const GcHttpExchange *exchange);

extern const char *gc_http_error(const GcHttpExchange *exchange); /* in words */
extern bool gc_http_is_tls_error(const GcHttpExchange *exchange);
extern bool gc_http_is_timeout(const GcHttpExchange *exchange);

/* What a proxy answered when it was asked for a way through; 0: it was not, or said nothing. */
extern int gc_http_tunnel_status(const GcHttpExchange *exchange);

/* Closes kept connections, if nothing is in flight. */
extern void gc_http_close_idle(void);

#endif /* GC_NET_HTTP_H */
