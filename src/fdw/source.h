/*
 * fdw/source.h
 *	  Where a scan's rows come from: one implementation for each way of reading.
 *
 * A source reads one list, or one collection, once; a rescan opens another.
 * All of it lives in the memory context that was current when it was opened,
 * and goes with it, requests in flight included.
 */
#ifndef GC_FDW_SOURCE_H
#define GC_FDW_SOURCE_H

#include "postgres.h"

#include "api/expand.h"
#include "base/clock.h"
#include "fdw/relation.h"
#include "net/connection.h"

#include "nodes/bitmapset.h"

/* The ways of reading, as the option scan_method has them. */
typedef enum GcScanMethod
{
	GC_SCAN_SEARCH, /* pages of a search, or of any listing */
	GC_SCAN_IDS,	/* contacts that the query names */
	GC_SCAN_EXPORT, /* the file of an export */
	GC_SCAN_COUNT,	/* how many there are, as a search tells it */
} GcScanMethod;

/* What is to be read; must outlive the source. */
typedef struct GcSourceRequest
{
	GcRelation *rel;
	GcList *list;			 /* NULL for objects without one */
	const char *dnc_list_id; /* NULL for objects without one */
	GcConnection *conn;
	GcStat *stat;
	Bitmapset *columns; /* attnums wanted */
	int page_size;
	int sample_pages; /* so many of them are taken, at random; 0: all */
	bool reads_all;	  /* nothing above will stop it early */
	const char
		*criteria; /* what the platform is to filter by, of a GcPageRequest; NULL: nothing */
	const char *sorts;			/* and to sort by; NULL: nothing */
	const GcSift *sift;			/* which entities further calls are made for; NULL: all */
	bool exact;					/* the criteria let through what is wanted, and nothing else */
	bool nothing;				/* no row can match: nobody is asked */
	struct PlanState *fallback; /* to count, where the criteria are not exact; or NULL */
	char **ids;					/* by ids: which contacts, UTF-8 … */
	int id_count;
	bool id_is_array; /* more than one, maybe */
	bool id_is_key;	  /* … and every contact that has one of them as its key */
	bool ids_checked; /* a row that has none of them is not to be given */
	GcTime began;	  /* when the scan did: what was written later need not be found */
} GcSourceRequest;

typedef struct GcSource GcSource;

/* Says at DEBUG1 that searches are waited for, since they may not show yet what was written. */
extern void gc_source_tell_lag(const GcRelation *rel, GcTime until);

/* Which contact a row is, and what it was made from; spans stay until the next row. */
typedef struct GcSourceRow
{
	GcSpan id;		/* as it stands in JSON; p NULL: it has none */
	GcSpan raw;		/* the whole object; p NULL: it was not JSON */
	GcTime read_at; /* when it was asked for */
	bool lags;		/* what was written a moment ago may be missing */
} GcSourceRow;

typedef struct GcSourceOps
{
	const char *name; /* for EXPLAIN */

	/* Opens it; the first request goes out with the first row asked for. */
	GcSource *(*open)(const GcSourceRequest *request);

	/*
	 * The next row: one value for each column of the table, allocated in the
	 * current context.  Unless it may "wait", it does nothing that takes long, as
	 * gc_pager_next() does.
	 */
	GcNext (*next)(GcSource *source, bool wait, Datum *values, bool *nulls);

	/* The contact of the row that was given last. */
	void (*identify)(GcSource *source, GcSourceRow *row);

	/* How many rows there are in all, as far as is known; -1: it is not. */
	int64 (*total)(GcSource *source);

	/* All rows have been read: says in a WARNING what the user has to know of them. */
	void (*finish)(GcSource *source);
} GcSourceOps;

struct GcSource
{
	const GcSourceOps *ops;
	const GcSourceRequest *request;
};

extern const GcSourceOps gc_source_search;
extern const GcSourceOps gc_source_ids;
extern const GcSourceOps gc_source_export;
extern const GcSourceOps gc_source_counter;

/* What a search decodes its rows with. */
extern struct GcDecoder *gc_source_search_decoder(GcSource *source);

/*
 * Can these columns (attnums) of a table be read in that way?  If not, *why is a
 * sentence that says which one is in the way.  By ids can be read what a search
 * gives.
 */
extern bool gc_source_search_can(const GcRelation *rel, Bitmapset *columns, const char **why);
extern bool gc_source_export_can(const GcRelation *rel, Bitmapset *columns, const char **why);

/*
 * The ways that the option scan_method leaves, and that give all these columns.
 * Throws 0A000 if there is none; "from" is for the hint: what to leave a column out of.
 */
extern void gc_source_ways(const GcRelation *rel, Bitmapset *columns, const char *from,
						   bool *search, bool *export);

/* The connection of a role, and what is read by its id; the first requests, if it is not known yet. */
extern void gc_source_connect(GcSourceRequest *request, Oid user_id);

/* How many rows pass criteria (NULL: all do), as the platform says to who asks for one. */
extern int64 gc_source_count(const GcSourceRequest *request, const char *criteria);

/* Does the option scan_method allow that way, ids or search? */
extern bool gc_source_allows(const GcRelation *rel, GcScanMethod method);

/* Throws 0A000 that the query names no contacts, which scan_method 'ids' needs. */
extern _Noreturn void gc_source_not_named(const GcRelation *rel);

#endif /* GC_FDW_SOURCE_H */
