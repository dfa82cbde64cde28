/*
 * base/seen.h
 *	  Which ids have been seen: 16 bytes for each, however long it is.
 *
 * By two independent 64-bit hashes, so that among a million ids two are taken
 * for one with a chance of one in 10^26.
 */
#ifndef GC_BASE_SEEN_H
#define GC_BASE_SEEN_H

#include "postgres.h"

typedef struct GcSeen GcSeen;

/* An empty set in the current context; "expected" ids or so will be noted (0: not known). */
extern GcSeen *gc_seen_create(int64 expected);

extern void gc_seen_free(GcSeen *seen);

/* Notes an id; true if it was there already. */
extern bool gc_seen_note(GcSeen *seen, const char *id, int len);

/* Has it been noted? */
extern bool gc_seen_has(GcSeen *seen, const char *id, int len);

#endif /* GC_BASE_SEEN_H */
