/*
 * base/shared.h
 *	  Memory that all backends share, where there is some.
 *
 * With shared_preload_libraries on every version; without it from PostgreSQL 17
 * on, in a segment that the first user makes and that stays until the server
 * stops; else each backend has its own, and says so once in the log.
 *
 * A part is a struct that begins with GcSharedHead.
 */
#ifndef GC_BASE_SHARED_H
#define GC_BASE_SHARED_H

#include "postgres.h"

#include "storage/lwlock.h"

typedef struct GcSharedHead
{
	LWLock lock;
} GcSharedHead;

typedef struct GcSharedPart
{
	const char *name;
	Size (*size)(void);
	void (*init)(void *memory); /* zeroed, lock included in what is ready; NULL: zeroes do */
	GcSharedHead *memory;		/* NULL until it is used */
} GcSharedPart;

/* Declares a part; from _PG_init, before gc_shared_init. */
extern void gc_shared_declare(GcSharedPart *part);

/* Asks for the memory, where that has to be done when the server starts. */
extern void gc_shared_init(void);

/* The part's memory.  Throws if there is none to be had. */
extern void *gc_shared_get(GcSharedPart *part);

/* Is it shared, or this backend's own? */
extern bool gc_shared_is_shared(void);

/* Locks the part; not for long, and nothing in between may throw. */
extern void gc_shared_lock(GcSharedPart *part, LWLockMode mode);
extern void gc_shared_unlock(GcSharedPart *part);

#endif /* GC_BASE_SHARED_H */
