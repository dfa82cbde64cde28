/*
 * net/download.h
 *	  The bytes of a file, piece by piece, wherever redirects lead.
 *
 * At most a window of them is kept ahead: where the reader is slow, the transfer
 * waits, and so does its sender.  A download carries no token, so that none goes
 * to a host that a redirect names.  It lives in the memory context that was
 * current when it was begun, and is aborted with it, or with the transaction.
 */
#ifndef GC_NET_DOWNLOAD_H
#define GC_NET_DOWNLOAD_H

#include "postgres.h"

#include "base/stat.h"
#include "net/failure.h"
#include "net/http.h"
#include "net/retry.h"

/* Bytes that are kept ahead of the reader. */
#define GC_DOWNLOAD_WINDOW (1024 * 1024)

/* How it is done, and where it is counted; must outlive the download. */
typedef struct GcDownloadSetup
{
	const GcHttpRequest
		*transport; /* its request_timeout: for a first byte, and for each next one */
	const GcRetryPolicy *retry;
	const GcStatOwner *owner;
	GcStat *stat;
} GcDownloadSetup;

typedef struct GcDownload GcDownload;

/*
 * Begins to fetch a file: follows redirects, tries again as the policy says, and
 * waits until its first bytes are there.  NULL with *failure set otherwise.
 */
extern GcDownload *gc_download_open(const GcDownloadSetup *setup, const char *url,
									GcFailure **failure);

/*
 * The same for a file that is the answer to a request made elsewhere, begun with
 * a window.  The current context must not outlive the exchange.
 */
extern GcDownload *gc_download_adopt(const GcDownloadSetup *setup, GcHttpExchange *exchange,
									 const char *path, GcFailure **failure);

/*
 * The next bytes: at least "min", at most "max"; fewer than "min" only at the
 * end.  -1 with *failure set where the download breaks off: nothing of it is
 * asked for again.
 */
extern int gc_download_read(GcDownload *download, char *buf, int min, int max,
							GcFailure **failure);

/* Registers the transaction callbacks; once, from _PG_init. */
extern void gc_download_init(void);

#endif /* GC_NET_DOWNLOAD_H */
