/*
 * fuzz/answer.h
 *	  An exchange that has ended, made of an input instead of by curl.
 *
 * answer.c is what the tested code calls in the place of net/http.c: the
 * first line of the input is the outcome or status, then come header lines up
 * to an empty one, then the body.
 */
#ifndef GC_FUZZ_ANSWER_H
#define GC_FUZZ_ANSWER_H

#include "postgres.h"

#include "net/http.h"

extern GcHttpExchange *answer_read(const uint8 *data, size_t size);

#endif /* GC_FUZZ_ANSWER_H */
