/*
 * api/url.h
 *	  Parts of the URLs of calls.
 */
#ifndef GC_API_URL_H
#define GC_API_URL_H

/* Percent-encodes one segment of a path or one query value; in the current context. */
extern char *gc_url_escape(const char *part);

/* The reverse, of the first "len" bytes; in the current context.  NULL if no text has them. */
extern char *gc_url_unescape(const char *part, int len);

#endif /* GC_API_URL_H */
