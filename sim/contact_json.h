/*
 * contact_json.h
 *	  Contacts as the platform shows them.
 *
 * Wants the lock when the contact is a stored one.
 */
#ifndef SIM_CONTACT_JSON_H
#define SIM_CONTACT_JSON_H

#include "buf.h"
#include "store.h"

extern const char *const attr_names[ATTR_COUNT];

extern void contact_put_json(Buf *out, const List *list, const Contact *contact);

/* The same, and what only the simulator knows, as members of one object. */
extern void contact_put_raw(Buf *out, const List *list, const Contact *contact);

/* The id's uri, up to and with the quote that closes it. */
extern void contact_put_self_uri(Buf *out, const List *list, Span id);

#endif
