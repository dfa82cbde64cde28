/*
 * api/upload.h
 *	  A CSV file handed to the platform, from which it fills a contact list.
 *
 * That it is taken says nothing of its rows: what becomes of them shows in the list's
 * import status (api/import_status.h) and in events (api/import_events.h).
 */
#ifndef GC_API_UPLOAD_H
#define GC_API_UPLOAD_H

#include "postgres.h"

#include "api/request.h"

typedef struct GcUpload
{
	GcConnection *conn;
	GcStat *stat;
	const char *list_id;
	const char *id_column; /* UTF-8: the file's column of contact ids */
	const char *what;	   /* is filled, for messages: contact list "x" */
	int64 bytes;
	const char *sha256; /* in hex, sent along */
	bool presigned;		/* to an address that the platform signs for it; else to its service */

	/* The file's "number"-th piece, from 1, in the current context; NULL: there is none. */
	char *(*piece)(void *arg, int number, int *len);
	void *arg;
} GcUpload;

typedef enum GcUploadOutcome
{
	GC_UPLOAD_TAKEN,
	GC_UPLOAD_LOCKED,	/* not taken: something else is at work on the list */
	GC_UPLOAD_IN_DOUBT, /* the answer was lost */
} GcUploadOutcome;

/* Can files be uploaded so? */
extern bool gc_upload_can(const GcConnection *conn, bool presigned);

/*
 * Uploads the file, and tries again where it is certain that it was not taken.
 * *correlation_id: the platform's, in the current context, or NULL.  Throws what cannot be helped.
 */
extern GcUploadOutcome gc_upload_send(const GcUpload *upload, const char **correlation_id);

#endif /* GC_API_UPLOAD_H */
