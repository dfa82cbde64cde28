/*
 * net/transport.h
 *	  How a request travels: trust, proxy, protocol, timeouts, buffers; for net/http.c alone.
 */
#ifndef GC_NET_TRANSPORT_H
#define GC_NET_TRANSPORT_H

#include "postgres.h"

#include <curl/curl.h>

#include "net/http.h"

/* Sets all that does not depend on what is said.  Throws nothing. */
extern void gc_transport_setup(CURL *easy, const GcHttpRequest *request);

#endif /* GC_NET_TRANSPORT_H */
