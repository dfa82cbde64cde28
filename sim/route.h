/*
 * route.h
 *	  From method and path to the handler that answers.
 */
#ifndef SIM_ROUTE_H
#define SIM_ROUTE_H

#include "request.h"

#define MAX_BODY_BYTES 512000 /* request.bytes.max */

/* What a request brings that is too large to keep. */
typedef enum FileKind
{
	FILE_NONE,
	FILE_IN_FORM,
	FILE_ALONE
} FileKind;

extern bool route_is_control(const Request *req);
extern bool route_is_webhook(const Request *req); /* what tests have sent here */
extern FileKind route_takes_file(Request *req);
extern size_t route_body_max(Request *req);

/* Each fills the reply. */
extern void route_control(Request *req);
extern void route_platform(Request *req);
extern void route_storage(Request *req);

/* A call that a fault makes: needs no token, counts in no window. */
extern void route_aside(Request *req);

#endif
