/*
 * api/dialect.h
 *	  What differs between the dialects of the platform: a const table of operations for each.
 *
 * Nothing outside api/ knows which one is in use: who needs an operation, a limit or a way
 * to hand over rows takes it from the table (DESIGN 6).
 */
#ifndef GC_API_DIALECT_H
#define GC_API_DIALECT_H

#include "postgres.h"

#include "api/contact_lists.h"

/* As jansson has it, which goes ill with some headers of the server (api/control.h). */
struct json_t;

/* By what the rows of an import's part are handed over. */
typedef enum GcImportForm
{
	GC_IMPORT_POSTS, /* POSTs of contacts, each with an echo */
	GC_IMPORT_FILE,	 /* a file, which shows in the list's import status */
	/* Each of them a job (api/jobs.h): */
	GC_IMPORT_APPEND, /* contacts as their fields */
	GC_IMPORT_QUEUE, /* contacts, what is done where they are there, and how they are checked */
	GC_IMPORT_JOB_FILE, /* a file without a header */
} GcImportForm;

/* A method of imports, and how large a part of it is unless its user says otherwise. */
typedef struct GcImportWay
{
	const char *method; /* NULL ends an array of them */
	GcImportForm form;
	int rows;		 /* of a part … */
	int rows_max;	 /* … at most */
	int64 bytes_max; /* 0: any */
} GcImportWay;

typedef struct GcDialect
{
	const char *name;	   /* as the server option "dialect" has it */
	int contacts_max_rows; /* of one POST of contacts */
	const GcImportWay *ways;

	const struct GcResource *contact_lists; /* the object of that name, … */
	const struct GcResource *import_jobs;	/* … and this one */
	const char *lists_path; /* what it asks of lists, and is not on the platform, is below */
	const char *grow_hint;	/* how a list gets another column; NULL: it cannot */

	/* The call that reads a list; what it answers as a list, or NULL: it is none. */
	void (*list_call)(const char *list_id, GcCallSpec *spec);
	GcList *(*list_read)(struct json_t *entity);

	/*
	 * The calls that bind a campaign to a list, whose id is given as JSON (NULL: it has none,
	 * it goes by PUT), and that set it on and off; their paths begin with "path".
	 */
	void (*campaign_bind)(const char *path, const char *list_id, GcCallSpec *spec);
	void (*campaign_start)(const char *path, GcCallSpec *spec);
	void (*campaign_stop)(const char *path, GcCallSpec *spec);
} GcDialect;

extern const GcDialect gc_dialect_platform;
extern const GcDialect gc_dialect_jobs;

/* Of the platform, and wherever nothing else is said. */
extern void gc_platform_campaign_stop(const char *path, GcCallSpec *spec);

/* That of a server with these options. */
extern const GcDialect *gc_dialect(List *server_options);

/* A resource as the dialect has it. */
extern const struct GcResource *gc_dialect_resource(const GcDialect *dialect,
													const struct GcResource *resource);

/* The way that a method of that name is; NULL: the dialect has none. */
extern const GcImportWay *gc_dialect_way(const GcDialect *dialect, const char *method);

/* The methods that a dialect has, quoted, a comma between two; for hints. */
extern char *gc_dialect_methods(const GcDialect *dialect);

#endif /* GC_API_DIALECT_H */
