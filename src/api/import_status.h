/*
 * api/import_status.h
 *	  What a contact list shows of the file that it was filled from last, or is at the moment.
 */
#ifndef GC_API_IMPORT_STATUS_H
#define GC_API_IMPORT_STATUS_H

#include "postgres.h"

#include "api/request.h"

#include "datatype/timestamp.h"

typedef struct GcImportStatus
{
	bool at_work;
	bool failed; /* neither: it has ended well, or there was none */
	int64 total;
	int64 completed;
	int percent;
	char failure[64]; /* the platform's code; "": none */
	TimestampTz at;	  /* by the platform's clock; DT_NOBEGIN: it does not say */
} GcImportStatus;

/*
 * Asks for it.  False: it could not be had, for a reason that passes by itself, and is no
 * news of the import (SCENARIOS J3); other failures are thrown.
 */
extern bool gc_import_status_get(GcCalls *calls, const char *list_id, const char *what,
								 GcImportStatus *status);

/* Do they show the same? */
extern bool gc_import_status_same(const GcImportStatus *a, const GcImportStatus *b);

/* What such a code says, a sentence. */
extern const char *gc_import_failure_words(const char *code);

#endif /* GC_API_IMPORT_STATUS_H */
