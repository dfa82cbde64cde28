/*
 * dnc_writes.h
 *	  DNC lists are made, changed and deleted.  All want the lock.
 */
#ifndef SIM_DNC_WRITES_H
#define SIM_DNC_WRITES_H

#include "request.h"

extern void dnc_lists_post(Request *req);
extern void dnc_list_put(Request *req);
extern void dnc_list_delete(Request *req);

#endif
