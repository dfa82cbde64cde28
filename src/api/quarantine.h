/*
 * api/quarantine.h
 *	  "Take me off your list": one contact on every contact list, one number on DNC lists.
 */
#ifndef GC_API_QUARANTINE_H
#define GC_API_QUARANTINE_H

#include "postgres.h"

#include "api/each_list.h"

/*
 * Takes the contact with that id off dialling in all of the organisation's lists that have
 * it: callable becomes false, and the answer shows it ("quarantined", "already", "absent").
 * Throws if the lists cannot be read.
 */
extern List *gc_quarantine_contact(GcConnection *conn, GcStat *stat, const char *contact_id,
								   const GcListWatch *watch);

/* Adds the number (E.164) to the DNC lists that campaigns have, likewise. */
extern List *gc_quarantine_number(GcConnection *conn, GcStat *stat, const char *number,
								  const GcListWatch *watch);

#endif /* GC_API_QUARANTINE_H */
