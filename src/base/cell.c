/*
 * base/cell.c
 *	  What a column says of its cells: whether there must be one, how long, in which format.
 */
#include "postgres.h"

#include "base/cell.h"

/* ITU-T E.164: country code and number have 15 digits at most. */
#define E164_MIN_DIGITS 2
#define E164_MAX_DIGITS 15

/* RFC 5321: of the part before the "@", of a label of the domain, of all. */
#define EMAIL_MAX_LOCAL 64
#define EMAIL_MAX_LABEL 63
#define EMAIL_MAX_BYTES 254

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_e164(const char *cell, int len)
{
	if (len < 1 + E164_MIN_DIGITS || len > 1 + E164_MAX_DIGITS || cell[0] != '+' ||
		cell[1] == '0')
		return false;
	for (int i = 1; i < len; i++)
		if (!is_digit(cell[i]))
			return false;
	return true;
}

/* Letters and digits, and whatever is not ASCII: names are international. */
static bool
is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) ||
		   IS_HIGHBIT_SET(c);
}

/* RFC 5322's atoms and dots.  Dots in a row occur, though they should not. */
static bool
is_local_part(const char *part, int len)
{
	if (len < 1 || len > EMAIL_MAX_LOCAL)
		return false;
	for (int i = 0; i < len; i++)
		if (!is_word(part[i]) && (part[i] == '\0' || !strchr(".!#$%&'*+-/=?^_`{|}~", part[i])))
			return false;
	return true;
}

/* Labels with a dot between them, two at least. */
static bool
is_domain(const char *domain, int len)
{
	int labels = 1;
	int start = 0;

	for (int i = 0; i <= len; i++)
	{
		if (i < len && domain[i] != '.')
		{
			if (!is_word(domain[i]) && domain[i] != '-')
				return false;
			continue;
		}
		if (i == start || i - start > EMAIL_MAX_LABEL || domain[start] == '-' ||
			domain[i - 1] == '-')
			return false;
		labels += i < len;
		start = i + 1;
	}
	return labels > 1;
}

static bool
is_email(const char *cell, int len)
{
	const char *at = memchr(cell, '@', len);

	return at && len <= EMAIL_MAX_BYTES && is_local_part(cell, at - cell) &&
		   is_domain(at + 1, len - (at - cell) - 1);
}

/* Five or nine digits, the nine with a hyphen or without. */
static bool
is_zip(const char *cell, int len)
{
	int digits = 0;

	for (int i = 0; i < len; i++)
		if (is_digit(cell[i]))
			digits++;
		else if (cell[i] != '-' || i != 5)
			return false;
	return digits == 9 || (digits == 5 && len == 5);
}

static bool
has_format(GcCellFormat format, const char *cell, int len)
{
	switch (format)
	{
		case GC_CELL_E164:
			return is_e164(cell, len);
		case GC_CELL_EMAIL:
			return is_email(cell, len);
		case GC_CELL_ZIP:
			return is_zip(cell, len);
		case GC_CELL_ANY:
			break;
	}
	return true;
}

int
gc_cell_chars(const char *cell, int len)
{
	int chars = 0;

	for (int i = 0; i < len; i++)
		chars += (cell[i] & 0xC0) != 0x80;
	return chars;
}

GcCellFault
gc_cell_check(const GcCellRule *rule, const char *cell, int len)
{
	if (len == 0)
		return rule->required ? GC_CELL_EMPTY : GC_CELL_FINE;
	if (len > rule->max_chars && gc_cell_chars(cell, len) > rule->max_chars)
		return GC_CELL_TOO_LONG;
	return has_format(rule->format, cell, len) ? GC_CELL_FINE : GC_CELL_MALFORMED;
}

GcCellFormat
gc_cell_format(const char *name)
{
	if (name == NULL)
		return GC_CELL_ANY;
	return strcmp(name, "e164") == 0 ? GC_CELL_E164 : GC_CELL_EMAIL;
}

const char *
gc_cell_format_words(GcCellFormat format)
{
	return format == GC_CELL_E164	 ? "a phone number in E.164 format"
		   : format == GC_CELL_EMAIL ? "an email address"
									 : "a postal code of 5 or 9 digits";
}

const char *
gc_cell_format_hint(GcCellFormat format)
{
	return format == GC_CELL_E164
			   ? "It is a plus sign, the country code and the number, 15 digits at most: "
				 "+14155550101."
		   : format == GC_CELL_EMAIL
			   ? "It is one address, without a name or angle brackets: "
				 "ana@example.com."
			   : "The list tells time zones by it, and the platform refuses anything else.";
}
