/*
 * fuzz/shim.h
 *	  What the tested code needs of the server, outside of a server.
 *
 * Every palloc is a malloc of its own, of exactly the size asked for, so that
 * the address sanitizer sees the ends of each.  Contexts free what is in them,
 * and run their reset callbacks; an ereport of ERROR ends shim_try().
 */
#ifndef GC_FUZZ_SHIM_H
#define GC_FUZZ_SHIM_H

#include "postgres.h"

/* The last ERROR; the message is only valid until the next one. */
typedef struct ShimError
{
	int sqlstate;
	char message[4096]; /* and detail, hint and context, a line each */
} ShimError;

extern ShimError shim_error;

/* Calls run(arg) in a context of its own, which is then deleted; false if it threw. */
extern bool shim_try(void (*run)(void *arg), void *arg);

/* A finding: says what is wrong, and aborts. */
#define shim_check(condition)                                                                 \
	((condition) ? (void) 0 : shim_fail(__FILE__, __LINE__, #condition))
extern void shim_fail(const char *file, int line, const char *condition)
	__attribute__((noreturn));

/* What libFuzzer calls. */
extern int LLVMFuzzerTestOneInput(const uint8 *data, size_t size);

#endif /* GC_FUZZ_SHIM_H */
