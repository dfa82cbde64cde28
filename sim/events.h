/*
 * events.h
 *	  Events and the status of imports: what tells how things went.
 *
 * All want the lock.
 */
#ifndef SIM_EVENTS_H
#define SIM_EVENTS_H

#include "request.h"

extern void events_get(Request *req);
extern void event_get(Request *req);
extern void list_import_status(Request *req);
extern void dnc_import_status(Request *req);

/* Changes what it is given: a test's or an import's members become the platform's. */
extern void event_add(json_t *event);

/* For tests: makes events, one or an array; sets a status. */
extern void events_seed(Request *req);
extern void import_status_seed(Request *req);

#endif
