/*
 * fdw/export_cells.h
 *	  Which cells of an export's record make up which column of a table.
 *
 * By the names in the file's first record, never by their places: exports come
 * in several generations, and have columns that nobody asked for.
 */
#ifndef GC_FDW_EXPORT_CELLS_H
#define GC_FDW_EXPORT_CELLS_H

#include "postgres.h"

#include "fdw/relation.h"

#include "nodes/bitmapset.h"

typedef struct GcExportCells GcExportCells;

/*
 * Looks up the columns "wanted" (attnums) among the headers (UTF-8, which it may
 * change).  Lives in the current context.  Returns NULL with *problem and maybe
 * *hint set where one is missing, or a header is there twice.
 */
extern GcExportCells *gc_export_cells_find(const GcRelation *rel, const GcList *list,
										   Bitmapset *wanted, char **headers, int count,
										   const char **problem, const char **hint);

/*
 * The cell of a column (attnum - 1) in a record, UTF-8, or what is put together
 * from several, in the current context; NULL where it is empty, or the column is
 * not one that a record gives.
 */
extern char *gc_export_cells_get(const GcExportCells *map, int column, char **cells);

/* The contact's id in a record, for messages too. */
extern const char *gc_export_cells_id(const GcExportCells *map, char **cells);

#endif /* GC_FDW_EXPORT_CELLS_H */
