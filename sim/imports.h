/*
 * imports.h
 *	  Imports at work: row by row, by time or by polls, one of a list at a time.
 *
 * Owns all imports there were, until a reset.  On the platform an import shows as
 * the status of its list and in events, under a job id elsewhere.  All want the lock.
 */
#ifndef SIM_IMPORTS_H
#define SIM_IMPORTS_H

#include "import_rows.h"
#include "request.h"

typedef enum ImportKind
{
	IMPORT_UPLOAD,
	IMPORT_PRESIGNED,
	IMPORT_BULK, /* from here on: shown as jobs */
	IMPORT_FILE,
	IMPORT_QUEUE, /* contacts/import */
	IMPORT_KINDS
} ImportKind;

typedef enum ImportState
{
	IMPORT_QUEUED,
	IMPORT_AT_WORK,
	IMPORT_COMPLETED,
	IMPORT_FAILED,
	IMPORT_CANCELED
} ImportState;

#define NOT_HELD (-1)

typedef struct Import
{
	struct Import *next; /* in order of arrival */
	ImportKind kind;
	ImportState state;
	char id[UUID_SIZE];
	char correlation_id[UUID_SIZE];
	char *list_id;
	char *client;	 /* "" = somebody else */
	char *failure;	 /* why it failed; NULL = it did not */
	bool overwrites; /* what was there goes, as it begins */
	Rows *rows;		 /* until it has ended */
	json_t *errors;	 /* of rows */
	uint64_t bytes;	 /* of its file */
	char sha256[65];
	int64_t total;
	int64_t done; /* rows whose turn has come */
	int64_t accepted;
	int64_t rejected;
	int64_t arrived_us;
	int64_t begin_us;
	int64_t end_us;
	int64_t us;	   /* how long it takes */
	int64_t polls; /* how many it takes, instead; 0 = goes by time */
	int64_t polled;
	int64_t hold; /* stands still at so many percent, or NOT_HELD */
} Import;

/* Takes the rows, of which there are so many.  The request says whose it is. */
extern Import *import_add(const Request *req, const char *list_id, ImportKind kind, Rows *rows,
						  int64_t total);

extern Import *imports_first(void);
extern Import *import_find(Span id); /* NULL = none */
extern bool import_is_active(const Import *import);
extern bool import_is_job(const Import *import);
extern int64_t import_percent(const Import *import);

/* Those of the list that wait or are at work: all, or jobs only. */
extern int64_t imports_active(const char *list_id, bool jobs_only);

extern void import_end(Import *import, ImportState state, const char *failure);
extern void import_poll(Import *import);		 /* its state is asked for */
extern void imports_poll_list(const List *list); /* likewise, of whatever is at work */
extern void imports_settle(void); /* what is due by now, before anybody can see it */
extern void imports_reset(void);

#endif
