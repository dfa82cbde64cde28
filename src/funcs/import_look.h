/*
 * funcs/import_look.h
 *	  An import as it is now, for who may see it, or have a say in it.
 */
#ifndef GC_FUNCS_IMPORT_LOOK_H
#define GC_FUNCS_IMPORT_LOOK_H

#include "postgres.h"

#include "datatype/timestamp.h"

typedef struct GcLook
{
	Datum row; /* of gc_fdw.imports */
	const char *state;
	const char *submitted_by;
	const char *reason;	  /* or NULL */
	TimestampTz retry_at; /* 0: not by itself */
	int64 rows_total;
	int64 rows_settled;
	bool is_ours; /* submitted or changed by this very transaction */
} GcLook;

/* In the current context.  Throws if there is no such import, or the caller may not see it. */
extern void gc_look(int64 id, GcLook *seen);

/* The same, for who is to have a say in it: that takes the privileges of who submitted it. */
extern void gc_look_as_owner(int64 id, GcLook *seen);

#endif /* GC_FUNCS_IMPORT_LOOK_H */
