/*
 * filters.h
 *	  Saved filters of contact lists.  All want the lock.
 */
#ifndef SIM_FILTERS_H
#define SIM_FILTERS_H

#include "criteria.h"

extern void filters_get(Request *req);
extern void filters_post(Request *req);
extern void filter_get(Request *req);
extern void filter_put(Request *req);
extern void filter_delete(Request *req);
extern void filter_preview(Request *req);

/*
 * The conditions of a body that names a saved filter or has criteria; NULL
 * where it has neither.  False, with an error as the reply, when they are bad.
 */
extern bool filter_conditions(Request *req, const json_t *body, const List *list,
							  const json_t **conditions);

#endif
