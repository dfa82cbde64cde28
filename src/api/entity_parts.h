/*
 * api/entity_parts.h
 *	  What the files that write things one by one have in common: api/entity.h.
 */
#ifndef GC_API_ENTITY_PARTS_H
#define GC_API_ENTITY_PARTS_H

#include "postgres.h"

#include "api/entity.h"

#define GC_HTTP_METHOD_NOT_ALLOWED 405

/* Throws a call's failure; "id" is NULL of a new one. */
extern _Noreturn void gc_entity_fail(const GcEntityWriter *writer, const char *id,
									 const GcCall *call, const char *failed);

/* A call was taken: the row counts as accepted, with the first one. */
extern void gc_entity_took_effect(const GcEntityWriter *writer, const GcCall *call);

/* This session knows it as it is now; "object" NULL: it is gone. */
extern void gc_entity_note(const GcEntityWriter *writer, const char *id, const char *object);

/* An ended call's answer, which has to be one object. */
extern char *gc_entity_take(GcCall *call, const char *failed);

/* The one of the listing, as it is now, whose member has that value; NULL: there is none. */
extern char *gc_entity_find(const GcEntityWriter *writer, const char *member,
							const char *value, const char *failed);

/*
 * The one with that natural key; NULL: there is none.  A writer with "keys" has it from a walk
 * over the listing that the statement makes once: as it was then, or as the statement left it.
 */
extern char *gc_entity_look_up(const GcEntityWriter *writer, const char *key,
							   const char *failed);

/* It has been made, or changed, by this statement, or was found where that walk had none. */
extern void gc_entity_remember(const GcEntityWriter *writer, const char *key,
							   const char *object);

/* Where they are listed and deleted. */
extern const char *gc_entity_collection(const GcEntityKind *kind);

/* ---- members: api/entity_members.c ---- */

/* Its id, and what messages call it by; NULL: it has none. */
extern char *gc_entity_id(const GcEntityKind *kind, const GcSpan *object);
extern char *gc_entity_name(const GcEntityKind *kind, const GcSpan *object);

/* What messages call it: campaign "x". */
extern char *gc_entity_label(const GcEntityKind *kind, const char *name);

/* The object with the changes, and without what is never written. */
extern char *gc_entity_edited(const GcEntityKind *kind, const GcSpan *object,
							  const GcEntityChange *changes, int count);

/* An answer to a write, with what reading alone shows as it was read before. */
extern char *gc_entity_with_shown(const GcEntityKind *kind, const char *answer,
								  const GcSpan *read);

/* Does the object have the member as the change wants it? */
extern bool gc_entity_has(const GcEntityKind *kind, const GcSpan *object,
						  const GcEntityChange *change);

/* ---- of changes ---- */

/* Puts in place, in the changes, what has to be asked for first. */
extern void gc_entity_resolve(const GcEntityWriter *writer, GcEntityChange *changes, int count,
							  const char *failed);

#endif /* GC_API_ENTITY_PARTS_H */
