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
