/*
 * list_export.h
 *	  Exports of contact lists.  All want the lock.
 */
#ifndef SIM_LIST_EXPORT_H
#define SIM_LIST_EXPORT_H

#include "request.h"

extern void list_export_post(Request *req);
extern void list_export_get(Request *req);

#endif
