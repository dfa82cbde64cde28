/*
 * fuzz/oracle.h
 *	  What jansson makes of an input.
 *
 * It takes a zero byte behind a number for an end; no JSON has one outside of a string,
 * nor, unescaped, in it.
 */
#ifndef GC_FUZZ_ORACLE_H
#define GC_FUZZ_ORACLE_H

#include "postgres.h"

#include <jansson.h>

static inline json_t *
oracle_load(const uint8 *data, size_t size, size_t flags, json_error_t *error)
{
	memset(error, 0, sizeof(*error));
	return memchr(data, 0, size) ? NULL : json_loadb((const char *) data, size, flags, error);
}

#endif /* GC_FUZZ_ORACLE_H */
