/*
 * net/http.c
 *	  HTTPS exchanges, several in flight, interruptible throughout.
 *
 * curl's multi interface is driven by events.  Its sockets and its one timer (a
 * timerfd) live in an epoll of ours, and one WaitEventSet holds {latch,
 * postmaster death, that epoll}: a WaitEventSet cannot forget a socket, which
 * curl asks for all the time.  curl's callbacks only store what they are told
 * and never throw, since a longjmp through curl's frames would leave its
 * handles unusable; interrupts are served between calls into curl.
 *
 * Memory that curl fills is malloc'ed (curl outlives our contexts).  It hangs
 * on the exchange, and the exchange on the reset callback of its context,
 * because neither EndForeignScan nor anything else runs after an error.
 */
#include "postgres.h"

#include <curl/curl.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/compat.h"
#include "net/http.h"

#include "lib/ilist.h"
#include "libpq/pqsignal.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "storage/fd.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#if LIBCURL_VERSION_NUM < 0x075500
#error "gc_fdw needs libcurl 7.85 or later"
#endif

/* Events taken from the epoll at once; more simply come the next time. */
#define HTTP_EVENTS 16

/* curl's own buffers: a batch of 500 kB in few system calls. */
#define HTTP_BUFFER_SIZE (256 * 1024L)

/* Idle exchanges kept for their handles and buffers. */
#define HTTP_SPARES 16

/* A reply buffer larger than this is not kept for the next exchange. */
#define HTTP_KEEP_BUFFER (4 * 1024 * 1024)

/* What curl needs of one exchange; malloc'ed, reused. */
typedef struct Carrier
{
	CURL *easy;
	struct curl_slist *headers;
	const char *upload; /* the request body, what is left of it */
	size_t upload_left;
	char *reply;
	size_t reply_len;
	size_t reply_room;
	size_t reply_max;
	bool reply_too_big;
	bool reply_no_memory;
	char error[CURL_ERROR_SIZE];
	CURLcode code;
	bool done;
} Carrier;

struct GcHttpExchange
{
	Carrier *carrier; /* NULL once freed */
	MemoryContextCallback on_reset;
};

typedef struct Http
{
	CURLM *multi;
	int epoll_fd;
	int timer_fd;
	WaitEventSet *waits;
	int active;	 /* exchanges in the multi handle */
	int settled; /* exchanges that ended since the last wait began */
	Carrier *spares[HTTP_SPARES];
	int spare_count;
} Http;

static Http http = {.epoll_fd = -1, .timer_fd = -1};

/* ---- curl's callbacks: they store, and never throw ---- */

static int
on_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *known)
{
	struct epoll_event event = {0};

	if (what == CURL_POLL_REMOVE)
	{
		(void) epoll_ctl(http.epoll_fd, EPOLL_CTL_DEL, fd, NULL);
		return 0;
	}
	event.data.fd = fd;
	if (what == CURL_POLL_IN || what == CURL_POLL_INOUT)
		event.events |= EPOLLIN;
	if (what == CURL_POLL_OUT || what == CURL_POLL_INOUT)
		event.events |= EPOLLOUT;
	if (known == NULL)
		(void) curl_multi_assign(http.multi, fd, &http);
	if (epoll_ctl(http.epoll_fd, known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event) != 0)
		return -1;
	return 0;
}

static int
on_timer(CURLM *multi, long timeout_ms, void *arg)
{
	struct itimerspec spec = {0};

	if (timeout_ms > 0)
	{
		spec.it_value.tv_sec = timeout_ms / 1000;
		spec.it_value.tv_nsec = (timeout_ms % 1000) * 1000000;
	}
	else if (timeout_ms == 0)
		spec.it_value.tv_nsec = 1; /* zero would disarm it */
	return timerfd_settime(http.timer_fd, 0, &spec, NULL) == 0 ? 0 : -1;
}

static size_t
on_upload(char *buffer, size_t size, size_t count, void *arg)
{
	Carrier *carrier = arg;
	size_t len = Min(size * count, carrier->upload_left);

	memcpy(buffer, carrier->upload, len);
	carrier->upload += len;
	carrier->upload_left -= len;
	return len;
}

static size_t
on_reply(char *data, size_t size, size_t count, void *arg)
{
	Carrier *carrier = arg;
	size_t len = size * count;

	if (len > carrier->reply_max - carrier->reply_len)
	{
		carrier->reply_too_big = true;
		return 0;
	}
	if (carrier->reply_len + len + 1 > carrier->reply_room)
	{
		size_t room = Max(carrier->reply_room * 2, carrier->reply_len + len + 1);
		char *grown = realloc(carrier->reply, room);

		if (grown == NULL)
		{
			carrier->reply_no_memory = true;
			return 0;
		}
		carrier->reply = grown;
		carrier->reply_room = room;
	}
	memcpy(carrier->reply + carrier->reply_len, data, len);
	carrier->reply_len += len;
	carrier->reply[carrier->reply_len] = '\0';
	return len;
}

/* Sockets are the server's descriptors too, so they count against its limit. */
static curl_socket_t
on_open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
	curl_socket_t fd;

	if (!AcquireExternalFD())
		return CURL_SOCKET_BAD;
	fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
	if (fd == CURL_SOCKET_BAD)
		ReleaseExternalFD();
	return fd;
}

static int
on_close_socket(void *arg, curl_socket_t fd)
{
	ReleaseExternalFD();
	return close(fd);
}

/* ---- the multi handle and its wait set ---- */

static void
http_no_memory(void)
{
	ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory"),
					errdetail("libcurl could not allocate a handle.")));
}

static void
http_open_waits(void)
{
	struct epoll_event event = {.events = EPOLLIN};

	if (http.waits != NULL)
		return;
	ReserveExternalFD();
	ReserveExternalFD();
	http.epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	http.timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	event.data.fd = http.timer_fd;
	if (http.epoll_fd < 0 || http.timer_fd < 0 ||
		epoll_ctl(http.epoll_fd, EPOLL_CTL_ADD, http.timer_fd, &event) != 0)
		ereport(FATAL, (errcode(ERRCODE_SYSTEM_ERROR),
						errmsg("could not create a descriptor to wait on: %m")));
	http.waits = gc_compat_wait_event_set(3);
	AddWaitEventToSet(http.waits, WL_LATCH_SET, PGINVALID_SOCKET, MyLatch, NULL);
	AddWaitEventToSet(http.waits, WL_EXIT_ON_PM_DEATH, PGINVALID_SOCKET, NULL, NULL);
	AddWaitEventToSet(http.waits, WL_SOCKET_READABLE, http.epoll_fd, NULL, NULL);
}

static void
http_open(void)
{
	if (http.multi != NULL)
		return;
	http_open_waits();
	http.multi = curl_multi_init();
	if (http.multi == NULL)
		http_no_memory();
	curl_multi_setopt(http.multi, CURLMOPT_SOCKETFUNCTION, on_socket);
	curl_multi_setopt(http.multi, CURLMOPT_TIMERFUNCTION, on_timer);
	curl_multi_setopt(http.multi, CURLMOPT_PIPELINING, CURLPIPE_MULTIPLEX);
}

/*
 * One call into curl.  Signals are blocked meanwhile: curl starts threads for
 * name look-ups, and they inherit the mask, so no handler of the server ever
 * runs in one of them.
 */
static void
http_socket_action(curl_socket_t fd, int events)
{
	int running;
	sigset_t blocked;
	sigset_t saved;

	sigfillset(&blocked);
	(void) pthread_sigmask(SIG_BLOCK, &blocked, &saved);
	(void) curl_multi_socket_action(http.multi, fd, events, &running);
	(void) pthread_sigmask(SIG_SETMASK, &saved, NULL);
}

/* Marks the exchanges that curl says have ended. */
static void
http_collect(void)
{
	CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(http.multi, &left)) != NULL)
	{
		Carrier *carrier;

		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &carrier);
		carrier->code = message->data.result;
		carrier->done = true;
		http.settled++;
	}
}

/* Hands curl every event that is there; false if there was none. */
static bool
http_advance(void)
{
	struct epoll_event events[HTTP_EVENTS];
	int count = epoll_wait(http.epoll_fd, events, HTTP_EVENTS, 0);

	for (int i = 0; i < count; i++)
	{
		uint32 what = events[i].events;
		int mask = 0;

		if (events[i].data.fd == http.timer_fd)
		{
			uint64 expirations;

			if (read(http.timer_fd, &expirations, sizeof(expirations)) > 0)
				http_socket_action(CURL_SOCKET_TIMEOUT, 0);
			continue;
		}
		if (what & EPOLLIN)
			mask |= CURL_CSELECT_IN;
		if (what & EPOLLOUT)
			mask |= CURL_CSELECT_OUT;
		if (what & (EPOLLERR | EPOLLHUP))
			mask |= CURL_CSELECT_ERR;
		http_socket_action(events[i].data.fd, mask);
	}
	http_collect();
	return count > 0;
}

void
gc_http_poll(void)
{
	if (http.multi == NULL || http.active == 0)
		return;
	/* A few turns: starting an exchange takes one for each of connect, send, receive. */
	for (int turn = 0; turn < 4 && http_advance(); turn++)
		;
}

void
gc_http_wait(TimestampTz until)
{
	http_open();
	http.settled = 0;
	for (;;)
	{
		long timeout = -1;
		WaitEvent ready;

		CHECK_FOR_INTERRUPTS();
		if (until != 0)
		{
			timeout = TimestampDifferenceMilliseconds(GetCurrentTimestamp(), until);
			if (timeout <= 0 && http.active == 0)
				return;
		}
		/* An exchange in flight needs no deadline of ours: curl's timer has it. */
		if (WaitEventSetWait(http.waits, timeout, &ready, 1, PG_WAIT_EXTENSION) == 1 &&
			(ready.events & WL_LATCH_SET))
			ResetLatch(MyLatch);
		http_advance();
		if (http.settled > 0 || timeout == 0)
			return;
	}
}

/* ---- exchanges ---- */

static void
carrier_destroy(Carrier *carrier)
{
	if (carrier->easy)
		curl_easy_cleanup(carrier->easy);
	free(carrier->reply);
	free(carrier);
}

static Carrier *
carrier_take(void)
{
	Carrier *carrier;

	if (http.spare_count > 0)
		return http.spares[--http.spare_count];
	carrier = calloc(1, sizeof(Carrier));
	if (carrier == NULL)
		http_no_memory();
	carrier->easy = curl_easy_init();
	if (carrier->easy == NULL)
	{
		free(carrier);
		http_no_memory();
	}
	return carrier;
}

/* Takes the carrier out of curl's hands; a pending one loses its connection. */
static void
carrier_give_back(Carrier *carrier)
{
	(void) curl_multi_remove_handle(http.multi, carrier->easy);
	http.active--;
	curl_slist_free_all(carrier->headers);
	carrier->headers = NULL;
	if (carrier->reply_room > HTTP_KEEP_BUFFER)
	{
		free(carrier->reply);
		carrier->reply = NULL;
		carrier->reply_room = 0;
	}
	if (http.spare_count < HTTP_SPARES)
	{
		curl_easy_reset(carrier->easy);
		http.spares[http.spare_count++] = carrier;
	}
	else
		carrier_destroy(carrier);
}

static void
exchange_reset(void *arg)
{
	GcHttpExchange *exchange = arg;

	if (exchange->carrier)
		carrier_give_back(exchange->carrier);
	exchange->carrier = NULL;
}

void
gc_http_free(GcHttpExchange *exchange)
{
	/* Its memory goes with its context, whose callback points into it. */
	if (exchange)
		exchange_reset(exchange);
}

static void
set_transport(Carrier *carrier, const GcHttpRequest *request)
{
	CURL *easy = carrier->easy;
	bool plain = strncmp(request->url, "http:", 5) == 0;

	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, plain ? "http" : "https");
	curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
	if (request->ca_file)
	{
		curl_easy_setopt(easy, CURLOPT_CAINFO, request->ca_file);
		curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
	}
	/* Settings of the server's environment are not the user's. */
	curl_easy_setopt(easy, CURLOPT_PROXY, "");
	curl_easy_setopt(easy, CURLOPT_NETRC, (long) CURL_NETRC_IGNORED);
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION,
					 plain ? (long) CURL_HTTP_VERSION_1_1 : (long) CURL_HTTP_VERSION_2TLS);
	curl_easy_setopt(easy, CURLOPT_PIPEWAIT, plain ? 0L : 1L);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
	curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long) request->connect_timeout);
	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long) request->request_timeout);
	curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, request->fresh_connection ? 1L : 0L);
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_open_socket);
	curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, on_close_socket);
	curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, HTTP_BUFFER_SIZE);
	curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, HTTP_BUFFER_SIZE);
}

static void
set_message(Carrier *carrier, const GcHttpRequest *request)
{
	CURL *easy = carrier->easy;

	carrier->reply_len = 0;
	carrier->reply_max = request->max_reply;
	carrier->reply_too_big = carrier->reply_no_memory = carrier->done = false;
	carrier->error[0] = '\0';
	for (const char *const *header = request->headers; header && *header; header++)
	{
		struct curl_slist *longer = curl_slist_append(carrier->headers, *header);

		if (longer == NULL)
			http_no_memory();
		carrier->headers = longer;
	}
	curl_easy_setopt(easy, CURLOPT_URL, request->url);
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, carrier->headers);
	curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "gzip");
	curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method);
	curl_easy_setopt(easy, CURLOPT_PRIVATE, carrier);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, carrier->error);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_reply);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, carrier);
	if (request->body)
	{
		/*
		 * A read function that cannot rewind, not POSTFIELDS: when a kept
		 * connection dies, curl would else send the body again on a new one by
		 * itself, and what may be repeated is not curl's to decide.
		 */
		carrier->upload = request->body;
		carrier->upload_left = request->body_len;
		curl_easy_setopt(easy, CURLOPT_POST, 1L);
		curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t) request->body_len);
		curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_upload);
		curl_easy_setopt(easy, CURLOPT_READDATA, carrier);
	}
}

GcHttpExchange *
gc_http_start(const GcHttpRequest *request)
{
	GcHttpExchange *exchange = palloc0(sizeof(GcHttpExchange));

	http_open();
	exchange->on_reset.func = exchange_reset;
	exchange->on_reset.arg = exchange;
	MemoryContextRegisterResetCallback(CurrentMemoryContext, &exchange->on_reset);
	exchange->carrier = carrier_take();
	http.active++; /* from here on the callback gives the carrier back */
	set_transport(exchange->carrier, request);
	set_message(exchange->carrier, request);
	if (curl_multi_add_handle(http.multi, exchange->carrier->easy) != CURLM_OK)
		http_no_memory();
	gc_http_poll();
	return exchange;
}

/* Did any of the request leave this machine? */
static bool
carrier_sent(Carrier *carrier)
{
	curl_off_t pretransfer = 0;

	curl_easy_getinfo(carrier->easy, CURLINFO_PRETRANSFER_TIME_T, &pretransfer);
	return pretransfer > 0;
}

GcHttpOutcome
gc_http_outcome(const GcHttpExchange *exchange)
{
	Carrier *carrier = exchange->carrier;

	if (!carrier->done)
		return GC_HTTP_PENDING;
	if (carrier->reply_no_memory)
		http_no_memory();
	if (carrier->code == CURLE_OK)
		return GC_HTTP_ANSWERED;
	if (carrier->reply_too_big)
		return GC_HTTP_TOO_BIG;
	return carrier_sent(carrier) ? GC_HTTP_LOST : GC_HTTP_NOT_SENT;
}

int
gc_http_status(const GcHttpExchange *exchange)
{
	long status = 0;

	curl_easy_getinfo(exchange->carrier->easy, CURLINFO_RESPONSE_CODE, &status);
	return (int) status;
}

const char *
gc_http_header(const GcHttpExchange *exchange, const char *name)
{
	struct curl_header *header;

	if (curl_easy_header(exchange->carrier->easy, name, 0, CURLH_HEADER, -1, &header) !=
		CURLHE_OK)
		return NULL;
	return header->value;
}

const char *
gc_http_body(const GcHttpExchange *exchange, size_t *len)
{
	Carrier *carrier = exchange->carrier;

	*len = carrier->reply_len;
	return carrier->reply_len > 0 ? carrier->reply : "";
}

const char *
gc_http_error(const GcHttpExchange *exchange)
{
	Carrier *carrier = exchange->carrier;

	return carrier->error[0] ? carrier->error : curl_easy_strerror(carrier->code);
}

bool
gc_http_is_tls_error(const GcHttpExchange *exchange)
{
	switch (exchange->carrier->code)
	{
		case CURLE_SSL_CONNECT_ERROR:
		case CURLE_PEER_FAILED_VERIFICATION:
		case CURLE_SSL_CACERT_BADFILE:
		case CURLE_SSL_CERTPROBLEM:
		case CURLE_SSL_CIPHER:
		case CURLE_SSL_ISSUER_ERROR:
			return true;
		default:
			return false;
	}
}

bool
gc_http_is_timeout(const GcHttpExchange *exchange)
{
	return exchange->carrier->code == CURLE_OPERATION_TIMEDOUT;
}

void
gc_http_close_idle(void)
{
	if (http.multi == NULL || http.active > 0)
		return;
	while (http.spare_count > 0)
		carrier_destroy(http.spares[--http.spare_count]);
	curl_multi_cleanup(http.multi);
	http.multi = NULL;
}
