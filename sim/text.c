/*
 * text.c
 *	  How a search compares text, numbers and times.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <wctype.h>

#include "criteria.h"

/* The character at *p of valid UTF-8, which moves past it. */
static wint_t
next_char(const unsigned char **p)
{
	const unsigned char *s = *p;
	int len = s[0] < 0x80 ? 1 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
	wint_t c = len == 1 ? s[0] : s[0] & (0x7f >> len);

	for (int i = 1; i < len; i++)
		c = c << 6 | (s[i] & 0x3f);
	*p += len;
	return c;
}

static void
put_char(Buf *out, wint_t c)
{
	if (c < 0x80)
	{
		buf_putc(out, (char) c);
		return;
	}
	if (c < 0x800)
		buf_putc(out, (char) (0xc0 | c >> 6));
	else
	{
		if (c < 0x10000)
			buf_putc(out, (char) (0xe0 | c >> 12));
		else
		{
			buf_putc(out, (char) (0xf0 | c >> 18));
			buf_putc(out, (char) (0x80 | (c >> 12 & 0x3f)));
		}
		buf_putc(out, (char) (0x80 | (c >> 6 & 0x3f)));
	}
	buf_putc(out, (char) (0x80 | (c & 0x3f)));
}

Span
text_fold(Span text, bool ignore_case, Buf *scratch)
{
	const unsigned char *p = (const unsigned char *) text.p;
	const unsigned char *end = p + text.n;

	if (!ignore_case || text.n == 0)
		return text;
	scratch->len = 0;
	buf_reserve(scratch, text.n * 2);
	while (p < end)
	{
		if (*p < 0x80)
		{
			scratch->data[scratch->len++] = (char) (*p >= 'A' && *p <= 'Z' ? *p | 32 : *p);
			p++;
			continue;
		}
		put_char(scratch, towlower(next_char(&p)));
		buf_reserve(scratch, (size_t) (end - p));
	}
	return (Span){scratch->data, scratch->len};
}

int
text_compare(Span a, Span b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int sign = n ? memcmp(a.p, b.p, n) : 0;

	return sign ? sign : (a.n > b.n) - (a.n < b.n);
}

bool
text_number(Span text, long double *number)
{
	char copy[64];
	char *end;

	if (text.n == 0 || text.n >= sizeof(copy))
		return false;
	memcpy(copy, text.p, text.n);
	copy[text.n] = '\0';
	if (strspn(copy, "+-.0123456789eE") != text.n)
		return false; /* not the words and hexadecimals of strtold */
	*number = strtold(copy, &end);
	return *end == '\0';
}

bool
text_time(Span text, long double *seconds)
{
	struct tm tm = {0};
	char copy[40];
	double fraction = 0;
	int read = 0;

	if (text.n == 0 || text.n >= sizeof(copy))
		return false;
	memcpy(copy, text.p, text.n);
	copy[text.n] = '\0';
	if (sscanf(copy, "%4d-%2d-%2d%n", &tm.tm_year, &tm.tm_mon, &tm.tm_mday, &read) != 3)
		return false;
	if (copy[read] == 'T' || copy[read] == ' ')
	{
		const char *rest = copy + read + 1;

		read = 0;
		if (sscanf(rest, "%2d:%2d%n", &tm.tm_hour, &tm.tm_min, &read) != 2)
			return false;
		rest += read;
		read = 0;
		if (*rest == ':' && sscanf(rest, ":%lf%n", &fraction, &read) != 1)
			return false;
		rest += read;
		if (strcmp(rest, "Z") != 0 && *rest != '\0')
			return false;
	}
	else if (copy[read] != '\0')
		return false;
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	*seconds = (long double) timegm(&tm) + (long double) fraction;
	return true;
}

/* PxxDTyyHzzM: days, hours, minutes; any may be left out or negative, or the whole. */
bool
text_relative_time(Span text, long double *seconds)
{
	static const struct
	{
		char letter;
		int seconds;
	} units[] = {{'D', 86400}, {'T', 0}, {'H', 3600}, {'M', 60}};
	char copy[40];
	char *p = copy;
	long double sum = 0;
	int sign;

	if (text.n < 3 || text.n >= sizeof(copy))
		return false;
	memcpy(copy, text.p, text.n);
	copy[text.n] = '\0';
	sign = *p == '-' ? -1 : 1;
	p += *p == '-';
	if (*p++ != 'P')
		return false;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
	{
		char *end = p;
		long n = units[i].seconds ? strtol(p, &end, 10) : 0;

		if (*end != units[i].letter || (units[i].seconds && end == p))
			continue;
		sum += (long double) n * units[i].seconds;
		p = end + 1;
	}
	*seconds = (long double) sim_now_us() / 1000000 + sign * sum;
	return *p == '\0';
}
