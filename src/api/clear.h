/*
 * api/clear.h
 *	  All contacts of a list removed: asked for, and waited for.
 */
#ifndef GC_API_CLEAR_H
#define GC_API_CLEAR_H

#include "postgres.h"

#include "api/contact_lists.h"
#include "api/request.h"

/* The call's pattern. */
#define GC_CLEAR_ENDPOINT "/api/v2/outbound/contactlists/{contactListId}/clear"

/*
 * Asks for it.  The platform answers before it is done.  *clears goes up by one
 * as long as it is in doubt, and stays so when it was taken.
 */
extern GcCall *gc_clear_start(GcCalls *calls, const GcList *list, int64 *clears);

/*
 * Waits until the platform shows no contact of the list, and until "lag_until",
 * before which it may not show what is there; "timeout_ms" at most (08006).
 * "what" names the list, for messages.
 */
extern void gc_clear_await(GcCalls *calls, const GcList *list, const char *what,
						   GcTime lag_until, int timeout_ms);

#endif /* GC_API_CLEAR_H */
