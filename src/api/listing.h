/*
 * api/listing.h
 *	  Conditions that a listing takes, as parameters of its query.
 *
 * Which there are is in each resource's descriptor.  A listing may give more
 * than what is asked for, but no less.
 */
#ifndef GC_API_LISTING_H
#define GC_API_LISTING_H

#include "postgres.h"

#include "api/criteria.h"
#include "api/resource.h"

/* What the listing filters that attribute by; NULL: nothing. */
extern const GcListingFilter *gc_listing_filter(const GcResource *resource,
												const GcAttribute *attribute);

/*
 * Appends "attribute op one of the values" (UTF-8; none: they are not known yet)
 * to a query, which is to be the criteria of a GcPageRequest; once for a filter.
 * "op" compares for equality, or by a part if the filter is by name.  False, and
 * nothing appended, if it cannot be said so that no row is lost.
 */
extern bool gc_listing_add(StringInfo query, const GcListingFilter *filter, GcOperator op,
						   char *const *values, int count);

#endif /* GC_API_LISTING_H */
