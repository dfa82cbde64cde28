/*
 * csvread.c
 *	  Files of comma-separated values, read row by row.
 */
#include <stdlib.h>

#include "csvread.h"

#define WINDOW	(256 * 1024)
#define MAX_ROW (4 * 1024 * 1024)

struct CsvRead
{
	Stream *stream;
	uint64_t pos; /* in the file: where the window ends */
	Buf window;
	size_t at;		  /* in the window: where the next row begins */
	size_t validated; /* in the window: so far it is UTF-8 */
	bool validates;
	bool invalid;
};

static bool
is_at_end(const CsvRead *in)
{
	return in->pos == stream_length(in->stream);
}

/* Bytes of the character that begins here; 0 = it is none, -1 = it is not all there. */
static int
char_length(const unsigned char *s, size_t n)
{
	int len = s[0] < 0x80 ? 1 : s[0] < 0xc2 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;

	if (s[0] > 0xf4)
		return 0;
	for (int i = 1; i < len; i++)
	{
		unsigned char low = 0x80;
		unsigned char high = 0xbf;

		if ((size_t) i == n)
			return -1;
		if (i == 1) /* neither longer than need be, nor a surrogate, nor past the last */
		{
			low = s[0] == 0xe0 ? 0xa0 : s[0] == 0xf0 ? 0x90 : 0x80;
			high = s[0] == 0xed ? 0x9f : s[0] == 0xf4 ? 0x8f : 0xbf;
		}
		if (s[i] < low || s[i] > high)
			return 0;
	}
	return len;
}

/* Of the window what has not been looked at; a character may go on in the next piece. */
static void
validate(CsvRead *in)
{
	const unsigned char *p = (const unsigned char *) in->window.data;
	size_t i = in->validated;

	while (i < in->window.len)
	{
		uint64_t eight;
		int len;

		if (in->window.len - i >= sizeof(eight))
		{
			memcpy(&eight, p + i, sizeof(eight));
			if ((eight & 0x8080808080808080u) == 0)
			{
				i += sizeof(eight);
				continue;
			}
		}
		len = char_length(p + i, in->window.len - i);
		if (len < 0 && !is_at_end(in))
			break;
		in->invalid = in->invalid || len <= 0;
		i += len > 0 ? (size_t) len : 1;
	}
	in->validated = i;
}

/* Moves what has not been read to the front, and reads on; false when there is no more. */
static bool
refill(CsvRead *in)
{
	uint64_t left = stream_length(in->stream) - in->pos;
	size_t n = left < WINDOW ? (size_t) left : WINDOW;
	Buf *window = &in->window;

	if (n == 0)
		return false;
	memmove(window->data, window->data + in->at, window->len - in->at);
	window->len -= in->at;
	in->validated -= in->at < in->validated ? in->at : in->validated;
	in->at = 0;
	buf_reserve(window, n);
	if (!stream_read(in->stream, in->pos, window->data + window->len, n))
		return false;
	window->len += n;
	in->pos += n;
	if (in->validates)
		validate(in);
	return true;
}

CsvRead *
csvread_create(Stream *stream)
{
	CsvRead *in = sim_alloc(sizeof(CsvRead));

	in->stream = stream_share(stream);
	buf_reserve(&in->window, WINDOW);
	refill(in);
	if (in->window.len >= 3 && memcmp(in->window.data, "\xef\xbb\xbf", 3) == 0)
		in->at = 3;
	return in;
}

void
csvread_free(CsvRead *in)
{
	if (in == NULL)
		return;
	stream_release(in->stream);
	buf_free(&in->window);
	free(in);
}

/*
 * Where the row ends, past its line feed: bytes from its beginning, and whether
 * its quotes fit.  0 = there are no more rows.
 */
static size_t
find_end(CsvRead *in, bool *fits)
{
	size_t i = 0;
	bool quoted = false;

	for (;;)
	{
		const char *p = in->window.data + in->at;
		size_t n = in->window.len - in->at;

		for (; i < n; i++)
			if (p[i] == '"')
				quoted = !quoted;
			else if (p[i] == '\n' && !quoted)
			{
				*fits = true;
				return i + 1;
			}
		if (n > MAX_ROW || !refill(in))
			break;
	}
	*fits = !quoted && i <= MAX_ROW;
	return i;
}

/* One cell from *p, which moves past it; its quotes are taken off in place. */
static bool
take_cell(char **p, char *end, Span *cell)
{
	char *from = *p;
	char *to = from;
	bool quoted = from < end && *from == '"';

	cell->p = from;
	if (!quoted)
	{
		char *comma = memchr(from, ',', (size_t) (end - from));

		to = comma ? comma : end;
		cell->n = (size_t) (to - from);
		*p = to;
		return memchr(from, '"', cell->n) == NULL;
	}
	for (from++; from < end && (*from != '"' || (from + 1 < end && from[1] == '"')); from++)
	{
		from += *from == '"';
		*to++ = *from;
	}
	cell->n = (size_t) (to - cell->p);
	*p = from + 1;
	return from < end && (*p == end || **p == ',');
}

static bool
take_cells(char *p, char *end, Span *cells, int *ncells)
{
	for (*ncells = 0;; p++)
	{
		Span cell;

		if (!take_cell(&p, end, &cell))
			return false;
		if (*ncells < MAX_CSV_CELLS)
			cells[*ncells] = cell;
		(*ncells)++;
		if (p == end)
			return true;
	}
}

/* Of a row of so many bytes those before its end. */
static size_t
without_end(const char *row, size_t len)
{
	if (len > 0 && row[len - 1] == '\n')
		len--;
	if (len > 0 && row[len - 1] == '\r')
		len--;
	return len;
}

CsvRow
csvread_next(CsvRead *in, Span *cells, int *ncells)
{
	size_t len;
	bool fits;

	while ((len = find_end(in, &fits)) > 0)
	{
		char *row = in->window.data + in->at;
		size_t own = without_end(row, len);

		in->at += len;
		*ncells = 0;
		if (own == 0)
			continue;
		return fits && take_cells(row, row + own, cells, ncells) ? CSV_ROW : CSV_BAD;
	}
	return CSV_END;
}

int64_t
csvread_count(CsvRead *in)
{
	int64_t rows = 0;
	size_t len;
	bool fits;

	in->validates = true;
	validate(in);
	while ((len = find_end(in, &fits)) > 0)
	{
		rows += without_end(in->window.data + in->at, len) > 0;
		in->at += len;
	}
	return in->invalid ? -1 : rows;
}
