/*
 * fdw/pending_parts.h
 *	  Contacts that wait for COMMIT, between pending.c (what waits, savepoints) and
 *	  pending_send.c (COMMIT).
 */
#ifndef GC_FDW_PENDING_PARTS_H
#define GC_FDW_PENDING_PARTS_H

#include "postgres.h"

#include "fdw/pending.h"
#include "fdw/pending_file.h"
#include "fdw/refresh.h"
#include "fdw/reject.h"

/* What waits of it. */
typedef struct GcWaiting
{
	int64 rows;	   /* to be sent */
	int64 rejects; /* that are not: gc_fdw.rejected_rows has them then */
} GcWaiting;

struct GcPending
{
	uint32 number; /* among the transaction's */
	Oid user_id;
	Oid relid;
	GcTargetSettings settings;
	GcRelation *rel; /* with a tuple descriptor of its own */
	GcConnection *conn;
	GcList *list;
	GcWaiting count;
	bool told; /* gc_pending_untold() has said how many */
	/* At COMMIT: */
	GcTarget *target;
	GcRefresh *refresh; /* UPDATE */
	GcRejecter *rejecter;
};

/* What waits of a transaction. */
typedef struct GcPendingSpool
{
	MemoryContext cxt; /* all of this */
	GcPendingFile *file;
	List *pending; /* GcPending *, by number */
	List *levels;  /* of savepoints, outermost first */
} GcPendingSpool;

static inline bool
gc_pending_waits(const GcPending *pending)
{
	return pending->count.rows > 0 || pending->count.rejects > 0;
}

/* Sends all of it, within gc_fdw.commit_timeout. */
extern void gc_pending_send(GcPendingSpool *spool);

#endif /* GC_FDW_PENDING_PARTS_H */
