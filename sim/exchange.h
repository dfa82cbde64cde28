/*
 * exchange.h
 *	  One request on its way through: struck by a fault or not, carried out,
 *	  answered, late, in part or never.
 *
 * Between server.c, which reads requests, and send.c, which writes replies.
 */
#ifndef SIM_EXCHANGE_H
#define SIM_EXCHANGE_H

#include <microhttpd.h>

#include "faults.h"
#include "request.h"

typedef struct Exchange
{
	Request *req;
	Fault *fault; /* NULL = none */
	bool started; /* its headers are known */
	bool control;
	bool trusted;					/* by its TLS certificate, where one is wanted */
	bool counted;					/* among those in flight */
	int fd;							/* the client's socket */
	Fault *slow;					/* that has the body read at its pace; NULL = none */
	struct MHD_PostProcessor *form; /* what takes a form apart; NULL = there is none */
} Exchange;

extern Exchange *exchange_create(const char *uri, bool storage);
extern void exchange_start(Exchange *exchange); /* its headers are there */
extern void exchange_free(Exchange *exchange);
extern void exchange_leave(Exchange *exchange); /* no longer in flight */

/* False when the connection is to be closed without an answer. */
extern bool exchange_carry_out(Exchange *exchange);

/* Waits end early when the client goes away or the simulator ends; then false. */
extern bool waits_open(void);
extern void waits_end(void);
extern bool wait_us(int fd, int64_t us); /* below 0 = for ever */

/*
 * The first piece of the body is there: true when a fault closes the connection
 * now.  Then, and for any other piece, the pace at which a fault has it read.
 */
extern bool exchange_cut(Exchange *exchange);
extern bool exchange_slow(const Exchange *exchange,
						  size_t n); /* false = the client has gone */

extern void connection_reset(int fd); /* at once, with no end that the client could expect */

extern enum MHD_Result exchange_send(Exchange *exchange, struct MHD_Connection *connection);

#endif
