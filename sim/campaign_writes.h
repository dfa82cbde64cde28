/*
 * campaign_writes.h
 *	  Campaigns are changed: bound to lists, started, stopped, recycled.
 *
 * All want the lock.
 */
#ifndef SIM_CAMPAIGN_WRITES_H
#define SIM_CAMPAIGN_WRITES_H

#include "request.h"

extern void campaign_put(Request *req);
extern void campaign_patch(Request *req);
extern void campaign_post(Request *req); /* dialect "jobs": sets the status */
extern void campaign_start(Request *req);
extern void campaign_stop(Request *req);
extern void campaign_recycle(Request *req); /* DELETE …/progress */

extern void campaigns_settle(void); /* those that have stopped by now are off */

#endif
