/*
 * net/policy.h
 *	  What becomes of each kind of failure: one table (DESIGN 5, SCENARIOS K).
 *
 * For each cause: its SQLSTATE, whether the call may have taken effect, for
 * which classes of calls it is repeated, after how long and under which budget,
 * and what the user can do.  Knows nothing of exchanges: net/failure.h tells the
 * cause of one, net/retry.h keeps the books of a call.
 */
#ifndef GC_NET_POLICY_H
#define GC_NET_POLICY_H

#include "postgres.h"

typedef enum GcCallClass
{
	GC_CALL_SAFE,		/* reads */
	GC_CALL_IDEMPOTENT, /* writes that carry ids: a repeat changes nothing */
	GC_CALL_UNSAFE,		/* a repeat could act twice */
} GcCallClass;

typedef enum GcCause
{
	GC_CAUSE_NONE,		  /* it succeeded */
	GC_CAUSE_NOT_ASKED,	  /* our own decision */
	GC_CAUSE_NOT_SENT,	  /* no connection */
	GC_CAUSE_TRUST,		  /* no connection: the certificate is not trusted */
	GC_CAUSE_PROXY,		  /* a proxy wants other credentials: its 407 */
	GC_CAUSE_PROXY_NO,	  /* a proxy does not let it through: its other 4xx */
	GC_CAUSE_LOST,		  /* the request went out, no whole answer came */
	GC_CAUSE_TOO_BIG,	  /* the answer is larger than max_response_size */
	GC_CAUSE_GARBLED,	  /* status 2xx, but not what such an answer looks like */
	GC_CAUSE_REQUEST,	  /* 400 */
	GC_CAUSE_COLUMNS,	  /* 400: a column that the list does not have */
	GC_CAUSE_TOO_MANY,	  /* 400: more contacts than a call takes */
	GC_CAUSE_CAMPAIGN,	  /* 400: a campaign uses the contact */
	GC_CAUSE_GONE,		  /* 400: there is no such contact */
	GC_CAUSE_TRANSITION,  /* 400: a campaign cannot go from its status to that one */
	GC_CAUSE_TOKEN,		  /* 401 */
	GC_CAUSE_CREDENTIALS, /* the token endpoint's 400 and 401 */
	GC_CAUSE_LOGIN,		  /* the token endpoint's 4xx that say nothing of tokens */
	GC_CAUSE_FORBIDDEN,	  /* 403 */
	GC_CAUSE_NOT_FOUND,	  /* 404 */
	GC_CAUSE_TIMEOUT,	  /* 408 */
	GC_CAUSE_TOO_LARGE,	  /* 413 */
	GC_CAUSE_THROTTLED,	  /* 429 */
	GC_CAUSE_RECYCLED,	  /* 429: a campaign was recycled just now */
	GC_CAUSE_EXTERNAL_ID, /* K1 */
	GC_CAUSE_LOCKED,	  /* K2, and every 409 that is none of the others */
	GC_CAUSE_IN_USE,	  /* K3 */
	GC_CAUSE_VERSION,	  /* K4 */
	GC_CAUSE_JOBS,		  /* K5 */
	GC_CAUSE_NAME,		  /* K6 */
	GC_CAUSE_REFERENCE,	  /* K7 */
	GC_CAUSE_TWICE,		  /* K8 */
	GC_CAUSE_ACTIVE,	  /* 409: a campaign cannot be changed so while it is on */
	GC_CAUSE_SERVER,	  /* 5xx */
	GC_CAUSE_NOT_OFFERED, /* 501 */
	GC_CAUSE_OTHER,		  /* any other status */
} GcCause;

typedef enum GcBudget
{
	GC_BUDGET_NEVER, /* not repeated */
	GC_BUDGET_TRIES, /* up to max_retries and retry_timeout */
	GC_BUDGET_TIME,	 /* up to retry_timeout: a lock is waited for */
	GC_BUDGET_TOKEN, /* once, with a new token */
} GcBudget;

typedef struct GcPolicy
{
	int sqlstate;
	bool doubt; /* a write may have taken effect, so an unsafe call is not repeated */
	GcBudget budget;
	int first_ms; /* the first wait's ceiling, which doubles from try to try … */
	int cap_ms;	  /* … up to this; the wait is a random part of it, */
	bool exact;	  /* or the ceiling itself */
	const char *hint;
	const char *code;	  /* by which a 400, 409 or 429 is told */
	const char *words[3]; /* … or else, in its message */
} GcPolicy;

extern const GcPolicy *gc_policy(GcCause cause);

/* Which 409 it is: by code first, then by words, else a lock.  Either may be NULL. */
extern GcCause gc_policy_conflict(const char *code, const char *message);

/* The same for a 400, which is told by its code, but for a version that is not the newest. */
extern GcCause gc_policy_bad_request(const char *code, const char *message);

/* … and for a 429. */
extern GcCause gc_policy_throttled(const char *code);

#endif /* GC_NET_POLICY_H */
