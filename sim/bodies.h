/*
 * bodies.h
 *	  Bodies of replies as no honest server sends them; and compressed ones.
 *
 * Those that are large are made while they go out, never whole.
 */
#ifndef SIM_BODIES_H
#define SIM_BODIES_H

#include "request.h"

typedef enum BodyKind
{
	BODY_OWN, /* whatever the reply has */
	BODY_HTML,
	BODY_DEEP,
	BODY_HUGE,
	BODY_GZIP_DAMAGED,
	BODY_GZIP_BOMB,
	BODY_EMPTY
} BodyKind;

extern const char *const body_kind_names[]; /* from BODY_HTML on, then NULL */

/* How large a fault's body_bytes makes it, in the kind's own measure; 0 = the usual. */
extern int64_t body_size(BodyKind kind, int64_t given);

extern void body_prepare(BodyKind kind, int64_t size);			  /* what takes long */
extern void body_make(Request *req, BodyKind kind, int64_t size); /* into the reply */
extern void body_compress(Request *req);						  /* gzip, if there is one */

/* Of a body that is made as it goes out: its length, 0 for other kinds, and a piece. */
extern size_t body_stream_length(BodyKind kind, int64_t size);
extern void body_stream(BodyKind kind, size_t length, size_t pos, char *out, size_t n);

#endif
