/*
 * base/names.c
 *	  SQL names for remote ones: snake_case, short enough, never shared.
 */
#include "postgres.h"

#include "base/names.h"

#include "common/hashfn.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"

/* "_" and eight hexadecimal digits. */
#define SUFFIX_LENGTH 9

static bool
is_upper(char c)
{
	return c >= 'A' && c <= 'Z';
}

static bool
is_lower_or_digit(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* Does a word begin here?  FirstName, CRMLead, but not in CRM_Lead_ID's "CRM". */
static bool
word_begins(const char *name, const char *p)
{
	if (p == name || !is_upper(*p))
		return false;
	return is_lower_or_digit(p[-1]) || (is_upper(p[-1]) && p[1] >= 'a' && p[1] <= 'z');
}

static char *
snake_case(const char *remote)
{
	StringInfoData name;

	initStringInfo(&name);
	for (const char *p = remote; *p; p++)
	{
		bool letter = is_upper(*p) || is_lower_or_digit(*p) || IS_HIGHBIT_SET(*p);

		if (word_begins(remote, p) || !letter)
		{
			if (name.len > 0 && name.data[name.len - 1] != '_')
				appendStringInfoChar(&name, '_');
		}
		if (letter)
			appendStringInfoChar(&name, pg_ascii_tolower(*p));
	}
	while (name.len > 0 && name.data[name.len - 1] == '_')
		name.data[--name.len] = '\0';
	if (name.len == 0)
		appendStringInfoString(&name, "unnamed");
	return name.data;
}

/* Cuts between characters, never inside one. */
static void
cut_name(char *name, int max)
{
	int len = strlen(name);

	if (len > max)
		name[pg_mbcliplen(name, len, max)] = '\0';
}

static void
add_suffix(GcName *name)
{
	uint32 hash = hash_bytes((const unsigned char *) name->own_id, strlen(name->own_id));

	cut_name(name->sql, NAMEDATALEN - 1 - SUFFIX_LENGTH);
	name->sql = psprintf("%s_%08x", name->sql, hash);
}

void
gc_names_make(GcName *names, int count, bool snake)
{
	bool *collides = palloc0(sizeof(bool) * Max(count, 1));

	for (int i = 0; i < count; i++)
	{
		if (names[i].reserved)
			names[i].sql = pstrdup(names[i].reserved);
		else
			names[i].sql = snake ? snake_case(names[i].remote) : pstrdup(names[i].remote);
		cut_name(names[i].sql, NAMEDATALEN - 1);
	}
	for (int i = 0; i < count; i++)
		for (int j = 0; j < count; j++)
			if (i != j && strcmp(names[i].sql, names[j].sql) == 0)
				collides[i] = true;
	for (int i = 0; i < count; i++)
		if (collides[i] && !names[i].reserved)
			add_suffix(&names[i]);
}
