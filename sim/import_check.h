/*
 * import_check.h
 *	  What a list says of the cells of an import.
 */
#ifndef SIM_IMPORT_CHECK_H
#define SIM_IMPORT_CHECK_H

#include "import_rows.h"

typedef struct Checks Checks;

/* verifies: phone numbers and email addresses as well. */
extern Checks *checks_create(const List *list, bool verifies);
extern void checks_free(Checks *checks); /* NULL is fine */

/* Cuts cells that are too long, where that is what becomes of them. */
extern void checks_run(const Checks *checks, const Columns *columns, Span id, Span *cells,
					   RowError *error);

/* Keeps the first refusal. */
extern void row_refuse(RowError *error, const char *code, Span field, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

#endif
