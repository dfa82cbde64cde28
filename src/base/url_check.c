/*
 * base/url_check.c
 *	  What URLs may be given as options.
 */
#include "postgres.h"

#include <curl/curl.h>

#include "base/url_check.h"

/* A URL taken apart; the parts are curl's, NULL where there are none. */
typedef struct Url
{
	char *scheme;
	char *host;
	char *user;
	char *path;
	char *query;
	char *fragment;
} Url;

/* False if it is none; to be freed all the same. */
static bool
url_parse(Url *url, const char *value)
{
	CURLU *parser = curl_url();

	memset(url, 0, sizeof(*url));
	if (parser == NULL)
		ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory")));
	if (curl_url_set(parser, CURLUPART_URL, value, CURLU_NON_SUPPORT_SCHEME) == CURLUE_OK)
	{
		(void) curl_url_get(parser, CURLUPART_SCHEME, &url->scheme, 0);
		(void) curl_url_get(parser, CURLUPART_HOST, &url->host, 0);
		(void) curl_url_get(parser, CURLUPART_USER, &url->user, 0);
		(void) curl_url_get(parser, CURLUPART_PATH, &url->path, 0);
		(void) curl_url_get(parser, CURLUPART_QUERY, &url->query, 0);
		(void) curl_url_get(parser, CURLUPART_FRAGMENT, &url->fragment, 0);
	}
	curl_url_cleanup(parser);
	return url->scheme && url->host;
}

static void
url_free(Url *url)
{
	curl_free(url->scheme);
	curl_free(url->host);
	curl_free(url->user);
	curl_free(url->path);
	curl_free(url->query);
	curl_free(url->fragment);
}

static bool
is_plain(const Url *url)
{
	return strcmp(url->scheme, "http") == 0;
}

static bool
is_web(const Url *url)
{
	return is_plain(url) || strcmp(url->scheme, "https") == 0;
}

static bool
is_loopback(const Url *url)
{
	const char *host = url->host;

	return strcmp(host, "localhost") == 0 || strcmp(host, "[::1]") == 0 ||
		   (strncmp(host, "127.", 4) == 0 && strspn(host, "0123456789.") == strlen(host));
}

const char *
gc_url_problem(const char *value)
{
	Url url;
	const char *problem = NULL;

	if (!url_parse(&url, value))
		problem = "A URL looks like \"https://api.mypurecloud.com\".";
	else if (!is_web(&url))
		problem = "Only https is supported.";
	else if (is_plain(&url) && !is_loopback(&url))
		problem = "Plain http is allowed for loopback addresses only; use https.";
	else if (url.user || url.query || url.fragment)
		problem = "A base URL has no user, query or fragment.";
	url_free(&url);
	return problem;
}

const char *
gc_url_proxy_problem(const char *value)
{
	Url url;
	const char *problem = NULL;

	if (!url_parse(&url, value) || !is_web(&url))
		problem = "A proxy is a URL such as \"http://proxy.example.com:3128\".";
	else if (url.user)
		problem = "The credentials of a proxy are the user mapping's options \"proxy_user\" "
				  "and \"proxy_password\".";
	else if (url.query || url.fragment || (url.path && strcmp(url.path, "/") != 0))
		problem = "The URL of a proxy has no path, query or fragment.";
	url_free(&url);
	return problem;
}

const char *
gc_url_webhook_problem(const char *value)
{
	Url url;
	const char *problem = NULL;

	if (!url_parse(&url, value))
		problem = "A URL looks like \"https://hooks.example.com/imports\".";
	else if (!is_web(&url))
		problem = "Only https is supported.";
	else if (is_plain(&url) && !is_loopback(&url))
		problem = "Plain http is allowed for loopback addresses only; use https.";
	else if (url.user || url.fragment)
		problem = "The URL of a webhook has no user or fragment.";
	url_free(&url);
	return problem;
}

char *
gc_url_host(const char *value)
{
	Url url;
	char *host = url_parse(&url, value) ? pstrdup(url.host) : pstrdup("");

	url_free(&url);
	for (char *p = host; *p; p++)
		*p = pg_ascii_tolower((unsigned char) *p);
	return host;
}

bool
gc_url_is_plain(const char *value)
{
	Url url;
	bool plain = url_parse(&url, value) && is_plain(&url);

	url_free(&url);
	return plain;
}

bool
gc_url_is_loopback(const char *value)
{
	Url url;
	bool loopback = url_parse(&url, value) && is_loopback(&url);

	url_free(&url);
	return loopback;
}

/* "location" as an absolute URL, palloc'ed; NULL if it is none. */
static char *
url_resolve(const char *from, const char *location)
{
	CURLU *parser = curl_url();
	char *whole = NULL;
	char *copy = NULL;

	if (parser == NULL)
		ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory")));
	if (curl_url_set(parser, CURLUPART_URL, from, 0) == CURLUE_OK &&
		curl_url_set(parser, CURLUPART_URL, location, CURLU_NON_SUPPORT_SCHEME) == CURLUE_OK &&
		curl_url_get(parser, CURLUPART_URL, &whole, 0) == CURLUE_OK)
		copy = pstrdup(whole);
	curl_free(whole);
	curl_url_cleanup(parser);
	return copy;
}

const char *
gc_url_follow(const char *from, const char *location, char **to)
{
	Url url;
	const char *problem = NULL;

	*to = url_resolve(from, location);
	if (*to == NULL)
		return "It is no URL.";
	if (!url_parse(&url, *to) || !is_web(&url))
		problem = "Only https is followed.";
	else if (is_plain(&url) && !(is_loopback(&url) && gc_url_is_plain(from)))
		problem = "It leads to plain http.";
	else if (url.user)
		problem = "It names a user.";
	url_free(&url);
	return problem;
}

char *
gc_url_without_query(const char *url)
{
	return pnstrdup(url, strcspn(url, "?#"));
}
