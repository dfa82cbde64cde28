/*
 * api/contacts.h
 *	  Contacts of one list: how they are asked for and written.
 */
#ifndef GC_API_CONTACTS_H
#define GC_API_CONTACTS_H

#include "postgres.h"

#include "api/resource.h"
#include "base/json.h"

/* Limits of one POST of contacts (the public API's own). */
#define GC_CONTACTS_MAX_ROWS  1000
#define GC_CONTACTS_MAX_BYTES 512000

/* Ids of one DELETE: the API's own limit is not published any more. */
#define GC_CONTACTS_MAX_DELETE 100

/* Patterns of calls: of all contacts, of one, of look-ups of several. */
#define GC_CONTACTS_ALL	 "/api/v2/outbound/contactlists/" GC_LIST_ID "/contacts"
#define GC_CONTACTS_ONE	 "/api/v2/outbound/contactlists/" GC_LIST_ID "/contacts/{contactId}"
#define GC_CONTACTS_BULK "/api/v2/outbound/contactlists/" GC_LIST_ID "/contacts/bulk"

/* Of one look-up by ids. */
#define GC_CONTACTS_MAX_IDS 50

/* Query parameters of a POST of contacts. */
typedef struct GcContactsFlags
{
	bool priority;			/* dial next */
	bool clear_system_data; /* reset attempts and callable status of existing contacts */
	bool do_not_queue;		/* leave the dialling queue's order alone */
} GcContactsFlags;

/* The call that reads these contacts, one or up to GC_CONTACTS_MAX_IDS; in the current context. */
extern void gc_contacts_by_ids(const char *list_id, char *const *ids, int count,
							   GcCallSpec *spec);

/* Does a look-up of one contact say that it is not there (and not that the list is not)? */
extern bool gc_contacts_is_missing(const GcFailure *failure);

/* The path of one contact; in the current context. */
extern char *gc_contacts_one_path(const char *list_id, const char *id);

/* The path of a POST of contacts; in the current context. */
extern char *gc_contacts_post_path(const char *list_id, const GcContactsFlags *flags);

/* One contact of the echo that answers a POST. */
typedef struct GcContactEcho
{
	GcSpan id;
	GcSpan callable;
	GcSpan phone_number_status;
	GcSpan contactable_status;
	GcSpan created;
	GcSpan data;
	GcSpan whole; /* the contact */
} GcContactEcho;

/*
 * Calls visit() for each contact of an echo.  Returns how many there were, or
 * -1 if it is not an array of objects.
 */
typedef void (*GcContactVisit)(void *arg, const GcContactEcho *echo);
extern int64 gc_contacts_walk_echo(const char *bytes, size_t len, GcContactVisit visit,
								   void *arg);

#endif /* GC_API_CONTACTS_H */
