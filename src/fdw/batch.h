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

typedef struct GcBatch
{
	dlist_node node;	 /* for its owner */
	StringInfoData body; /* "[row,row" until it is closed with "]" */
	int rows;
	int *ends;	   /* where each row ends in the body */
	uint64 *ids;   /* hashes of the rows' ids, an open hash table; 0: free */
	List *optouts; /* OptOut, those that the echo must show */
	MemoryContext optouts_cxt;
	bool after_wire; /* an id of it is on the wire: it waits for that */
	GcTime doubted;	 /* since when its rows have been in doubt; 0: they are not */
	GcCall *call;
	void *owner;
} GcBatch;

/* An empty batch for up to "max_rows" rows, in the current context. */
extern GcBatch *gc_batch_create(int max_rows);

/* Empties it for the next use. */
extern void gc_batch_reset(GcBatch *batch);

extern uint64 gc_batch_hash(const char *id);
extern bool gc_batch_has(const GcBatch *batch, uint64 hash);

/* Adds a row; returns by how many bytes the body grew. */
extern int gc_batch_add(GcBatch *batch, const GcRow *row, uint64 hash);

/* Closes the array: the body is complete. */
extern void gc_batch_close(GcBatch *batch);

/* Copies rows from..to-1 of a closed batch, with their opt-outs, into an empty one. */
extern void gc_batch_copy(GcBatch *dst, const GcBatch *src, int from, int to);

/*
 * Holds the echo against the batch: as many contacts, and every opt-out shown.
 * NULL, or what is wrong: *sqlstate is set then.
 */
extern const char *gc_batch_check_echo(const GcBatch *batch, const char *bytes, size_t len,
									   int *sqlstate);

#endif /* GC_FDW_BATCH_H */
