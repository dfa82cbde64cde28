/*
 * api/quarantine.h
 *	  "Take me off your list": one contact on every contact list, one number on DNC lists.
 */
#ifndef GC_API_QUARANTINE_H
#define GC_API_QUARANTINE_H

#include "postgres.h"

#include "api/each_list.h"

/*
 * Takes the contact with that id off dialling in those of the lists (GcList *) that have
 * it: callable becomes false, and the answer shows it ("quarantined", "already", "absent").
 */
extern List *gc_quarantine_contact(GcConnection *conn, GcStat *stat, List *lists,
								   const char *contact_id, const GcListWatch *watch);

/* Adds the number (E.164) to the DNC lists that campaigns have, likewise. */
extern List *gc_quarantine_number(GcConnection *conn, GcStat *stat, const char *number,
								  const GcListWatch *watch);

#endif /* GC_API_QUARANTINE_H */
