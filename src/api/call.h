/*
 * api/call.h
 *	  One call as a state machine, for api/request.c, which moves sets of them.
 */
#ifndef GC_API_CALL_H
#define GC_API_CALL_H

#include "postgres.h"

#include "api/request.h"
#include "base/clock.h"
#include "base/wait.h"
#include "net/loop.h"
#include "net/retry.h"

#include "lib/ilist.h"

#define GC_MAX_REQUESTS_HINT                                                                  \
	"Raise the server option \"max_requests\", or gc_fdw.max_requests."

typedef enum CallState
{
	CALL_WAITING, /* for the end of a backoff, then for the quota */
	CALL_FLYING,
	CALL_ENDED,
} CallState;

struct GcCall
{
	dlist_node node;   /* in its set */
	MemoryContext cxt; /* this struct and all that belongs to it */
	GcCalls *calls;
	GcCallSpec spec;
	CallState state;
	GcRetry retry;
	GcTime start_at;   /* CALL_WAITING: ready from then on, but for the quota */
	bool last_attempt; /* no other will be started */
	bool doubted;	   /* spec.rows are counted in *spec.in_doubt */
	uint64 token_number;
	char request_id[40];
	GcHttpExchange *exchange;
	MemoryContext attempt_cxt; /* the exchange's, reset for each attempt */
	GcFailure *failure;
	MemoryContextCallback on_reset;
};

/* A set stands in the quota's line once for each class of calls, not once for each call. */
#define CALL_CLASSES 4

typedef struct GcCallLine
{
	uint64 ticket;
	bool refused; /* in this round */
	GcTime until; /* … and so long */
} GcCallLine;

struct GcCalls
{
	dlist_node node; /* in open_sets */
	GcConnection *conn;
	GcStat *stat;
	GcCallLine lines[CALL_CLASSES];
	MemoryContext cxt;
	dlist_head list;
	bool open;	  /* in open_sets */
	bool at_work; /* one of its calls is moving, which may throw */
	bool told_waiting;
	GcAway away;	 /* who comes again for a call that has not ended … */
	GcWait away_for; /* … waits for this, if he sleeps */
	MemoryContextCallback on_reset;
};

/*
 * Moves a call as far as it goes; the moment from which it can move on, or 0 if
 * only an event helps.  Throws for interrupts only (it may have to ask for a
 * token).
 */
extern GcTime gc_call_advance(GcCall *call, GcTime now);

/* A call that is ready leaves the quota's line, unless another of its set stands there, too. */
extern void gc_call_leave_line(GcCall *call);

/* Is it a call below the path of what was made a moment ago? */
extern bool gc_call_is_young(const GcCall *call);

/* The first step of a new call. */
extern void gc_call_begin(GcCall *call);

#endif /* GC_API_CALL_H */
