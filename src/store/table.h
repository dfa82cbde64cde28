/*
 * store/table.h
 *	  Rows for the extension's own tables.
 *
 * They go to the heap by the executor's own insert, as the owner of the table:
 * no privilege of the caller's counts, nor that the transaction has become
 * READ ONLY, and there is no statement for others to see.  Triggers and
 * constraints that the owner has added are heeded.
 */
#ifndef GC_STORE_TABLE_H
#define GC_STORE_TABLE_H

#include "postgres.h"

typedef struct GcTableColumn
{
	const char *name;
	Oid type;
} GcTableColumn;

/* A table as the extension's script makes it. */
typedef struct GcTableLayout
{
	const char *name; /* in schema gc_fdw */
	bool has_id;	  /* the first column is its id, an identity */
	int column_count;
	const GcTableColumn *columns;
} GcTableLayout;

typedef struct GcTable GcTable;

/*
 * Locks the table for rows to come, so that they neither wait nor fail for what
 * can be known now.  Throws as gc_table_open() does; nothing if it is not there.
 */
extern void gc_table_lock(const GcTableLayout *layout);

/*
 * Opens the table, in a transaction; NULL if there is none.  Throws if it is not
 * as the script made it.  Until it is closed the current role is its owner.
 */
extern GcTable *gc_table_open(const GcTableLayout *layout);

/* The next id. */
extern int64 gc_table_next_id(GcTable *table);

/* Inserts a row; an id that is NULL becomes the next one. */
extern void gc_table_insert(GcTable *table, const Datum *values, const bool *isnull);

/* The most rows that are inserted at once. */
#define GC_TABLE_MANY 1000

/* The values of a row. */
typedef void (*GcTableFill)(void *arg, int row, Datum *values, bool *isnull);

/* Is there nothing of the owner's, such as a trigger, that keeps rows from going many at once? */
extern bool gc_table_takes_many(const GcTable *table);

/*
 * Inserts rows "first" and so on, without ids.  One whose key is there already is not
 * inserted, and noted in "repeats", an array of all rows; true: there was such a row.
 */
extern bool gc_table_insert_many(GcTable *table, int first, int count, GcTableFill fill,
								 void *arg, bool *repeats);

extern void gc_table_close(GcTable *table);

/* ---- reading ---- */

/*
 * The value of a column, a varlena, of the row that has the values of "key" in the columns
 * before it, integers; a copy in the current context, NULL if there is no such row.  What is
 * committed by now, or our own.  The lock does not outlive the call.  Throws if the table of
 * that OID is not there any more.
 */
extern struct varlena *gc_table_read(Oid relid, const GcTableLayout *layout, const Datum *key,
									 int column);

/* Locks such a table against being dropped, to the end of the transaction; throws as above. */
extern void gc_table_keep(Oid relid, const GcTableLayout *layout);

#endif /* GC_STORE_TABLE_H */
