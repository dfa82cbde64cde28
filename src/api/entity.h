/*
 * api/entity.h
 *	  Things of the API one by one, and how they are made, changed and deleted: campaigns,
 *	  lists, and whatever else has an id and a version.
 *
 * A change is made to the thing as it is at the moment: it is read, only what is to change
 * is changed, and all of it is written with the version that it had.  Who else has written
 * it meanwhile makes us begin again (SCENARIOS I3), and who has changed the same member is
 * not overwritten: 40001.
 */
#ifndef GC_API_ENTITY_H
#define GC_API_ENTITY_H

#include "postgres.h"

#include "api/request.h"
#include "base/json_edit.h"

#include "lib/stringinfo.h"

/* Versions that are tried (I3). */
#define GC_ENTITY_TRIES 3

struct GcEntityWriter;

/* A member that is written, with the name by which a message calls it. */
typedef struct GcEntityChange
{
	GcJsonChange member;
	const char *name;  /* the column's, in the database's encoding */
	bool unchangeable; /* it can be given to a new one only */
	bool merged;	   /* what others have changed of it is in it */
} GcEntityChange;

/* When a change is made, one turn after the other. */
typedef enum GcEntityTurn
{
	GC_TURN_FIRST,	/* by calls of its own, before all others … */
	GC_TURN_BEFORE, /* … before the PUT … */
	GC_TURN_PUT,	/* with all others */
	GC_TURN_AFTER,	/* … or after them */
} GcEntityTurn;

/* What things of one kind are, for writing; const, or made from a table's options. */
typedef struct GcEntityKind
{
	const char *label;			 /* what one is called: "campaign" */
	const char *path;			 /* of the collection; one of them is at path/{id} */
	const char *listed_at;		 /* where they are listed, in short, and deleted; NULL: path */
	const char *listed_endpoint; /* … one of them there, as a pattern */
	const char *endpoint;		 /* one at path/{id}, as a pattern */
	const char *items;			 /* the member of a listing that has them: "entities" */
	const char *id_field;		 /* the member that is its id; NULL: "id" */
	const char *version_field;	 /* … its version, which a change carries; NULL: none */
	bool unpaged;				 /* a listing has all of them */
	bool patches;				 /* a change is a PATCH with its members alone */
	const char *natural_key; /* a member by which one is known: "name"; NULL: there is none */
	bool filters_by_name;	 /* a listing takes name= and filterType= */
	const char *listing_query; /* a listing is asked with this besides; NULL: nothing */
	const char *read_query;	   /* the same for the reading of one */
	const char *const *shown;  /* members that are read and never written, NULL-terminated */
	const char *name_of;	   /* the member that messages call it by; NULL: natural_key */
	const char *unchangeable_hint; /* what to do where a member cannot be changed */
	bool is_list;				   /* the audit has its id as that of a list */

	/* Throws if what is to be made cannot be; before any request.  NULL: nothing to check. */
	void (*check)(const struct GcEntityWriter *writer, const GcSpan *body, const char *failed);

	/* Does a member have the value that it is to have?  NULL: gc_json_same() says it. */
	bool (*same)(const GcEntityChange *change, const GcSpan *has, const GcSpan *wants);

	/* Puts in place what has to be asked for first, such as an id for a name.  NULL: nothing. */
	void (*resolve)(const struct GcEntityWriter *writer, GcEntityChange *change,
					const char *failed);

	/*
	 * Makes the changes to one that is "now", and was read as "seen" (their p NULL: a new one)
	 * those to the members that it has, where a table shows others.  NULL: it has those.
	 */
	GcEntityChange *(*combine)(const struct GcEntityWriter *writer, const GcSpan *seen,
							   const GcSpan *now, const GcEntityChange *changes, int *count,
							   const char *failed);

	/* One that was read, with the members that a table shows.  NULL: as it is. */
	char *(*view)(const char *object);

	/*
	 * After it was made, or found: waits until it can be used, and gives it as it is then, in
	 * the current context.  NULL: it can be at once.  And the same after a change of it.
	 */
	char *(*await)(const struct GcEntityWriter *writer, const char *id, const char *name,
				   char *object);
	char *(*settle)(const struct GcEntityWriter *writer, const char *id, const char *name,
					char *object);

	/* It is so now, as far as this session knows; "object" NULL: gone.  NULL: nobody cares. */
	void (*note)(const struct GcEntityWriter *writer, const char *id, const char *object);

	/*
	 * When a change is made; throws if it never can be.  NULL: all are made by PUT.  And those
	 * that have calls of their own, of one that is "now": it returns it as it is then, NULL
	 * if it is gone.
	 */
	GcEntityTurn (*turn)(const struct GcEntityWriter *writer, const GcEntityChange *change);
	char *(*act)(const struct GcEntityWriter *writer, const char *id, const GcSpan *seen,
				 char *now, const GcEntityChange *change, const char *failed);
	bool (*acts_unread)(const GcEntityChange *change); /* "now" may be NULL; NULL: never */

	/*
	 * Throws a failure that has an explanation of its own; "id" is NULL of a new one.
	 * NULL: none has.
	 */
	void (*explain)(const struct GcEntityWriter *writer, const char *id,
					const GcFailure *failure, const char *failed);
} GcEntityKind;

/* One is to be made that is there already, as its natural key says, and has other members. */
typedef enum GcEntityThere
{
	GC_THERE_REFUSE, /* an error */
	GC_THERE_UPDATE, /* it is changed */
	GC_THERE_IGNORE, /* it stays, as does one that is the same */
} GcEntityThere;

/* Who writes; lives as long as a statement. */
typedef struct GcEntityWriter
{
	const GcEntityKind *kind;
	GcConnection *conn;
	GcCalls *calls;
	int ready_timeout_ms;
	int read_lag_ms;		   /* so long may a reading miss what was written */
	int64 *accepted;		   /* counts what was done, … */
	bool *counted;			   /* … each row once: set when it was */
	int64 *in_doubt;		   /* counts what may have been done */
	char *correlation_id;	   /* the platform's of the last answer, GC_STAT_ID_SIZE bytes */
	GcEntityThere there;	   /* what INSERT does with one that is there */
	bool *listed_only;		   /* is set when there is no call that reads one alone */
	bool shown;				   /* somebody looks at what it is after a change */
	struct GcEntityKeys *keys; /* what INSERT found in the listing; NULL: it asks for each */
} GcEntityWriter;

/*
 * Makes one, unless one with its natural key is there: with the same members it is that one,
 * with others it throws 23505, naming them (A3), unless the writer says otherwise.  Returns it
 * as the platform has it, JSON in the current context, or NULL if it is ignored; *made says
 * whether something was written.
 */
extern char *gc_entity_create(const GcEntityWriter *writer, const GcEntityChange *changes,
							  int count, bool *made);

/*
 * Changes one that was read as "seen" (UTF-8 JSON).  Returns it as the platform has it then;
 * NULL: it is not there any more.  Throws 40001 if somebody else has changed the same member.
 */
extern char *gc_entity_update(const GcEntityWriter *writer, const char *id, const GcSpan *seen,
							  const GcEntityChange *changes, int count);

/*
 * The same of one that is "now" (NULL: that is to be read), without telling anybody; "failed"
 * is what could not be done.
 */
extern char *gc_entity_apply(const GcEntityWriter *writer, const char *id, const GcSpan *seen,
							 char *now, const GcEntityChange *changes, int count,
							 const char *failed);

/* Deletes one that was read as "seen"; false: it was not there any more. */
extern bool gc_entity_delete(const GcEntityWriter *writer, const char *id, const GcSpan *seen);

/* ---- for the kinds' own functions ---- */

/* The path of one, and behind it "rest" ("" or "/start"). */
extern char *gc_entity_path(const GcEntityKind *kind, const char *id, const char *rest);

/* Reads one; NULL: it is not there.  Throws otherwise, with what could not be done. */
extern char *gc_entity_read(const GcEntityWriter *writer, const char *id, const char *failed);

/* A call that changes something; throws.  Returns what that is then; NULL: it is gone. */
extern char *gc_entity_call(const GcEntityWriter *writer, const char *id,
							const GcCallSpec *spec, const char *failed);

/* The same; false: the platform does not have it, or not for us. */
extern bool gc_entity_try(const GcEntityWriter *writer, const char *id, const GcCallSpec *spec,
						  const char *failed);

/* Makes changes by PUT, as gc_entity_apply(). */
extern char *gc_entity_put(const GcEntityWriter *writer, const char *id, const GcSpan *seen,
						   char *now, const GcEntityChange *changes, int count,
						   const char *failed);

/* Throws if it cannot change, or if somebody else has changed it since it was "seen". */
extern void gc_entity_check_change(const GcEntityKind *kind, const GcSpan *seen,
								   const GcSpan *now, const GcEntityChange *change);

/* A member as text, UTF-8; NULL: there is none. */
extern char *gc_entity_text(const GcSpan *object, const char *path);

/* The object that JSON is. */
extern GcSpan gc_entity_span(const char *object);

#endif /* GC_API_ENTITY_H */
