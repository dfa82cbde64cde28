/*
 * api/list_fields_parts.h
 *	  What the files about the fields of lists have in common.
 */
#ifndef GC_API_LIST_FIELDS_PARTS_H
#define GC_API_LIST_FIELDS_PARTS_H

#include "postgres.h"

#include <jansson.h>

#include "api/list_fields.h"

/* Members of a listing, which changes are made of. */
#define GC_LISTED_NAMES	 "columnNames"
#define GC_LISTED_PHONES "phoneColumns"
#define GC_LISTED_EMAILS "emailColumns"
#define GC_LISTED_TYPES	 "columnDataTypeSpecifications"

/* The type of a column of which nothing is said. */
#define GC_FIELDS_TEXT "TEXT"

/* ---- trees ---- */

/* An empty object. */
extern json_t *gc_fields_object(void);

/* A tree that goes with the current context, made of JSON (NULL: there is none) or given. */
extern json_t *gc_fields_owned(json_t *tree);
extern json_t *gc_fields_load(const GcSpan *object);

/* JSON of a tree, in the current context. */
extern char *gc_fields_dump(json_t *tree);

/* A member's string, or NULL. */
extern const char *gc_fields_string(json_t *object, const char *member);

/* The object of an array whose member has that value, or NULL. */
extern json_t *gc_fields_find(json_t *array, const char *member, const char *value);

/* Is the name in an array of strings? */
extern bool gc_fields_has_name(json_t *names, const char *name);

/* ---- types ---- */

/* The type of a field for a column of that type; NULL: there is none. */
extern const char *gc_fields_type(const char *column_type);

/* Adds what is to be said of a field beside its name, if there is anything. */
extern void gc_fields_add_type(json_t *types, json_t *field);

/* Do two say the same of a column?  NULL: TEXT, and no more. */
extern bool gc_fields_same_type(json_t *a, json_t *b);

#endif /* GC_API_LIST_FIELDS_PARTS_H */
