/*
 * fdw/direct_parts.h
 *	  Bulk jobs of a statement, between direct.c (planning, callbacks),
 *	  direct_run.c (which jobs), direct_job.c (one of them) and direct_check.c
 *	  (what became of the contacts).
 */
#ifndef GC_FDW_DIRECT_PARTS_H
#define GC_FDW_DIRECT_PARTS_H

#include "postgres.h"

#include "api/bulk_jobs.h"
#include "base/progress.h"
#include "fdw/encode.h"
#include "fdw/source.h"
#include "fdw/verb.h"
#include "store/audit.h"

/* A cell that SET names and that can be looked at afterwards; UTF-8. */
typedef struct GcDirectCell
{
	const char *column;
	const char *value;
	bool numeric;
} GcDirectCell;

typedef struct GcDirect
{
	GcVerb verb;
	GcSourceRequest request; /* which contacts, and where they are */
	GcStat stat;
	GcCalls *calls;
	GcAudit *audit;
	GcProgress *progress;
	GcPatch patch;	   /* UPDATE: what changes, … */
	const char *start; /* … and how a contact in a body begins, without its data */
	GcDirectCell *cells;
	int cell_count;
	int64 taken; /* contacts that the jobs are about, … */
	int64 accepted;
	int64 in_doubt;
} GcDirect;

/* A contact as it was read. */
typedef struct GcDirectContact
{
	char *id;	/* UTF-8 */
	GcSpan raw; /* its JSON */
} GcDirectContact;

/* ---- direct_run.c ---- */

/*
 * Does what the statement says of the contacts that the request says, by jobs; how
 * many there were.  Throws if it was not done to all of them.
 */
extern int64 gc_direct_run(GcDirect *direct);

/* Can be seen afterwards what SET was to do?  Fills cells. */
extern bool gc_direct_can_check(GcDirect *direct);

/* ---- direct_job.c ---- */

/* "could not update 3 contacts of …" */
extern const char *gc_direct_failed(const GcDirect *direct, int64 rows);

/* The three counts; from here on no WARNING repeats them. */
extern const char *gc_direct_tell(GcDirect *direct);

/*
 * Submits a job about some "expected" contacts and waits for its end.  "counted":
 * it does the statement's work.  Throws if it failed.
 */
extern void gc_direct_job(GcDirect *direct, const char *body, int64 expected, bool counted,
						  GcBulkJob *job);

/* ---- direct_check.c ---- */

/* The ids that a search shows first, "size" at most; *total: how many it shows in all. */
extern List *gc_direct_search(GcDirect *direct, const char *criteria, int size, int64 *total);

/* These contacts (GcDirectContact), read by id: those of them that are there. */
extern List *gc_direct_read(GcDirect *direct, char *const *ids, int count);

/* Those of the contacts that have a cell which SET does not name: they can lose it. */
extern List *gc_direct_telling(const GcDirect *direct, List *contacts);

/*
 * Makes sure that an edit leaves cells alone that it does not name, by one that
 * changes nothing of these contacts, of which each can tell.  Throws if it does not.
 */
extern void gc_direct_probe(GcDirect *direct, List *contacts);

/* Throws if one of these contacts, if it is there, does not have what SET gave it. */
extern void gc_direct_check_set(GcDirect *direct, List *ids);

/*
 * Throws if a search, once it shows what was done, still finds contacts that the
 * job, which began at "began", should have changed or removed.
 */
extern void gc_direct_check_left(GcDirect *direct, const char *criteria, TimestampTz began);

/* Throws that these contacts (ids) were passed over, of "count" in all. */
extern _Noreturn void gc_direct_throw_held(GcDirect *direct, List *ids, int64 count);

#endif /* GC_FDW_DIRECT_PARTS_H */
