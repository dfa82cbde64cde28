/*
 * generate.h
 *	  --discard: counts the contacts of a body fast, and makes up contacts.
 *
 * Owns a list's row template.
 */
#ifndef SIM_GENERATE_H
#define SIM_GENERATE_H

#include "request.h"
#include "store.h"

#define GENERATED_DIGITS 9

typedef struct Generated Generated;

/* Objects directly in the array that the text is; -1 when brackets do not match. */
extern int64_t scan_count_rows(const char *text, size_t len);

/* Contact number n of the list, as JSON.  Wants the lock. */
extern void generated_put(Buf *out, List *list, int64_t n);
extern int64_t generated_number(Span id); /* -1 when it is no generated id */

/* One to make rows of, and where in them its number stands; both to free. */
extern Contact *generated_sample(const List *list);
extern int generated_places(const Buf *text, size_t **places);
extern void generated_free(Generated *generated);

#endif
