/*
 * fdw/import_fields.c
 *	  A staged file without its header, and the fields that its list has by now.
 *
 * Such a file says by their order which field its cells are of (SCENARIOS C3).  Fields can be
 * added to a list while the file waits: those are empty.  Where anything else has changed no row
 * is sent, since its cells would be in the columns of others (F1).
 */
#include "postgres.h"

#include "base/value.h"
#include "fdw/import_fields.h"
#include "fdw/import_file.h"
#include "fdw/staged_csv.h"

static _Noreturn void
refuse(const GcImportRun *run, const char *detail)
{
	ereport(
		ERROR,
		(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
		 errmsg("%s has other fields than the file for it", run->rel->label),
		 errdetail_internal("%s", detail),
		 errhint(
			 "Cancel it with cancel_import(), and submit it again: the rows of this part have "
			 "not been sent.")));
}

/* NULL: none. */
static const char *
shown(const char *utf8)
{
	return utf8 ? psprintf("\"%s\"", gc_value_display(utf8, NAMEDATALEN)) : "none";
}

static void
check_field(const GcImportRun *run, int number, const char *staged, const char *now)
{
	if (now == NULL || strcmp(staged, now) != 0)
		refuse(run, psprintf("Field %d was %s when the file was staged, and is %s now.",
							 number, shown(staged), shown(now)));
}

/* B6: what has no value is empty, and only a relaxed import may send that. */
static void
check_added(const GcImportRun *run, const GcList *now, int number)
{
	if (strcmp(run->import->verification, "strict") == 0 && now->is_required[number])
		refuse(run,
			   psprintf("Field %s, which is required, was added after the file was staged.",
						shown(now->columns[number])));
}

int
gc_import_fields_added(const GcImportRun *run, const GcPart *part, const GcList *now)
{
	int count;
	char **columns = gc_import_file_columns(run->import->id, part, &count);

	/* The first column has the contacts' ids. */
	for (int i = 1; i < count; i++)
		check_field(run, i, columns[i], i <= now->column_count ? now->columns[i - 1] : NULL);
	for (int i = count - 1; i < now->column_count; i++)
		check_added(run, now, i);
	if (now->column_count >= GC_CSV_MAX_COLUMNS)
		refuse(run, psprintf("It has %d fields by now, and a file has room for %d.",
							 now->column_count, GC_CSV_MAX_COLUMNS - 1));
	return now->column_count - (count - 1);
}
