/*
 * fdw/batch.h
 *	  One request body of contacts: its rows, their ids, their opt-outs.
 */
#ifndef GC_FDW_BATCH_H
#define GC_FDW_BATCH_H

#include "postgres.h"

#include "api/request.h"
#include "fdw/encode.h"

#include "lib/ilist.h"
#include "lib/stringinfo.h"
#include "storage/buffile.h"

/* What is known of a batch that is refused for some of its rows (fdw/bisect.c). */
typedef struct GcSearch
{
	int next;		   /* the rows from here … */
	int end;		   /* … to here are not settled yet, … */
	int bad_end;	   /* … of which one before this is refused; 0: maybe none */
	int refused;	   /* so many were, by themselves, … */
	bool differs;	   /* … not all for the same, or they do not tell of the others, … */
	const char *code;  /* … the first one for this, … */
	const char *field; /* … here; or empty */
	bool accepted;	   /* something of it was */
	int doubt_end;	   /* rows before this are in doubt; 0: none is */
	int waiting;	   /* so many of these are not on the wire */
} GcSearch;

/* A contact that a DELETE has left where it was: as a look-up gave it. */
typedef struct GcHeld
{
	char *id;
	const char *json;
	int len;
} GcHeld;

/* A row whose echo is not what it should be. */
typedef struct GcOdd
{
	int row;
	char *id;
	int sqlstate;
	const char *code;
	const char *what;	/* about it, as a sentence … */
	const char *reason; /* … that names it, or not */
} GcOdd;

typedef struct GcBatch
{
	dlist_node node;	 /* for its owner */
	const char *form;	 /* of its body, as gc_verb() has it */
	StringInfoData body; /* "[row,row" until it is closed with "]" */
	int rows;
	int *ends; /* where each row ends in the body; room for so many */
	int ends_room;
	uint64 *ids;  /* hashes of the rows' ids, an open hash table; 0: free … */
	int id_slots; /* … of so many places, a power of two, at most half of them taken */
	int id_count;
	List *notes; /* Note: rows whose id, or what the echo must show, is wanted later */
	MemoryContext rows_cxt; /* what belongs to them */
	GcTime oldest;			/* UPDATE: when the contact was read that was read first */
	GcTime absent_at;		/* its contacts must be younger; 0: of whatever age */
	bool after_wire;		/* an id of it is on the wire: it waits for that */
	GcTime doubted;			/* since when its rows have been in doubt; 0: they are not */
	/* Of one that is deleted (fdw/removal.h): */
	bool removes;
	bool acted;	  /* the DELETE is done, and … */
	int checked;  /* … so many rows have been looked for, … */
	List *held;	  /* … of which these are still there: GcHeld */
	bool missing; /* its one contact was not there */
	char *answer; /* the platform's id of its answer to the DELETE; or NULL */
	/* Of one that is refused for some of its rows: */
	GcSearch search;
	struct GcBatch *whole; /* which one this is a part of, or NULL, … */
	int from;			   /* … from that row on */
	List *odd;	  /* once it is accepted: GcOdd, rows that the statement goes on without */
	bool awaited; /* the executor waits for its one row, and has not counted it */
	GcCall *call;
	void *owner;
} GcBatch;

/* An empty batch, in the current context. */
extern GcBatch *gc_batch_create(void);

/* Bytes of memory that it takes. */
extern int gc_batch_memory(const GcBatch *batch);

/* Frees what it grew by; it is empty and has to be reset. */
extern void gc_batch_trim(GcBatch *batch);

/* Empties it for the next use, with a body of that form. */
extern void gc_batch_reset(GcBatch *batch, const char *form);

/* The id of a row, where it was noted. */
extern char *gc_batch_id(const GcBatch *batch, int row);

/* The same of the only contact of a closed body in JSON; in the current context. */
extern char *gc_batch_only_id(const GcBatch *batch);

/* A row, as it is in the body. */
extern const char *gc_batch_row(const GcBatch *batch, int row, int *len);

extern uint64 gc_batch_hash(const char *id);
extern bool gc_batch_has(const GcBatch *batch, uint64 hash);

/* Adds a row; returns by how many bytes its memory grew. */
extern int gc_batch_add(GcBatch *batch, const GcRow *row, uint64 hash);

/* Closes it: the body is complete. */
extern void gc_batch_close(GcBatch *batch);

/* Copies rows from..to-1 of a closed batch, with their opt-outs, into an empty one. */
extern void gc_batch_copy(GcBatch *dst, const GcBatch *src, int from, int to);

/* Does one have an id that the other has, too? */
extern bool gc_batch_shares(const GcBatch *batch, const GcBatch *other);

/* Adds the rows of a batch that is not closed, and has no notes, to another one. */
extern void gc_batch_append(GcBatch *dst, const GcBatch *src);

/* Writes a batch that is not closed, and has no notes, to a file; reads it into an empty one. */
extern void gc_batch_write(const GcBatch *batch, BufFile *file);
extern void gc_batch_read(GcBatch *batch, BufFile *file);

/*
 * Holds the echo against the batch: as many contacts, every opt-out shown, and
 * none created before "since" (the platform's time).  NULL, or what is wrong:
 * *sqlstate is set then.
 */
extern const char *gc_batch_check_echo(const GcBatch *batch, const char *bytes, size_t len,
									   TimestampTz since, int *sqlstate);

/*
 * Where something is: which rows it is about, as GcOdd, in their order.  NIL: that
 * cannot be said, since the answer has other contacts than those that were sent.
 */
extern List *gc_batch_odd(GcBatch *batch, const char *bytes, size_t len, TimestampTz since);

#endif /* GC_FDW_BATCH_H */
