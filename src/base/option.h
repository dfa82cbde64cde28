/*
 * base/option.h
 *	  The table of options: where each may stand, its type, range and default.
 *
 * The validator, its hints and every reader walk this one table, so an option
 * cannot be accepted and then go unread under another name.  Names, types and
 * defaults are those of docs/reference.md.
 */
#ifndef GC_BASE_OPTION_H
#define GC_BASE_OPTION_H

#include "postgres.h"

#include "nodes/pg_list.h"

/* Where an option may stand, as a set. */
typedef enum GcOptionPlace
{
	GC_PLACE_SERVER = 1,
	GC_PLACE_MAPPING = 2,
	GC_PLACE_TABLE = 4,
	GC_PLACE_COLUMN = 8,
	GC_PLACE_IMPORT = 16, /* IMPORT FOREIGN SCHEMA … OPTIONS */
} GcOptionPlace;

/*
 * Throws unless every DefElem of "options" is an option that may stand in
 * "place" with a valid value: FDW_INVALID_OPTION_NAME with the nearest name as
 * a hint, also for two that exclude each other, or INVALID_PARAMETER_VALUE.
 */
extern void gc_option_validate(List *options, GcOptionPlace place);

/*
 * Readers.  "options" is searched first, then "fallback" (the server's, for
 * an option that both may carry; NIL otherwise), then the table's default.
 * They throw what the validator would, should a catalog hold a bad value.
 */
extern const char *gc_option_string(List *options, List *fallback, const char *name);
extern bool gc_option_bool(List *options, List *fallback, const char *name);
extern int gc_option_int(List *options, List *fallback, const char *name);
extern double gc_option_real(List *options, List *fallback, const char *name);
extern int gc_option_ms(List *options, List *fallback, const char *name);
extern int64 gc_option_bytes(List *options, List *fallback, const char *name);

/* Is it given explicitly? */
extern bool gc_option_given(List *options, const char *name);

#endif /* GC_BASE_OPTION_H */
