/*
 * api/quarantine.h
 *	  "Take me off your list": one contact on every contact list, one number on DNC lists.
 *
 * Each list is seen to by itself, several at once; what cannot be done of one keeps none of
 * the others from it.
 */
#ifndef GC_API_QUARANTINE_H
#define GC_API_QUARANTINE_H

#include "postgres.h"

#include "api/request.h"

#include "nodes/pg_list.h"

/* A contact list or DNC list; strings are UTF-8. */
typedef struct GcQuarantine
{
	const char *object; /* contact_lists or dnc_lists */
	const char *list_id;
	const char *name;
	const char *entry;			/* the contact's id, or the number */
	const char *result;			/* quarantined, already, absent, or why it failed */
	const char *correlation_id; /* of the last answer, or NULL */
	bool was_callable;			/* a contact: before */
	bool changed;				/* the platform has confirmed it */
	bool failed;
} GcQuarantine;

/*
 * Takes the contact with that id off dialling in all of the organisation's lists that have
 * it: callable becomes false, and the answer shows it.  Returns a GcQuarantine * for each
 * list, in the current context.  Throws if the lists cannot be read.
 */
extern List *gc_quarantine_contact(GcConnection *conn, GcStat *stat, const char *contact_id);

/* Adds the number (E.164) to the DNC lists that campaigns have, likewise. */
extern List *gc_quarantine_number(GcConnection *conn, GcStat *stat, const char *number);

#endif /* GC_API_QUARANTINE_H */
