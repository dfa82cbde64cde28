/*
 * api/entities.h
 *	  Any collection of the API, as a table's options describe it.
 */
#ifndef GC_API_ENTITIES_H
#define GC_API_ENTITIES_H

#include "postgres.h"

#include "api/resource.h"

/* Members on the way to one, at most. */
#define GC_ENTITIES_DEPTH 8

/* A table's options; strings are UTF-8. */
typedef struct GcEntitiesOptions
{
	const char *path; /* of the collection, maybe with a query for its listing */
	const char *items;
	const char *id_field;
	const char *natural_key;   /* NULL: none */
	const char *version_field; /* NULL: none */
	bool paged;
	bool patches; /* a change is a PATCH with what changes, else a PUT of all */
} GcEntitiesOptions;

/* What is wrong with the path of a collection; NULL: nothing. */
extern const char *gc_entities_path_problem(const char *path);

/* The resource that a table is, in the current context. */
extern const GcResource *gc_entities_resource(const GcEntitiesOptions *options);

/*
 * The attribute that a column is: the member at "path", a value of JSON or ("quoted") a
 * text; in the current context.
 */
extern const GcAttribute *gc_entities_attribute(const GcResource *resource, const char *name,
												const char *path, bool quoted);

#endif /* GC_API_ENTITIES_H */
