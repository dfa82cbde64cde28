/*
 * uploads.h
 *	  Files of contacts: sent to the upload service, or to the storage by a signed
 *	  address.
 *
 * A file that is taken is not imported yet: see imports.h.  The handlers take the
 * lock themselves.
 */
#ifndef SIM_UPLOADS_H
#define SIM_UPLOADS_H

#include "imports.h"

extern void upload_classic(Request *req); /* POST /uploads/v2/contactlist */
extern void upload_sign(Request *req);	  /* POST …/contactlists/uploads; wants the lock */
extern void upload_put(Request *req);	  /* to the storage */
extern void uploads_reset(void); /* addresses that were given are void; wants the lock */

/* Whether the form is one, with these fields (" a b ") and a file; false with a reply. */
extern bool upload_form(Request *req, const char *known);

typedef struct UploadFile
{
	Rows *rows; /* NULL = refused */
	int64_t total;
} UploadFile;

/*
 * The rows of the request's file, which is looked through for that, so without the
 * lock; with refuses, what is no such file is answered with 400.
 */
extern UploadFile upload_rows(Request *req, RowsOptions *options, bool refuses);

/* The import, with what is known of the file. */
extern Import *upload_begin(Request *req, const char *list_id, ImportKind kind,
							UploadFile file);

#endif
