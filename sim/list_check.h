/*
 * list_check.h
 *	  The rules that the attributes of a contact list keep.
 *
 * Wants the lock: names must be unique among the lists there are.
 */
#ifndef SIM_LIST_CHECK_H
#define SIM_LIST_CHECK_H

#include "request.h"
#include "store.h"

/* False, with an error as the reply; other is the list that may have the name. */
extern bool list_check(Request *req, const json_t *json, const List *other);

/* An update may not change what is fixed when a list is made. */
extern bool list_check_update(Request *req, const json_t *json, const List *list);

extern Columns *list_columns(const json_t *json);

#endif
