/*
 * net/socket.h
 *	  curl's sockets and threads, within what the server allows.
 *
 * curl's callbacks, for net/http.c: they store, and never throw.
 */
#ifndef GC_NET_SOCKET_H
#define GC_NET_SOCKET_H

#include "postgres.h"

#include <curl/curl.h>

/* Sets a handle up so that its sockets count against the server's limit of descriptors. */
extern void gc_socket_setup(CURL *easy);

/* May there be one more thread that looks up a name? */
extern bool gc_socket_may_look_up(void);

/* curl has closed all of them, whatever it said. */
extern void gc_socket_forget_all(void);

#endif /* GC_NET_SOCKET_H */
