/*
 * base/csv.h
 *	  Records of a CSV file, by the server's own lexer, that of COPY.
 *
 * Knows no columns: a record is its cells.  A byte order mark at the beginning
 * of the file is skipped, lines may end in CR LF, LF or CR, and cells are the
 * bytes of the file, whatever their encoding, without NUL.  Several may be read
 * by turns.  A reader lives in the memory context that was current when it was
 * opened.
 */
#ifndef GC_BASE_CSV_H
#define GC_BASE_CSV_H

#include "postgres.h"

#include "utils/rel.h"

typedef struct GcCsv GcCsv;

/* Reads the file: at least "min", at most "max" bytes; fewer than "min" only at its end. */
typedef int (*GcCsvRead)(void *arg, char *buf, int min, int max);

/*
 * "rel" is the table that pg_stat_progress_copy names; it must have a column
 * that is not generated, and stay open.  Reads nothing yet.
 */
extern GcCsv *gc_csv_open(Relation rel, GcCsvRead read, void *arg);

/*
 * The next record, empty lines aside: cells are zero-terminated, NULL for
 * nothing between two separators.  False at the end of the file.  They stay
 * until the next call, and may be written to.  Throws class 22 for what is no
 * CSV, without showing any of it, and whatever read() throws.
 */
extern bool gc_csv_next(GcCsv *csv, char ***cells, int *count);

/* The number of the record read last, from 1; its line may be a later one. */
extern int64 gc_csv_record(const GcCsv *csv);

#endif /* GC_BASE_CSV_H */
