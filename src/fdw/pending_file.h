/*
 * fdw/pending_file.h
 *	  The file of what waits for COMMIT: encoded rows and changes, in order.
 *
 * Owned by the top transaction, so that a savepoint's end does not close it; after
 * an abort it is gone.
 */
#ifndef GC_FDW_PENDING_FILE_H
#define GC_FDW_PENDING_FILE_H

#include "postgres.h"

#include "fdw/encode.h"

typedef struct GcPendingFile GcPendingFile;

typedef enum GcPendingKind
{
	GC_PENDING_ROW,
	GC_PENDING_PATCH,  /* what an UPDATE changes */
	GC_PENDING_REJECT, /* a row that is not sent, since something is wrong with it */
} GcPendingKind;

/* A place in it. */
typedef struct GcPendingPlace
{
	int file;
	off_t offset;
} GcPendingPlace;

/* An empty file, in the current context. */
extern GcPendingFile *gc_pending_file_create(void);
extern void gc_pending_file_close(GcPendingFile *file);

/* Adds a record; "number" is the caller's. */
extern void gc_pending_file_put_row(GcPendingFile *file, uint32 number, const GcRow *row);
extern void gc_pending_file_put_patch(GcPendingFile *file, uint32 number, const char *id,
									  const GcPatch *patch);
extern void gc_pending_file_put_reject(GcPendingFile *file, uint32 number,
									   const GcProblem *problem, const char *id,
									   const char *row_data);

/* Where the next record goes; and back to there, which cannot fail. */
extern GcPendingPlace gc_pending_file_end(const GcPendingFile *file);
extern void gc_pending_file_cut(GcPendingFile *file, GcPendingPlace place);

/*
 * From the first record on.  The next one: its number, its kind, and the contact's id
 * (or NULL), which stays until the one after; false at the end.  Then what is in it:
 * a row or what is wrong with one, which stay as long, or a patch in the current context.
 */
extern void gc_pending_file_rewind(GcPendingFile *file);
extern bool gc_pending_file_next(GcPendingFile *file, uint32 *number, GcPendingKind *kind,
								 const char **id);
extern void gc_pending_file_get_row(GcPendingFile *file, GcRow *row);
extern void gc_pending_file_get_patch(GcPendingFile *file, GcPatch *patch);
extern void gc_pending_file_get_reject(GcPendingFile *file, GcProblem *problem,
									   const char **row_data);

#endif /* GC_FDW_PENDING_FILE_H */
