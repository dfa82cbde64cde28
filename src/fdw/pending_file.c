/*
 * fdw/pending_file.c
 *	  The file of what waits for COMMIT: encoded rows and changes, in order.
 */
#include "postgres.h"

#include "fdw/pending_file.h"

#include "lib/stringinfo.h"
#include "storage/buffile.h"
#include "utils/resowner.h"

/* What of a row is no string … */
typedef struct RowNumbers
{
	char callable;
	bool made_id;
	bool noted;
} RowNumbers;

/* … and of a change. */
typedef struct PatchNumbers
{
	int field_count;
	char callable;
	bool sets_callable;
	bool sets_phone_status;
	bool sets_contactable_status;
} PatchNumbers;

/*
 * A record: this, then so many bytes, its strings.  A string is its length, or
 * NO_STRING, its bytes, and a zero.
 */
typedef struct Record
{
	uint32 number;
	uint32 len;
	GcPendingKind kind;
	union
	{
		RowNumbers row;
		PatchNumbers patch;
		int sqlstate; /* of a problem */
	} of;
} Record;

#define NO_STRING PG_UINT32_MAX

struct GcPendingFile
{
	BufFile *file;
	GcPendingPlace end; /* where the next record goes … */
	bool is_elsewhere;	/* … which is not where the file stands */
	bool is_torn;		/* a write failed half-way: nobody knows what is where */
	Record record;		/* the one at hand … */
	StringInfoData strings;
};

GcPendingFile *
gc_pending_file_create(void)
{
	GcPendingFile *file = palloc0(sizeof(GcPendingFile));
	ResourceOwner caller_owner = CurrentResourceOwner;

	initStringInfo(&file->strings);
	CurrentResourceOwner = TopTransactionResourceOwner;
	PG_TRY();
	{
		file->file = BufFileCreateTemp(false);
	}
	PG_FINALLY();
	{
		CurrentResourceOwner = caller_owner;
	}
	PG_END_TRY();
	return file;
}

void
gc_pending_file_close(GcPendingFile *file)
{
	BufFileClose(file->file);
}

/* Such as after a full disk: where the buffer of a BufFile belongs is lost with its error. */
static void
check_whole(const GcPendingFile *file)
{
	if (file->is_torn)
		ereport(ERROR, (errcode(ERRCODE_IO_ERROR),
						errmsg("could not keep the contacts that wait for COMMIT"),
						errdetail("An earlier write to their file failed."),
						errhint("Roll the transaction back: nothing of it was sent.")));
}

static void
seek(GcPendingFile *file, GcPendingPlace place)
{
	if (BufFileSeek(file->file, place.file, place.offset, SEEK_SET) != 0)
		ereport(ERROR, (errcode_for_file_access(),
						errmsg("could not find the rows that wait for COMMIT")));
}

/* ---- writing ---- */

static void
put_string(GcPendingFile *file, const char *string, int len)
{
	uint32 said = string ? len : NO_STRING;

	appendBinaryStringInfo(&file->strings, (const char *) &said, sizeof(said));
	if (string)
		appendBinaryStringInfo(&file->strings, string, len);
	appendStringInfoChar(&file->strings, '\0');
}

static void
put_text(GcPendingFile *file, const char *string)
{
	put_string(file, string, string ? strlen(string) : 0);
}

/* What the echo must show. */
static void
put_shown(GcPendingFile *file, const GcRow *row)
{
	put_text(file, row->phone_number_status);
	put_text(file, row->contactable_status);
}

static void
write_record(GcPendingFile *file)
{
	if (file->is_elsewhere)
		seek(file, file->end);
	file->is_elsewhere = false;
	BufFileWrite(file->file, &file->record, sizeof(Record));
	BufFileWrite(file->file, file->strings.data, file->strings.len);
	BufFileTell(file->file, &file->end.file, &file->end.offset);
}

/* Writes the record at hand. */
static void
put_record(GcPendingFile *file)
{
	check_whole(file);
	file->record.len = file->strings.len;
	PG_TRY();
	{
		write_record(file);
	}
	PG_CATCH();
	{
		/* What would exceed temp_file_limit is not begun. */
		file->is_torn = geterrcode() != ERRCODE_CONFIGURATION_LIMIT_EXCEEDED;
		PG_RE_THROW();
	}
	PG_END_TRY();
}

void
gc_pending_file_put_row(GcPendingFile *file, uint32 number, const GcRow *row)
{
	/* Where its parts begin is for partial_rows 'merge', the moments for on_duplicate and UPDATE. */
	Assert(row->absent_at == 0 && row->read_at == 0);
	file->record = (Record){
		.number = number,
		.kind = GC_PENDING_ROW,
		.of.row = {.callable = row->callable, .made_id = row->made_id, .noted = row->noted}};
	resetStringInfo(&file->strings);
	put_text(file, row->id);
	put_string(file, row->json, row->len);
	put_shown(file, row);
	put_record(file);
}

void
gc_pending_file_put_patch(GcPendingFile *file, uint32 number, const char *id,
						  const GcPatch *patch)
{
	file->record =
		(Record){.number = number,
				 .kind = GC_PENDING_PATCH,
				 .of.patch = {.field_count = patch->field_count,
							  .callable = patch->shown.callable,
							  .sets_callable = patch->sets_callable,
							  .sets_phone_status = patch->sets_phone_status,
							  .sets_contactable_status = patch->sets_contactable_status}};
	resetStringInfo(&file->strings);
	put_text(file, id);
	put_text(file, patch->attributes);
	put_text(file, patch->cells);
	for (int i = 0; i < patch->field_count; i++)
		put_text(file, patch->fields[i]);
	put_shown(file, &patch->shown);
	put_text(file, patch->row_data);
	put_record(file);
}

void
gc_pending_file_put_reject(GcPendingFile *file, uint32 number, const GcProblem *problem,
						   const char *id, const char *row_data)
{
	file->record = (Record){
		.number = number, .kind = GC_PENDING_REJECT, .of.sqlstate = problem->sqlstate};
	resetStringInfo(&file->strings);
	put_text(file, id);
	put_text(file, row_data);
	put_text(file, problem->message);
	put_text(file, problem->detail);
	put_text(file, problem->hint);
	put_text(file, problem->code);
	put_text(file, problem->field);
	put_text(file, problem->reason);
	put_record(file);
}

GcPendingPlace
gc_pending_file_end(const GcPendingFile *file)
{
	return file->end;
}

void
gc_pending_file_cut(GcPendingFile *file, GcPendingPlace place)
{
	file->end = place;
	/* To go there writes what is buffered, and may fail. */
	file->is_elsewhere = true;
}

/* ---- reading ---- */

static void
read_bytes(GcPendingFile *file, void *bytes, size_t len)
{
	if (BufFileRead(file->file, bytes, len) != len)
		ereport(ERROR, (errcode_for_file_access(),
						errmsg("could not read back the rows that wait for COMMIT")));
}

/* The next string of the record at hand; NULL: there is none. */
static const char *
get_bytes(GcPendingFile *file, int *len)
{
	StringInfo strings = &file->strings;
	const char *string = strings->data + strings->cursor + sizeof(uint32);
	uint32 said;

	memcpy(&said, strings->data + strings->cursor, sizeof(said));
	*len = said == NO_STRING ? 0 : said;
	strings->cursor += sizeof(said) + *len + 1;
	return said == NO_STRING ? NULL : string;
}

static const char *
get_text(GcPendingFile *file)
{
	int len;

	return get_bytes(file, &len);
}

void
gc_pending_file_rewind(GcPendingFile *file)
{
	check_whole(file);
	seek(file, (GcPendingPlace){0});
}

bool
gc_pending_file_next(GcPendingFile *file, uint32 *number, GcPendingKind *kind, const char **id)
{
	GcPendingPlace at;

	BufFileTell(file->file, &at.file, &at.offset);
	if (at.file > file->end.file ||
		(at.file == file->end.file && at.offset >= file->end.offset))
		return false;
	read_bytes(file, &file->record, sizeof(Record));
	resetStringInfo(&file->strings);
	enlargeStringInfo(&file->strings, file->record.len);
	read_bytes(file, file->strings.data, file->record.len);
	file->strings.len = file->record.len;
	*number = file->record.number;
	*kind = file->record.kind;
	*id = get_text(file);
	return true;
}

void
gc_pending_file_get_row(GcPendingFile *file, GcRow *row)
{
	const RowNumbers *numbers = &file->record.of.row;

	*row = (GcRow){.id = file->strings.data + sizeof(uint32),
				   .callable = numbers->callable,
				   .made_id = numbers->made_id,
				   .noted = numbers->noted};
	row->json = get_bytes(file, &row->len);
	row->phone_number_status = get_text(file);
	row->contactable_status = get_text(file);
}

static const char *
copy(const char *string)
{
	return string ? pstrdup(string) : NULL;
}

void
gc_pending_file_get_patch(GcPendingFile *file, GcPatch *patch)
{
	const PatchNumbers *numbers = &file->record.of.patch;

	*patch = (GcPatch){.field_count = numbers->field_count,
					   .sets_callable = numbers->sets_callable,
					   .sets_phone_status = numbers->sets_phone_status,
					   .sets_contactable_status = numbers->sets_contactable_status,
					   .shown.callable = numbers->callable};
	patch->attributes = copy(get_text(file));
	patch->cells = copy(get_text(file));
	patch->fields = palloc(sizeof(char *) * Max(patch->field_count, 1));
	for (int i = 0; i < patch->field_count; i++)
		patch->fields[i] = copy(get_text(file));
	patch->shown.phone_number_status = copy(get_text(file));
	patch->shown.contactable_status = copy(get_text(file));
	patch->row_data = copy(get_text(file));
}

void
gc_pending_file_get_reject(GcPendingFile *file, GcProblem *problem, const char **row_data)
{
	*problem = (GcProblem){.sqlstate = file->record.of.sqlstate};
	*row_data = get_text(file);
	problem->message = get_text(file);
	problem->detail = get_text(file);
	problem->hint = get_text(file);
	problem->code = get_text(file);
	problem->field = get_text(file);
	problem->reason = get_text(file);
}
