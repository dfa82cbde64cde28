/*
 * things.h
 *	  What there is beside contact lists, as the JSON that is shown of it.
 *
 * Campaigns of both kinds, DNC lists, saved filters, events, bulk jobs: each an object with
 * an id, most with a name.  Members that only the simulator knows stand in the
 * same object; who shows a thing leaves them out.  Every function wants the lock.
 */
#ifndef SIM_THINGS_H
#define SIM_THINGS_H

#include "listing.h"

typedef enum ThingKind
{
	THING_CAMPAIGN,
	THING_DIVISION,
	THING_DNC_LIST,
	THING_EVENT,
	THING_FILTER,
	THING_JOB,
	THING_MESSAGING,
	THING_KINDS
} ThingKind;

typedef struct Thing
{
	struct Thing *next; /* in order of arrival */
	int64_t created_us;
	int64_t modified_us;
	int version;
	json_t *body;
} Thing;

extern Thing *things_first(ThingKind kind);
extern Thing *things_find(ThingKind kind, Span id);

/*
 * Makes the thing, or changes that with the id: members are set, those that
 * are null go away.  The caller has checked them.
 */
extern Thing *things_set(ThingKind kind, const json_t *members);
extern void things_remove(ThingKind kind, Thing *thing);
extern void things_reset(void);

extern const char *thing_text(const Thing *thing, const char *member); /* "" = none */
extern Listed thing_listed(Thing *thing);

/* The thing that the path names; NULL, with 404 as the reply. */
extern Thing *thing_named(ThingKind kind, Request *req);

/* As the platform shows it, less the members named (" a b "). */
extern json_t *thing_show(const Thing *thing, const char *hidden);

/* {id, name, selfUri} */
extern json_t *thing_reference(const char *id, const char *name, const char *path);

/* The object that the body is; NULL, with 400 as the reply. */
extern json_t *thing_body(Request *req);

/* Its member's id; "" = none. */
extern const char *thing_refers(const json_t *body, const char *member);

#endif
