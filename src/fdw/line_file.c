/*
 * fdw/line_file.c
 *	  Lines in a temporary file, written to its end and then read once.
 */
#include "postgres.h"

#include "base/compat.h"
#include "fdw/line_file.h"

#include "storage/buffile.h"

struct GcLineFile
{
	BufFile *file;
	int64 lines; /* written, and not read yet */
};

GcLineFile *
gc_line_file_create(void)
{
	GcLineFile *file = palloc0(sizeof(GcLineFile));

	file->file = BufFileCreateTemp(false);
	return file;
}

void
gc_line_file_put(GcLineFile *file, const char *line, int len)
{
	BufFileWrite(file->file, &len, sizeof(len));
	BufFileWrite(file->file, unconstify(char *, line), len);
	file->lines++;
}

void
gc_line_file_rewind(GcLineFile *file)
{
	if (BufFileSeek(file->file, 0, 0, SEEK_SET) != 0)
		ereport(ERROR, (errcode_for_file_access(),
						errmsg("could not find contacts in a temporary file")));
}

bool
gc_line_file_get(GcLineFile *file, StringInfo line)
{
	int len;
	bool read;

	if (file->lines == 0)
		return false;
	file->lines--;
	resetStringInfo(line);
	read = BufFileRead(file->file, &len, sizeof(len)) == sizeof(len);
	if (read)
	{
		enlargeStringInfo(line, len);
		read = BufFileRead(file->file, line->data, len) == len;
		line->len = len;
	}
	if (!read)
		ereport(ERROR, (errcode_for_file_access(),
						errmsg("could not read contacts from a temporary file")));
	line->data[len] = '\0';
	return true;
}

void
gc_line_file_end(GcLineFile *file)
{
	BufFileClose(file->file);
	pfree(file);
}
