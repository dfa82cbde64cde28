/*
 * control.h
 *	  /_sim: what tests set and ask.  All want the lock.
 */
#ifndef SIM_CONTROL_H
#define SIM_CONTROL_H

#include "request.h"

extern void control_reset(Request *req);
extern void control_set(Request *req);
extern void control_set_faults(Request *req);
extern void control_faults(Request *req);
extern void control_requests(Request *req);
extern void control_clear_requests(Request *req);
extern void control_state(Request *req);
extern void control_lists(Request *req);
extern void control_contacts(Request *req);
extern void control_set_contact(Request *req);
extern void control_checksum(Request *req);

#endif
