/*
 * fdw/deliver.h
 *	  Delivery of encoded contacts: batches, overlapped requests, counts.
 *
 * A statement has one writer for each connection it writes through.  The
 * writer holds a target for each list, all their open batches under one budget
 * of memory, and at most max_in_flight requests.  Whatever happens, three
 * counts are known: accepted, in doubt (on the wire without an answer), and
 * not sent; they are in the error, or in a WARNING if something else aborts the
 * transaction.
 */
#ifndef GC_FDW_DELIVER_H
#define GC_FDW_DELIVER_H

#include "postgres.h"

#include "api/contacts.h"
#include "base/stat.h"
#include "fdw/encode.h"
#include "fdw/relation.h"
#include "store/audit.h"

#include "nodes/execnodes.h"

typedef struct GcTarget GcTarget;

typedef struct GcTargetSettings
{
	int batch_rows;
	int batch_bytes;
	int64 buffer_memory;
	GcContactsFlags flags;
} GcTargetSettings;

/*
 * Opens a target of the statement whose state is "estate"; it lives in
 * estate's query context.
 */
extern GcTarget *gc_deliver_open(EState *estate, GcConnection *conn, GcRelation *rel,
								 GcList *list, const GcTargetSettings *settings);

/* NULL, or what keeps a row from being sent at all; in the current context. */
extern const GcProblem *gc_deliver_check(GcTarget *target, const GcRow *row);

/* Takes a row into the open batch; sends the batch first if the row would overfill it. */
extern void gc_deliver_row(GcTarget *target, const GcRow *row);

/*
 * Sends a row by itself and waits; returns the platform's echo of it, a cursor
 * inside the array that answers, which stays until the next row.
 */
extern GcJson *gc_deliver_now(GcTarget *target, const GcRow *row);

/* Throws a problem with a row, once what is in flight has been answered, with the counts. */
extern _Noreturn void gc_deliver_refuse(GcTarget *target, const GcProblem *problem);

/* Sends everything of the statement and waits for every answer. */
extern void gc_deliver_drain(EState *estate);

/* Adds what was done to prepare the target to its figures. */
extern void gc_deliver_count(GcTarget *target, const GcStat *stat);

/* What the audit says of it. */
extern GcAudit *gc_deliver_audit(GcTarget *target);

/* What was done for the target; the time waited is the whole statement's. */
extern GcStat gc_deliver_stat(GcTarget *target);

#endif /* GC_FDW_DELIVER_H */
