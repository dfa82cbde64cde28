/*
 * base/json.h
 *	  Reading JSON in place, and writing JSON strings.
 *
 * A cursor walks bytes that the caller owns; spans point into them, so nothing
 * is copied or allocated and nothing has to be released.  The reader is strict
 * about the grammar, knows no memory contexts and throws nothing: after a
 * "false", ask whether cursor->error is set.  (The server's own JSON parser
 * allocates every token, which costs more than all the rest of a page.)
 *
 * Use: gc_json_enter(), then "while (gc_json_key()) gc_json_value()" or, in an
 * array, "while (gc_json_element())"; each value must be read, entered or
 * skipped (gc_json_value with a NULL span) before the next is asked for.
 */
#ifndef GC_BASE_JSON_H
#define GC_BASE_JSON_H

#include "postgres.h"

#include "lib/stringinfo.h"

/* Deeper nesting is an error: nothing that the platform sends comes near. */
#define GC_JSON_MAX_DEPTH 256

typedef struct GcJson
{
	const char *start;
	const char *p; /* next byte to read */
	const char *end;
	const char *error; /* what is wrong, a static string; NULL: nothing */
	bool fresh;		   /* just entered a container: no comma before its first item */
} GcJson;

/* One value.  For a string, p and len exclude its quotes. */
typedef struct GcSpan
{
	const char *p; /* NULL: absent */
	int len;
	char type;	  /* '"' string, '0' number, 't', 'f', 'n' literals, '{', '[' */
	bool escaped; /* a string with backslashes */
} GcSpan;

extern void gc_json_init(GcJson *json, const char *bytes, size_t len);

/* Enters an object or array (type '{' or '['); false with an error if the next value is none. */
extern bool gc_json_enter(GcJson *json, char type);

/* The next member's key; false at the end of the object (which is then left), or on error. */
extern bool gc_json_key(GcJson *json, GcSpan *key);

/* Is there a next element?  False at the end of the array (which is then left), or on error. */
extern bool gc_json_element(GcJson *json);

/* Reads one value whole; a container's span is its raw text.  "value" may be NULL. */
extern bool gc_json_value(GcJson *json, GcSpan *value);

/* The type of the next value, as in GcSpan; 0 with an error at the end. */
extern char gc_json_peek(GcJson *json);

/* True if nothing but white space is left. */
extern bool gc_json_end(GcJson *json);

/*
 * Decodes a string span to UTF-8.  "dst" needs span->len bytes.  Returns the
 * decoded length, or -1 for an escape that is no character, -2 for \u0000,
 * which no text in PostgreSQL can hold.
 */
extern int gc_json_unescape(const GcSpan *span, char *dst);

extern bool gc_json_span_is(const GcSpan *span, const char *word);

/*
 * How many objects has the array that is the whole document?  A scan of its
 * structure only (strings, brackets), for replies whose content is not
 * needed.  -1 if the document is not one complete array of objects.
 */
extern int64 gc_json_count_objects(const char *bytes, size_t len);

/* Appends UTF-8 text as the inside of a JSON string, quotes not included. */
extern void gc_json_escape(StringInfo buf, const char *cell, int len);

/* Appends a value as it stands in its document, a string with its quotes. */
extern void gc_json_append(StringInfo buf, const GcSpan *value);

/* Appends a comma, unless an array or object has just been opened. */
extern void gc_json_append_comma(StringInfo buf);

#endif /* GC_BASE_JSON_H */
