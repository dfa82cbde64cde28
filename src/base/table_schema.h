/*
 * base/table_schema.h
 *	  A foreign table beside its list: what differs, and what may be written to each column.
 *
 * Told by the layer that knows foreign tables (fdw/drift.c) to those that must
 * not include it.
 */
#ifndef GC_BASE_TABLE_SCHEMA_H
#define GC_BASE_TABLE_SCHEMA_H

#include "postgres.h"

#include "base/cell.h"

#include "nodes/pg_list.h"

/* One difference.  Strings are in the database's encoding. */
typedef struct GcDrift
{
	const char *column; /* of the foreign table; NULL: the table itself */
	int sqlstate;
	const char *problem; /* in a word or two */
	const char *detail;	 /* a clause */
} GcDrift;

typedef struct GcSchemaColumn
{
	const char *name; /* in SQL; NULL: dropped */
	Oid type;
	bool writable;
	bool is_key; /* its value is the contact's id, … */
	bool is_id;	 /* … or it is that id itself */
	bool is_data;
	GcCellRule rule; /* of data columns */
} GcSchemaColumn;

typedef struct GcTableSchema
{
	const char *label;		/* contact list "Leads" */
	const char *id_pattern; /* of contact ids */
	List *drifts;			/* GcDrift * */
	int column_count;
	GcSchemaColumn *columns; /* by attnum - 1 */
} GcTableSchema;

/*
 * Reads it, asking the platform for the list as it is now; in the current
 * context.  Throws if it is no foreign table of contacts.
 */
typedef GcTableSchema *(*GcTableSchemaReader)(Oid relid);

#endif /* GC_BASE_TABLE_SCHEMA_H */
