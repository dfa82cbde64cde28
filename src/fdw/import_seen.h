/*
 * fdw/import_seen.h
 *	  Which rows of a file are there?  The list is read back by one export (DESIGN 3).
 */
#ifndef GC_FDW_IMPORT_SEEN_H
#define GC_FDW_IMPORT_SEEN_H

#include "postgres.h"

#include "fdw/import_parts.h"

typedef struct GcImportSeen GcImportSeen;

/*
 * What is known of a row.  Of rows that have the same contact id the last one counts: they are
 * as that one is.
 */
typedef enum GcRowMark
{
	GC_ROW_THERE = 1,	/* the list shows it, with just these cells */
	GC_ROW_REFUSED = 2, /* the platform has refused it */
	GC_ROW_TOLD = 4,	/* … and that has been written down */
} GcRowMark;

/* Reads the part; in the current context. */
extern GcImportSeen *gc_import_seen_create(GcImportRun *run, const GcPart *part);

/* Reads the list, and marks what is there. */
extern void gc_import_seen_look(GcImportSeen *seen, GcStat *stat);

/*
 * Marks the row with that contact id; false: it is none of the part's, is there already, or had
 * that mark.
 */
extern bool gc_import_seen_mark(GcImportSeen *seen, const char *id, GcRowMark mark);

/* How many contacts are neither there nor refused. */
extern int64 gc_import_seen_missing(const GcImportSeen *seen);

/* A bit for each row that need not be sent, since it is there, is refused, or is skipped. */
extern uint8 *gc_import_seen_bits(GcImportSeen *seen);

#endif /* GC_FDW_IMPORT_SEEN_H */
