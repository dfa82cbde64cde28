/*
 * collections.h
 *	  Collections of all sorts: wrap-up codes, management units, staffing groups, groups, schedules.
 *
 * Each with its own habits: paged or not, PUT or PATCH, a version here or there.  All want the
 * lock.
 */
#ifndef SIM_COLLECTIONS_H
#define SIM_COLLECTIONS_H

#include "request.h"

extern void collection_get(Request *req);
extern void collection_post(Request *req);
extern void collection_get_one(Request *req);
extern void collection_update(Request *req); /* PUT or PATCH */
extern void collection_delete(Request *req);

/* For tests: {"path", "id", …} makes one, or changes it as somebody else would. */
extern void collections_seed(Request *req);

extern void collections_reset(void);

#endif
