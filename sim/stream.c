/*
 * stream.c
 *	  Bodies that are too large for memory: a file, or rows made as they go.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "generate.h"
#include "stream.h"

struct Stream
{
	_Atomic int refs;
	uint64_t len;
	int fd; /* -1 = rows */
	Buf head;
	Buf row;
	size_t *places;
	int nplaces;
};

static Stream *
make_stream(int fd)
{
	Stream *stream = sim_alloc(sizeof(Stream));

	stream->refs = 1;
	stream->fd = fd;
	return stream;
}

Stream *
stream_create(void)
{
	const char *dir = getenv("TMPDIR");
	int fd = open(dir && *dir ? dir : "/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	return fd < 0 ? NULL : make_stream(fd);
}

bool
stream_append(Stream *stream, Buf *bytes)
{
	size_t done = 0;

	while (done < bytes->len)
	{
		ssize_t n = write(stream->fd, bytes->data + done, bytes->len - done);

		if (n <= 0)
			return false;
		done += (size_t) n;
	}
	stream->len += bytes->len;
	bytes->len = 0;
	return true;
}

Stream *
stream_of_rows(Buf head, Buf row, size_t *places, int nplaces, int64_t nrows)
{
	Stream *stream = make_stream(-1);

	stream->head = head;
	stream->row = row;
	stream->places = places;
	stream->nplaces = nplaces;
	stream->len = head.len + row.len * (uint64_t) nrows;
	return stream;
}

Stream *
stream_share(Stream *stream)
{
	stream->refs++;
	return stream;
}

void
stream_release(Stream *stream)
{
	if (stream == NULL || --stream->refs > 0)
		return;
	if (stream->fd >= 0)
		close(stream->fd);
	buf_free(&stream->head);
	buf_free(&stream->row);
	free(stream->places);
	free(stream);
}

uint64_t
stream_length(const Stream *stream)
{
	return stream->len;
}

static bool
read_file(const Stream *stream, uint64_t pos, char *out, size_t n)
{
	while (n > 0)
	{
		ssize_t got = pread(stream->fd, out, n, (off_t) pos);

		if (got <= 0)
			return false;
		out += got;
		pos += (uint64_t) got;
		n -= (size_t) got;
	}
	return true;
}

static void
make_row(const Stream *stream, uint64_t number, char *out)
{
	char digits[GENERATED_DIGITS];

	for (int i = GENERATED_DIGITS - 1; i >= 0; i--, number /= 10)
		digits[i] = (char) ('0' + number % 10);
	memcpy(out, stream->row.data, stream->row.len);
	for (int i = 0; i < stream->nplaces; i++)
		memcpy(out + stream->places[i], digits, GENERATED_DIGITS);
}

/* Whole rows are made where they go; of the first and the last there may be a part. */
static void
read_rows(const Stream *stream, uint64_t pos, char *out, size_t n)
{
	size_t len = stream->row.len;
	uint64_t number = pos / len;
	size_t skip = pos % len;
	char *part = n % len || skip ? sim_alloc(len) : NULL;

	while (n > 0)
	{
		size_t take = len - skip < n ? len - skip : n;

		if (take == len)
			make_row(stream, number, out);
		else
		{
			make_row(stream, number, part);
			memcpy(out, part + skip, take);
		}
		out += take;
		n -= take;
		skip = 0;
		number++;
	}
	free(part);
}

bool
stream_read(const Stream *stream, uint64_t pos, char *out, size_t n)
{
	size_t own = pos < stream->head.len ? stream->head.len - pos : 0;

	if (stream->fd >= 0)
		return read_file(stream, pos, out, n);
	if (own > n)
		own = n;
	if (own > 0)
		memcpy(out, stream->head.data + pos, own);
	if (n > own)
		read_rows(stream, pos + own - stream->head.len, out + own, n - own);
	return true;
}
