/*
 * api/forget.h
 *	  Erasure of one contact from every contact list of the organisation.
 */
#ifndef GC_API_FORGET_H
#define GC_API_FORGET_H

#include "postgres.h"

#include "api/each_list.h"

/*
 * Deletes the contact with that id from those of the lists (GcList *) that have it, and looks
 * whether it is gone: "erased" or "absent".
 */
extern List *gc_forget_contact(GcConnection *conn, GcStat *stat, List *lists,
							   const char *contact_id, const GcListWatch *watch);

#endif /* GC_API_FORGET_H */
