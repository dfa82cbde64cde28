/*
 * fdw/decode.c
 *	  From an entity in JSON to a row of a foreign table.
 */
#include "postgres.h"

#include "base/json_pick.h"
#include "fdw/decode.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

/* Paths have at most this many members. */
#define PATH_MAX_MEMBERS 8

/* The entity's own id, for messages, is always picked. */
#define SLOT_ID 0

typedef struct Picked
{
	const char *members[PATH_MAX_MEMBERS];
	int count;
} Picked;

struct GcDecoder
{
	GcRelation *rel;
	GcPick *pick;
	int slot_count;
	Picked *paths; /* by slot: columns may share one */
	GcSpan *slots;
	int *slot_of;	  /* by attnum - 1; -1: not wanted, or a constant */
	Datum *constants; /* by attnum - 1 */
	bool *is_constant;
	GcSpan raw;	 /* the entity read last */
	int current; /* column being decoded, for messages */
};

/* Splits a path; "%" stands for the column. */
static void
split_path(const char *joined, const char *column, Picked *path)
{
	char *rest = pstrdup(joined);

	path->count = 0;
	while (*rest)
	{
		char *slash = strchr(rest, '/');

		if (slash)
			*slash = '\0';
		path->members[path->count++] = column && strcmp(rest, "%") == 0 ? column : rest;
		if (slash == NULL)
			break;
		rest = slash + 1;
	}
}

static void
column_path(const GcColumn *column, Picked *path)
{
	if (column->field)
	{
		path->members[0] = "data";
		path->members[1] = column->field;
		path->count = 2;
	}
	else
		split_path(column->attribute->path, column->attribute_column, path);
}

static bool
same_path(const Picked *a, const Picked *b)
{
	if (a->count != b->count)
		return false;
	for (int i = 0; i < a->count; i++)
		if (strcmp(a->members[i], b->members[i]) != 0)
			return false;
	return true;
}

/* The slot of a path; a new one at first sight. */
static int
slot_for(GcDecoder *decoder, const Picked *path)
{
	for (int i = 0; i < decoder->slot_count; i++)
		if (same_path(&decoder->paths[i], path))
			return i;
	decoder->paths[decoder->slot_count] = *path;
	gc_pick_add(decoder->pick, path->members, path->count, decoder->slot_count);
	return decoder->slot_count++;
}

bool
gc_decode_constant(GcColumn *column, const GcList *list, Datum *value)
{
	const char *constant = gc_relation_constant(column, list);

	if (constant)
		*value = gc_value_parse(&column->type, pstrdup(constant), strlen(constant));
	return constant != NULL;
}

/* Where an entity has its id. */
static const char *
id_path(const GcRelation *rel)
{
	const GcEntityKind *kind = rel->resource->kind;

	return kind && kind->id_field ? kind->id_field : "id";
}

GcDecoder *
gc_decoder_create(GcRelation *rel, const GcList *list, Bitmapset *wanted)
{
	GcDecoder *decoder = palloc0(sizeof(GcDecoder));
	int n = rel->column_count;
	Picked path;

	decoder->rel = rel;
	decoder->pick = gc_pick_create();
	decoder->paths = palloc0(sizeof(Picked) * (n + 1));
	decoder->slots = palloc0(sizeof(GcSpan) * (n + 1));
	decoder->slot_of = palloc(sizeof(int) * Max(n, 1));
	decoder->constants = palloc0(sizeof(Datum) * Max(n, 1));
	decoder->is_constant = palloc0(sizeof(bool) * Max(n, 1));
	split_path(id_path(rel), NULL, &path);
	(void) slot_for(decoder, &path);
	for (int i = 0; i < n; i++)
	{
		GcColumn *column = &rel->columns[i];

		decoder->slot_of[i] = -1;
		if (column->attnum == 0 || (wanted && !bms_is_member(column->attnum, wanted)))
			continue;
		if (column->attribute && column->attribute->path == NULL)
		{
			decoder->is_constant[i] = gc_decode_constant(column, list, &decoder->constants[i]);
			continue;
		}
		column_path(column, &path);
		decoder->slot_of[i] = slot_for(decoder, &path);
	}
	return decoder;
}

GcSpan
gc_decoder_id(const GcDecoder *decoder)
{
	return decoder->slots[SLOT_ID];
}

GcSpan
gc_decoder_raw(const GcDecoder *decoder)
{
	return decoder->raw;
}

/* A contact's cells are strings, of JSON, too; elsewhere a member is JSON, a string like any other. */
static char *
cell_text(const GcDecoder *decoder, const GcColumn *column, const GcSpan *span, int *len)
{
	StringInfoData json;

	if (span->p == NULL || span->type != '"' || !decoder->rel->resource->by_options ||
		(column->type.kind != GC_VALUE_JSONB && column->type.type != JSONOID))
		return gc_value_span_text(span, len);
	initStringInfo(&json);
	gc_json_append(&json, span);
	*len = json.len;
	return json.data;
}

static void
decode_column(GcDecoder *decoder, int i, Datum *values, bool *nulls)
{
	GcColumn *column = &decoder->rel->columns[i];
	char *cell;
	int len;

	if (decoder->slot_of[i] < 0)
	{
		values[i] = decoder->constants[i];
		nulls[i] = !decoder->is_constant[i];
		return;
	}
	if (column->attribute && column->attribute->derive)
	{
		const char *derived = column->attribute->derive(&decoder->slots[decoder->slot_of[i]]);

		cell = derived ? pstrdup(derived) : NULL;
		len = cell ? strlen(cell) : 0;
	}
	else
		cell = cell_text(decoder, column, &decoder->slots[decoder->slot_of[i]], &len);
	nulls[i] = cell == NULL;
	values[i] = cell ? gc_value_parse(&column->type, cell, len) : (Datum) 0;
}

/*
 * Rewords an error about a cell: the input function's own message would show
 * the value, which is personal data, and not say where it stands.
 */
static void
bad_cell(const GcRelation *rel, const GcColumn *column, const GcSpan *id, ErrorData *error)
{
	const char *entity = id->p ? gc_value_display(pnstrdup(id->p, id->len), 100) : "unknown";

	ereport(
		ERROR,
		(errcode(error->sqlerrcode),
		 errmsg("could not read column \"%s\" of %s", column->name, rel->label),
		 errdetail("%s \"%s\" has a value that is no valid %s%s%s.",
				   rel->resource->has_list ? "Contact" : "Entity", entity,
				   format_type_extended(column->type.type,
										column->type.is_domain ? -1 : column->type.typmod,
										FORMAT_TYPE_TYPEMOD_GIVEN),
				   gc_show_values ? ": " : "", gc_show_values ? error->message : ""),
		 gc_show_values
			 ? 0
			 : errhint("Declare the column as text, or set gc_fdw.show_values to see it.")));
}

void
gc_decode_rethrow(const GcRelation *rel, const GcColumn *column, const GcSpan *id,
				  MemoryContext caller_cxt)
{
	ErrorData *error;

	MemoryContextSwitchTo(caller_cxt);
	error = CopyErrorData();
	if (ERRCODE_TO_CATEGORY(error->sqlerrcode) != ERRCODE_DATA_EXCEPTION &&
		ERRCODE_TO_CATEGORY(error->sqlerrcode) != ERRCODE_INTEGRITY_CONSTRAINT_VIOLATION)
		PG_RE_THROW();
	FlushErrorState();
	bad_cell(rel, column, id, error);
	pg_unreachable();
}

bool
gc_decoder_row(GcDecoder *decoder, GcJson *json, Datum *values, bool *nulls)
{
	MemoryContext caller_cxt = CurrentMemoryContext;

	(void) gc_json_peek(json); /* past white space */
	decoder->raw = (GcSpan){.p = json->p, .type = '{'};
	if (!gc_pick_object(decoder->pick, json, decoder->slots, decoder->slot_count))
		return false;
	decoder->raw.len = json->p - decoder->raw.p;
	PG_TRY();
	{
		for (decoder->current = 0; decoder->current < decoder->rel->column_count;
			 decoder->current++)
			decode_column(decoder, decoder->current, values, nulls);
	}
	PG_CATCH();
	{
		gc_decode_rethrow(decoder->rel, &decoder->rel->columns[decoder->current],
						  &decoder->slots[SLOT_ID], caller_cxt);
	}
	PG_END_TRY();
	return true;
}
