/*
 * server.c
 *	  HTTP in and out: the only module, with send.c, that knows libmicrohttpd.
 */
#include <arpa/inet.h>
#include <gnutls/gnutls.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <unistd.h>

#include "exchange.h"
#include "outage.h"
#include "route.h"
#include "server.h"
#include "state.h"

#define CONNECTION_MEMORY (512 * 1024) /* half of it is what one read may take */
#define CONTROL_BODY_MAX  (256 * 1024 * 1024)
#define FORM_MEMORY		  (512 * 1024)
#define UPLOAD_KEPT		  (64 * 1024) /* of the body of an upload, for records and faults */

static struct MHD_Daemon *http_daemon;
static struct MHD_Daemon *storage_daemon;
static char *tls_cert;
static char *tls_key;
static char *tls_client_ca;

static void *
on_uri(void *cls, const char *uri, struct MHD_Connection *connection)
{
	(void) connection;
	return exchange_create(uri, cls != NULL);
}

static void
on_connection(void *cls, struct MHD_Connection *connection, void **context,
			  enum MHD_ConnectionNotificationCode code)
{
	static _Atomic uintptr_t numbers;

	(void) cls;
	if (code != MHD_CONNECTION_NOTIFY_STARTED)
	{
		outage_leave((unsigned) (uintptr_t) *context);
		return;
	}
	counters.connections++;
	*context = (void *) ++numbers;
	outage_join(
		(unsigned) (uintptr_t) *context,
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd);
}

static enum MHD_Result
may_connect(void *cls, const struct sockaddr *address, socklen_t len)
{
	(void) cls;
	(void) address;
	(void) len;
	return outage_is_on() ? MHD_NO : MHD_YES;
}

static void
on_completed(void *cls, struct MHD_Connection *connection, void **context,
			 enum MHD_RequestTerminationCode code)
{
	(void) cls;
	(void) connection;
	(void) code;
	if (*context)
		exchange_free(*context);
	*context = NULL;
}

static enum MHD_Result
keep_header(void *cls, enum MHD_ValueKind kind, const char *name, const char *value)
{
	Request *req = cls;

	(void) kind;
	if (req->nheaders == MAX_HEADERS)
		return MHD_NO;
	req->headers[req->nheaders++] = (Header){name, value ? value : ""};
	return MHD_YES;
}

/* libmicrohttpd asks for a certificate and takes whatever comes, or none. */
static bool
is_trusted(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info;
	unsigned faulty;

	if (tls_client_ca == NULL)
		return true;
	info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
	return gnutls_certificate_verify_peers2(info->tls_session, &faulty) == GNUTLS_E_SUCCESS &&
		   faulty == 0;
}

static enum MHD_Result
take_part(void *cls, enum MHD_ValueKind kind, const char *name, const char *file,
		  const char *type, const char *encoding, const char *bytes, uint64_t at, size_t n)
{
	Intake *intake = cls;

	(void) kind;
	(void) type;
	(void) encoding;
	if (file || (name && strcmp(name, "file") == 0))
		intake_file(intake, bytes, n);
	else if (name)
		intake_field(intake, name, bytes, n, at == 0);
	return MHD_YES;
}

/* Where a file is to come in, it does not go into the body. */
static void
begin_intake(Exchange *exchange, struct MHD_Connection *connection)
{
	Request *req = exchange->req;
	const char *type = request_header(req, "Content-Type");
	FileKind kind = exchange->control ? FILE_NONE : route_takes_file(req);

	if (kind == FILE_NONE)
		return;
	req->intake = intake_create(kind == FILE_IN_FORM);
	if (kind != FILE_IN_FORM)
		return;
	if (type && strncasecmp(type, "multipart/form-data", 19) == 0)
		exchange->form =
			MHD_create_post_processor(connection, FORM_MEMORY, take_part, req->intake);
	req->intake->malformed = exchange->form == NULL;
}

static void
begin(Exchange *exchange, struct MHD_Connection *connection, const char *method)
{
	Request *req = exchange->req;
	const char *length;
	size_t expected;

	req->method = method;
	req->arrived_us = sim_now_us();
	MHD_get_connection_values(connection, MHD_HEADER_KIND, keep_header, req);
	req->connection = (unsigned) (uintptr_t) MHD_get_connection_info(
						  connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)
						  ->socket_context;
	exchange->fd =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
	exchange->trusted = req->storage || is_trusted(connection);
	exchange_start(exchange);
	begin_intake(exchange, connection);
	length = request_header(req, "Content-Length");
	expected = length ? strtoul(length, NULL, 10) : 0;
	buf_reserve(&req->body, expected > 0 && expected <= MAX_BODY_BYTES ? expected : 1);
}

static void
take_file(Exchange *exchange, const char *data, size_t len)
{
	Intake *intake = exchange->req->intake;

	if (!intake->parts)
		intake_file(intake, data, len);
	else if (!intake->malformed && MHD_post_process(exchange->form, data, len) != MHD_YES)
		intake->malformed = true;
}

/* What is over the limit is counted, not kept; but of a file some is. */
static void
take_body(Exchange *exchange, const char *data, size_t len)
{
	Request *req = exchange->req;
	size_t most = exchange->control ? CONTROL_BODY_MAX : route_body_max(req);

	if (req->intake)
	{
		take_file(exchange, data, len);
		most = UPLOAD_KEPT;
		if (req->body_bytes < most && req->body_bytes + len > most)
			buf_put(&req->body, data, most - req->body_bytes);
	}
	req->body_bytes += len;
	if (req->body_bytes <= most)
		buf_put(&req->body, data, len);
}

static void
end_body(Exchange *exchange)
{
	Intake *intake = exchange->req->intake;

	if (exchange->form && MHD_destroy_post_processor(exchange->form) != MHD_YES)
		intake->malformed = true;
	exchange->form = NULL;
	if (intake)
		intake_end(intake);
}

static enum MHD_Result
on_request(void *cls, struct MHD_Connection *connection, const char *url, const char *method,
		   const char *version, const char *data, size_t *len, void **context)
{
	Exchange *exchange = *context;

	(void) cls;
	(void) url;
	(void) version;
	if (!exchange->started)
	{
		begin(exchange, connection, method);
		return MHD_YES;
	}
	if (*len > 0)
	{
		bool first = exchange->req->body_bytes == 0;
		size_t n = *len;

		take_body(exchange, data, n);
		*len = 0;
		return (first && exchange_cut(exchange)) || !exchange_slow(exchange, n) ? MHD_NO
																				: MHD_YES;
	}
	end_body(exchange);
	return exchange_carry_out(exchange) ? exchange_send(exchange, connection) : MHD_NO;
}

static char *
read_file(const char *path)
{
	FILE *file = fopen(path, "r");
	Buf text = {0};
	char piece[4096];
	size_t n;

	if (file == NULL)
		return NULL;
	while ((n = fread(piece, 1, sizeof(piece), file)) > 0)
		buf_put(&text, piece, n);
	fclose(file);
	buf_putc(&text, '\0');
	return text.data;
}

/* False, when there is a path and no such file. */
static bool
read_tls(const char *path, char **pem)
{
	if (path == NULL || (*pem = read_file(path)) != NULL)
		return true;
	fprintf(stderr, "gc_sim: cannot read %s\n", path);
	return false;
}

static struct MHD_Daemon *
start_daemon(int *port, bool storage)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
								  .sin_port = htons((uint16_t) *port),
								  .sin_addr = {htonl(INADDR_LOOPBACK)}};
	unsigned flags =
		MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL;
	struct MHD_OptionItem tls[] = {{MHD_OPTION_END, 0, NULL},
								   {MHD_OPTION_END, 0, NULL},
								   {MHD_OPTION_END, 0, NULL},
								   {MHD_OPTION_END, 0, NULL}};
	struct MHD_Daemon *one;

	if (tls_cert)
	{
		tls[0] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_CERT, 0, tls_cert};
		tls[1] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_KEY, 0, tls_key};
	}
	if (tls_client_ca && !storage)
		tls[2] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_TRUST, 0, tls_client_ca};
	one = MHD_start_daemon(
		flags | (tls_cert ? MHD_USE_TLS : 0), (uint16_t) *port, may_connect, NULL, on_request,
		NULL, MHD_OPTION_SOCK_ADDR, &address, MHD_OPTION_URI_LOG_CALLBACK, on_uri,
		storage ? &storage_daemon : NULL, MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL,
		MHD_OPTION_NOTIFY_CONNECTION, on_connection, NULL, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
		(size_t) CONNECTION_MEMORY, MHD_OPTION_CONNECTION_LIMIT, 1000u,
		MHD_OPTION_LISTENING_ADDRESS_REUSE, 1u, MHD_OPTION_ARRAY, tls, MHD_OPTION_END);
	if (one)
		*port = MHD_get_daemon_info(one, MHD_DAEMON_INFO_BIND_PORT)->port;
	return one;
}

bool
server_start(Ports *ports, const TlsFiles *files)
{
	if (!read_tls(files->cert, &tls_cert) || !read_tls(files->key, &tls_key) ||
		!read_tls(files->client_ca, &tls_client_ca) || !waits_open())
		return false;
	http_daemon = start_daemon(&ports->api, false);
	storage_daemon = http_daemon ? start_daemon(&ports->storage, true) : NULL;
	return storage_daemon != NULL;
}

void
server_stop(void)
{
	waits_end();
	MHD_stop_daemon(http_daemon);
	MHD_stop_daemon(storage_daemon);
	free(tls_cert);
	free(tls_key);
	free(tls_client_ca);
}
