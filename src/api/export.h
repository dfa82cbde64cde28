/*
 * api/export.h
 *	  An export of a contact list or DNC list: asked for, waited for, downloaded.
 *
 * What is read was asked for by this statement: an export that was there before
 * is never used (docs/reference.md says how it is told).  Lives in the context
 * that was current when it was opened.
 */
#ifndef GC_API_EXPORT_H
#define GC_API_EXPORT_H

#include "postgres.h"

#include "api/request.h"
#include "api/resource.h"

/* The call that asks for one. */
#define GC_EXPORT_ENDPOINT	   "/api/v2/outbound/contactlists/" GC_LIST_ID "/export"
#define GC_DNC_EXPORT_ENDPOINT "/api/v2/outbound/dnclists/" GC_DNC_LIST_ID "/export"

typedef struct GcExport GcExport;

typedef struct GcExportRequest
{
	GcConnection *conn;
	GcStat *stat;
	const char *list_id;
	bool of_dnc_list;			   /* else of a contact list */
	const char *body;			   /* JSON that says which contacts; NULL: all */
	const char *what;			   /* is read, for messages: contact list "x" */
	int ready_timeout;			   /* ms, from when it was asked for until it must be there */
	void (*on_missing)(void *arg); /* the list is gone, or another; or NULL */
	void *on_missing_arg;
} GcExportRequest;

/* What is copied is the struct; what it points to must outlive the export.  No request yet. */
extern GcExport *gc_export_open(const GcExportRequest *request);

/*
 * Asks for it, and is to be asked again while it is made unless it may "wait"
 * (see gc_call_try()); true once its first bytes are there.
 */
extern bool gc_export_begin(GcExport *export, bool wait);

/* Its next bytes: at least "min", at most "max"; fewer than "min" only at its end. */
extern int gc_export_read(GcExport *export, char *buf, int min, int max);

/* Throws that the file is not what it should be. */
extern _Noreturn void gc_export_throw(const GcExport *export, const char *problem,
									  const char *hint);

#endif /* GC_API_EXPORT_H */
