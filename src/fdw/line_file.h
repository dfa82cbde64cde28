/*
 * fdw/line_file.h
 *	  Lines in a temporary file, written to its end and then read once.
 */
#ifndef GC_FDW_LINE_FILE_H
#define GC_FDW_LINE_FILE_H

#include "postgres.h"

#include "lib/stringinfo.h"

typedef struct GcLineFile GcLineFile;

/* In the current context, and of the current resource owner. */
extern GcLineFile *gc_line_file_create(void);

extern void gc_line_file_put(GcLineFile *file, const char *line, int len);

/* From the first line on. */
extern void gc_line_file_rewind(GcLineFile *file);

/* The next line; false at the end. */
extern bool gc_line_file_get(GcLineFile *file, StringInfo line);

extern void gc_line_file_end(GcLineFile *file);

#endif /* GC_FDW_LINE_FILE_H */
