/*
 * csvread.h
 *	  Files of comma-separated values, read row by row.
 *
 * RFC 4180: cells may be quoted, quotes in them are doubled, rows end with CRLF
 * or LF.  Memory is that of a window on the file, however long that is.
 */
#ifndef SIM_CSVREAD_H
#define SIM_CSVREAD_H

#include "stream.h"

#define MAX_CSV_CELLS 256

typedef enum CsvRow
{
	CSV_ROW,
	CSV_BAD, /* quotes that do not fit, or a row that is too long: it has no cells */
	CSV_END
} CsvRow;

typedef struct CsvRead CsvRead;

/* Shares the stream, and passes over a byte order mark. */
extern CsvRead *csvread_create(Stream *stream);
extern void csvread_free(CsvRead *in); /* NULL is fine */

/*
 * The next row that is not blank; cells are good until the row after it is read.
 * More than MAX_CSV_CELLS are counted, not given.
 */
extern CsvRow csvread_next(CsvRead *in, Span *cells, int *ncells);

/* How many rows are left, without reading their cells; -1 when some of it is no UTF-8. */
extern int64_t csvread_count(CsvRead *in);

#endif
