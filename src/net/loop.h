/*
 * net/loop.h
 *	  curl's transfers and PostgreSQL's latch in one wait.
 *
 * One curl multi handle serves the whole backend, so that connections are kept
 * and reused across statements.  For net/http.c, which makes the transfers.
 */
#ifndef GC_NET_LOOP_H
#define GC_NET_LOOP_H

#include "postgres.h"

#include "base/clock.h"
#include "base/wait.h"
#include <curl/curl.h>

/* What the loop knows of a transfer; must stay in place while it is added. */
typedef struct GcTransfer
{
	bool added;
	bool done;
	CURLcode code; /* once it is done */
} GcTransfer;

/* Starts a transfer that has been set up.  Throws if curl has no memory. */
extern void gc_loop_add(CURL *easy, GcTransfer *transfer);

/* Takes it out; a pending one loses its connection.  Throws nothing. */
extern void gc_loop_remove(CURL *easy, GcTransfer *transfer);

/* A transfer that was paused goes on. */
extern void gc_loop_resume(CURL *easy);

/* A transfer has brought something that somebody may wait for. */
extern void gc_loop_notice(void);

/*
 * The only wait of ours: until some transfer of this backend that was pending ends, one
 * has brought something (gc_loop_notice), somebody sets the latch, or a moment comes (0: none).  Serves interrupts, so
 * it may throw.
 */
extern void gc_loop_wait(GcTime until, GcWait wait);

/*
 * For who waits by means of his own, with the latch, and never in here: lets all
 * transfers go on as far as they can; sets a moment from which on the descriptor
 * is readable (0: none; the earliest counts); and lends the descriptor, which is
 * readable when transfers can go on.  Once it is, or the latch was set: again from the
 * beginning.  "sleeps": nothing else is done until then.
 */
extern void gc_loop_poll(void);
extern void gc_loop_alarm(GcTime until);
extern pgsocket gc_loop_lend(bool sleeps);

/* Counts the transfers that ended, or brought something, whoever saw to it. */
extern uint64 gc_loop_settled(void);

/* Somebody who goes away meanwhile, and comes again. */
typedef struct GcAway
{
	bool away;
	int64 slept_before;
} GcAway;

/* Sets the alarm for when he wants to come again; for how long the descriptor has been slept on, once he does. */
extern void gc_loop_leave(GcAway *away, GcTime until);
extern int64 gc_loop_return(GcAway *away);

/* Closes kept connections; false if something is in flight. */
extern bool gc_loop_close(void);

/* Throws that curl could not allocate. */
extern _Noreturn void gc_loop_no_memory(void);

#endif /* GC_NET_LOOP_H */
