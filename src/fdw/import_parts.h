/*
 * fdw/import_parts.h
 *	  An import at work, between import_run.c (its parts, one after the other) and the
 *	  methods by which a part is sent.
 */
#ifndef GC_FDW_IMPORT_PARTS_H
#define GC_FDW_IMPORT_PARTS_H

#include "postgres.h"

#include "api/dialect.h"
#include "fdw/deliver.h"
#include "store/imports.h"

/* Lives in a context of its own, beyond transactions. */
typedef struct GcImportRun
{
	MemoryContext cxt;
	Oid extension; /* whose tables have it */
	GcImport *import;
	GcRelation *rel; /* with a row type of its own */
	Oid user_id;	 /* whose mapping is used */
	GcConnection *conn;
	GcList *list;
	GcTargetSettings settings; /* of a target that a part goes to */
	bool sending;			   /* a method is at work … */
	const GcAuditEntry *entry; /* … and counts here, for who stops it; NULL: it does not */
	GcRejectsKept kept;		   /* rows that the part has rejected */
	const GcStat *stat;		   /* the same of its requests */
	bool is_untouched;		   /* nothing of the part has ever been sent */
	bool asks;				   /* what became of it: what is refused then is no row */
} GcImportRun;

/* Begins a transaction; throws if the extension has been dropped meanwhile. */
extern void gc_import_transaction(const GcImportRun *run);

/*
 * Sends a part and waits for what becomes of it, in a transaction; fills all of the
 * result but its state and its failure.  Throws if the import cannot go on.
 */
typedef void (*GcImportMethod)(GcImportRun *run, const GcPart *part, GcPartResult *result);

/* By POSTs of contacts. */
extern void gc_import_contacts(GcImportRun *run, const GcPart *part, GcPartResult *result);

/* As a file, from which the platform fills the list. */
extern void gc_import_upload(GcImportRun *run, const GcPart *part, GcPartResult *result);

/*
 * As jobs of the platform (api/jobs.h), contacts in JSON or a file.  May commit, and begin
 * another transaction, in between: what is to stay is in run->cxt.
 */
extern void gc_import_job(GcImportRun *run, const GcPart *part, GcPartResult *result);

/* What the platform has taken of a part, in the ledger; in the transaction that settles it. */
extern void gc_import_ledger(GcImportRun *run, const GcPart *part);

#endif /* GC_FDW_IMPORT_PARTS_H */
