/*
 * permissions.h
 *	  What a client may do, and what a call asks of it.
 *
 * A call asks for one permission ("outbound:contact:add"), for several ("a & b")
 * or for one of several ("a | b"); NULL: for none.
 */
#ifndef SIM_PERMISSIONS_H
#define SIM_PERMISSIONS_H

#include <jansson.h>

#include "request.h"

/* False, with 403 as the reply, when the client lacks them.  Wants the lock. */
extern bool permissions_check(Request *req, const char *wanted);

/* Whether it is an array of permissions, each "domain:entity:action". */
extern bool permissions_valid(const json_t *permissions);

#endif
