/*
 * errors.h
 *	  The platform's ErrorBody as a reply.
 */
#ifndef SIM_ERRORS_H
#define SIM_ERRORS_H

#include "request.h"

extern void reply_error(Request *req, int status, const char *code, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* To an error reply: which field of which entity; either may be without text. */
extern void reply_error_detail(Request *req, Span field, Span entity_id);

/* To an error reply: the limit that was hit. */
extern void reply_error_limit(Request *req, const char *key, int64_t value);

#endif
