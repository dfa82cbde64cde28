/*
 * base/url_check.h
 *	  What URLs may be given as options.
 */
#ifndef GC_BASE_URL_CHECK_H
#define GC_BASE_URL_CHECK_H

#include "postgres.h"

/* What is wrong with a base URL of the platform, as a hint; or NULL. */
extern const char *gc_url_problem(const char *value);

/* What is wrong with the URL of a proxy, as a hint; or NULL. */
extern const char *gc_url_proxy_problem(const char *value);

/* What is wrong with the URL of a webhook, as a hint; or NULL. */
extern const char *gc_url_webhook_problem(const char *value);

/* Its host, in lower case, as it stands there; in the current context.  Of a URL that is one. */
extern char *gc_url_host(const char *value);

/* Is it plain http; does its host name this machine by a loopback address? */
extern bool gc_url_is_plain(const char *value);
extern bool gc_url_is_loopback(const char *value);

/*
 * Where a file is to be fetched from: "location", maybe relative to the absolute
 * URL "from".  *to is set in the current context.  Returns NULL, or why nobody
 * is to go there: only https is followed, or, from this machine to this
 * machine, http; and no user is named in it.
 */
extern const char *gc_url_follow(const char *from, const char *location, char **to);

/* For messages: a URL without its query, which may hold a signature. */
extern char *gc_url_without_query(const char *url);

#endif /* GC_BASE_URL_CHECK_H */
