/*
 * outage.h
 *	  The platform is gone for a while: connections break, and none is taken.
 *
 * What it holds stays, as with a platform that is down.  Has a lock of its own.
 */
#ifndef SIM_OUTAGE_H
#define SIM_OUTAGE_H

#include "request.h"

extern void outage_join(unsigned connection, int fd); /* from now until it leaves */
extern void outage_leave(unsigned connection);
extern bool outage_is_on(void);

extern void control_outage(Request *req); /* POST /_sim/outage */

#endif
