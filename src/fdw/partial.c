/*
 * fdw/partial.c
 *	  INSERTs that do not name all columns of their list: the option partial_rows.
 */
#include "postgres.h"

#include "base/option.h"
#include "fdw/left_out.h"
#include "fdw/merge.h"
#include "fdw/partial.h"
#include "fdw/refresh.h"

#include "access/sysattr.h"
#include "utils/memutils.h"

struct GcPartial
{
	GcRefresh *refresh;
};

/* Does the INSERT name a column for that field of the list? */
static bool
is_named(const GcRelation *rel, const Bitmapset *named, const char *field)
{
	for (int i = 0; i < rel->column_count; i++)
	{
		const GcColumn *column = &rel->columns[i];

		if (column->attnum != 0 && column->field && strcmp(column->field, field) == 0)
			return column->attnum == rel->key ||
				   bms_is_member(column->attnum - FirstLowInvalidHeapAttributeNumber, named);
	}
	return false;
}

static const char *
missing_column(const GcModify *modify, const Bitmapset *named)
{
	for (int i = 0; i < modify->list->column_count; i++)
		if (!is_named(modify->rel, named, modify->list->columns[i]))
			return modify->list->columns[i];
	return NULL;
}

GcPartial *
gc_partial_open(const GcModify *modify, const Bitmapset *named, bool all_new)
{
	GcRelation *rel = modify->rel;
	const char *wanted = gc_option_string(rel->options, rel->server_options, "partial_rows");
	const char *missing = missing_column(modify, named);
	GcPartial *partial;

	if (missing == NULL)
		return NULL;
	if (strcmp(wanted, "allow") == 0)
	{
		if (modify->target && !all_new)
			gc_left_out_watch(modify->target, rel, modify->list);
		return NULL;
	}
	if (strcmp(wanted, "refuse") == 0)
		ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						errmsg("the INSERT does not name all columns of %s", rel->label),
						errdetail("Column \"%s\" of the list is missing, and the option "
								  "partial_rows is \"refuse\".",
								  gc_value_display(missing, NAMEDATALEN)),
						errhint("Name all columns, or set the option to \"merge\".")));
	partial = palloc(sizeof(GcPartial));
	partial->refresh =
		gc_refresh_create(modify->target, GC_VERB_INSERT, rel, modify->list,
						  gc_merger_create(modify->list), modify->conn->max_in_flight);
	return partial;
}

/* The names in the object that the row's cells are. */
static void
read_fields(const GcRow *row, GcPatch *patch)
{
	int before = row->cells - 1; /* the brace */
	int room = 8;
	GcJson json;
	GcSpan key;

	patch->fields = palloc(sizeof(char *) * room);
	gc_json_init(&json, row->json + before, row->len - 1 - before);
	(void) gc_json_enter(&json, '{');
	while (gc_json_key(&json, &key) && gc_json_value(&json, NULL))
	{
		char *name = palloc(key.len + 1);
		int len = gc_json_unescape(&key, name);

		name[Max(len, 0)] = '\0';
		if (patch->field_count == room)
			patch->fields = repalloc(patch->fields, sizeof(char *) * (room *= 2));
		patch->fields[patch->field_count++] = name;
	}
}

static const char *
copy_or_null(const char *string)
{
	return string ? pstrdup(string) : NULL;
}

/* A row as changes to the contact that may be there; a copy, in the current context. */
static void
row_to_patch(const GcRow *row, GcPatch *patch)
{
	static const char before_cells[] = "\"data\":{";

	memset(patch, 0, sizeof(*patch));
	patch->attributes = pnstrdup(row->json + row->attributes,
								 row->cells - strlen(before_cells) - row->attributes);
	patch->cells = pnstrdup(row->json + row->cells, row->len - 2 - row->cells);
	patch->shown.callable = row->callable;
	patch->shown.phone_number_status = copy_or_null(row->phone_number_status);
	patch->shown.contactable_status = copy_or_null(row->contactable_status);
	read_fields(row, patch);
}

/* The row by itself, for a contact that is not there. */
static GcRow
copy_row(const GcRow *row, const GcPatch *patch)
{
	GcRow copy = patch->shown;

	copy.id = pstrdup(row->id);
	copy.json = pnstrdup(row->json, row->len);
	copy.len = row->len;
	return copy;
}

void
gc_partial_row(GcPartial *partial, const GcRow *row)
{
	MemoryContext caller_cxt = MemoryContextSwitchTo(gc_refresh_context(partial->refresh));
	GcPatch patch;
	GcRow alone;

	row_to_patch(row, &patch);
	alone = copy_row(row, &patch);
	gc_refresh_add(partial->refresh, alone.id, &patch, &alone);
	MemoryContextSwitchTo(caller_cxt);
}

bool
gc_partial_merge(GcPartial *partial, GcRow *row)
{
	GcPatch patch;
	GcRow alone;

	row_to_patch(row, &patch);
	alone = copy_row(row, &patch);
	return gc_refresh_now(partial->refresh, alone.id, &patch, &alone, row);
}
