/*
 * fdw/deliver_parts.h
 *	  Delivery of contacts, between deliver.c (batches on the wire), deliver_book.c
 *	  (what has become of them), deliver_rows.c (rows into batches), deliver_check.c
 *	  (DELETEs that are checked at the end), deliver_fail.c (errors) and bisect.c
 *	  (batches that are refused in part).
 */
#ifndef GC_FDW_DELIVER_PARTS_H
#define GC_FDW_DELIVER_PARTS_H

#include "postgres.h"

#include "base/progress.h"
#include "fdw/batch.h"
#include "fdw/deliver.h"
#include "store/ledger.h"

#include "lib/ilist.h"

/* Contacts that could not be deleted and that an error names. */
#define GC_HELD_SHOWN 5

typedef struct GcWriter
{
	dlist_node node; /* in writers */
	EState *estate;
	GcConnection *conn;
	GcCalls *calls;
	GcStat stat; /* the time spent waiting; requests are counted by target */
	MemoryContext cxt;
	MemoryContext batch_cxt;
	MemoryContext scratch; /* reset after each reply */
	List *targets;
	int64 open_bytes; /* of memory, of all open batches */
	BufFile *spill;	  /* what there was no room for (fdw/spill.h); NULL: nothing … */
	int spill_end_file;
	off_t spill_end; /* … and where it ends */
	dlist_head wire; /* batches on the wire, oldest first */
	int wire_count;
	dlist_head spares;
	MemoryContextCallback on_reset;
} GcWriter;

struct GcTarget
{
	GcWriter *writer;
	GcRelation *rel;
	GcList *list;
	GcTargetSettings settings;
	const char *path;
	GcBatch *open;	   /* NULL: no rows yet */
	List *pieces;	   /* of rows that go before it, in the writer's file, … */
	int spilled_rows;  /* … so many, … */
	int spilled_bytes; /* … of so many bytes */
	GcBatch *single;   /* gc_deliver_now's last one, … */
	GcJson echo;	   /* … and a cursor into its answer */
	GcStat stat;
	int64 taken; /* rows, from the executor */
	int64 accepted;
	int64 in_doubt;	 /* of calls that ended so */
	int64 uncounted; /* rows that the executor has counted, and nothing happened to */
	int64 held;		 /* DELETE: contacts that are still there afterwards, … */
	List *held_ids;	 /* … the first of them */
	bool (*echoed)(void *arg, const GcBatch *batch); /* NULL: nobody wants to know */
	void *echoed_arg;
	void (*removed)(void *arg, const char *id); /* DELETE: NULL: looked for batch by batch */
	void (*check)(void *arg);
	void *check_arg;
	int64 unchecked; /* contacts that were deleted, and are looked for by check() */
	bool has_twin;	 /* another target of the statement is the same list */
	void (*before_drain)(void *arg);
	void *before_drain_arg;
	void (*refused)(void *arg, const GcRefusal *refusal); /* NULL: that fails the statement */
	void *refused_arg;
	GcLedger *ledger; /* NULL: it has no entries yet */
	GcAudit *audit;
	GcProgress *progress;
};

/* An empty batch of the target, new or used before; and back with it. */
extern GcBatch *gc_wire_take(GcTarget *target);
extern void gc_wire_give_back(GcBatch *batch);

/* Sends a closed batch, as soon as it may go; or at once. */
extern void gc_wire_send(GcBatch *batch);
extern void gc_wire_start(GcBatch *batch);

/* Waits until at most "count" batches are on the wire. */
extern void gc_wire_wait(GcWriter *writer, int count);

/*
 * A batch has ended: it leaves the wire, and is booked; what is wrong with it, or NULL.
 * "rejects": the statement may go on without some of its rows.
 */
extern void gc_wire_off(GcBatch *batch);
extern const char *gc_wire_book(GcBatch *batch, bool rejects, int *sqlstate);

/* Puts it on the wire again: the contacts that have been deleted are looked for. */
extern void gc_wire_look_up(GcBatch *batch);

/* The same with a contact that could not be deleted and is rejected; false: it is none. */
extern bool gc_wire_look_again(GcBatch *batch);

/* Why its call failed; NULL if it did not, or did what it should. */
extern const GcFailure *gc_wire_failure(const GcBatch *batch);

/* Its call was the last one. */
extern bool gc_wire_done(const GcBatch *batch);

/* Of so many contacts that were in doubt these are as they should be. */
extern void gc_wire_accept(GcTarget *target, int64 rows, int64 done);

/*
 * DELETE (deliver_check.c): are a batch's contacts looked for at the end?  Then it is
 * booked so.  The end of that; and that they are looked for now, and from now on.
 */
extern bool gc_wire_is_deferred(const GcBatch *batch);
extern void gc_wire_defer(GcBatch *batch);
extern void gc_wire_check(GcTarget *target);
extern void gc_wire_end_deferral(GcTarget *target);

/* Throws for a batch that has been booked. */
extern _Noreturn void gc_wire_throw(GcBatch *batch, const char *problem, int sqlstate);

/* Stops the statement's sending: what is in flight is awaited, nothing else goes out. */
extern void gc_wire_stop(GcWriter *writer);

/* What to do about an echo that is odd. */
extern const char *gc_deliver_hint(int sqlstate);

/* Throws that contacts could not be deleted since a campaign uses them: those of held_ids. */
extern _Noreturn void gc_deliver_throw_held(GcTarget *target);

/* The batch that is being filled goes. */
extern void gc_deliver_open_batch(GcTarget *target);

#endif /* GC_FDW_DELIVER_PARTS_H */
