/*
 * store/query.h
 *	  SQL over the extension's own tables, as their owner.
 *
 * Between the two calls SPI is connected, the current role is the owner of the
 * extension, and nothing but pg_catalog is on the search path: commands name the
 * extension's objects by their schema.  An error undoes all of it.
 */
#ifndef GC_STORE_QUERY_H
#define GC_STORE_QUERY_H

#include "postgres.h"

#include "executor/spi.h"

typedef struct GcQuery
{
	Oid caller;
	int caller_context;
	bool read_only;
	int guc_level;
	MemoryContext cxt; /* the caller's, for what is to stay */
} GcQuery;

/* False, with nothing begun: the extension is not there. */
extern bool gc_query_begin(GcQuery *query);

/* The same; throws instead. */
extern void gc_query_begin_or_throw(GcQuery *query);

/*
 * Runs a command; returns how many rows it processed, which are in SPI_tuptable if it
 * returns any.  "nulls" as SPI has it; NULL: none is.
 */
extern uint64 gc_query_run(const char *command, int count, const Oid *types, Datum *values,
						   const char *nulls);

/* The same for a SELECT that is to see what is committed by now, at any isolation level. */
extern uint64 gc_query_look(const char *command, int count, const Oid *types, Datum *values);

/* A column of a row it returned; NULL for NULL.  In the context that "query" was begun in. */
extern char *gc_query_text(GcQuery *query, uint64 row, int column);

extern void gc_query_end(GcQuery *query);

#endif /* GC_STORE_QUERY_H */
