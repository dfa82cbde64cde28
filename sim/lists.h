/*
 * lists.h
 *	  The calls on contact lists.
 *
 * All want the lock.
 */
#ifndef SIM_LISTS_H
#define SIM_LISTS_H

#include "request.h"
#include "store.h"

extern void lists_get(Request *req);
extern void lists_post(Request *req);
extern void lists_delete(Request *req);
extern void list_get(Request *req);
extern void list_put(Request *req);
extern void list_delete_one(Request *req);
extern void list_clear_contacts(Request *req);
extern void list_views_get(Request *req);
extern void list_view_get(Request *req);

/* For tests: makes lists at once, with an id of their choice; the body is one list. */
extern void lists_seed(Request *req);

/* The list that the path names; NULL, with 404 as the reply. */
extern List *list_find(Request *req, const char *code);
extern bool list_is_ready(const List *list);

#define NOT_SHOWN (-1) /* as a size */

extern void list_put_json(Buf *out, const List *list, int64_t size, bool with_status);

#endif
