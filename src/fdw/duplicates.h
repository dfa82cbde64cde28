/*
 * fdw/duplicates.h
 *	  INSERT and COPY of contacts that may be there already: the option on_duplicate.
 *
 * The platform has no conditional insert: a POST updates a contact whose id is
 * there.  Under 'ignore' and 'error' rows therefore wait, until the statement has
 * given all of them; then their ids are looked for, and what is to be sent is
 * sent, in the statement's order.  They wait within work_mem, and beyond it on
 * disk, whatever the number of lists; of each row one bit is kept besides.
 *
 * What another writer does between the look and the POST cannot be prevented.
 */
#ifndef GC_FDW_DUPLICATES_H
#define GC_FDW_DUPLICATES_H

#include "postgres.h"

#include "fdw/modify_state.h"

typedef enum GcOnDuplicate
{
	GC_DUPLICATE_UPDATE,
	GC_DUPLICATE_IGNORE,
	GC_DUPLICATE_ERROR,
} GcOnDuplicate;

/* What a statement does with contacts of that table that are there already. */
extern GcOnDuplicate gc_duplicates_mode(const GcRelation *rel, ModifyTableState *mtstate);

/* As the option spells it. */
extern const char *gc_duplicates_word(GcOnDuplicate mode);

typedef struct GcDuplicates GcDuplicates;

/* Of one table of a statement; what waits goes before its target is drained. */
extern GcDuplicates *gc_duplicates_open(EState *estate, const GcModify *modify,
										GcOnDuplicate mode);

/* The row waits. */
extern void gc_duplicates_hold(GcDuplicates *duplicates, const GcRow *row);

/* At once: is the row to be sent?  If it may not be there, and is: it is rejected, or that is thrown. */
extern bool gc_duplicates_pass(GcDuplicates *duplicates, GcRow *row);

/* Rows that were not sent since their contacts were there. */
extern int64 gc_duplicates_skipped(const GcDuplicates *duplicates);

#endif /* GC_FDW_DUPLICATES_H */
