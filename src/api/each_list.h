/*
 * api/each_list.h
 *	  The same done to many lists of an organisation, several at once.
 *
 * Each list is seen to by itself: what cannot be done of one keeps none of the others from
 * it.  Where the dialler holds the contact (SCENARIOS G4) the list comes again half a second
 * later, after all others, until retry_timeout has passed since it was first held.
 */
#ifndef GC_API_EACH_LIST_H
#define GC_API_EACH_LIST_H

#include "postgres.h"

#include "api/request.h"

#include "nodes/pg_list.h"

/* What became of a contact list or DNC list; strings are UTF-8. */
typedef struct GcListResult
{
	const char *object; /* contact_lists or dnc_lists */
	const char *list_id;
	const char *name;
	const char *entry;			/* the contact's id, or the number */
	const char *result;			/* a word, or why it failed */
	const char *correlation_id; /* of the last answer, or NULL */
	bool written;				/* something was sent that changes it */
	bool changed;				/* the platform has confirmed it */
	bool failed;
	bool in_doubt; /* it failed, and may have taken effect */
} GcListResult;

/* Who is told, as it happens: what follows may throw. */
typedef struct GcListWatch
{
	void (*writes)(void *arg); /* before the first write to a list */
	void (*ended)(void *arg, const GcListResult *result); /* the list is done */
	void *arg;
	int64 *in_doubt; /* counts writes that are not answered yet, as of a GcCallSpec */
} GcListWatch;

typedef struct GcEach GcEach;

/* One list at work. */
typedef struct GcEachItem
{
	GcListResult *shown;
	const void *list;  /* for who sends the calls */
	MemoryContext cxt; /* of one attempt: one that is held comes again many times */
	GcCall *call;	   /* NULL: it has not begun, or has ended */
	bool reads;		   /* the call changes nothing */
	bool unknown;	   /* one before it did, and nobody knows yet whether it took effect */
	char *body;		   /* of a write */
	int step;		   /* for who sends the calls; 0 whenever it begins */
	bool held;		   /* it comes again, … */
	GcTime since;	   /* … as it has since then */
	bool over;
} GcEachItem;

/* How it is done: the first call, and what comes of the answer to one. */
typedef struct GcEachWay
{
	GcCall *(*begin)(GcEach *each, GcEachItem *item);
	void (*answered)(GcEach *each, GcEachItem *item);
} GcEachWay;

/* Room for so many lists, in the current context. */
extern GcEach *gc_each_create(GcConnection *conn, GcStat *stat, const GcEachWay *way,
							  const GcListWatch *watch, int count);

/* Who adds it may say at once that it is done. */
extern GcEachItem *gc_each_add(GcEach *each, const char *object, const char *list_id,
							   const char *name, const char *entry);

/* The same for contact lists (GcList *), and the contact with that id. */
extern void gc_each_add_contact(GcEach *each, List *lists, const char *contact_id);

/* Does it; a GcListResult * for each list, in the order that they were added. */
extern List *gc_each_run(GcEach *each);

/* ---- for a way ---- */

/*
 * A call that changes nothing, and asks for the contact with the item's entry for its id, takes
 * the place of the one that has ended, if there was one.
 */
extern GcCall *gc_each_read_contact(GcEach *each, GcEachItem *item);

/* The same for one that changes something. */
extern GcCall *gc_each_write(GcEach *each, GcEachItem *item, GcCallSpec *spec);

/* The write is not in doubt any more: its answer has been read. */
extern void gc_each_known(GcEach *each, GcEachItem *item);

/* The list is done, with that word. */
extern void gc_each_done(GcEach *each, GcEachItem *item, const char *result, bool changed);

/* The list is done: it has failed, as the call at hand says, … */
extern void gc_each_failed(GcEach *each, GcEachItem *item);

/* … or for that reason. */
extern void gc_each_refused(GcEach *each, GcEachItem *item, const char *reason);

/* The dialler holds the contact, as the call says, or (NULL) because it is still there. */
extern void gc_each_held(GcEach *each, GcEachItem *item, const GcFailure *failure);

#endif /* GC_API_EACH_LIST_H */
