/*
 * fdw/drift.h
 *	  A foreign table held against its list, before anything is written to it (SCENARIOS F1).
 *
 * The platform refuses columns that a list lacks, or drops them without a word.
 * So a statement that writes looks at the list as it is now, and a difference
 * that matters is an error with all of them before a row is sent.  Columns of
 * the list that the table does not have matter to nobody, unless it requires them.
 */
#ifndef GC_FDW_DRIFT_H
#define GC_FDW_DRIFT_H

#include "postgres.h"

#include "base/table_schema.h"
#include "fdw/relation.h"

/*
 * The list that a statement is about to write to, read anew if what the session
 * knows is older than the option list_freshness.  Throws if there is none, or
 * if the table does not fit it: 42703 or 42804, with the differences; 23502 if it "inserts",
 * as strict, and has no column for what the list requires.
 */
extern GcList *gc_drift_list(GcConnection *conn, GcStat *stat, GcRelation *rel, bool inserts);

/* What may be written to a data column, as the option verification has it. */
extern GcCellRule gc_drift_rule(const GcRelation *rel, const GcColumn *column,
								const GcList *list);

/* Both, for SQL functions and as if strict; a GcTableSchemaReader. */
extern GcTableSchema *gc_drift_schema(Oid relid);

/*
 * The name of a table's list, in the database's encoding, and in *column the table's column
 * that has it (NULL: none does); for SQL functions.
 */
extern char *gc_drift_list_name(Oid relid, char **column);

#endif /* GC_FDW_DRIFT_H */
