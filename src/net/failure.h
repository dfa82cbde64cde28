/*
 * net/failure.h
 *	  What a failed exchange says, and the one place that words it as an error.
 *
 * Maps HTTP status and the platform's code to SQLSTATE (DESIGN 5).  Never
 * shows a token or a body; the platform's own message is cut to a line.
 */
#ifndef GC_NET_FAILURE_H
#define GC_NET_FAILURE_H

#include "postgres.h"

#include "net/http.h"
#include "net/policy.h"

typedef struct GcFailure
{
	GcHttpOutcome outcome; /* GC_HTTP_PENDING: it was never asked */
	int status;			   /* GC_HTTP_ANSWERED */
	GcCause cause;
	int sqlstate; /* as errcode() takes it; the cause's, but for what the caller knows better */
	const char *code;	 /* the platform's, such as "invalid.contact.columns"; or NULL */
	const char *message; /* the platform's or curl's words; or NULL */
	const char *field;	 /* details[].fieldName; or NULL */
	const char *entity;	 /* entityName; or NULL */
	const char *correlation_id; /* the platform's; or NULL */
	const char *request_id;		/* ours, X-Request-ID; or NULL */
	const char *method;
	const char *path;
	const char *instead; /* what could not be done, where the caller's words do not fit */
	const char *hint;	 /* what to do; NULL: what the status suggests */
	const char *gave_up; /* why it was not tried again; or NULL */
	bool in_doubt;		 /* it may have taken effect */
} GcFailure;

/* Reads an ended exchange; allocated in the current context, strings copied. */
extern GcFailure *gc_failure_read(const GcHttpExchange *exchange, const char *method,
								  const char *path, const char *request_id);

/* A reply with status 2xx whose content is not what it should be; "problem" says what. */
extern GcFailure *gc_failure_bad_reply(const GcHttpExchange *exchange, const char *method,
									   const char *path, const char *request_id,
									   const char *problem);

/* Does it say nothing of what was asked for: the network's or the platform's mood, which passes? */
extern bool gc_failure_passes(const GcFailure *failure);

/* Throws it: "message" is what could not be done, "counts" one more sentence of detail or NULL. */
extern _Noreturn void gc_failure_throw(const GcFailure *failure, const char *message,
									   const char *counts);

#endif /* GC_NET_FAILURE_H */
