/*
 * fdw/pattern.c
 *	  What a platform without patterns can say of a LIKE pattern.
 */
#include "postgres.h"

#include "fdw/pattern.h"

#include "lib/stringinfo.h"

typedef struct Pattern
{
	char *first; /* what a match begins with; empty: anything */
	char *last;	 /* … and ends with */
	char *longest;
	int parts;		 /* literal ones that are not empty */
	bool singles;	 /* there is a wildcard for one character */
	bool wild;		 /* there is any wildcard; if not, it is "first" as a whole */
	bool unfinished; /* it ends with an escape: an error where that is reached */
} Pattern;

static void
read_pattern(const char *pattern, Pattern *result)
{
	StringInfoData part;
	bool first = true;

	*result = (Pattern){.first = "", .last = "", .longest = ""};
	initStringInfo(&part);
	for (const char *p = pattern;; p++)
	{
		bool wild = *p == '%' || *p == '_';

		if (*p == '\\' && p[1] == '\0')
			result->unfinished = true;
		if (*p == '\\' && p[1] != '\0')
			appendStringInfoChar(&part, *++p);
		else if (!wild && *p != '\0')
			appendStringInfoChar(&part, *p);
		if (!wild && *p != '\0')
			continue;
		if (first)
			result->first = pstrdup(part.data);
		if (part.len > strlen(result->longest))
			result->longest = pstrdup(part.data);
		result->last = pstrdup(part.data);
		result->parts += part.len > 0 ? 1 : 0;
		first = false;
		resetStringInfo(&part);
		if (*p == '\0')
			return;
		result->wild = true;
		result->singles = result->singles || *p == '_';
	}
}

bool
gc_pattern_test(const char *pattern, GcOperator *op, char **literal, bool *whole)
{
	Pattern parts;

	read_pattern(pattern, &parts);
	*whole = !parts.singles && parts.parts <= 1 && !parts.unfinished;
	if (!parts.wild)
	{
		*op = GC_OPERATOR_EQUALS;
		*literal = parts.first;
		return true;
	}
	*literal = parts.longest;
	*op = *parts.longest == '\0'					? GC_OPERATOR_EQUALS
		  : strcmp(parts.longest, parts.first) == 0 ? GC_OPERATOR_BEGINS_WITH
		  : strcmp(parts.longest, parts.last) == 0	? GC_OPERATOR_ENDS_WITH
													: GC_OPERATOR_CONTAINS;
	return **literal != '\0';
}
