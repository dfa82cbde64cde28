/*
 * fdw/pattern.h
 *	  What a platform without patterns can say of a LIKE pattern.
 */
#ifndef GC_FDW_PATTERN_H
#define GC_FDW_PATTERN_H

#include "postgres.h"

#include "api/criteria.h"

/*
 * The most telling test that a pattern's matches pass; false if there is none.
 * *whole: whatever passes it is a match, too.
 */
extern bool gc_pattern_test(const char *pattern, GcOperator *op, char **literal, bool *whole);

#endif /* GC_FDW_PATTERN_H */
