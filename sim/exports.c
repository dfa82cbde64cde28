/*
 * exports.c
 *	  Exports: asked for, made after a while, downloaded from the storage.
 */
#include <stdlib.h>

#include "digest.h"
#include "errors.h"
#include "exports.h"
#include "switches.h"

typedef struct Export
{
	struct Export *next; /* the one before it */
	char *owner;		 /* contactlists/ID */
	char *file;			 /* as the download is called */
	char id[UUID_SIZE];
	char secret[UUID_SIZE]; /* what addresses are signed with */
	int64_t ready_us;
	int64_t rows;
	Stream *stream;
} Export;

static Export *exports; /* newest first */
static const char *storage_scheme = "http";
static int storage_port;

void
exports_set_storage(const char *scheme, int port)
{
	storage_scheme = scheme;
	storage_port = port;
}

char *
exports_storage(void)
{
	return sim_printf("%s://%s:%d", storage_scheme, sw_text(SW_STORAGE_HOST), storage_port);
}

static void
remove_export(Export **link)
{
	Export *gone = *link;

	*link = gone->next;
	stream_release(gone->stream);
	free(gone->owner);
	free(gone->file);
	free(gone);
}

void
exports_reset(void)
{
	while (exports)
		remove_export(&exports);
}

static char *
owner_key(const char *owner, const char *id)
{
	return sim_printf("%s/%s", owner, id);
}

void
exports_forget(const char *owner, const char *id)
{
	char *key = owner_key(owner, id);
	Export **link = &exports;

	while (*link)
		if (strcmp((*link)->owner, key) == 0)
			remove_export(link);
		else
			link = &(*link)->next;
	free(key);
}

/* The newest that is on its way, or the newest that is ready, or NULL. */
static Export *
find_export(const char *key, bool ready)
{
	int64_t now = sim_now_us();
	Export *found = exports;

	while (found && (strcmp(found->owner, key) != 0 || (found->ready_us <= now) != ready))
		found = found->next;
	return found;
}

/* All that came before one that is ready are of no use any more. */
static void
drop_older(const char *key)
{
	Export *ready = find_export(key, true);
	Export **link = ready ? &ready->next : NULL;

	while (link && *link)
		if (strcmp((*link)->owner, key) == 0)
			remove_export(link);
		else
			link = &(*link)->next;
}

static void
drop_pending(const char *key)
{
	Export **link = &exports;

	while (*link)
		if (strcmp((*link)->owner, key) == 0 && (*link)->ready_us > sim_now_us())
			remove_export(link);
		else
			link = &(*link)->next;
}

static void
reply_reference(Request *req, const char *owner, const char *name)
{
	Buf *out = &req->reply.body;

	buf_puts(out, "{\"id\":");
	buf_put_string(out, req->arg[0].p, req->arg[0].n);
	buf_puts(out, ",\"name\":");
	buf_put_string(out, name, strlen(name));
	buf_printf(out, ",\"selfUri\":\"/api/v2/outbound/%s/", owner);
	buf_put_uri(out, req->arg[0].p, req->arg[0].n);
	buf_puts(out, "/export\"}");
	reply_ok(req);
}

bool
export_may_begin(Request *req, const char *owner, const char *name)
{
	char *key = owner_key(owner, req->arg[0].p);
	bool busy = find_export(key, false) != NULL;

	if (busy && sw_is(SW_EXPORT_BUSY, "restart"))
	{
		drop_pending(key);
		busy = false;
	}
	else if (busy && sw_is(SW_EXPORT_BUSY, "join"))
		reply_reference(req, owner, name);
	else if (busy)
		reply_error(req, (int) sw_number(SW_EXPORT_BUSY), "export.in.progress",
					"An export of this list is in progress.");
	free(key);
	return !busy;
}

/* Takes the stream, which is there in so many microseconds, and the key. */
static Export *
add_export(char *key, const char *name, Stream *stream, int64_t rows, int64_t in_us)
{
	Export *export = sim_alloc(sizeof(Export));
	char uuid[UUID_SIZE];

	sim_uuid(uuid);
	sim_uuid(export->id);
	sim_uuid(export->secret);
	export->owner = key;
	export->file = sim_printf("%s-%s.csv", uuid, name);
	export->ready_us = sim_now_us() + in_us;
	export->rows = rows;
	export->stream = stream;
	export->next = exports;
	return exports = export;
}

void
export_begin(Request *req, const char *owner, const char *name, Stream *stream, int64_t rows)
{
	char *key = owner_key(owner, req->arg[0].p);

	drop_older(key);
	add_export(key, name, stream, rows, sw_number(SW_EXPORT_MS) * 1000);
	reply_reference(req, owner, name);
}

static void
sign(const Export *export, int64_t until, char out[65])
{
	char *text = sim_printf("%s %lld", export->secret, (long long) until);

	sha256_hex(text, strlen(text), out);
	free(text);
}

/* An address that is good for a while, for whoever has it. */
static char *
signed_uri(const Export *export)
{
	int64_t until = sim_now_us() / 1000000 + sw_number(SW_STORAGE_SECONDS);
	char *base = exports_storage();
	char signature[65];
	Buf uri = {0};

	sign(export, until, signature);
	buf_printf(&uri, "%s/storage/%s/", base, export->id);
	buf_put_uri(&uri, export->file, strlen(export->file));
	buf_printf(&uri, "?X-Amz-Algorithm=AWS4-HMAC-SHA256&Expires=%lld&X-Amz-Signature=%s",
			   (long long) until, signature);
	buf_putc(&uri, '\0');
	free(base);
	return uri.data;
}

/* Under the name by which the caller reached us, so that it holds behind a proxy, too. */
static char *
export_uri(Request *req, const Export *export)
{
	const char *host = request_header(req, "Host");
	bool absolute = sw_is(SW_EXPORT_URI, "absolute") && host;

	if (sw_is(SW_EXPORT_URI, "storage"))
		return signed_uri(export);
	return sim_printf("%s%s%s/api/v2/downloads/%s", absolute ? storage_scheme : "",
					  absolute ? "://" : "", absolute ? host : "", export->id);
}

char *
export_add(Request *req, const char *owner, const char *id, Stream *stream, int64_t rows)
{
	return export_uri(req, add_export(owner_key(owner, id), id, stream, rows, 0));
}

static void
redirect(Request *req, const char *uri)
{
	reply_header(req, "Location", uri);
	reply_empty(req, 302);
}

static void
reply_uri(Request *req, const Export *export, bool download)
{
	Buf *out = &req->reply.body;
	char *uri = export_uri(req, export);
	char ready[TIME_SIZE];

	if (download)
		redirect(req, uri);
	else
	{
		sim_format_time(export->ready_us, ready);
		buf_puts(out, "{\"uri\":");
		buf_put_string(out, uri, strlen(uri));
		buf_printf(out, ",\"exportTimestamp\":\"%s\"}", ready);
		reply_ok(req);
	}
	free(uri);
}

void
export_get(Request *req, const char *owner)
{
	char *key = owner_key(owner, req->arg[0].p);
	Export *ready = find_export(key, true);
	bool download = false;

	drop_older(key);
	if (ready && sw_is(SW_EXPORT_STALE, "off") && find_export(key, false))
		ready = NULL;
	if (ready == NULL)
		reply_error(req, 404, "no.available.list.export.uri",
					"There is no available list export uri.");
	else if (request_flag(req, "download", &download))
		reply_uri(req, ready, download);
	free(key);
}

static Export *
export_of_id(Span id)
{
	Export *export = exports;

	while (export && (!span_is(id, export->id) || export->ready_us > sim_now_us()))
		export = export->next;
	return export;
}

static void
reply_file(Request *req, const Export *export)
{
	Buf disposition = {0};

	buf_puts(&disposition, "attachment; filename=\"");
	buf_put_uri(&disposition, export->file, strlen(export->file));
	buf_put(&disposition, "\"", 2);
	reply_header(req, "Content-Disposition", disposition.data);
	buf_free(&disposition);
	req->rows = export->rows;
	reply_stream(req, "text/csv", stream_share(export->stream));
}

void
download_get(Request *req)
{
	Export *export = export_of_id(req->arg[0]);
	bool issue = true;
	char *uri;

	if (export == NULL)
		reply_error(req, 404, "not.found", "There is no such download.");
	else if (!request_flag(req, "issueRedirect", &issue))
		;
	else if (sw_is(SW_DOWNLOAD_REDIRECT, "off"))
		reply_file(req, export);
	else
	{
		uri = signed_uri(export);
		if (issue)
			redirect(req, uri);
		else
			reply_json(req, 200, json_pack("{s:s}", "url", uri));
		free(uri);
	}
}

void
storage_error(Request *req, int status, const char *code, const char *message)
{
	buf_printf(&req->reply.body,
			   "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
			   "<Error><Code>%s</Code><Message>%s</Message><RequestId>%s</RequestId></Error>",
			   code, message, req->correlation_id);
	reply_ok(req);
	reply_type(req, "application/xml");
	req->reply.status = status;
}

static bool
is_signed(Request *req, const Export *export)
{
	const Span *until = request_param(req, "Expires");
	const Span *given = request_param(req, "X-Amz-Signature");
	int64_t expires = until ? strtoll(until->p, NULL, 10) : 0;
	char signature[65];

	sign(export, expires, signature);
	if (!given || !span_is(*given, signature))
		storage_error(req, 403, "SignatureDoesNotMatch", "The signature does not match.");
	else if (expires < sim_now_us() / 1000000)
		storage_error(req, 403, "AccessDenied", "Request has expired");
	else
		return true;
	return false;
}

/* Knows nothing of tokens: who shows one has told a stranger. */
void
storage_get(Request *req)
{
	Export *export = req->nparts == 3 && span_is(req->part[0], "storage")
						 ? export_of_id(req->part[1])
						 : NULL;

	if (request_header(req, "Authorization"))
		storage_error(req, 400, "InvalidArgument",
					  "Only one auth mechanism allowed; only the X-Amz-Algorithm query "
					  "parameter or the Authorization header should be specified");
	else if (strcmp(req->method, "GET") != 0)
		storage_error(req, 405, "MethodNotAllowed", "The method is not allowed.");
	else if (export == NULL)
		storage_error(req, 404, "NoSuchKey", "The specified key does not exist.");
	else if (is_signed(req, export))
		reply_file(req, export);
}
