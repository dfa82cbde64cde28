/*
 * api/campaign_restart.h
 *	  A campaign is bound to a list and set on, after an import (SCENARIOS I1, I2).
 */
#ifndef GC_API_CAMPAIGN_RESTART_H
#define GC_API_CAMPAIGN_RESTART_H

#include "postgres.h"

#include "api/request.h"

/*
 * Binds the campaign to the list, unless it is, and starts it, unless it dials.  Throws what
 * keeps it from that; it may be called again then.
 */
extern void gc_campaign_restart(GcCalls *calls, const char *campaign_id, const char *list_id);

#endif /* GC_API_CAMPAIGN_RESTART_H */
