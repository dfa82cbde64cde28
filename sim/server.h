/*
 * server.h
 *	  HTTP in and out: the only module that knows libmicrohttpd.
 *
 * A thread for each connection, so a request that waits holds up no other.
 */
#ifndef SIM_SERVER_H
#define SIM_SERVER_H

#include <stdbool.h>

/* The port that is listened on, 0 when that fails.  cert and key may be NULL. */
extern int server_start(int port, const char *cert, const char *key);
extern void server_stop(void);

#endif
