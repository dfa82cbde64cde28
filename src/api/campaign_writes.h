/*
 * api/campaign_writes.h
 *	  Campaigns are changed: set on and off, bound to lists, recycled (SCENARIOS I).
 */
#ifndef GC_API_CAMPAIGN_WRITES_H
#define GC_API_CAMPAIGN_WRITES_H

#include "postgres.h"

#include "api/entity.h"

#define GC_CAMPAIGNS_PATH "/api/v2/outbound/campaigns"
#define GC_CAMPAIGN		  GC_CAMPAIGNS_PATH "/{campaignId}"

extern const GcEntityKind gc_campaign_kind;

/* Members that are changed by more than a PUT. */
#define GC_CAMPAIGN_STATUS "campaignStatus"
#define GC_CAMPAIGN_LIST   "contactList/id"

/* Sets one that is "now" on, once it has stopped if it is stopping. */
extern void gc_campaign_start(const GcEntityWriter *writer, const char *id, char *now,
							  const char *failed);

/* The ids of [{"id": …}, …] as an array of texts; NULL: there is none.  And the other way round. */
extern const char *gc_campaign_ids(const GcSpan *references);
extern char *gc_campaign_references(const char *ids);

#endif /* GC_API_CAMPAIGN_WRITES_H */
