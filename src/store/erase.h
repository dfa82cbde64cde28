/*
 * store/erase.h
 *	  A contact leaves the extension's own tables: staged rows, rejected rows, the ledger.
 */
#ifndef GC_STORE_ERASE_H
#define GC_STORE_ERASE_H

#include "postgres.h"

#include "nodes/pg_list.h"

/* A part of an import whose rows are still here; strings in the database's encoding. */
typedef struct GcKeptPart
{
	int64 import_id;
	int part;
	bool is_file;		/* CSV, else a contact in JSON a line */
	bool is_open;		/* staged: it will be sent */
	bool is_under_way;	/* a worker may be reading it, or the platform taking it */
	const uint8 *skips; /* a bit for each row that is not sent; NULL: all are */
	int64 rows;
	Oid chunks; /* the table that has them */
} GcKeptPart;

/* All of them (of that server; NULL: of any), by import and part: GcKeptPart *. */
extern List *gc_erase_parts(const char *server);

/*
 * The part as it is now, and stays until the transaction ends: its import can neither be
 * begun, nor the part be sent.  False: it has no rows here any more.
 */
extern bool gc_erase_lock(GcKeptPart *part);

/* A chunk has these bytes from now on. */
extern void gc_erase_chunk(const GcKeptPart *part, int chunk, const char *bytes, int len);

/* What is left of a part that is open. */
typedef struct GcLeftPart
{
	int64 erased; /* rows */
	int64 bytes;
	const uint8 *sha256;
	const uint8 *skips; /* NULL: none */
} GcLeftPart;

/* One of which nothing is left is done. */
extern void gc_erase_settle(const GcKeptPart *part, const GcLeftPart *left);

/* Whose history: the contact with that id, of these lists (GcList's ids; NULL: of any). */
typedef struct GcErasure
{
	const char *key;
	const char *shown_key; /* as rejected rows have it */
	List *list_ids;		   /* char *; NIL: of any */
} GcErasure;

/* How many rows of a table told of it; they do no more. */
typedef struct GcErased
{
	const char *table;
	int64 rows;
} GcErased;

/* GcErased *, a fixed number of them. */
extern List *gc_erase_history(const GcErasure *erasure);

#endif /* GC_STORE_ERASE_H */
