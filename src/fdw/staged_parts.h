/*
 * fdw/staged_parts.h
 *	  An import's rows on their way into its parts: which of them go by file, and how many at once.
 *
 * By method 'auto' that depends on how many there are, so the first ones wait in a
 * temporary file until it is known.  What a file cannot say goes by POST behind it, and
 * so does whatever comes of such a contact later: its last row is the one that counts.
 */
#ifndef GC_FDW_STAGED_PARTS_H
#define GC_FDW_STAGED_PARTS_H

#include "postgres.h"

#include "fdw/encode.h"
#include "net/connection.h"
#include "store/imports.h"

typedef struct GcStagedParts GcStagedParts;

/* What it points to must outlive the parts. */
typedef struct GcStagedPartsSetup
{
	const GcImport *import;
	const GcConnection *conn;
	const GcRelation *rel;
	const GcList *list;
	int part_rows; /* of a part; 0: as its method has it */

	/* A row is not staged, since a file's cell would be trimmed: goes on without it, or throws. */
	void (*refuse)(void *arg, const GcRow *row, const char *column);
	void *arg;
} GcStagedPartsSetup;

/* In the current context; to be closed under the same resource owner. */
extern GcStagedParts *gc_staged_parts_open(const GcStagedPartsSetup *setup);

extern void gc_staged_parts_row(GcStagedParts *parts, const GcRow *row);

/* All rows are there; by which method, for the import. */
extern const char *gc_staged_parts_close(GcStagedParts *parts);

#endif /* GC_FDW_STAGED_PARTS_H */
