/*
 * fdw/merge.h
 *	  A contact as it was read, with the changes of an UPDATE.
 *
 * Only what SET names changes: other cells go back byte for byte as they came,
 * of columns that the table does not have, too; attributes that are not named
 * are left out, so that what somebody else did to them stays (DESIGN 3).
 */
#ifndef GC_FDW_MERGE_H
#define GC_FDW_MERGE_H

#include "postgres.h"

#include "api/contact_lists.h"
#include "fdw/encode.h"

typedef struct GcMerger GcMerger;

/* Lives in the current context. */
extern GcMerger *gc_merger_create(const GcList *list);

/*
 * Merges one contact.  "raw" is its JSON.  Returns NULL, or what is wrong with
 * that; scratch memory and the row go to the current context.
 */
extern const char *gc_merge(GcMerger *merger, const char *id, const char *raw, int raw_len,
							const GcPatch *patch, GcRow *row);

#endif /* GC_FDW_MERGE_H */
