/*
 * fdw/dnc_batch.h
 *	  Entries of a DNC list on their way to the platform, many a call.
 *
 * A call has one date of expiry, so entries wait by that.  Of two dates that a statement
 * gives to one entry the last one holds.
 */
#ifndef GC_FDW_DNC_BATCH_H
#define GC_FDW_DNC_BATCH_H

#include "postgres.h"

#include "api/dnc_entries.h"
#include "store/audit.h"

typedef struct GcDncBatcher GcDncBatcher;

/* What is done with entries. */
typedef enum GcDncVerb
{
	GC_DNC_ADD,
	GC_DNC_REMOVE,
	GC_DNC_CHANGE, /* they get another date of expiry */
} GcDncVerb;

typedef struct GcDncSettings
{
	GcDncVerb verb;
	const GcDncList *list;
	const char *label; /* DNC list "x", for messages */
	int rows;		   /* of a call, at most … */
	int64 bytes;	   /* … and its body's */
	int64 memory;	   /* that waiting entries take, about */
	int in_flight;	   /* calls at once */
} GcDncSettings;

/* In the current context, with which all of it goes; the audit counts. */
extern GcDncBatcher *gc_dnc_batcher_create(GcCalls *calls, GcAudit *audit,
										   const GcDncSettings *settings);

/* Takes an entry, UTF-8; "until" as the platform writes it, or NULL: it never expires. */
extern void gc_dnc_batcher_row(GcDncBatcher *batcher, const char *entry, const char *until);

/* No more is sent, for a row is refused: what is on its way is seen out; the counts, to tell. */
extern const char *gc_dnc_batcher_stop(GcDncBatcher *batcher);

/* Sends what waits, and waits until all has been answered. */
extern void gc_dnc_batcher_finish(GcDncBatcher *batcher);

#endif /* GC_FDW_DNC_BATCH_H */
