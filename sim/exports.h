/*
 * exports.h
 *	  Exports: asked for, made after a while, downloaded from the storage.
 *
 * An export holds what there was when it was asked for.  Of each list the last
 * that is ready is kept, and the one that is on its way.  All want the lock.
 */
#ifndef SIM_EXPORTS_H
#define SIM_EXPORTS_H

#include "request.h"
#include "stream.h"

/*
 * Whether an export of what the path names may begin now; false with a reply,
 * which is no error where the one on its way serves both.  owner is the first
 * part of the path: contactlists or dnclists.
 */
extern bool export_may_begin(Request *req, const char *owner, const char *name);

/* Takes the stream; answers the reference. */
extern void export_begin(Request *req, const char *owner, const char *name, Stream *stream,
						 int64_t rows);
extern void export_get(Request *req, const char *owner); /* its uri */

/* A file that is there at once; takes the stream; its uri, to free. */
extern char *export_add(Request *req, const char *owner, const char *id, Stream *stream,
						int64_t rows);

extern void download_get(Request *req); /* GET /downloads/{id} */
extern void storage_get(Request *req);	/* on the other port, by a signed address */

extern void storage_error(Request *req, int status, const char *code, const char *message);

extern void exports_forget(const char *owner, const char *id);
extern void exports_reset(void);

/* How the storage is reached; once, at the start. */
extern void exports_set_storage(const char *scheme, int port);
extern char *exports_storage(void); /* its address, to free */

#endif
