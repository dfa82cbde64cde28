/*
 * store/query_args.h
 *	  The values of one command of store/query.h.
 */
#ifndef GC_STORE_QUERY_ARGS_H
#define GC_STORE_QUERY_ARGS_H

#include "postgres.h"

#include "store/query.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"

typedef struct GcArgs
{
	int count;
	Oid types[24];
	Datum values[24];
	char nulls[24];
} GcArgs;

static inline void
gc_args_add(GcArgs *args, Oid type, Datum value)
{
	args->types[args->count] = type;
	args->values[args->count] = value;
	args->nulls[args->count++] = ' ';
}

/* NULL for NULL. */
static inline void
gc_args_text(GcArgs *args, const char *string)
{
	gc_args_add(args, TEXTOID, string ? CStringGetTextDatum(string) : (Datum) 0);
	if (string == NULL)
		args->nulls[args->count - 1] = 'n';
}

static inline void
gc_args_int64(GcArgs *args, int64 number)
{
	gc_args_add(args, INT8OID, Int64GetDatum(number));
}

static inline uint64
gc_args_run(const char *command, GcArgs *args)
{
	return gc_query_run(command, args->count, args->types, args->values, args->nulls);
}

/* A command of its own; the extension must be there. */
static inline uint64
gc_args_run_alone(const char *command, GcArgs *args)
{
	GcQuery query;
	uint64 rows;

	gc_query_begin_or_throw(&query);
	rows = gc_args_run(command, args);
	gc_query_end(&query);
	return rows;
}

/* A number of a row that a command returned; 0 for NULL. */
static inline int64
gc_args_int64_at(uint64 row, int column)
{
	bool isnull;
	Datum value =
		SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column, &isnull);

	return isnull ? 0 : DatumGetInt64(value);
}

#endif /* GC_STORE_QUERY_ARGS_H */
