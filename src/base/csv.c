/*
 * base/csv.c
 *	  Records of a CSV file, by the server's own lexer, that of COPY.
 */
#include "postgres.h"

#include "base/csv.h"

#include "commands/copy.h"
#include "commands/defrem.h"
#include "commands/progress.h"
#include "nodes/makefuncs.h"
#include "pgstat.h"
#include "utils/backend_progress.h"
#include "utils/backend_status.h"
#include "utils/memutils.h"

#define BYTE_ORDER_MARK "\xef\xbb\xbf"

struct GcCsv
{
	CopyFromState copy;
	GcCsvRead read;
	void *arg;
	bool begun; /* the first bytes have been read */
	bool ended; /* the file has */
	bool shown; /* it is what pg_stat_progress_copy shows of this session */
	int64 record;
	MemoryContextCallback on_reset;
};

/* COPY's callback has no argument: the reader that its lexer works for. */
static GcCsv *current = NULL;

/* The first bytes, but for a byte order mark. */
static int
read_first(GcCsv *csv, char *buf, int min, int max)
{
	int mark = strlen(BYTE_ORDER_MARK);
	int len = csv->read(csv->arg, buf, Max(min, mark), max);

	if (len < mark || memcmp(buf, BYTE_ORDER_MARK, mark) != 0)
		return len;
	len -= mark;
	memmove(buf, buf + mark, len);
	return len < min ? len + csv->read(csv->arg, buf + len, min - len, max - len) : len;
}

static int
on_read(void *buf, int min, int max)
{
	GcCsv *csv = current;
	int len = csv->begun ? csv->read(csv->arg, buf, min, max) : read_first(csv, buf, min, max);

	csv->begun = true;
	csv->ended |= len < min;
	return len;
}

/*
 * The server shows one command of a session at a time.  That of a COPY, say,
 * which reads this file through a foreign table, is not ours to replace.
 */
static bool
progress_is_free(void)
{
	return MyBEEntry == NULL || MyBEEntry->st_progress_command == PROGRESS_COMMAND_INVALID;
}

/* All else that COPY holds is memory. */
static void
csv_reset(void *arg)
{
	GcCsv *csv = arg;

	if (csv->shown && !progress_is_free() &&
		MyBEEntry->st_progress_command == PROGRESS_COMMAND_COPY)
		pgstat_progress_end_command();
}

/* Does something of COPY's without its being shown. */
#define WITHOUT_PROGRESS(action)                                                              \
	do                                                                                        \
	{                                                                                         \
		bool tracked = pgstat_track_activities;                                               \
                                                                                              \
		PG_TRY();                                                                             \
		{                                                                                     \
			pgstat_track_activities = false;                                                  \
			action;                                                                           \
		}                                                                                     \
		PG_FINALLY();                                                                         \
		{                                                                                     \
			pgstat_track_activities = tracked;                                                \
		}                                                                                     \
		PG_END_TRY();                                                                         \
	} while (0)

static CopyFromState
begin_copy(Relation rel)
{
	/* To be told of a bad character, one has to know in whose cell: bytes as they are. */
	List *options = list_make2(makeDefElem("format", (Node *) makeString("csv"), -1),
							   makeDefElem("encoding", (Node *) makeString("SQL_ASCII"), -1));

	return BeginCopyFrom(NULL, rel, NULL, NULL, false, on_read, NIL, options);
}

GcCsv *
gc_csv_open(Relation rel, GcCsvRead read, void *arg)
{
	GcCsv *csv = palloc0(sizeof(GcCsv));

	csv->read = read;
	csv->arg = arg;
	csv->shown = progress_is_free();
	csv->on_reset.func = csv_reset;
	csv->on_reset.arg = csv;
	MemoryContextRegisterResetCallback(CurrentMemoryContext, &csv->on_reset);
	if (csv->shown)
		csv->copy = begin_copy(rel);
	else
		WITHOUT_PROGRESS(csv->copy = begin_copy(rel));
	return csv;
}

static bool
next_record(GcCsv *csv, char ***cells, int *count)
{
	bool found = false;

	current = csv;
	if (csv->shown)
		found = NextCopyFromRawFields(csv->copy, cells, count);
	else
		WITHOUT_PROGRESS(found = NextCopyFromRawFields(csv->copy, cells, count));
	if (!found && !csv->ended)
		ereport(ERROR,
				(errcode(ERRCODE_BAD_COPY_FILE_FORMAT),
				 errmsg("a line of CSV marks the end of the data, but is not the end")));
	return found;
}

bool
gc_csv_next(GcCsv *csv, char ***cells, int *count)
{
	do
	{
		if (!next_record(csv, cells, count))
			return false;
	} while (*count == 1 && (*cells)[0] == NULL);
	csv->record++;
	return true;
}

int64
gc_csv_record(const GcCsv *csv)
{
	return csv->record;
}
