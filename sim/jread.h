/*
 * jread.h
 *	  Reads JSON text piece by piece, without a tree.
 *
 * Strict: what is not JSON in valid UTF-8 sets "bad", after which every call
 * returns at once with "no".  Strings are decoded in place, so the text that
 * is read is changed, and spans point into it.
 */
#ifndef SIM_JREAD_H
#define SIM_JREAD_H

#include <stdbool.h>

#include "util.h"

typedef enum JKind
{
	J_BAD,
	J_OBJECT,
	J_ARRAY,
	J_STRING,
	J_NUMBER,
	J_TRUE,
	J_FALSE,
	J_NULL
} JKind;

typedef struct JRead
{
	char *p;
	char *end;
	bool bad;
} JRead;

extern void jread_start(JRead *in, char *text, size_t len);
extern JKind jread_peek(JRead *in);

/* for (more = jread_open(in, '['); more; more = jread_more(in, ']')) */
extern bool jread_open(JRead *in, char bracket);
extern bool jread_more(JRead *in, char bracket);

extern bool jread_key(JRead *in, Span *key);
extern bool jread_string(JRead *in, Span *value);
extern bool jread_skip(JRead *in, Span *raw); /* any value, as it stands */
extern bool jread_finish(JRead *in);		  /* nothing but blanks left? */

#endif
