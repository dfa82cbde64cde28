/*
 * csv.h
 *	  Contacts as the rows of an export.
 *
 * Wants the lock when the contacts are stored ones.
 */
#ifndef SIM_CSV_H
#define SIM_CSV_H

#include "buf.h"
#include "store.h"

typedef struct Csv Csv;

extern Csv *csv_create(const List *list);
extern void csv_put_header(const Csv *csv, Buf *out);
extern void csv_put_contact(const Csv *csv, Buf *out, const Contact *contact);
extern void csv_free(Csv *csv);

/* For files of other things: cells between separators, then the end of the row. */
extern void csv_put_start(Buf *out, const char *first_header);
extern void csv_put_cell(Buf *out, Span cell);
extern void csv_put_text(Buf *out, const char *cell);
extern void csv_put_end(Buf *out);

#endif
