/*
 * fuzz/calls.h
 *	  API calls that end at once, answered by an input, in the place of api/request.c.
 */
#ifndef GC_FUZZ_CALLS_H
#define GC_FUZZ_CALLS_H

#include "postgres.h"

#include "api/request.h"

/* Between two answers; no JSON has this byte. */
#define CALLS_SEPARATOR 0x1e

/* The answers to the calls from now on. */
extern void calls_answer(const uint8 *data, size_t size);

#endif /* GC_FUZZ_CALLS_H */
