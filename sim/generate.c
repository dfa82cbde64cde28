/*
 * generate.c
 *	  --discard: counts the contacts of a body fast, and makes up contacts.
 */
#include <stdio.h>
#include <stdlib.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "contact_json.h"
#include "generate.h"
#include "switches.h"

#define BLOCK	  64
#define DIGITS	  GENERATED_DIGITS
#define ID_PREFIX "contact-"
#define MARKER	  "730518264" /* found again by its digits; unlikely elsewhere */

/* Which bytes of a block are quotes, backslashes, brackets: one bit each. */
typedef struct Marks
{
	uint64_t quotes;
	uint64_t backslashes;
	uint64_t brackets;
} Marks;

/* Where the scan stands between blocks. */
typedef struct Scan
{
	uint64_t in_string; /* all ones or none */
	uint64_t escaped;	/* 1 when the next byte is */
	int depth;
	int64_t rows;
	bool bad;
} Scan;

#ifdef __SSE2__
static inline Marks
mark_block(const char *p)
{
	Marks marks = {0, 0, 0};
	const __m128i quote = _mm_set1_epi8('"');
	const __m128i backslash = _mm_set1_epi8('\\');
	const __m128i fold = _mm_set1_epi8(0x20); /* makes [ a { and ] a } */
	const __m128i open = _mm_set1_epi8('{');
	const __m128i shut = _mm_set1_epi8('}');

	for (int i = 0; i < BLOCK; i += 16)
	{
		__m128i bytes = _mm_loadu_si128((const __m128i *) (p + i));
		__m128i folded = _mm_or_si128(bytes, fold);
		__m128i bracket =
			_mm_or_si128(_mm_cmpeq_epi8(folded, open), _mm_cmpeq_epi8(folded, shut));

		marks.quotes |= (uint64_t) (uint32_t) _mm_movemask_epi8(_mm_cmpeq_epi8(bytes, quote))
						<< i;
		marks.backslashes |=
			(uint64_t) (uint32_t) _mm_movemask_epi8(_mm_cmpeq_epi8(bytes, backslash)) << i;
		marks.brackets |= (uint64_t) (uint32_t) _mm_movemask_epi8(bracket) << i;
	}
	return marks;
}
#else
static inline Marks
mark_block(const char *p)
{
	Marks marks = {0, 0, 0};

	for (int i = 0; i < BLOCK; i++)
	{
		marks.quotes |= (uint64_t) (p[i] == '"') << i;
		marks.backslashes |= (uint64_t) (p[i] == '\\') << i;
		marks.brackets |= (uint64_t) ((p[i] | 0x20) == '{' || (p[i] | 0x20) == '}') << i;
	}
	return marks;
}
#endif

/* Takes escaped quotes out of the marks.  Backslashes are rare: one by one. */
static inline void
drop_escaped(Scan *scan, Marks *marks)
{
	uint64_t escaped = scan->escaped;
	uint64_t left = marks->backslashes & ~escaped;

	scan->escaped = 0;
	while (left)
	{
		int at = __builtin_ctzll(left);

		left &= left - 1;
		if (at == BLOCK - 1)
		{
			scan->escaped = 1;
			break;
		}
		escaped |= (uint64_t) 2 << at;
		left &= ~((uint64_t) 2 << at);
	}
	marks->quotes &= ~escaped;
}

/* Bit i becomes the parity of bits 0..i: inside a string or not. */
static inline uint64_t
prefix_parity(uint64_t bits)
{
	for (int shift = 1; shift < BLOCK; shift *= 2)
		bits ^= bits << shift;
	return bits;
}

static inline void
scan_block(Scan *scan, const char *p)
{
	Marks marks = mark_block(p);
	uint64_t inside;
	uint64_t left;

	if (marks.backslashes | scan->escaped)
		drop_escaped(scan, &marks);
	inside = prefix_parity(marks.quotes) ^ scan->in_string;
	scan->in_string = (uint64_t) ((int64_t) inside >> 63);
	for (left = marks.brackets & ~inside; left; left &= left - 1)
	{
		char c = p[__builtin_ctzll(left)];

		if (c == '{' || c == '[')
		{
			if (scan->depth == 1)
				scan->rows++;
			scan->depth++;
		}
		else if (--scan->depth < 0)
			scan->bad = true;
	}
}

int64_t
scan_count_rows(const char *text, size_t len)
{
	Scan scan = {0};
	char tail[BLOCK];
	size_t blocks = len - len % BLOCK;
	size_t start = 0;

	while (start < len && strchr(" \t\r\n", text[start]))
		start++;
	if (start == len || text[start] != '[')
		return -1;
	for (size_t i = 0; i < blocks; i += BLOCK)
		scan_block(&scan, text + i);
	memset(tail, ' ', sizeof(tail));
	memcpy(tail, text + blocks, len - blocks);
	scan_block(&scan, tail);
	return scan.bad || scan.depth != 0 || scan.in_string ? -1 : scan.rows;
}

/*
 * A contact's JSON with nine digits to fill in at each of the places: its
 * number stands in the id, in every cell and in the selfUri.
 */
struct Generated
{
	Buf text;
	size_t *places;
	int nplaces;
};

Contact *
generated_sample(const List *list)
{
	const Columns *columns = list->columns;
	Span cells[MAX_COLUMNS];
	Contact *contact;

	for (int i = 0; i < columns->n; i++)
	{
		const Span *name = &columns->name[i];
		char *cell = columns->phone[i] ? sim_printf("+1%s", MARKER)
									   : sim_printf("%.*s %s", (int) name->n, name->p, MARKER);

		cells[i] = (Span){cell, strlen(cell)};
	}
	contact = contact_build((Span){ID_PREFIX MARKER, sizeof(ID_PREFIX) - 1 + DIGITS}, cells,
							columns->n);
	contact->created_us = list->created_us;
	for (int i = 0; i < columns->n; i++)
		free(cells[i].p);
	return contact;
}

int
generated_places(const Buf *text, size_t **places)
{
	char *end = text->data + text->len;
	char *found = text->data;
	int n = 0;

	*places = sim_alloc(sizeof(size_t) * (text->len / DIGITS + 1));
	while ((found = memmem(found, (size_t) (end - found), MARKER, DIGITS)) != NULL)
	{
		(*places)[n++] = (size_t) (found - text->data);
		found += DIGITS;
	}
	return n;
}

static Generated *
make_template(const List *list)
{
	Generated *generated = sim_alloc(sizeof(Generated));
	Contact *sample = generated_sample(list);

	contact_put_json(&generated->text, list, sample);
	generated->nplaces = generated_places(&generated->text, &generated->places);
	contact_free(sample);
	return generated;
}

void
generated_put(Buf *out, List *list, int64_t n)
{
	Generated *generated = list->generated;
	char digits[24];
	size_t start = out->len;

	if (generated == NULL)
		generated = list->generated = make_template(list);
	snprintf(digits, sizeof(digits), "%0*lld", DIGITS, (long long) (n % 1000000000));
	buf_put(out, generated->text.data, generated->text.len);
	for (int i = 0; i < generated->nplaces; i++)
		memcpy(out->data + start + generated->places[i], digits, DIGITS);
}

int64_t
generated_number(Span id)
{
	size_t prefix = sizeof(ID_PREFIX) - 1;
	int64_t n = 0;

	if (id.n != prefix + DIGITS || memcmp(id.p, ID_PREFIX, prefix) != 0)
		return -1;
	for (size_t i = prefix; i < id.n; i++)
	{
		if (id.p[i] < '0' || id.p[i] > '9')
			return -1;
		n = n * 10 + (id.p[i] - '0');
	}
	return n < sw_number(SW_GENERATED_CONTACTS) ? n : -1;
}

void
generated_free(Generated *generated)
{
	if (generated == NULL)
		return;
	buf_free(&generated->text);
	free(generated->places);
	free(generated);
}
