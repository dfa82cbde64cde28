/*
 * net/retry.h
 *	  Which calls may be repeated, when, and for how long.
 *
 * Pure decisions on what came back; the caller waits and sends.
 */
#ifndef GC_NET_RETRY_H
#define GC_NET_RETRY_H

#include "postgres.h"

#include "base/clock.h"
#include "net/http.h"
#include "net/policy.h"

typedef enum GcVerdict
{
	GC_VERDICT_SUCCESS,	  /* 2xx */
	GC_VERDICT_RETRY,	  /* again, not before "retry_at" */
	GC_VERDICT_NEW_TOKEN, /* again, at once, with a new token */
	GC_VERDICT_FAIL,
} GcVerdict;

typedef struct GcRetryPolicy
{
	int64 timeout_ms; /* of one call with all its retries */
	int max_retries;
} GcRetryPolicy;

/* One call's history; zero it before the first attempt, but for "started". */
typedef struct GcRetry
{
	GcCallClass call_class;
	GcTime started;
	int attempts;		   /* ended so far */
	int locked;			   /* of these, met a lock: only the time limits them */
	bool token_renewed;	   /* a 401 was answered with a new token already */
	GcTime sent_at;		   /* when the attempt at hand went out */
	GcTime in_doubt;	   /* when the first attempt that got no answer went out; 0: none */
	GcTime retry_at;	   /* out: for GC_VERDICT_RETRY */
	bool fresh_connection; /* out: later attempts are not to go on kept connections */
	const char *gave_up; /* out: why a repeatable failure is not repeated; NULL: it never is */
} GcRetry;

/* Why an unsafe call is not repeated. */
#define GC_RETRY_UNKNOWN "It is unknown whether it took effect, so it is not repeated."

/* Judges an ended exchange by the cause of its failure (GC_CAUSE_NONE: it succeeded). */
extern GcVerdict gc_retry_judge(GcRetry *retry, const GcRetryPolicy *policy,
								const GcHttpExchange *exchange, GcCause cause, GcTime now);

/* A header's whole number, -1 if it has none, or one that is beyond any count. */
extern int gc_retry_header_int(const GcHttpExchange *exchange, const char *name);

#endif /* GC_NET_RETRY_H */
