/*
 * fdw/staged_csv.h
 *	  Encoded contacts as rows of a CSV file that fills a list (SCENARIOS C2, C3).
 *
 * RFC 4180 in UTF-8: the column of the contact ids first, then the other columns of
 * the list.  A file says less than a POST: it has no attributes, and no cells that are
 * left alone.
 */
#ifndef GC_FDW_STAGED_CSV_H
#define GC_FDW_STAGED_CSV_H

#include "postgres.h"

#include "fdw/encode.h"
#include "net/connection.h"

#include "lib/stringinfo.h"

/* Columns of a file, that of the ids included (the platform's limit). */
#define GC_CSV_MAX_COLUMNS 50

/* Do a table's contacts go without the parameters that only a POST has? */
extern bool gc_staged_is_plain_upsert(const GcRelation *rel);

/* Has a contact nothing but an id and cells? */
extern bool gc_staged_is_plain(const GcRow *row);

typedef struct GcStagedCsv GcStagedCsv;

/* Whether a contact can be a row. */
typedef enum GcCsvFit
{
	GC_CSV_FITS,
	GC_CSV_SAYS_MORE, /* it has attributes, or leaves cells alone */
	GC_CSV_TRIMMED,	  /* the list would trim a cell */
} GcCsvFit;

/*
 * In the current context; NULL: this table's rows cannot go by file.  "bare": one that goes
 * without its header: the ids first, then all columns of the list as it has them.
 */
extern GcStagedCsv *gc_staged_csv_create(const GcRelation *rel, const GcList *list, bool bare);

/* Appends the header row. */
extern void gc_staged_csv_header(const GcStagedCsv *csv, StringInfo line);

/* Appends the contact's row, if it fits; *column: the one that would be trimmed. */
extern GcCsvFit gc_staged_csv_row(GcStagedCsv *csv, const GcRow *row, StringInfo line,
								  const char **column);

/*
 * Takes the row at *at apart, up to "end", and sets *at behind it; false at the end.  Cells
 * are zero-terminated in what is read, which is changed for that.  Throws if it is none of ours.
 */
extern bool gc_staged_csv_get(char **at, char *end, char **cells, int max, int *count);

/* Sets *at behind the row there, of which nothing is changed; false at the end. */
extern bool gc_staged_csv_pass(const char **at, const char *end);

/* Appends a row as a contact in JSON; the first column has the id. */
extern void gc_staged_csv_contact(StringInfo json, char **columns, char **cells, int count);

#endif /* GC_FDW_STAGED_CSV_H */
