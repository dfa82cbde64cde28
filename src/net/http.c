/*
 * net/http.c
 *	  HTTPS exchanges, several in flight.
 *
 * Memory that curl fills is malloc'ed (curl outlives our contexts), and curl's
 * callbacks only store and never throw.  A carrier, curl's handle with its
 * buffers, hangs on the exchange, and the exchange on the reset callback of its
 * context, because neither EndForeignScan nor anything else runs after an
 * error.  Carriers are reused.
 */
#include "postgres.h"

#include <curl/curl.h>

#include "base/url_check.h"
#include "net/http.h"
#include "net/loop.h"
#include "net/socket.h"
#include "net/transport.h"

#include "common/string.h"
#include "utils/memutils.h"

#if LIBCURL_VERSION_NUM < 0x075500
#error "gc_fdw needs libcurl 7.85 or later"
#endif

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
	int64 upload_later; /* bytes of a streamed body that are not given yet */
	bool starved;		/* … which it waits for */
	curl_mime *form;
	char *reply;
	size_t reply_len;
	size_t reply_room;
	size_t reply_max;
	size_t reply_taken; /* of a download: handed over already */
	size_t window;		/* … and what is kept ahead at most; 0: it is none */
	bool streaming;		/* the bytes of a download come */
	bool paused;		/* … but there was no room for more */
	bool reply_too_big;
	bool reply_no_memory;
	int requests;	/* sent, of which there is to be one */
	bool tunnelled; /* through a proxy, to a host that speaks TLS */
	bool look_up_refused;
	char error[CURL_ERROR_SIZE];
	GcTransfer transfer;
} Carrier;

struct GcHttpExchange
{
	Carrier *carrier; /* NULL once freed */
	MemoryContextCallback on_reset;
};

static Carrier *spares[HTTP_SPARES];
static int spare_count = 0;

/* ---- curl's callbacks: they store, and never throw ---- */

static size_t
on_upload(char *buffer, size_t size, size_t count, void *arg)
{
	Carrier *carrier = arg;
	size_t len = Min(size * count, carrier->upload_left);

	if (carrier->upload_left == 0 && carrier->upload_later > 0)
	{
		carrier->starved = true;
		gc_loop_notice();
		return CURL_READFUNC_PAUSE;
	}
	memcpy(buffer, carrier->upload, len);
	carrier->upload += len;
	carrier->upload_left -= len;
	return len;
}

/*
 * A request goes out.  Where a kept connection turns out to be dead, curl would
 * send the same on another by itself: uncounted, beyond max_retries.
 */
static int
on_request(void *arg, char *remote, char *local, int remote_port, int local_port)
{
	Carrier *carrier = arg;

	return ++carrier->requests > 1 ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
}

/* Adds to the reply; as curl wants it, what was taken of "len". */
static size_t
keep_reply(Carrier *carrier, const char *data, size_t len)
{
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

/* A download is a success whose bytes are taken as they come. */
static bool
begins_stream(Carrier *carrier)
{
	long status = 0;

	if (carrier->window == 0 || carrier->streaming)
		return false;
	curl_easy_getinfo(carrier->easy, CURLINFO_RESPONSE_CODE, &status);
	return status >= 200 && status < 300;
}

/* Bytes of a download: where there is no room, curl is to leave the rest in the socket. */
static size_t
keep_piece(Carrier *carrier, const char *data, size_t len)
{
	size_t left = carrier->reply_len - carrier->reply_taken;

	if (left > 0 && left + len > carrier->window)
	{
		carrier->paused = true;
		return CURL_WRITEFUNC_PAUSE;
	}
	if (carrier->reply_taken > 0)
	{
		memmove(carrier->reply, carrier->reply + carrier->reply_taken, left);
		carrier->reply_len = left;
		carrier->reply_taken = 0;
	}
	gc_loop_notice();
	return keep_reply(carrier, data, len);
}

static size_t
on_reply(char *data, size_t size, size_t count, void *arg)
{
	Carrier *carrier = arg;
	size_t len = size * count;

	if (begins_stream(carrier))
	{
		carrier->streaming = true;
		/* It takes as long as its reader: who waits for the next bytes has a limit for that. */
		curl_easy_setopt(carrier->easy, CURLOPT_TIMEOUT_MS, 0L);
	}
	if (carrier->streaming)
		return keep_piece(carrier, data, len);
	if (len > carrier->reply_max - carrier->reply_len)
	{
		carrier->reply_too_big = true;
		return 0;
	}
	return keep_reply(carrier, data, len);
}

/* Before each name look-up that curl begins: may there be one more thread? */
static int
on_look_up(void *resolver, void *reserved, void *arg)
{
	Carrier *carrier = arg;

	carrier->look_up_refused = !gc_socket_may_look_up();
	return carrier->look_up_refused;
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

	if (spare_count > 0)
		return spares[--spare_count];
	carrier = calloc(1, sizeof(Carrier));
	if (carrier == NULL)
		gc_loop_no_memory();
	carrier->easy = curl_easy_init();
	if (carrier->easy == NULL)
	{
		free(carrier);
		gc_loop_no_memory();
	}
	return carrier;
}

/* Takes the carrier out of curl's hands; a pending one loses its connection. */
static void
carrier_give_back(Carrier *carrier)
{
	/* A handle that failed may keep more of it than curl_easy_reset() clears (a body to rewind). */
	bool sound = carrier->transfer.done && carrier->transfer.code == CURLE_OK;

	gc_loop_remove(carrier->easy, &carrier->transfer);
	curl_slist_free_all(carrier->headers);
	carrier->headers = NULL;
	curl_mime_free(carrier->form);
	carrier->form = NULL;
	if (carrier->reply_room > HTTP_KEEP_BUFFER)
	{
		free(carrier->reply);
		carrier->reply = NULL;
		carrier->reply_room = 0;
	}
	if (sound && spare_count < HTTP_SPARES)
	{
		curl_easy_reset(carrier->easy);
		spares[spare_count++] = carrier;
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

/*
 * A read function that cannot rewind, not POSTFIELDS: when a kept connection dies,
 * curl would else send the body again on a new one by itself, and what may be
 * repeated is not curl's to decide.
 */
static void
set_body(Carrier *carrier, const GcHttpRequest *request)
{
	CURL *easy = carrier->easy;

	carrier->upload = request->body;
	carrier->upload_left = request->streamed ? 0 : request->body_len;
	carrier->upload_later = request->streamed ? request->body_len : 0;
	carrier->starved = false;
	curl_easy_setopt(easy, CURLOPT_POST, 1L);
	curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t) request->body_len);
	curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_upload);
	curl_easy_setopt(easy, CURLOPT_READDATA, carrier);
}

static curl_mimepart *
add_field(Carrier *carrier, const char *name, const char *value)
{
	curl_mimepart *field = curl_mime_addpart(carrier->form);

	if (field == NULL || curl_mime_name(field, name) != CURLE_OK ||
		(value && curl_mime_data(field, value, CURL_ZERO_TERMINATED) != CURLE_OK))
		gc_loop_no_memory();
	return field;
}

static void
set_form(Carrier *carrier, const GcHttpRequest *request)
{
	curl_mimepart *file;

	carrier->form = curl_mime_init(carrier->easy);
	if (carrier->form == NULL)
		gc_loop_no_memory();
	for (const char *const *field = request->form; *field; field += 2)
		(void) add_field(carrier, field[0], field[1]);
	file = add_field(carrier, "file", NULL);
	if (curl_mime_filename(file, "contacts.csv") != CURLE_OK ||
		curl_mime_type(file, "text/csv") != CURLE_OK ||
		curl_mime_data_cb(file, (curl_off_t) request->body_len, on_upload, NULL, NULL,
						  carrier) != CURLE_OK)
		gc_loop_no_memory();
	curl_easy_setopt(carrier->easy, CURLOPT_MIMEPOST, carrier->form);
}

static void
set_message(Carrier *carrier, const GcHttpRequest *request)
{
	CURL *easy = carrier->easy;

	carrier->reply_len = 0;
	carrier->reply_taken = 0;
	carrier->reply_max = request->max_reply;
	carrier->window = request->window;
	carrier->streaming = carrier->paused = false;
	carrier->reply_too_big = carrier->reply_no_memory = carrier->look_up_refused = false;
	carrier->requests = 0;
	carrier->error[0] = '\0';
	for (const char *const *header = request->headers; header && *header; header++)
	{
		struct curl_slist *longer = curl_slist_append(carrier->headers, *header);

		if (longer == NULL)
			gc_loop_no_memory();
		carrier->headers = longer;
	}
	curl_easy_setopt(easy, CURLOPT_URL, request->url);
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, carrier->headers);
	curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, request->window > 0 ? "identity" : "gzip");
	curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, carrier->error);
	curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_request);
	curl_easy_setopt(easy, CURLOPT_PREREQDATA, carrier);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_reply);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, carrier);
	curl_easy_setopt(easy, CURLOPT_RESOLVER_START_FUNCTION, on_look_up);
	curl_easy_setopt(easy, CURLOPT_RESOLVER_START_DATA, carrier);
	if (request->body || request->streamed)
		set_body(carrier, request);
	if (request->form)
		set_form(carrier, request);
}

GcHttpExchange *
gc_http_start(const GcHttpRequest *request)
{
	GcHttpExchange *exchange = palloc0(sizeof(GcHttpExchange));

	exchange->on_reset.func = exchange_reset;
	exchange->on_reset.arg = exchange;
	MemoryContextRegisterResetCallback(CurrentMemoryContext, &exchange->on_reset);
	exchange->carrier = carrier_take();
	gc_transport_setup(exchange->carrier->easy, request);
	exchange->carrier->tunnelled = request->proxy && !gc_url_is_plain(request->url);
	set_message(exchange->carrier, request);
	gc_loop_add(exchange->carrier->easy, &exchange->carrier->transfer);
	return exchange;
}

/* Did any of the request leave this machine?  What opens a tunnel is not of it. */
static bool
carrier_sent(Carrier *carrier)
{
	long sent = 0;
	long connects = 0;
	curl_off_t handshake = 0;

	if (carrier->requests > 1)
		return true;
	if (carrier->tunnelled)
	{
		curl_easy_getinfo(carrier->easy, CURLINFO_NUM_CONNECTS, &connects);
		curl_easy_getinfo(carrier->easy, CURLINFO_APPCONNECT_TIME_T, &handshake);
		if (connects > 0 && handshake == 0)
			return false;
	}
	curl_easy_getinfo(carrier->easy, CURLINFO_REQUEST_SIZE, &sent);
	return sent > 0;
}

/*
 * Did the other side end the handshake because it wants a certificate of ours,
 * or another one?  With TLS 1.3 that comes when the request is on its way
 * already, which is then read by nobody.  curl tells it by OpenSSL's words alone.
 */
static bool
certificate_refused(Carrier *carrier)
{
	return strstr(carrier->error, " alert ") != NULL &&
		   (strstr(carrier->error, "certificate") != NULL ||
			strstr(carrier->error, "unknown ca") != NULL);
}

GcHttpOutcome
gc_http_outcome(const GcHttpExchange *exchange)
{
	Carrier *carrier = exchange->carrier;

	if (carrier->reply_no_memory)
		gc_loop_no_memory();
	/* Whether a download is whole is for who takes its bytes to see. */
	if (carrier->streaming)
		return GC_HTTP_ANSWERED;
	if (!carrier->transfer.done)
		return GC_HTTP_PENDING;
	if (carrier->transfer.code == CURLE_OK)
		return GC_HTTP_ANSWERED;
	if (carrier->reply_too_big)
		return GC_HTTP_TOO_BIG;
	return carrier_sent(carrier) && !certificate_refused(carrier) ? GC_HTTP_LOST
																  : GC_HTTP_NOT_SENT;
}

int
gc_http_status(const GcHttpExchange *exchange)
{
	long status = 0;

	curl_easy_getinfo(exchange->carrier->easy, CURLINFO_RESPONSE_CODE, &status);
	return (int) status;
}

int64
gc_http_time_us(const GcHttpExchange *exchange)
{
	curl_off_t us = 0;

	curl_easy_getinfo(exchange->carrier->easy, CURLINFO_TOTAL_TIME_T, &us);
	return us;
}

const char *
gc_http_header(const GcHttpExchange *exchange, const char *name)
{
	struct curl_header *header;

	if (curl_easy_header(exchange->carrier->easy, name, 0, CURLH_HEADER, -1, &header) !=
		CURLHE_OK)
		return NULL;
	/* Other bytes have no meaning, nor need they be text of the database's encoding. */
	return pg_is_ascii(header->value) ? header->value : NULL;
}

const char *
gc_http_body(const GcHttpExchange *exchange, size_t *len)
{
	Carrier *carrier = exchange->carrier;

	*len = carrier->reply_len;
	return carrier->reply_len > 0 ? carrier->reply : "";
}

bool
gc_http_wants(const GcHttpExchange *exchange)
{
	const Carrier *carrier = exchange->carrier;

	return !carrier->transfer.done && carrier->upload_left == 0 && carrier->upload_later > 0;
}

void
gc_http_give(GcHttpExchange *exchange, const char *bytes, size_t len)
{
	Carrier *carrier = exchange->carrier;

	carrier->upload = bytes;
	carrier->upload_left = Min(len, carrier->upload_later);
	carrier->upload_later -= carrier->upload_left;
	if (carrier->starved)
	{
		carrier->starved = false;
		gc_loop_resume(carrier->easy);
	}
}

size_t
gc_http_take(GcHttpExchange *exchange, char *buf, size_t max)
{
	Carrier *carrier = exchange->carrier;
	size_t len = Min(max, carrier->reply_len - carrier->reply_taken);

	if (carrier->reply_no_memory)
		gc_loop_no_memory();
	if (len > 0)
		memcpy(buf, carrier->reply + carrier->reply_taken, len);
	carrier->reply_taken += len;
	if (carrier->paused && carrier->reply_len - carrier->reply_taken <= carrier->window / 2)
	{
		carrier->paused = false;
		gc_loop_resume(carrier->easy);
	}
	return len;
}

bool
gc_http_is_over(const GcHttpExchange *exchange)
{
	return exchange->carrier->transfer.done;
}

bool
gc_http_is_whole(const GcHttpExchange *exchange)
{
	return exchange->carrier->transfer.done && exchange->carrier->transfer.code == CURLE_OK;
}

const char *
gc_http_error(const GcHttpExchange *exchange)
{
	Carrier *carrier = exchange->carrier;

	/* Of a kept connection; curl's own words are of the second try that it is not let make. */
	if (carrier->transfer.code == CURLE_SEND_FAIL_REWIND || carrier->requests > 1)
		return "The server had closed the connection";
	if (carrier->look_up_refused)
		return "too many name look-ups of cancelled statements have not ended yet";
	return carrier->error[0] ? carrier->error : curl_easy_strerror(carrier->transfer.code);
}

/* CURLE_SSL_CONNECT_ERROR is not among them: a handshake may just have been cut off. */
bool
gc_http_is_tls_error(const GcHttpExchange *exchange)
{
	switch (exchange->carrier->transfer.code)
	{
		case CURLE_PEER_FAILED_VERIFICATION:
		case CURLE_SSL_CACERT_BADFILE:
		case CURLE_SSL_CERTPROBLEM:
		case CURLE_SSL_CIPHER:
		case CURLE_SSL_ISSUER_ERROR:
		case CURLE_BAD_FUNCTION_ARGUMENT: /* libcurl 8.23 of a client's key that is none */
			return true;
		default:
			return certificate_refused(exchange->carrier);
	}
}

bool
gc_http_is_timeout(const GcHttpExchange *exchange)
{
	return exchange->carrier->transfer.code == CURLE_OPERATION_TIMEDOUT;
}

int
gc_http_tunnel_status(const GcHttpExchange *exchange)
{
	long status = 0;

	curl_easy_getinfo(exchange->carrier->easy, CURLINFO_HTTP_CONNECTCODE, &status);
	return (int) status;
}

void
gc_http_close_idle(void)
{
	if (!gc_loop_close())
		return;
	while (spare_count > 0)
		carrier_destroy(spares[--spare_count]);
	gc_socket_forget_all();
}
