/*
 * store/place.h
 *	  Where an import belongs: copies of a database do not dial (DESIGN 3).
 */
#ifndef GC_STORE_PLACE_H
#define GC_STORE_PLACE_H

#include "postgres.h"

/* GUC gc_fdw.cluster_id: one name for all servers that take over from each other; "": none. */
extern char *gc_cluster_id;

/*
 * This place, beside the database: gc_fdw.cluster_id, or else the system
 * identifier, the host's name and the data directory, of which a clone, a base
 * backup and a snapshot change one at least.  In the current context.
 */
extern char *gc_place(void);

#endif /* GC_STORE_PLACE_H */
