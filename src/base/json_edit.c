/*
 * base/json_edit.c
 *	  An object in JSON with some of its members changed; all others as they stand.
 */
#include "postgres.h"

#include "base/json_edit.h"
#include "base/value.h"

#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/jsonb.h"

/* Changes below one object: their paths go on after "skip" bytes. */
typedef struct Edit
{
	StringInfo out;
	const GcJsonChange *changes;
	int count;
	bool *done;
} Edit;

static bool edit_object(Edit *edit, const GcSpan *object, const char *prefix, int skip);

/* The length of the name that a path has at that place. */
static int
name_len(const char *path, int skip)
{
	return strcspn(path + skip, "/");
}

/* Is it below the object at "prefix", whose length, with its slash, is "skip"? */
static bool
is_below(const GcJsonChange *change, const char *prefix, int skip)
{
	return strncmp(change->path, prefix, skip) == 0;
}

static void
put_name(StringInfo out, const char *name, int len)
{
	gc_json_append_comma(out);
	appendStringInfoChar(out, '"');
	gc_json_escape(out, name, len);
	appendStringInfoString(out, "\":");
}

/* The member that a change names at this level: its new value, or itself with what is below it. */
static bool
put_changed(Edit *edit, int number, const GcSpan *value, int skip)
{
	const GcJsonChange *change = &edit->changes[number];
	int len = name_len(change->path, skip);
	bool ends = change->path[skip + len] == '\0';
	const GcSpan absent = {0};

	if (!ends)
	{
		put_name(edit->out, change->path + skip, len);
		return edit_object(edit, value && value->type == '{' ? value : &absent, change->path,
						   skip + len + 1);
	}
	edit->done[number] = true;
	if (change->json == NULL)
		return true;
	put_name(edit->out, change->path + skip, len);
	appendStringInfoString(edit->out, change->json);
	return true;
}

/* The first change that names the key at this level; -1: none does. */
static int
find_change(const Edit *edit, const char *prefix, int skip, const char *key, int len)
{
	for (int i = 0; i < edit->count; i++)
	{
		const char *path = edit->changes[i].path;

		if (is_below(&edit->changes[i], prefix, skip) && name_len(path, skip) == len &&
			memcmp(path + skip, key, len) == 0)
			return i;
	}
	return -1;
}

static bool
edit_members(Edit *edit, const GcSpan *object, const char *prefix, int skip)
{
	GcJson json;
	GcSpan key;
	GcSpan value;

	gc_json_init(&json, object->p, object->len);
	if (!gc_json_enter(&json, '{'))
		return false;
	while (gc_json_key(&json, &key) && gc_json_value(&json, &value))
	{
		char *name = palloc(key.len + 1);
		int len = gc_json_unescape(&key, name);
		int number = len < 0 ? -1 : find_change(edit, prefix, skip, name, len);

		if (number >= 0 && !put_changed(edit, number, &value, skip))
			return false;
		if (number < 0)
		{
			gc_json_append_comma(edit->out);
			gc_json_append(edit->out, &key);
			appendStringInfoChar(edit->out, ':');
			gc_json_append(edit->out, &value);
		}
		pfree(name);
	}
	return json.error == NULL;
}

static bool
edit_object(Edit *edit, const GcSpan *object, const char *prefix, int skip)
{
	check_stack_depth();
	appendStringInfoChar(edit->out, '{');
	if (object->p && !edit_members(edit, object, prefix, skip))
		return false;
	for (int i = 0; i < edit->count; i++)
		if (!edit->done[i] && is_below(&edit->changes[i], prefix, skip) &&
			!put_changed(edit, i, NULL, skip))
			return false;
	appendStringInfoChar(edit->out, '}');
	return true;
}

bool
gc_json_edit(StringInfo out, const GcSpan *object, const GcJsonChange *changes, int count)
{
	Edit edit = {out, changes, count, palloc0(sizeof(bool) * Max(count, 1))};

	if (object->p && object->type != '{')
		return false;
	return edit_object(&edit, object, "", 0);
}

/* Names with escapes are rare: most need not be decoded. */
static bool
is_name(const GcSpan *key, const char *name, int len)
{
	char *decoded;
	bool is;

	if (!key->escaped)
		return key->len == len && memcmp(key->p, name, len) == 0;
	decoded = palloc(key->len);
	is = gc_json_unescape(key, decoded) == len && memcmp(decoded, name, len) == 0;
	pfree(decoded);
	return is;
}

GcSpan
gc_json_member(const GcSpan *object, const char *path)
{
	GcSpan span = *object;

	for (int skip = 0; span.p && path[skip] != '\0';)
	{
		int len = name_len(path, skip);
		const char *name = path + skip;
		GcSpan found = {0};
		GcSpan key;
		GcSpan value;
		GcJson json;

		gc_json_init(&json, span.p, span.len);
		if (span.type == '{' && gc_json_enter(&json, '{'))
			while (gc_json_key(&json, &key) && gc_json_value(&json, &value))
				if (is_name(&key, name, len))
					found = value;
		span = found;
		skip += len + (name[len] == '/');
	}
	return span;
}

static Datum
as_jsonb(const GcSpan *span)
{
	StringInfoData json;

	initStringInfo(&json);
	if (span->p)
		gc_json_append(&json, span);
	else
		appendStringInfoString(&json, "null");
	return DirectFunctionCall1(jsonb_in,
							   CStringGetDatum(gc_value_from_utf8(json.data, json.len)));
}

bool
gc_json_same(const GcSpan *a, const GcSpan *b)
{
	return DatumGetBool(DirectFunctionCall2(jsonb_eq, as_jsonb(a), as_jsonb(b)));
}
