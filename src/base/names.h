/*
 * base/names.h
 *	  SQL names for remote ones: snake_case, short enough, never shared.
 */
#ifndef GC_BASE_NAMES_H
#define GC_BASE_NAMES_H

#include "postgres.h"

/* One name to be made. */
typedef struct GcName
{
	const char *remote; /* in the database's encoding */
	const char *own_id; /* what tells it from others of the same name */
	const char
		*reserved; /* a name that it has by right, and keeps (an attribute's); or NULL */
	char *sql;	   /* out */
} GcName;

/*
 * Makes the SQL names of a group.  "snake": FirstName becomes first_name;
 * else the name stays as it is.  Names that collide, with each other or with a
 * reserved one, all get a suffix from their own ids, so that which of them
 * exist today decides nothing; names are cut to fit.
 */
extern void gc_names_make(GcName *names, int count, bool snake);

#endif /* GC_BASE_NAMES_H */
