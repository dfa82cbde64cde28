/*
 * base/cell.h
 *	  What a column says of its cells: whether there must be one, how long, in which format.
 *
 * Works on the canonical text of a value (base/value.h), and never changes it.
 */
#ifndef GC_BASE_CELL_H
#define GC_BASE_CELL_H

#include "postgres.h"

/* The platform's limit of any cell, in characters. */
#define GC_CELL_MAX_CHARS 512

typedef enum GcCellFormat
{
	GC_CELL_ANY,
	GC_CELL_E164,
	GC_CELL_EMAIL,
	GC_CELL_ZIP, /* of the column by which a list tells time zones */
} GcCellFormat;

typedef struct GcCellRule
{
	bool required;
	GcCellFormat format; /* an empty cell has any */
	int max_chars;
} GcCellRule;

typedef enum GcCellFault
{
	GC_CELL_FINE,
	GC_CELL_EMPTY,
	GC_CELL_TOO_LONG,
	GC_CELL_MALFORMED,
} GcCellFault;

/* Holds a cell, in UTF-8, against a rule.  Allocates nothing. */
extern GcCellFault gc_cell_check(const GcCellRule *rule, const char *cell, int len);

/* Characters of valid UTF-8. */
extern int gc_cell_chars(const char *cell, int len);

/* The format of that name, as the column option has it; NULL: GC_CELL_ANY. */
extern GcCellFormat gc_cell_format(const char *name);

/* What a cell is not that is malformed ("is not …"), and how one has to look. */
extern const char *gc_cell_format_words(GcCellFormat format);
extern const char *gc_cell_format_hint(GcCellFormat format);

#endif /* GC_BASE_CELL_H */
