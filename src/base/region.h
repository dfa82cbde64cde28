/*
 * base/region.h
 *	  The AWS regions of the platform, and the domains of its hosts there.
 */
#ifndef GC_BASE_REGION_H
#define GC_BASE_REGION_H

#include "postgres.h"

/* Is there such a region?  If not, *nearest is the closest name, or NULL. */
extern bool gc_region_exists(const char *region, const char **nearest);

/* The base URL of a service ("api", "login") in a region; NULL if the region is unknown. */
extern char *gc_region_url(const char *region, const char *service);

#endif /* GC_BASE_REGION_H */
