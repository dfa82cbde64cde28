/*
 * divisions.h
 *	  Divisions, to which lists and campaigns belong.
 *
 * All want the lock.
 */
#ifndef SIM_DIVISIONS_H
#define SIM_DIVISIONS_H

#include "things.h"

extern void divisions_get(Request *req);

/* For tests: makes one, {id, name}. */
extern void divisions_seed(Request *req);

/*
 * Puts the division that a body names in place, the home one if it names none.  False,
 * with an error as the reply, if there is no such one.
 */
extern bool division_refer(Request *req, json_t *body);

#endif
