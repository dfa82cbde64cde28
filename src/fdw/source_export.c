/*
 * fdw/source_export.c
 *	  Rows from the file of an export.
 */
#include "postgres.h"

#include "api/dnc_lists.h"
#include "api/export.h"
#include "base/csv.h"
#include "base/option.h"
#include "fdw/decode.h"
#include "fdw/export_cells.h"
#include "fdw/source.h"

#include "access/table.h"

typedef struct ExportSource
{
	GcSource base;
	MemoryContext cxt;
	GcExport *export;
	GcCsv *csv; /* NULL: no row has been asked for */
	GcExportCells *map;
	int cell_count;	  /* of every record */
	char **cells;	  /* of the last one */
	Datum *constants; /* by attnum - 1 */
	bool *is_constant;
	int current; /* column being read, for messages */
	int64 rows;
	bool ended;
} ExportSource;

/* ---- what can be read ---- */

static bool
is_given(const GcColumn *column)
{
	const GcAttribute *attribute = column->attribute;

	return attribute == NULL || attribute->by_export.header ||
		   attribute->by_export.position > 0 || attribute->export_map ||
		   attribute->role == GC_ROLE_LIST_ID || attribute->role == GC_ROLE_LIST_NAME;
}

/* COPY's lexer wants a table that COPY could fill. */
static bool
has_plain_column(const GcRelation *rel)
{
	for (int i = 0; i < rel->column_count; i++)
		if (rel->columns[i].attnum != 0 && !TupleDescAttr(rel->tupdesc, i)->attgenerated)
			return true;
	return false;
}

bool
gc_source_export_can(const GcRelation *rel, Bitmapset *columns, const char **why)
{
	for (int i = 0; i < rel->column_count; i++)
	{
		const GcColumn *column = &rel->columns[i];

		if (column->attnum == 0 || !bms_is_member(column->attnum, columns) || is_given(column))
			continue;
		*why = psprintf("Column \"%s\" (attribute %s) is not in an export.", column->name,
						column->attribute->name);
		return false;
	}
	*why = "It belongs to no list, or has no columns.";
	return (rel->resource->has_list || rel->resource->has_dnc_list) && has_plain_column(rel);
}

/* ---- the source ---- */

static void
forget_list(void *arg)
{
	gc_list_forget(arg);
}

static void
no_dnc_list(void *arg)
{
	const GcRelation *rel = arg;

	gc_dnc_list_missing(rel->dnc_list_id ? rel->dnc_list_id : rel->dnc_list_name);
}

static void
read_constants(ExportSource *source)
{
	const GcSourceRequest *request = source->base.request;
	GcRelation *rel = request->rel;

	source->constants = palloc0(sizeof(Datum) * Max(rel->column_count, 1));
	source->is_constant = palloc0(sizeof(bool) * Max(rel->column_count, 1));
	for (int i = 0; i < rel->column_count; i++)
		if (bms_is_member(rel->columns[i].attnum, request->columns))
			source->is_constant[i] =
				gc_decode_constant(&rel->columns[i], request->list, &source->constants[i]);
}

static GcSource *
export_open(const GcSourceRequest *request)
{
	ExportSource *source = palloc0(sizeof(ExportSource));
	GcRelation *rel = request->rel;
	GcExportRequest wanted = {
		.conn = request->conn,
		.stat = request->stat,
		.list_id = request->list ? request->list->id : request->dnc_list_id,
		.of_dnc_list = request->list == NULL,
		.body = request->criteria ? psprintf("{\"criteria\":%s}", request->criteria) : NULL,
		.what = rel->label,
		.ready_timeout = gc_option_ms(rel->options, rel->server_options, "ready_timeout"),
		.on_missing = request->list ? forget_list : no_dnc_list,
		.on_missing_arg = request->list ? (void *) request->list : (void *) rel};

	source->base.ops = &gc_source_export;
	source->base.request = request;
	source->cxt = CurrentMemoryContext;
	source->export = gc_export_open(&wanted);
	read_constants(source);
	return &source->base;
}

static int
read_file(void *arg, char *buf, int min, int max)
{
	return gc_export_read(((ExportSource *) arg)->export, buf, min, max);
}

/* The next record of the file; what the lexer says of it is said of the list. */
static bool
next_record(ExportSource *source, char ***cells, int *count)
{
	MemoryContext caller_cxt = CurrentMemoryContext;
	volatile bool found = false;

	PG_TRY();
	{
		found = gc_csv_next(source->csv, cells, count);
	}
	PG_CATCH();
	{
		ErrorData *error;

		MemoryContextSwitchTo(caller_cxt);
		error = CopyErrorData();
		if (ERRCODE_TO_CATEGORY(error->sqlerrcode) != ERRCODE_DATA_EXCEPTION)
			PG_RE_THROW();
		FlushErrorState();
		gc_export_throw(source->export,
						psprintf("Its export is no CSV after record " INT64_FORMAT ": %s.",
								 gc_csv_record(source->csv), error->message),
						NULL);
	}
	PG_END_TRY();
	return found;
}

/* Reads the first record of the file, the headers. */
static void
open_file(ExportSource *source)
{
	const GcSourceRequest *request = source->base.request;
	Relation relation;
	char **headers;
	const char *problem;
	const char *hint;

	/* The executor holds it open for longer than we need it. */
	relation = table_open(request->rel->relid, NoLock);
	source->csv = gc_csv_open(relation, read_file, source);
	table_close(relation, NoLock);
	if (!next_record(source, &headers, &source->cell_count))
		gc_export_throw(source->export, "Its export is empty, without a line of headers.",
						NULL);
	source->map = gc_export_cells_find(request->rel, request->list, request->columns, headers,
									   source->cell_count, &problem, &hint);
	if (source->map == NULL)
		gc_export_throw(source->export, problem, hint);
}

/* Asks for the export; false: it is not there yet. */
static bool
export_begin(ExportSource *source, bool wait)
{
	MemoryContext caller_cxt = MemoryContextSwitchTo(source->cxt);
	bool there = gc_export_begin(source->export, wait);

	if (there)
		open_file(source);
	MemoryContextSwitchTo(caller_cxt);
	return there;
}

static void
read_column(ExportSource *source, int i, char **cells, Datum *values, bool *nulls)
{
	char *cell;

	if (source->is_constant[i])
	{
		values[i] = source->constants[i];
		nulls[i] = false;
		return;
	}
	cell = gc_export_cells_get(source->map, i, cells);
	nulls[i] = cell == NULL;
	values[i] =
		cell ? gc_value_parse(&source->base.request->rel->columns[i].type, cell, strlen(cell))
			 : (Datum) 0;
}

static void
read_row(ExportSource *source, char **cells, Datum *values, bool *nulls)
{
	MemoryContext caller_cxt = CurrentMemoryContext;
	GcRelation *rel = source->base.request->rel;

	PG_TRY();
	{
		for (source->current = 0; source->current < rel->column_count; source->current++)
			read_column(source, source->current, cells, values, nulls);
	}
	PG_CATCH();
	{
		/* An entry of a DNC list is personal data. */
		const char *id =
			source->base.request->list ? gc_export_cells_id(source->map, cells) : NULL;
		GcSpan span = {.p = id, .len = id ? strlen(id) : 0};

		gc_decode_rethrow(rel, &rel->columns[source->current], &span, caller_cxt);
	}
	PG_END_TRY();
}

/* Once the file comes, it is read as fast as it does: the lexer cannot stop within a record. */
static GcNext
export_next(GcSource *base, bool wait, Datum *values, bool *nulls)
{
	ExportSource *source = (ExportSource *) base;
	char **cells;
	int count;

	if (source->csv == NULL && !export_begin(source, wait))
		return GC_NEXT_LATER;
	if (source->ended || !next_record(source, &cells, &count))
	{
		source->ended = true;
		return GC_NEXT_END;
	}
	if (count != source->cell_count)
		gc_export_throw(source->export,
						psprintf("Record " INT64_FORMAT
								 " of its export has %d cells where %d were expected.",
								 gc_csv_record(source->csv), count, source->cell_count),
						NULL);
	read_row(source, cells, values, nulls);
	source->cells = cells;
	source->rows++;
	return GC_NEXT_ROW;
}

/* An export may be of any age, and does not have all that a contact is. */
static void
export_identify(GcSource *base, GcSourceRow *row)
{
	ExportSource *source = (ExportSource *) base;
	const char *id = gc_export_cells_id(source->map, source->cells);

	row->id = (GcSpan){.p = id, .len = id ? strlen(id) : 0, .type = '"'};
	row->raw.p = NULL;
	row->read_at = 0;
	row->lags = true;
}

/* Until the end nobody says how many there will be; the list's size is close. */
static int64
export_total(GcSource *base)
{
	ExportSource *source = (ExportSource *) base;

	if (source->ended || base->request->criteria || base->request->list == NULL)
		return source->ended ? source->rows : -1;
	return base->request->list->size;
}

/* What was there when the export was made is what was read: nothing to say. */
static void
export_finish(GcSource *base)
{
}

const GcSourceOps gc_source_export = {.name = "export",
									  .open = export_open,
									  .next = export_next,
									  .identify = export_identify,
									  .total = export_total,
									  .finish = export_finish};
