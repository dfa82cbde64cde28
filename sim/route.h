/*
 * route.h
 *	  From method and path to the handler that answers.
 */
#ifndef SIM_ROUTE_H
#define SIM_ROUTE_H

#include "request.h"

#define MAX_BODY_BYTES 512000 /* request.bytes.max */

extern bool route_is_control(const Request *req);

/* Each fills the reply. */
extern void route_control(Request *req);
extern void route_platform(Request *req);
extern void route_storage(Request *req);

/* A call that a fault makes: needs no token, counts in no window. */
extern void route_aside(Request *req);

#endif
