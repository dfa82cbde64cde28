/*
 * api/optout.h
 *	  The parts of a contact's statuses that say "no".
 *
 * phoneNumberStatus and contactableStatus are trees whose leaves are booleans;
 * an opt-out is a leaf that is false.  Only these are ever sent by a load, and
 * the platform's echo must show each of them (DESIGN 2.1).
 */
#ifndef GC_API_OPTOUT_H
#define GC_API_OPTOUT_H

#include "postgres.h"

/*
 * The false leaves of a status, as JSON in the current context; NULL if there
 * is none.  "json" is zero-terminated.  *valid is false if it is no object.
 */
extern char *gc_optout_parts(const char *json, bool *valid);

/* Does the echoed status (NULL: absent) show every leaf of "sent"? */
extern bool gc_optout_shown(const char *sent, const char *echoed, size_t echoed_len);

/* The same leaves of a status as it was read, as JSON in the current context; NULL if it has none of them. */
extern char *gc_optout_before(const char *sent, const char *read, size_t read_len);

#endif /* GC_API_OPTOUT_H */
