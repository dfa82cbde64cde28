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

/* Is it plain http; does its host name this machine by a loopback address? */
extern bool gc_url_is_plain(const char *value);
extern bool gc_url_is_loopback(const char *value);

#endif /* GC_BASE_URL_CHECK_H */
