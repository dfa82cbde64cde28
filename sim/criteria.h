/*
 * criteria.h
 *	  The conditions of a search: checked once, then put to each contact.
 */
#ifndef SIM_CRITERIA_H
#define SIM_CRITERIA_H

#include "request.h"
#include "store.h"

typedef struct Criteria Criteria;

/* NULL, with an error as the reply, when they are not well-formed. */
extern Criteria *criteria_read(Request *req, const json_t *json, const Columns *columns);
extern bool criteria_is_relative(const Criteria *criteria); /* to the time of day */
extern bool criteria_match(Criteria *criteria, const Span *cells);
extern void criteria_free(Criteria *criteria);

/* Text as it is compared: as it is, or in lower case; *scratch may hold it. */
extern Span text_fold(Span text, bool ignore_case, Buf *scratch);
extern int text_compare(Span a, Span b);
extern bool text_number(Span text, long double *number);

/* Seconds since 1970 of yyyy-MM-dd, with or without a time; of a time from now. */
extern bool text_time(Span text, long double *seconds);
extern bool text_relative_time(Span text, long double *seconds);

#endif
