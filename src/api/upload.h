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

#include "api/jobs.h"
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
	bool as_job;		/* neither: to the list, as a job */

	/* The file's "number"-th piece, from 1, in the current context; NULL: there is none. */
	char *(*piece)(void *arg, int number, int *len);
	void *arg;
} GcUpload;

/* Can files be uploaded so? */
extern bool gc_upload_can(const GcConnection *conn, bool presigned);

/*
 * Uploads the file, and tries again where it is certain that it was not taken.
 * Its ticket has no job's id unless it goes as one.  Throws what cannot be helped.
 */
extern GcJobOutcome gc_upload_send(const GcUpload *upload, GcJobTicket *ticket);

#endif /* GC_API_UPLOAD_H */
