/*
 * api/request.h
 *	  API calls: token, quota, retries, and errors, around HTTP exchanges.
 *
 * A statement opens one set of calls; every call of it is a small state
 * machine (waiting for its slot, in flight, backing off, ended) that moves
 * whenever somebody waits for any of them.  Remote failures do not throw until
 * gc_call_throw: a caller may look at them first.
 *
 * A set dies with the memory context that was current when it was opened:
 * exchanges in flight are aborted (their connections dropped) and unused slots
 * of the quota given back.  The executor's state goes when its portal fails or
 * its subtransaction aborts, so that is soon enough; a cursor that survives a
 * subtransaction it was read in keeps its calls.
 */
#ifndef GC_API_REQUEST_H
#define GC_API_REQUEST_H

#include "postgres.h"

#include "base/clock.h"
#include "base/stat.h"
#include "base/wait.h"
#include "net/connection.h"
#include "net/failure.h"

typedef struct GcCalls GcCalls;
typedef struct GcCall GcCall;

typedef struct GcCallSpec
{
	GcCallClass call_class;
	const char *method;
	const char *path; /* from the API's base URL on, with its query */
	const char *body; /* JSON; NULL: none.  The caller's, until the call is freed */
	size_t body_len;
	const char *endpoint; /* the path's pattern, without ids and query; for statistics */
	GcRateClass rate;	  /* its rank in the quota's line */
	GcStat *stat;		  /* where to count; NULL: the set's */
	bool download;		  /* asks for a file, or for where it is: see gc_call_file() */
	bool may_be_empty;	  /* a success need not have a body */
	bool in_use_ends;	  /* of the locks, that of a contact by the dialler alone does so */
	bool lock_ends;		  /* a lock (409) ends the call: its caller knows what to wait for */
	/*
	 * Rows that the call writes, and where they are counted while they are in
	 * doubt: from the moment an attempt goes out until an answer says that it did
	 * not take effect.  Stays counted if the call is freed before that; after a
	 * success it is for the caller, who reads the answer, to take them out.
	 * NULL: no.
	 */
	int64 *in_doubt;
	int rows;
	GcTime
		doubted; /* since when they have been, by an earlier call, and are counted; 0: not */
} GcCallSpec;

/* So long after it was made need a list not be found yet: SCENARIOS A2, with much to spare. */
#define GC_YOUNG_US (30 * USECS_PER_SEC)

/*
 * The thing at that path was made so long ago, in microseconds: while it is young, an answer
 * that it is not found, to a call below its path, is waited out as a lock is.
 */
extern void gc_calls_expect(GcConnection *conn, const char *path, int64 age);

/* GUC gc_fdw.max_requests: of one statement; 0: no limit. */
extern int gc_max_requests;

/* Opens a set; "stat" is counted up and must live as long. */
extern GcCalls *gc_calls_open(GcConnection *conn, GcStat *stat);

/* Whose calls they are. */
extern GcConnection *gc_calls_connection(const GcCalls *calls);

/* The requests that a statement may make, of a server whose option says "server_max"; 0: any. */
extern int gc_calls_limit(int server_max);

/* How many more requests the statement may make; -1: no limit. */
extern int64 gc_calls_allowance(const GcCalls *calls);

/* Throws that so many more requests would be needed; "what" cannot be done for that. */
extern _Noreturn void gc_calls_refuse(const GcCalls *calls, int64 needed, const char *what);

/* Cancels what is pending, frees all calls. */
extern void gc_calls_close(GcCalls *calls);

/* Starts a call. */
extern GcCall *gc_call_start(GcCalls *calls, const GcCallSpec *spec);

extern bool gc_call_ended(const GcCall *call);

/* Waits until that call has ended; the others of its set move meanwhile. */
extern void gc_call_wait(GcCall *call);

/*
 * The same, if it may "wait"; else all move as far as they can now, and whoever
 * borrows the loop's descriptor is woken when there is more to do (net/loop.h).
 * Has the call ended?
 */
extern bool gc_call_try(GcCall *call, bool wait);

/* Waits until some call of the set that was pending has ended. */
extern void gc_calls_wait_any(GcCalls *calls);

/*
 * Sleeps until then, if it may "wait"; else as gc_call_try().  Has the moment come?  The
 * time counts as waited for.  No call may be pending.
 */
extern bool gc_calls_sleep(GcCalls *calls, GcTime until, GcWait wait_for, bool wait);

/* Lets an attempt that is in flight end, but starts no other: for a statement that has failed. */
extern void gc_call_give_up(GcCall *call);

/* NULL for an ended call that succeeded. */
extern const GcFailure *gc_call_failure(const GcCall *call);

/* Is it certain that the call did nothing, has it succeeded, or neither? */
extern bool gc_call_in_doubt(const GcCall *call);

/* Since when it has been in doubt, for a call with the same rows; 0: it is not. */
extern GcTime gc_call_doubted(const GcCall *call);

/* When its last attempt went out. */
extern GcTime gc_call_sent_at(const GcCall *call);

/* The answer to a call that succeeded; zero-terminated, lives as long as the call. */
extern const char *gc_call_reply(const GcCall *call, size_t *len);

/* A header of that answer, or NULL. */
extern const char *gc_call_header(const GcCall *call, const char *name);

/* The platform's clock when it answered, to the second; DT_NOBEGIN: it does not say. */
extern TimestampTz gc_call_answer_time(const GcCall *call);

/*
 * The answer to a download, when the call has succeeded: a redirect, then
 * *location says where to, or else the file, whose bytes are to be taken from
 * the exchange.  It lives as long as the call.
 */
extern GcHttpExchange *gc_call_file(const GcCall *call, const char **location);

/* What lives exactly as long as the call. */
extern MemoryContext gc_call_context(const GcCall *call);

/* Throws the call's failure; see gc_failure_throw. */
extern _Noreturn void gc_call_throw(const GcCall *call, const char *message,
									const char *counts);

/* Throws that the answer, though 2xx, is not what it should be. */
extern _Noreturn void gc_call_throw_reply(const GcCall *call, const char *problem,
										  const char *message, const char *counts);

extern void gc_call_free(GcCall *call);

/* Registers the transaction callbacks; once, from _PG_init. */
extern void gc_calls_init(void);

#endif /* GC_API_REQUEST_H */
