/*
 * fdw/staged_row.h
 *	  An encoded contact as a line of an import's part, and back.
 *
 * The contact's JSON comes first, and has no tab or line feed in it; what else
 * its delivery must know follows behind tabs.
 */
#ifndef GC_FDW_STAGED_ROW_H
#define GC_FDW_STAGED_ROW_H

#include "postgres.h"

#include "fdw/encode.h"

#include "lib/stringinfo.h"

/* Appends the line, with its line feed. */
extern void gc_staged_row_put(StringInfo line, const GcRow *row);

/*
 * Takes the line at *at apart, up to "end", and sets *at behind it; false at the end.  What
 * it sets points into the line, which is changed for that, but for the id, which is in the
 * current context.  Throws if it is none of ours.
 */
extern bool gc_staged_row_get(char **at, const char *end, GcRow *row);

#endif /* GC_FDW_STAGED_ROW_H */
