/*
 * lag.h
 *	  What reads that lag behind writes still show.
 *
 * Owns the versions of contacts that were replaced or deleted a moment ago, for
 * as long as the switch read_lag_ms has them shown.  All want the lock.
 */
#ifndef SIM_LAG_H
#define SIM_LAG_H

#include "store.h"

/* Takes a contact that was replaced or deleted at that time. */
extern void lag_keep(List *list, Contact *old, int64_t at_us);

/*
 * What a read that lags shows, by arrival, and how many: good until the list
 * is changed or asked again.
 */
extern int64_t lag_shown(List *list, Contact ***shown);
extern void lag_free(Lag *lag); /* NULL is fine */

#endif
