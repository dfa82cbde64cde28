/*
 * net/download.c
 *	  The bytes of a file, piece by piece, wherever redirects lead.
 */
#include "postgres.h"

#include "base/clock.h"
#include "base/url_check.h"
#include "net/download.h"
#include "net/loop.h"

#include "access/xact.h"
#include "lib/ilist.h"
#include "utils/memutils.h"

/* More redirects than that go round in a circle. */
#define HOPS_MAX 5

/* Bytes are booked for the views once there are so many. */
#define BOOK_BYTES (1024 * 1024)

struct GcDownload
{
	dlist_node node; /* in open_downloads */
	const GcDownloadSetup *setup;
	MemoryContext attempt_cxt; /* the exchange's, reset for each attempt; NULL: adopted */
	GcHttpExchange *exchange;
	const char *path; /* for messages: without its query */
	int64 received;
	int64 booked;
	bool at_work; /* somebody waits for it, which may throw */
	MemoryContextCallback on_reset;
};

static dlist_head open_downloads = DLIST_STATIC_INIT(open_downloads);

/* Runs when its memory goes; the exchange may have gone just before. */
static void
download_reset(void *arg)
{
	dlist_delete(&((GcDownload *) arg)->node);
}

static GcDownload *
download_make(const GcDownloadSetup *setup)
{
	GcDownload *download = palloc0(sizeof(GcDownload));

	download->setup = setup;
	dlist_push_tail(&open_downloads, &download->node);
	download->on_reset.func = download_reset;
	download->on_reset.arg = download;
	MemoryContextRegisterResetCallback(CurrentMemoryContext, &download->on_reset);
	return download;
}

/* ---- waiting ---- */

/* Waits for something to happen in the exchange; false if nothing did until then. */
static bool
download_wait(GcDownload *download, GcTime until)
{
	GcTime from = gc_clock_now();

	if (until != 0 && from >= until)
		return false;
	download->at_work = true;
	gc_loop_wait(until, GC_WAIT_HTTP);
	download->at_work = false;
	download->setup->stat->wait_us += gc_clock_now() - from;
	return true;
}

static void
wait_before_retry(GcDownload *download, GcTime until)
{
	GcTime from = gc_clock_now();

	while (gc_clock_now() < until)
		gc_loop_wait(until, GC_WAIT_BACKOFF);
	download->setup->stat->wait_us += gc_clock_now() - from;
	download->setup->stat->quota_wait_us += gc_clock_now() - from;
	gc_stat_quota_wait(download->setup->owner, gc_clock_now() - from);
}

/* ---- what can go wrong ---- */

/* The download itself breaks a rule. */
static GcFailure *
download_failure(GcDownload *download, GcCause cause, const char *message)
{
	GcFailure *failure = palloc0(sizeof(GcFailure));

	failure->outcome = GC_HTTP_PENDING;
	failure->cause = cause;
	failure->sqlstate = gc_policy(cause)->sqlstate;
	failure->message = message;
	failure->method = "GET";
	failure->path = download->path;
	return failure;
}

/* A body whose length nobody tells could be cut off without anybody noticing. */
static GcFailure *
check_length(GcDownload *download)
{
	if (gc_http_header(download->exchange, "Content-Length") ||
		gc_http_header(download->exchange, "Transfer-Encoding"))
		return NULL;
	return download_failure(download, GC_CAUSE_GARBLED,
							"The answer does not say how long the file is, so nobody could "
							"tell whether all of it has come");
}

static GcFailure *
broken_off(GcDownload *download, const char *why)
{
	return download_failure(download, GC_CAUSE_LOST,
							psprintf("The download broke off after " INT64_FORMAT " bytes: %s",
									 download->received, why));
}

/* ---- the way to the file ---- */

static void
download_send(GcDownload *download, const char *url)
{
	GcHttpRequest request = *download->setup->transport;
	const char *headers[] = {"Accept: */*", NULL};
	MemoryContext caller_cxt;

	download->exchange = NULL;
	MemoryContextReset(download->attempt_cxt);
	caller_cxt = MemoryContextSwitchTo(download->attempt_cxt);
	request.method = "GET";
	request.url = url;
	request.headers = headers;
	request.window = GC_DOWNLOAD_WINDOW;
	/* Who we are is the API's to know. */
	request.client_cert = request.client_key = NULL;
	download->exchange = gc_http_start(&request);
	MemoryContextSwitchTo(caller_cxt);
	download->setup->stat->requests++;
	if (download->setup->stat->spent)
		(*download->setup->stat->spent)++;
	while (gc_http_outcome(download->exchange) == GC_HTTP_PENDING)
		(void) download_wait(download, 0);
}

/* Books an ended attempt for the views. */
static void
book_attempt(GcDownload *download, int attempt)
{
	GcHttpExchange *exchange = download->exchange;
	bool answered = gc_http_outcome(exchange) == GC_HTTP_ANSWERED;
	GcStatRequest request = {.method = "GET",
							 .path = download->path,
							 .endpoint = "{file}",
							 .status = answered ? gc_http_status(exchange) : 0,
							 .us = gc_http_time_us(exchange),
							 .attempt = attempt};

	download->setup->stat->retries += attempt > 1;
	gc_stat_request(download->setup->owner, &request);
}

/* What the attempt came to: NULL for a file, or a redirect, then *location is set. */
static GcFailure *
read_answer(GcDownload *download, const char **location)
{
	GcHttpExchange *exchange = download->exchange;
	GcFailure *failure;
	int status;

	*location = NULL;
	status = gc_http_outcome(exchange) == GC_HTTP_ANSWERED ? gc_http_status(exchange) : 0;
	if (status >= 300 && status < 400)
		*location = gc_http_header(exchange, "Location");
	if (*location || (status >= 200 && status < 300))
		return NULL;
	failure = gc_failure_read(exchange, "GET", download->path, NULL);
	/* Nothing here is the credentials' fault. */
	if (status == 401 || status == 403)
	{
		failure->sqlstate = ERRCODE_CONNECTION_FAILURE;
		failure->hint = "The address of the file may have expired.  Run it again.";
	}
	return failure;
}

/* One hop with its retries; NULL for a file, or a redirect, then *location is set. */
static GcFailure *
download_hop(GcDownload *download, const char *url, const char **location)
{
	GcRetry retry = {.call_class = GC_CALL_SAFE, .started = gc_clock_now()};

	download->path = gc_url_without_query(url);
	for (;;)
	{
		GcFailure *failure;
		GcVerdict verdict;

		retry.sent_at = gc_clock_now();
		download_send(download, url);
		failure = read_answer(download, location);
		verdict = gc_retry_judge(&retry, download->setup->retry, download->exchange,
								 failure ? failure->cause : GC_CAUSE_NONE, gc_clock_now());
		book_attempt(download, retry.attempts);
		if (verdict == GC_VERDICT_SUCCESS)
			return NULL;
		if (verdict != GC_VERDICT_RETRY)
		{
			failure->gave_up = retry.gave_up;
			return failure;
		}
		wait_before_retry(download, retry.retry_at);
	}
}

GcDownload *
gc_download_open(const GcDownloadSetup *setup, const char *url, GcFailure **failure)
{
	GcDownload *download = download_make(setup);

	download->attempt_cxt =
		AllocSetContextCreate(CurrentMemoryContext, "gc_fdw download", ALLOCSET_SMALL_SIZES);
	for (int hop = 0; hop <= HOPS_MAX; hop++)
	{
		const char *location;
		const char *problem;
		char *next;

		*failure = download_hop(download, url, &location);
		if (*failure == NULL && location == NULL)
			*failure = check_length(download);
		if (*failure || location == NULL)
			return *failure ? NULL : download;
		problem = gc_url_follow(url, location, &next);
		if (problem)
		{
			*failure = download_failure(
				download, GC_CAUSE_GARBLED,
				psprintf("It is redirected to where nobody follows: %s", problem));
			return NULL;
		}
		url = next;
	}
	*failure =
		download_failure(download, GC_CAUSE_GARBLED,
						 psprintf("It is redirected more often than %d times", HOPS_MAX));
	return NULL;
}

GcDownload *
gc_download_adopt(const GcDownloadSetup *setup, GcHttpExchange *exchange, const char *path,
				  GcFailure **failure)
{
	GcDownload *download = download_make(setup);

	download->exchange = exchange;
	download->path = path;
	*failure = check_length(download);
	return *failure ? NULL : download;
}

/* ---- the file ---- */

static void
book_bytes(GcDownload *download)
{
	gc_stat_received(download->setup->owner, download->received - download->booked);
	download->booked = download->received;
}

int
gc_download_read(GcDownload *download, char *buf, int min, int max, GcFailure **failure)
{
	int limit = download->setup->transport->request_timeout;
	GcTime until = 0;
	int len = 0;

	while (len < min)
	{
		int taken = gc_http_take(download->exchange, buf + len, max - len);

		len += taken;
		download->received += taken;
		if (taken > 0)
			until = 0;
		else if (gc_http_is_whole(download->exchange))
			break;
		else if (gc_http_is_over(download->exchange))
		{
			*failure = broken_off(download, gc_http_error(download->exchange));
			return -1;
		}
		else if (until == 0)
			until = gc_clock_now() + limit * INT64CONST(1000);
		else if (!download_wait(download, until))
		{
			*failure = broken_off(
				download, psprintf("Nothing more came for %g s (limit: request_timeout)",
								   limit / 1000.0));
			return -1;
		}
	}
	download->setup->stat->bytes_received += len;
	if (len < min || download->received - download->booked >= BOOK_BYTES)
		book_bytes(download);
	return len;
}

/* ---- transactions ---- */

static void
download_cancel(GcDownload *download)
{
	gc_http_free(download->exchange);
	download->at_work = false;
}

static void
on_xact(XactEvent event, void *arg)
{
	dlist_iter iter;

	if (event != XACT_EVENT_ABORT && event != XACT_EVENT_PARALLEL_ABORT)
		return;
	dlist_foreach (iter, &open_downloads)
		download_cancel(dlist_container(GcDownload, node, iter.cur));
}

/*
 * As with calls (api/request.c): a cursor from before the savepoint may outlive
 * what it failed in, and nobody fetches from it any more.
 */
static void
on_subxact(SubXactEvent event, SubTransactionId mine, SubTransactionId parent, void *arg)
{
	dlist_iter iter;

	if (event != SUBXACT_EVENT_ABORT_SUB)
		return;
	dlist_foreach (iter, &open_downloads)
	{
		GcDownload *download = dlist_container(GcDownload, node, iter.cur);

		if (download->at_work)
			download_cancel(download);
	}
}

void
gc_download_init(void)
{
	RegisterXactCallback(on_xact, NULL);
	RegisterSubXactCallback(on_subxact, NULL);
}
