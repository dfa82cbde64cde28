/*
 * fdw/verb.h
 *	  INSERT, UPDATE and DELETE as calls: what differs between them.
 */
#ifndef GC_FDW_VERB_H
#define GC_FDW_VERB_H

#include "postgres.h"

#include "api/contacts.h"
#include "fdw/batch.h"

typedef enum GcVerb
{
	GC_VERB_INSERT,
	GC_VERB_UPDATE,
	GC_VERB_DELETE,
} GcVerb;

typedef struct GcVerbInfo
{
	const char *command; /* for the view progress */
	int max_rows;		 /* of a batch */
	int max_bytes;
	const char *form; /* of its body: what opens it, stands between rows, closes it */
} GcVerbInfo;

extern const GcVerbInfo *gc_verb(GcVerb verb);

/* "could not … so many contacts", as the message of an error. */
extern const char *gc_verb_failed(GcVerb verb, int64 rows, const char *label);

/*
 * The call for a batch that is closed; "path" is that of a POST to the list.
 * What it points to lives as long as the batch's rows.
 */
extern void gc_verb_call(GcVerb verb, const GcList *list, const char *path,
						 const GcContactsFlags *flags, GcBatch *batch, GcCallSpec *spec);

#endif /* GC_FDW_VERB_H */
