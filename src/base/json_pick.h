/*
 * base/json_pick.h
 *	  Picks members out of JSON objects by path, many objects with one plan.
 *
 * A plan is a tree of member names built once; walking an object fills an
 * array of spans, one for each path, without allocating.
 */
#ifndef GC_BASE_JSON_PICK_H
#define GC_BASE_JSON_PICK_H

#include "postgres.h"

#include "base/json.h"

typedef struct GcPick GcPick;

/* An empty plan in the current context. */
extern GcPick *gc_pick_create(void);

/*
 * Adds a path of "count" member names (UTF-8) whose value goes to slot "slot".
 * No names: the whole object.  Two paths may not end at one member.
 */
extern void gc_pick_add(GcPick *pick, const char *const *names, int count, int slot);

/*
 * Walks the object that the cursor stands before, and leaves the cursor behind
 * it.  Slots whose member is absent get a span with p NULL.  False on a
 * malformed object: see json->error.
 */
extern bool gc_pick_object(GcPick *pick, GcJson *json, GcSpan *slots, int slot_count);

/* The member at one path of one object; its p is NULL if there is none. */
extern GcSpan gc_pick_member(const GcSpan *object, const char *const *names, int count);

#endif /* GC_BASE_JSON_PICK_H */
