/*
 * request.h
 *	  One request and its reply, apart from any HTTP library.
 *
 * A handler reads the request and fills the reply; both are freed together.
 * Header names and values belong to the connection, which outlives them.
 */
#ifndef SIM_REQUEST_H
#define SIM_REQUEST_H

#include <stdbool.h>

#include "buf.h"
#include "intake.h"
#include "stream.h"

#define MAX_PARTS		  12
#define MAX_ARGS		  4
#define MAX_HEADERS		  64
#define MAX_REPLY_HEADERS 24

typedef struct Header
{
	const char *name;
	const char *value;
} Header;

typedef struct Param
{
	Span name; /* decoded */
	Span value;
} Param;

typedef struct Reply
{
	int status; /* 0 = none yet */
	Buf body;
	Stream *stream; /* instead of the body, where it is large */
	char *content_type;
	char *names[MAX_REPLY_HEADERS];
	char *values[MAX_REPLY_HEADERS];
	int nheaders;
} Reply;

typedef struct Request
{
	const char *method;
	char *path;			  /* as sent, still percent-coded */
	char *query;		  /* likewise; "" when there is none */
	Span part[MAX_PARTS]; /* of the path, decoded */
	int nparts;			  /* MAX_PARTS + 1 when there are more */
	Span arg[MAX_ARGS];	  /* what the route's stars stood for */
	Param *params;
	int nparams;
	Header headers[MAX_HEADERS];
	int nheaders;

	Buf body;
	size_t body_bytes; /* received; may exceed what was kept */
	Intake *intake;	   /* where a file comes in: then the body is but its beginning */
	int64_t rows;	   /* contacts sent, asked for or found; -1 = n/a */

	const struct Client *client; /* whose token it was, or NULL */
	char correlation_id[UUID_SIZE];
	int64_t arrived_us;
	int in_flight; /* how many there were, with this one */
	unsigned connection;
	bool storage;	/* came to the port of the storage */
	uint64_t seq;	/* in the record; 0 = not recorded */
	unsigned epoch; /* of the record, see record.h */

	char *decoded; /* what part and params point into */
	Reply reply;
} Request;

extern Request *request_create(const char *uri);
extern void request_free(Request *req);

extern const char *request_header(const Request *req, const char *name);
extern const Span *request_param(const Request *req, const char *name);
extern bool request_is(const Request *req, const char *path);

/* False, with an error as the reply, when the parameter is not of its kind. */
extern bool request_flag(Request *req, const char *name, bool *value);
extern bool request_number(Request *req, const char *name, int64_t *value);

extern bool span_is(Span span, const char *text);

extern void reply_header(Request *req, const char *name, const char *value); /* NULL removes */
extern void reply_ok(Request *req); /* 200, with the JSON that is in the body */
extern void reply_json(Request *req, int status, json_t *value); /* takes value */
extern void reply_empty(Request *req, int status);
extern void reply_type(Request *req, const char *content_type);
extern void reply_stream(Request *req, const char *content_type,
						 Stream *stream); /* takes it */
extern void reply_drop_stream(Request *req);

#endif
