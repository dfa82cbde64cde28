/*
 * dnclists.h
 *	  DNC lists and their entries.  All want the lock.
 */
#ifndef SIM_DNCLISTS_H
#define SIM_DNCLISTS_H

#include "things.h"

extern void dnc_lists_get(Request *req);
extern void dnc_list_get(Request *req);
extern void dnc_add(Request *req);	 /* POST /{id}/phonenumbers, emailaddresses */
extern void dnc_patch(Request *req); /* PATCH of these and others: adds or removes */
extern void dnc_wipe(Request *req);	 /* DELETE of them: all, or what has expired */
extern void dnc_export_post(Request *req);
extern void dnc_export_get(Request *req);

/* Makes a list with defaults for what is not given, or changes that with the id. */
extern Thing *dnc_list_make(const json_t *members);

/* As it is shown. */
extern json_t *dnc_list_show(const Thing *list);

/* For tests: makes or changes one, with its entries. */
extern void dnc_lists_seed(Request *req);

#endif
