/*
 * fuzz/server.h
 *	  The rest of a server that net/http.c and net/loop.c need: waits, descriptors, interrupts.
 *
 * The latch is never set.  Sockets are counted as the server counts them.
 */
#ifndef GC_FUZZ_SERVER_H
#define GC_FUZZ_SERVER_H

#include "postgres.h"

/* Sockets that may still be opened, and that are open. */
extern int server_fds_left;
extern int server_fds_open;

/* An interrupt comes after so many waits from now; -1: none. */
extern int server_waits_left;

#endif /* GC_FUZZ_SERVER_H */
