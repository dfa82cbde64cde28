/*
 * fdw/webhook.c
 *	  An import's end is told to a webhook (SCENARIOS J4).
 */
#include "postgres.h"

#include "base/clock.h"
#include "base/json_pick.h"
#include "base/option.h"
#include "base/url_check.h"
#include "base/value.h"
#include "base/wait.h"
#include "fdw/webhook.h"
#include "net/loop.h"
#include "store/import_end.h"

#include "common/hmac.h"
#include "common/sha2.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "utils/varlena.h"

#define CONNECT_TIMEOUT_MS 10000
#define REQUEST_TIMEOUT_MS 30000

/* Nobody reads the answer. */
#define MAX_REPLY (64 * 1024)

/* Headers that an import may add; ours come on top. */
#define MAX_HEADERS 16
#define OUR_HEADERS 5

char *gc_webhook_hosts = "";

/* ---- what is allowed ---- */

static bool
host_is_allowed(const char *url)
{
	char *host = gc_url_host(url);
	List *allowed;
	ListCell *lc;

	if (!SplitGUCList(pstrdup(gc_webhook_hosts), ',', &allowed))
		return false;
	foreach (lc, allowed)
		if (pg_strcasecmp(lfirst(lc), host) == 0)
			return true;
	return false;
}

static void
check_url(const char *url)
{
	const char *problem = gc_url_webhook_problem(url);

	if (problem)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("invalid webhook_url"), errhint("%s", problem)));
	if (!host_is_allowed(url))
		ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
						errmsg("webhooks may not go to the host \"%s\"", gc_url_host(url)),
						errhint("A superuser allows hosts with gc_fdw.webhook_hosts.")));
}

/* A token and a value in one line, and none that is ours or HTTP's own. */
static bool
is_header(const char *name, const char *value)
{
	static const char *const taken[] = {"content-type",	 "content-length", "host",
										"connection",	 "expect",		   "transfer-encoding",
										"x-sync-source", "x-signature-256"};

	for (int i = 0; i < lengthof(taken); i++)
		if (pg_strcasecmp(name, taken[i]) == 0)
			return false;
	for (const char *p = name; *p; p++)
		if (!isalnum((unsigned char) *p) && strchr("!#$%&'*+-.^_`|~", *p) == NULL)
			return false;
	for (const char *p = value; *p; p++)
		if (*p < ' ' || *p > '~')
			return false;
	return name[0] != '\0' && value[0] != '\0';
}

/* Adds what the option webhook_headers has; how many there are, or -1: it is no object of texts. */
static int
add_headers(const char *options, const char **headers)
{
	static const char *const path[] = {"webhook_headers"};
	GcSpan whole = {.p = options, .len = strlen(options), .type = '{'};
	GcSpan given = gc_pick_member(&whole, path, lengthof(path));
	int count = 0;
	int len;
	GcJson json;
	GcSpan key;
	GcSpan value;

	if (given.p == NULL)
		return 0;
	gc_json_init(&json, given.p, given.len);
	if (!gc_json_enter(&json, '{'))
		return -1;
	while (gc_json_key(&json, &key) && gc_json_value(&json, &value))
	{
		char *name = gc_value_span_text(&key, &len);
		char *content = value.type == '"' ? gc_value_span_text(&value, &len) : NULL;

		if (name == NULL || content == NULL || !is_header(name, content) ||
			count == MAX_HEADERS)
			return -1;
		headers[count++] = psprintf("%s: %s", name, content);
	}
	return count;
}

void
gc_webhook_check(const char *url, const char *options)
{
	const char *headers[MAX_HEADERS];

	if (url)
		check_url(url);
	if (options && add_headers(options, headers) < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid value for option \"%s\" of an import", "webhook_headers"),
				 errhint("It is a JSON object of up to %d headers, such as {\"X-Tenant\": "
						 "\"a\"}.",
						 MAX_HEADERS)));
}

/* ---- the request ---- */

static char *
signature(const char *secret, const char *body, size_t len)
{
	pg_hmac_ctx *hmac = pg_hmac_create(PG_SHA256);
	uint8 digest[PG_SHA256_DIGEST_LENGTH];
	StringInfoData header;
	bool failed;

	if (hmac == NULL)
		ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory")));
	failed = pg_hmac_init(hmac, (const uint8 *) secret, strlen(secret)) < 0 ||
			 pg_hmac_update(hmac, (const uint8 *) body, len) < 0 ||
			 pg_hmac_final(hmac, digest, sizeof(digest)) < 0;
	pg_hmac_free(hmac);
	if (failed)
		elog(ERROR, "could not sign the message of a webhook");
	initStringInfo(&header);
	appendStringInfoString(&header, "X-Signature-256: sha256=");
	for (int i = 0; i < lengthof(digest); i++)
		appendStringInfo(&header, "%02x", digest[i]);
	return header.data;
}

/* To a host that is not the platform's: neither its certificate nor, unencrypted, its proxy. */
static GcHttpRequest
request_for(const GcConnection *conn, const char *url)
{
	GcHttpRequest request = conn->transport;

	request.method = "POST";
	request.url = url;
	request.client_cert = request.client_key = NULL;
	if (gc_url_is_plain(url))
		request.proxy = request.proxy_user = request.proxy_password = NULL;
	request.connect_timeout = CONNECT_TIMEOUT_MS;
	request.request_timeout = REQUEST_TIMEOUT_MS;
	request.max_reply = MAX_REPLY;
	request.fresh_connection = true; /* seldom asked */
	return request;
}

/* An answer that is longer than anybody reads is one, too. */
static void
check_answer(const GcHttpExchange *exchange)
{
	GcHttpOutcome outcome = gc_http_outcome(exchange);
	int status = gc_http_status(exchange);

	if (outcome != GC_HTTP_ANSWERED && outcome != GC_HTTP_TOO_BIG)
		ereport(ERROR, (errcode(ERRCODE_CONNECTION_FAILURE),
						errmsg("could not reach the webhook: %s", gc_http_error(exchange))));
	if (status / 100 != 2)
		ereport(ERROR, (errcode(ERRCODE_FDW_ERROR),
						errmsg("the webhook answered with HTTP status %d", status)));
}

void
gc_webhook_send(GcConnection *conn, const GcImport *import)
{
	const char *secret = gc_option_string(conn->mapping_options, NIL, "webhook_secret");
	const char *headers[MAX_HEADERS + OUR_HEADERS] = {0};
	GcHttpRequest request;
	GcHttpExchange *exchange;
	char *summary;
	char *body;
	int n;

	/* The hosts may be others than when it was submitted. */
	check_url(import->webhook_url);
	summary = gc_import_summary(import->id);
	body = pg_server_to_any(summary, strlen(summary), PG_UTF8);
	n = Max(add_headers(import->options, headers), 0);
	headers[n++] = "Content-Type: application/json";
	headers[n++] = "Expect:";
	headers[n++] = "X-Sync-Source: genesys-cloud-synchronizer";
	if (secret)
		headers[n++] = signature(secret, body, strlen(body));
	request = request_for(conn, import->webhook_url);
	request.headers = headers;
	request.body = body;
	request.body_len = strlen(body);
	exchange = gc_http_start(&request);
	while (gc_http_outcome(exchange) == GC_HTTP_PENDING)
		gc_loop_wait(0, GC_WAIT_HTTP);
	check_answer(exchange);
	gc_http_free(exchange);
}
