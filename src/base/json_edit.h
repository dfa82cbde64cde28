/*
 * base/json_edit.h
 *	  An object in JSON with some of its members changed; all others as they stand.
 */
#ifndef GC_BASE_JSON_EDIT_H
#define GC_BASE_JSON_EDIT_H

#include "postgres.h"

#include "base/json.h"

#include "lib/stringinfo.h"

/* A member that is to have another value. */
typedef struct GcJsonChange
{
	const char *path; /* UTF-8 names, joined by "/" */
	const char *json; /* its value; NULL: the object is not to have it */
} GcJsonChange;

/*
 * Appends the object (its p NULL: an empty one) with the changes, of which no path may begin
 * another's.  Objects on the way to a member are made where there are none.  False if what
 * was given is no object.
 */
extern bool gc_json_edit(StringInfo out, const GcSpan *object, const GcJsonChange *changes,
						 int count);

/* The member at a path; its p is NULL if there is none. */
extern GcSpan gc_json_member(const GcSpan *object, const char *path);

/* Do two values say the same, whatever the order of their members?  An absent one is null. */
extern bool gc_json_same(const GcSpan *a, const GcSpan *b);

#endif /* GC_BASE_JSON_EDIT_H */
