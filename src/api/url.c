/*
 * api/url.c
 *	  Parts of the URLs of calls.
 */
#include "postgres.h"

#include <curl/curl.h>

#include "api/url.h"

char *
gc_url_escape(const char *part)
{
	char *escaped = curl_easy_escape(NULL, part, strlen(part));
	char *copy;

	if (escaped == NULL)
		ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory")));
	copy = pstrdup(escaped);
	curl_free(escaped);
	return copy;
}

char *
gc_url_unescape(const char *part, int len)
{
	int decoded_len;
	char *decoded = curl_easy_unescape(NULL, part, len, &decoded_len);
	char *copy;

	if (decoded == NULL)
		ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory")));
	copy = strlen(decoded) == decoded_len ? pstrdup(decoded) : NULL;
	curl_free(decoded);
	return copy;
}
