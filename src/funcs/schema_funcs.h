/*
 * funcs/schema_funcs.h
 *	  schema_diff(): a query held against a foreign table and its list.
 */
#ifndef GC_FUNCS_SCHEMA_FUNCS_H
#define GC_FUNCS_SCHEMA_FUNCS_H

#include "postgres.h"

#include "base/table_schema.h"

/* From whom it learns of foreign tables; once, from _PG_init. */
extern void gc_schema_funcs_init(GcTableSchemaReader reader);

/*
 * Throws unless it is one query that does not write, and each of its columns can go to one
 * of the table, the key among them; says all that does not fit.  Returns the query
 * without a semicolon behind it.  Its rows are not looked at.  The caller is the SQL function.
 */
extern char *gc_schema_fit(Oid relid, const char *query, const char *caller);

#endif /* GC_FUNCS_SCHEMA_FUNCS_H */
