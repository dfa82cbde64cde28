/*
 * fdw/import_file.h
 *	  A part of an import that is a CSV file: its rows, and what is sent of it.
 */
#ifndef GC_FDW_IMPORT_FILE_H
#define GC_FDW_IMPORT_FILE_H

#include "postgres.h"

#include "store/imports.h"

/* A row; it lasts until the next one. */
typedef struct GcFileRow
{
	int64 number; /* in the part, from 0 */
	int count;
	char **columns; /* UTF-8; the first has the contact's id */
	char **cells;
} GcFileRow;

/* Calls "take" for each row of the part, in a context that is reset now and then. */
extern void gc_import_file_rows(int64 import_id, const GcPart *part,
								void (*take)(void *arg, const GcFileRow *row), void *arg);

/* What is sent of a part. */
typedef struct GcImportFile
{
	int64 import_id;
	const GcPart *part;
	const uint8 *skips; /* a bit for each row that is left out; NULL: none is */
	bool bare;			/* so is the header */
	int added;			/* empty cells behind those of each row */
	int64 rows;
	int64 bytes;
	const char *sha256; /* in hex */
	int chunk;			/* that was read last … */
	int64 row;			/* … and how many rows, the header not counted */
} GcImportFile;

/* The columns of its header, the first of which has the ids; in the current context. */
extern char **gc_import_file_columns(int64 import_id, const GcPart *part, int *count);

/* With rows left out, or the header ("bare"), the part is read to its end for that; in the current context. */
extern GcImportFile *gc_import_file_open(int64 import_id, const GcPart *part,
										 const uint8 *skips, bool bare);

/* So many empty cells are to be behind those of each row, for fields that the list has got since. */
extern void gc_import_file_widen(GcImportFile *file, int added);

/* A GcUpload's "piece", of a GcImportFile. */
extern char *gc_import_file_piece(void *arg, int number, int *len);

/* Is that row's bit set?  NULL: none is. */
extern bool gc_import_bit(const uint8 *bits, int64 row);

#endif /* GC_FDW_IMPORT_FILE_H */
