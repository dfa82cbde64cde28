/*
 * api/entity_keys.h
 *	  The things of a collection by their natural key, as one walk over its listing found them.
 *
 * For a statement that makes many where a listing cannot be asked for one name: 500 rows would
 * be 500 walks.  What was read is in a temporary file; in memory there are but a hash of each
 * key and the place of its thing, some 60 bytes, whatever the things are.
 */
#ifndef GC_API_ENTITY_KEYS_H
#define GC_API_ENTITY_KEYS_H

#include "postgres.h"

#include "base/json.h"

typedef struct GcEntityKeys GcEntityKeys;

/* None yet; in the current context. */
extern GcEntityKeys *gc_entity_keys_create(void);

/* Has the listing been walked over? */
extern bool gc_entity_keys_are_known(const GcEntityKeys *keys);
extern void gc_entity_keys_know(GcEntityKeys *keys);

/* That thing has the key; in place of another one only if it "replaces" it. */
extern void gc_entity_keys_put(GcEntityKeys *keys, const char *key, const GcSpan *object,
							   bool replaces);

/*
 * The thing with that key, in the current context; NULL: there is none.  Two keys may have one
 * hash: whoever asks looks at the key of what he gets.
 */
extern char *gc_entity_keys_get(GcEntityKeys *keys, const char *key);

/* Closes the file: the statement has ended. */
extern void gc_entity_keys_end(GcEntityKeys *keys);

#endif /* GC_API_ENTITY_KEYS_H */
