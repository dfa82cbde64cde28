/*
 * fdw/staged_parts.c
 *	  An import's rows on their way into its parts: which of them go by file, and how many at once.
 */
#include "postgres.h"

#include "api/dialect.h"
#include "api/upload.h"
#include "base/option.h"
#include "base/seen.h"
#include "fdw/line_file.h"
#include "fdw/staged_csv.h"
#include "fdw/staged_parts.h"
#include "fdw/staged_row.h"
#include "store/parts.h"

#include "miscadmin.h"
#include "utils/memutils.h"

struct GcStagedParts
{
	GcStagedPartsSetup setup;
	MemoryContext cxt;
	GcPartWriter *writer;
	const GcImportWay *posts;
	const GcImportWay *base; /* of what does not go by file */
	const GcImportWay *file;
	GcSeen *part_ids; /* of the part at hand, where a job takes none twice (K8); or NULL */
	int64 rows;
	int64 part_rows;	/* the option; 0: as the method has it, … */
	int64 request_rows; /* … or batch_size, if it is given and a part is one request */
	GcStagedCsv *csv;	/* NULL: all rows go by POST */
	GcLineFile *kept;	/* not NULL: it is not known yet whether they go by file */
	int64 threshold;	/* they do, with so many */
	bool by_file;
	GcLineFile *aside; /* what a file or a job cannot say, for the end; NULL: nothing */
	GcSeen *aside_ids; /* its ids: what comes of them later stays behind */
	StringInfoData line;
	StringInfoData csv_line;
	MemoryContext scratch_cxt; /* reset for each row that is read again */
};

/* ---- how they are sent ---- */

/* May rows go by file at all?  An explicit method is not left out in silence. */
static bool
may_upload(const GcStagedParts *parts)
{
	const GcRelation *rel = parts->setup.rel;
	bool presigned =
		strcmp(gc_option_string(rel->options, rel->server_options, "upload_method"),
			   "presigned") == 0;

	const char *method = parts->setup.import->method;
	bool wanted = strcmp(method, parts->file->method) == 0;

	if (!wanted && strcmp(method, "auto") != 0)
		return false;
	if (parts->file->form == GC_IMPORT_JOB_FILE || gc_upload_can(parts->setup.conn, presigned))
		return wanted || strcmp(parts->setup.import->on_duplicate, "update") == 0;
	if (wanted)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_OPTION_NAME_NOT_FOUND),
				 errmsg("server \"%s\" lacks the option \"%s\"", parts->setup.import->server,
						"upload_url"),
				 errhint("Set it with ALTER SERVER, or use upload_method 'presigned'.")));
	return false;
}

/* A field of that name would be taken for the contact's id. */
static bool
has_id_field(const GcStagedParts *parts)
{
	return gc_list_column(parts->setup.list, "contactId") >= 0;
}

/* The way of that form that the dialect has; NULL: none. */
static const GcImportWay *
way_of(const GcDialect *dialect, GcImportForm form)
{
	for (const GcImportWay *way = dialect->ways; way->method; way++)
		if (way->form == form)
			return way;
	return NULL;
}

/* Where the platform does not see to contacts that are there, it must be asked for them first. */
static const GcImportWay *
choose_base(const GcStagedParts *parts, const GcDialect *dialect)
{
	const GcImport *import = parts->setup.import;
	const GcImportWay *wanted = gc_dialect_way(dialect, import->method);
	const GcImportWay *append = way_of(dialect, GC_IMPORT_APPEND);
	const GcImportWay *queue = way_of(dialect, GC_IMPORT_QUEUE);

	if (append == NULL || wanted == parts->posts ||
		!gc_staged_is_plain_upsert(parts->setup.rel))
		return parts->posts;
	if (wanted == append && has_id_field(parts))
		ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						errmsg("%s has a field \"contactId\", so that it cannot be filled by "
							   "method \"%s\"",
							   parts->setup.rel->label, append->method),
						errhint("Use method '%s'.", queue->method)));
	if (wanted == append || wanted == queue)
		return wanted;
	return strcmp(import->on_duplicate, "update") == 0 && !has_id_field(parts) ? append
																			   : queue;
}

static void
choose_method(GcStagedParts *parts)
{
	const GcRelation *rel = parts->setup.rel;

	const GcDialect *dialect = gc_dialect(rel->server_options);

	parts->posts = gc_dialect_way(dialect, "contacts");
	parts->file = gc_dialect_way(dialect, "upload");
	parts->base = choose_base(parts, dialect);
	parts->part_rows = parts->setup.part_rows;
	if (parts->part_rows == 0 && (gc_option_given(rel->options, "batch_size") ||
								  gc_option_given(rel->server_options, "batch_size")))
		parts->request_rows = gc_option_int(rel->options, rel->server_options, "batch_size");
	parts->scratch_cxt = AllocSetContextCreate(CurrentMemoryContext, "gc_fdw staged row",
											   ALLOCSET_DEFAULT_SIZES);
	initStringInfo(&parts->csv_line);
	if (may_upload(parts))
		parts->csv = gc_staged_csv_create(rel, parts->setup.list,
										  parts->file->form == GC_IMPORT_JOB_FILE);
	if (parts->csv == NULL)
		return;
	parts->threshold = gc_option_int(rel->options, rel->server_options, "import_threshold");
	parts->by_file = strcmp(parts->setup.import->method, parts->file->method) == 0;
	if (!parts->by_file)
		parts->kept = gc_line_file_create();
}

GcStagedParts *
gc_staged_parts_open(const GcStagedPartsSetup *setup)
{
	GcStagedParts *parts = palloc0(sizeof(GcStagedParts));

	parts->setup = *setup;
	parts->cxt = CurrentMemoryContext;
	parts->writer = gc_parts_open(setup->import->id);
	initStringInfo(&parts->line);
	choose_method(parts);
	return parts;
}

/* ---- rows ---- */

/* Has the part at hand no room for a row of that length? */
static bool
is_full(const GcStagedParts *parts, const GcImportWay *way, int len)
{
	int64 most = parts->part_rows ? Min(parts->part_rows, way->rows_max) : way->rows;

	if (parts->request_rows && way->form == GC_IMPORT_APPEND)
		most = parts->request_rows;

	return !gc_parts_is_of(parts->writer, way->method) ||
		   gc_parts_rows(parts->writer) >= most ||
		   (way->bytes_max && gc_parts_bytes(parts->writer) + len > way->bytes_max);
}

static void
put_contact(GcStagedParts *parts, const char *line, int len)
{
	if (is_full(parts, parts->posts, len))
		gc_parts_begin(parts->writer, parts->posts->method);
	gc_parts_add(parts->writer, line, len, 1);
}

/* A row of a job: no contact is in one twice. */
static void
put_job_row(GcStagedParts *parts, const GcRow *row, const char *line, int len)
{
	int id_len = strlen(row->id);

	if (is_full(parts, parts->base, len) || gc_seen_has(parts->part_ids, row->id, id_len))
	{
		MemoryContext caller_cxt = MemoryContextSwitchTo(parts->cxt);

		gc_parts_begin(parts->writer, parts->base->method);
		if (parts->part_ids)
			gc_seen_free(parts->part_ids);
		parts->part_ids = gc_seen_create(0);
		MemoryContextSwitchTo(caller_cxt);
	}
	(void) gc_seen_note(parts->part_ids, row->id, id_len);
	gc_parts_add(parts->writer, line, len, 1);
}

static void
put_file_row(GcStagedParts *parts)
{
	StringInfo row = &parts->csv_line;

	if (is_full(parts, parts->file, row->len))
	{
		StringInfoData header;

		initStringInfo(&header);
		gc_staged_csv_header(parts->csv, &header);
		gc_parts_begin(parts->writer, parts->file->method);
		gc_parts_add(parts->writer, header.data, header.len, 0);
		pfree(header.data);
	}
	gc_parts_add(parts->writer, row->data, row->len, 1);
}

/* For the end, so that a contact's last row is the one that counts. */
static void
put_aside(GcStagedParts *parts, const GcRow *row, const char *line, int len)
{
	MemoryContext caller_cxt = MemoryContextSwitchTo(parts->cxt);

	if (parts->aside == NULL)
	{
		parts->aside = gc_line_file_create();
		parts->aside_ids = gc_seen_create(0);
	}
	(void) gc_seen_note(parts->aside_ids, row->id, strlen(row->id));
	gc_line_file_put(parts->aside, line, len);
	MemoryContextSwitchTo(caller_cxt);
}

/* One that does not go by file.  Opt-outs go by POST, whose echo shows that they took. */
static void
put_base(GcStagedParts *parts, const GcRow *row, const char *line, int len)
{
	if (parts->base == parts->posts)
		put_contact(parts, line, len);
	else if (gc_staged_is_plain(row) &&
			 (parts->aside == NULL ||
			  !gc_seen_has(parts->aside_ids, row->id, strlen(row->id))))
		put_job_row(parts, row, line, len);
	else
		put_aside(parts, row, line, len);
}

static void
put_row(GcStagedParts *parts, const GcRow *row, const char *line, int len)
{
	const char *column;
	GcCsvFit fit = GC_CSV_SAYS_MORE;

	resetStringInfo(&parts->csv_line);
	if (parts->aside == NULL || !gc_seen_has(parts->aside_ids, row->id, strlen(row->id)))
		fit = gc_staged_csv_row(parts->csv, row, &parts->csv_line, &column);
	if (fit == GC_CSV_FITS)
		put_file_row(parts);
	else if (fit == GC_CSV_TRIMMED && parts->setup.rel->strict)
		parts->setup.refuse(parts->setup.arg, row, column);
	else
		put_aside(parts, row, line, len);
}

/* What was kept, now that it is known how it goes. */
static void
put_kept(GcStagedParts *parts)
{
	void (*put)(GcStagedParts *, const GcRow *, const char *, int) =
		parts->by_file ? put_row : put_base;
	MemoryContext caller_cxt = CurrentMemoryContext;
	StringInfoData line;
	StringInfoData copy;

	initStringInfo(&line);
	initStringInfo(&copy);
	gc_line_file_rewind(parts->kept);
	while (gc_line_file_get(parts->kept, &line))
	{
		char *at;
		GcRow row;

		CHECK_FOR_INTERRUPTS();
		MemoryContextReset(parts->scratch_cxt);
		resetStringInfo(&copy);
		appendBinaryStringInfo(&copy, line.data, line.len);
		at = copy.data;
		MemoryContextSwitchTo(parts->scratch_cxt);
		(void) gc_staged_row_get(&at, copy.data + copy.len, &row);
		put(parts, &row, line.data, line.len);
		MemoryContextSwitchTo(caller_cxt);
	}
	gc_line_file_end(parts->kept);
	parts->kept = NULL;
}

void
gc_staged_parts_row(GcStagedParts *parts, const GcRow *row)
{
	parts->rows++;
	if (parts->kept && parts->rows >= parts->threshold)
	{
		parts->by_file = true;
		put_kept(parts);
	}
	resetStringInfo(&parts->line);
	gc_staged_row_put(&parts->line, row);
	if (parts->kept)
		gc_line_file_put(parts->kept, parts->line.data, parts->line.len);
	else if (parts->by_file)
		put_row(parts, row, parts->line.data, parts->line.len);
	else
		put_base(parts, row, parts->line.data, parts->line.len);
}

/* What goes by POST after all. */
static void
put_contacts(GcStagedParts *parts, GcLineFile *file)
{
	StringInfoData line;

	if (file == NULL)
		return;
	initStringInfo(&line);
	gc_line_file_rewind(file);
	while (gc_line_file_get(file, &line))
	{
		CHECK_FOR_INTERRUPTS();
		put_contact(parts, line.data, line.len);
	}
	gc_line_file_end(file);
}

const char *
gc_staged_parts_close(GcStagedParts *parts)
{
	if (parts->kept)
		put_kept(parts);
	put_contacts(parts, parts->aside);
	(void) gc_parts_close(parts->writer);
	return parts->by_file ? parts->file->method : parts->base->method;
}
