/*
 * base/contact_id.c
 *	  What a contact id may look like: the table option contact_id_pattern.
 */
#include "postgres.h"

#include "base/contact_id.h"
#include "base/option.h"

#include "catalog/pg_collation.h"
#include "mb/pg_wchar.h"
#include "regex/regex.h"
#include "utils/memutils.h"

#define ID_CHARACTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:@-"

struct GcIdPattern
{
	const char *source;
	bool plain; /* the default one, checked by hand */
	regex_t regex;
	MemoryContextCallback on_reset;
};

static void
free_regex(void *arg)
{
	pg_regfree(&((GcIdPattern *) arg)->regex);
}

GcIdPattern *
gc_id_pattern_create(const char *source)
{
	GcIdPattern *pattern = palloc0(sizeof(GcIdPattern));
	pg_wchar *wide;
	int len;

	pattern->source = pstrdup(source);
	pattern->plain = strcmp(source, gc_option_string(NIL, NIL, "contact_id_pattern")) == 0;
	if (pattern->plain)
		return pattern;
	wide = palloc((strlen(source) + 1) * sizeof(pg_wchar));
	len = pg_mb2wchar_with_len(source, wide, strlen(source));
	if (pg_regcomp(&pattern->regex, wide, len, REG_ADVANCED | REG_NOSUB, C_COLLATION_OID) !=
		REG_OKAY)
		elog(ERROR, "contact_id_pattern passed the validator but does not compile");
	pattern->on_reset.func = free_regex;
	pattern->on_reset.arg = pattern;
	MemoryContextRegisterResetCallback(CurrentMemoryContext, &pattern->on_reset);
	return pattern;
}

bool
gc_id_pattern_matches(GcIdPattern *pattern, const char *id, int len)
{
	pg_wchar *wide;
	int chars;

	if (pattern->plain)
	{
		if (len == 0 || len > GC_CONTACT_ID_MAX)
			return false;
		for (int i = 0; i < len; i++)
			if (id[i] == '\0' || strchr(ID_CHARACTERS, id[i]) == NULL)
				return false;
		return true;
	}
	wide = palloc((len + 1) * sizeof(pg_wchar));
	chars = pg_encoding_mb2wchar_with_len(PG_UTF8, id, wide, len);
	return pg_regexec(&pattern->regex, wide, chars, 0, NULL, 0, NULL, 0) == REG_OKAY;
}

const char *
gc_id_pattern_source(const GcIdPattern *pattern)
{
	return pattern->source;
}
