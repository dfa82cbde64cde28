/*
 * contacts.h
 *	  The calls under /contactlists/{id}/contacts, search apart.
 *
 * Each takes the lock itself.
 */
#ifndef SIM_CONTACTS_H
#define SIM_CONTACTS_H

#include "request.h"
#include "store.h"

extern void contacts_post(Request *req);
extern void contacts_delete(Request *req);
extern void contacts_read(Request *req);
extern void contact_get(Request *req);
extern void contact_put(Request *req);
extern void contact_delete(Request *req);

/*
 * The list of the path, once it is ready for contact calls; NULL, with an
 * error as the reply, otherwise.  Wants the lock.
 */
extern List *contacts_list(Request *req);

#endif
