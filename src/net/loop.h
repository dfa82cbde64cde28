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
 * The only wait: until some transfer of this backend that was pending ends, one
 * has brought something (gc_loop_notice), somebody sets the latch, or a moment comes (0: none).  Serves interrupts, so
 * it may throw.
 */
extern void gc_loop_wait(GcTime until, GcWait wait);

/* Closes kept connections; false if something is in flight. */
extern bool gc_loop_close(void);

/* Throws that curl could not allocate. */
extern _Noreturn void gc_loop_no_memory(void);

#endif /* GC_NET_LOOP_H */
