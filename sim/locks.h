/*
 * locks.h
 *	  What keeps writes out: a lock on a list, a clear or an import at work, a campaign that dials.
 *
 * All want the lock that requests share.
 */
#ifndef SIM_LOCKS_H
#define SIM_LOCKS_H

#include "request.h"
#include "store.h"

/* True, with the conflict as the reply, when the list takes no writes now. */
extern bool list_refuses(Request *req, List *list);

/* Likewise, of imports, which wait for each other. */
extern bool list_refuses_import(Request *req, List *list);

/* Likewise, while a clear keeps more out than writes. */
extern bool list_is_clearing(Request *req, const List *list);

/* By the dialler: marked so by a test, or among those of a campaign that dials. */
extern bool contact_is_held(const List *list, const Contact *contact);

extern const char *list_locked(const List *list); /* the kind, "K2"; NULL = not */
extern void locks_seed(Request *req);			  /* POST /_sim/locks */

#endif
