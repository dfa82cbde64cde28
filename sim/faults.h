/*
 * faults.h
 *	  What tests ask to go wrong: matching, and what becomes of a reply.
 *
 * Owns the faults.  Knows nothing of sockets: what concerns the connection
 * (delay, stall, drop, truncate) is for the server to read from the fault.
 */
#ifndef SIM_FAULTS_H
#define SIM_FAULTS_H

#include "request.h"

/* Members of a fault: what is called then, as by somebody else. */
#define CALLS_BEFORE "calls_before"
#define CALLS_AFTER	 "calls_after"

typedef enum Drop
{
	DROP_NOT,
	DROP_BEFORE,
	DROP_AFTER,
	DROP_DURING /* part of the body has been read */
} Drop;

typedef struct Fault
{
	int refs; /* the list's, and one for each request it struck */

	const char *method; /* NULL = any; these texts belong to spec */
	const char *path;
	const char *body_contains;
	int64_t nth;
	int64_t every;
	int64_t times;	/* -1 = no end */
	double percent; /* 0 = always */

	int64_t status; /* 0 = the real reply */
	bool effect;	/* with status or stall: carry the request out first */
	int conflict;	/* 0 = none, else see conflicts.h */
	int64_t words;	/* likewise */
	const char *content_type;
	int64_t delay_ms;
	int64_t delay_before_ms;
	bool stall;
	int drop;		  /* a Drop */
	bool rst;		  /* with drop or truncate: a reset, no orderly end */
	int64_t truncate; /* -1 = not */
	int64_t bytes_per_second;
	int64_t read_bytes_per_second; /* of the request's body; 0 = as it comes */
	int64_t echo_less;
	int body_kind; /* a BodyKind */
	int64_t body_bytes;

	int64_t seen;	/* requests that matched */
	int64_t hits;	/* requests it struck */
	json_t *spec;	/* as given */
	json_t *called; /* the status of each call that it made */
} Fault;

extern void faults_set(Request *req);  /* POST /_sim/faults; wants the lock */
extern void faults_list(Request *req); /* GET /_sim/faults; wants the lock */
extern void faults_clear(void);		   /* wants the lock */

/*
 * The one that strikes, NULL = none; wants the lock.  Those that strike during
 * the body are asked for apart, once its first piece is there; whether there
 * are any can be asked without the lock.
 */
extern Fault *faults_match(const Request *req, bool during);
extern bool faults_during(void);
extern void fault_release(Fault *fault); /* wants the lock */

/*
 * The calls that the fault wants made, as if by somebody else, before or after
 * the request it strikes.  Takes the lock itself, but not while it calls.
 */
extern void fault_call(Fault *fault, const char *when, void (*make)(Request *req));

/* Changes the reply, which is empty when the request was not carried out. */
extern void fault_apply(const Fault *fault, Request *req);

#endif
