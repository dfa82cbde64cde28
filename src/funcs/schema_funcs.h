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

#endif /* GC_FUNCS_SCHEMA_FUNCS_H */
