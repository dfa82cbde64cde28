/*
 * net/transport.c
 *	  How a request travels: trust, proxy, protocol, timeouts, buffers.
 */
#include "postgres.h"

#include "net/socket.h"
#include "net/transport.h"

#include "common/string.h"

/* curl's own buffers: a batch of 500 kB in few system calls. */
#define HTTP_BUFFER_SIZE (256 * 1024L)

/* … of a streamed body: as much as is given at once, so that curl asks for more while it is sent. */
#define HTTP_STREAM_SIZE (1024 * 1024L)

/* Settings of the server's environment (http_proxy, NO_PROXY) are not the user's. */
static void
set_proxy(CURL *easy, const GcHttpRequest *request)
{
	curl_easy_setopt(easy, CURLOPT_PROXY, request->proxy ? request->proxy : "");
	curl_easy_setopt(easy, CURLOPT_NOPROXY, "");
	if (request->proxy == NULL)
		return;
	curl_easy_setopt(easy, CURLOPT_PROXYUSERNAME, request->proxy_user);
	curl_easy_setopt(easy, CURLOPT_PROXYPASSWORD, request->proxy_password);
	curl_easy_setopt(easy, CURLOPT_PROXYAUTH, (long) CURLAUTH_BASIC);
	/* The bearer token is for the API's host alone. */
	curl_easy_setopt(easy, CURLOPT_HEADEROPT, (long) CURLHEADER_SEPARATE);
	curl_easy_setopt(easy, CURLOPT_PROXY_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(easy, CURLOPT_PROXY_SSL_VERIFYHOST, 2L);
	if (request->ca_file)
	{
		curl_easy_setopt(easy, CURLOPT_PROXY_CAINFO, request->ca_file);
		curl_easy_setopt(easy, CURLOPT_PROXY_CAPATH, NULL);
	}
}

static void
set_client_cert(CURL *easy, const GcHttpRequest *request)
{
	if (request->client_cert == NULL)
		return;
	curl_easy_setopt(easy, CURLOPT_SSLCERTTYPE, "PEM");
	curl_easy_setopt(easy, CURLOPT_SSLCERT, request->client_cert);
	curl_easy_setopt(easy, CURLOPT_SSLKEYTYPE, "PEM");
	curl_easy_setopt(easy, CURLOPT_SSLKEY, request->client_key);
	/* An encrypted key fails; without this OpenSSL would ask at a terminal. */
	curl_easy_setopt(easy, CURLOPT_KEYPASSWD, "");
}

/* A file takes as long as it takes, while it moves. */
static void
set_timeout(CURL *easy, const GcHttpRequest *request)
{
	if (!request->streamed)
	{
		curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long) request->request_timeout);
		return;
	}
	curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
	curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, (request->request_timeout + 999) / 1000L);
}

void
gc_transport_setup(CURL *easy, const GcHttpRequest *request)
{
	bool plain = pg_strncasecmp(request->url, "http:", 5) == 0;
	/* A paused stream of HTTP/2 would hold up, or be fed by, others of its connection. */
	bool one = plain || request->window > 0 || request->streamed;

	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, plain ? "http" : "https");
	curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L); /* an id of ".." is no way up */
	curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
	if (request->ca_file)
	{
		curl_easy_setopt(easy, CURLOPT_CAINFO, request->ca_file);
		curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
	}
	set_client_cert(easy, request);
	set_proxy(easy, request);
	curl_easy_setopt(easy, CURLOPT_NETRC, (long) CURL_NETRC_IGNORED);
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION,
					 one ? (long) CURL_HTTP_VERSION_1_1 : (long) CURL_HTTP_VERSION_2TLS);
	curl_easy_setopt(easy, CURLOPT_PIPEWAIT, one ? 0L : 1L);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
	curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long) request->connect_timeout);
	set_timeout(easy, request);
	curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, request->fresh_connection ? 1L : 0L);
	gc_socket_setup(easy);
	curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, HTTP_BUFFER_SIZE);
	curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE,
					 request->streamed ? HTTP_STREAM_SIZE : HTTP_BUFFER_SIZE);
}
