/*
 * stream.h
 *	  Bodies that are too large for memory: a file, or rows made as they go.
 *
 * Read by several requests at once, at any place, without the lock; who
 * releases it last frees it.
 */
#ifndef SIM_STREAM_H
#define SIM_STREAM_H

#include <stdbool.h>

#include "buf.h"

typedef struct Stream Stream;

/* A file without a name, to be filled; NULL when there is no room for one. */
extern Stream *stream_create(void);
extern bool stream_append(Stream *stream, Buf *bytes); /* and empties the buffer */

/* Takes both: a beginning, then rows alike but for a number at each of the places. */
extern Stream *stream_of_rows(Buf head, Buf row, size_t *places, int nplaces, int64_t nrows);

extern Stream *stream_share(Stream *stream);
extern void stream_release(Stream *stream); /* NULL is fine */
extern uint64_t stream_length(const Stream *stream);
extern bool stream_read(const Stream *stream, uint64_t pos, char *out, size_t n);

#endif
