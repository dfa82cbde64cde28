/*
 * list_export.h
 *	  Exports of contact lists.  All want the lock.
 */
#ifndef SIM_LIST_EXPORT_H
#define SIM_LIST_EXPORT_H

#include "choice.h"

extern void list_export_post(Request *req);
extern void list_export_get(Request *req);

/* The file, and its rows; NULL when there is no room for it. */
extern Stream *list_export_file(const Choice *choice, int64_t *rows);

#endif
