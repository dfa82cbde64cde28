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

/* Where the next record goes; and back to there, which cannot fail. */
extern GcPendingPlace gc_pending_file_end(const GcPendingFile *file);
extern void gc_pending_file_cut(GcPendingFile *file, GcPendingPlace place);

/*
 * From the first record on.  The next one: its number, whether it is a patch, and
 * the contact's id, which stays until the one after; false at the end.  Then what
 * is in it: a row, which stays as long, or a patch in the current context.
 */
extern void gc_pending_file_rewind(GcPendingFile *file);
extern bool gc_pending_file_next(GcPendingFile *file, uint32 *number, bool *is_patch,
								 const char **id);
extern void gc_pending_file_get_row(GcPendingFile *file, GcRow *row);
extern void gc_pending_file_get_patch(GcPendingFile *file, GcPatch *patch);

#endif /* GC_FDW_PENDING_FILE_H */
