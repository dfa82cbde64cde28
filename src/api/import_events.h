/*
 * api/import_events.h
 *	  Rows of an uploaded file that the platform refused: they show in its events alone.
 */
#ifndef GC_API_IMPORT_EVENTS_H
#define GC_API_IMPORT_EVENTS_H

#include "postgres.h"

#include "api/request.h"

#include "datatype/timestamp.h"

typedef struct GcImportEvents
{
	GcCalls *calls;
	const char *list_id;
	const char *what;			/* for messages */
	TimestampTz since;			/* by the platform's clock */
	const char *correlation_id; /* the upload's; NULL: not known */
	bool rows_only; /* not those that name no contact: they are of the whole file */
} GcImportEvents;

/* A row's event; strings as the platform has them, UTF-8, in a context that is reset for the next. */
typedef struct GcImportEvent
{
	const char *contact_id;		/* or NULL */
	const char *code;			/* or NULL */
	const char *message;		/* or NULL */
	const char *correlation_id; /* or NULL */
} GcImportEvent;

/* Calls "take" for each of them (NULL: for none); how many there were. */
extern int64 gc_import_events(const GcImportEvents *events,
							  void (*take)(void *arg, const GcImportEvent *event), void *arg);

#endif /* GC_API_IMPORT_EVENTS_H */
