/*
 * campaigns.h
 *	  Campaigns, as they are read.  All want the lock.
 */
#ifndef SIM_CAMPAIGNS_H
#define SIM_CAMPAIGNS_H

#include "store.h"
#include "things.h"

extern void campaigns_get(Request *req);
extern void campaign_get(Request *req);
extern void campaign_views_get(Request *req);
extern void campaign_view_get(Request *req);
extern void campaigns_progress(Request *req);
extern void campaign_progress(Request *req);
extern void campaign_stats(Request *req);

/* Members that are shown by calls of their own, or not at all. */
#define CAMPAIGN_APART " progress stats stopsAt recycledAt "

/* Completes the member that refers to a contact list. */
extern void campaign_refer_to_list(json_t *body);

/* For tests: makes or changes one, with its progress and stats. */
extern void campaigns_seed(Request *req);

#endif
