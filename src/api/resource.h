/*
 * api/resource.h
 *	  What the API offers as tables: one const descriptor for each.
 *
 * A descriptor says which columns a resource has, where a reply holds them,
 * and how a page of it is asked for.  A new resource is one file with its
 * descriptor and one line in the registry, resource.c.
 */
#ifndef GC_API_RESOURCE_H
#define GC_API_RESOURCE_H

#include "postgres.h"

#include "api/entity.h"
#include "api/request.h"
#include "base/json.h"
#include "base/nearest.h"

#include "lib/stringinfo.h"

typedef enum GcAttributeRole
{
	GC_ROLE_PLAIN,	  /* a member of the reply */
	GC_ROLE_ID,		  /* the contact id, as the caller may choose it */
	GC_ROLE_CALLABLE, /* written when false: opt-outs */
	GC_ROLE_STATUS,	  /* its false parts are written */
	GC_ROLE_LIST_ID,  /* constants of the table */
	GC_ROLE_LIST_NAME,
} GcAttributeRole;

/* Who may give a thing's member; attributes of contacts have their roles for that. */
typedef enum GcWritten
{
	GC_WRITTEN_NEVER,	/* the platform does */
	GC_WRITTEN_ONCE,	/* INSERT, for it cannot change */
	GC_WRITTEN_ALWAYS,	/* UPDATE as well */
	GC_WRITTEN_CHANGED, /* UPDATE only */
} GcWritten;

/* A member of an object that is put together from columns of an export. */
typedef struct GcExportMember
{
	const char *name;	/* in the object */
	const char *header; /* of the export's column; "%" is the list's */
	bool flag;			/* 1 and 0 there, true and false here */
	int position;		/* without a header: the how-manyth column it is, from 1 */
} GcExportMember;

#define GC_EXPORT_MEMBERS 2

/*
 * An attribute that is a map by column of the list: an object for each phone
 * column of which one of the members is known, and for the postal code.
 */
typedef struct GcExportMap
{
	GcExportMember members[GC_EXPORT_MEMBERS]; /* name NULL: no more */
	const char *beside;						   /* what each has besides, as JSON; or NULL */
	GcExportMember zip;						   /* name NULL: none */
	const char *zip_beside;
} GcExportMap;

typedef struct GcAttribute
{
	const char *name; /* as the option "attribute" has it, before any ":" */
	const char *type; /* that IMPORT declares */
	const char
		*path; /* members of the reply, joined by "/"; "%" is the column; NULL: it has none */
	bool per_column; /* "name:column", once for each phone column */
	bool common;	 /* made by IMPORT without being asked */
	GcAttributeRole role;
	const char *column; /* IMPORT's name, if it is not "name" */
	const char *(*derive)(
		const GcSpan
			*span); /* a cell made from what path gives, absent included; NULL: none */
	const struct GcExpansion *expanded; /* the further calls that give it; NULL: the listing */
	bool
		asked_for; /* IMPORT makes it with "attributes" 'all' alone; of contacts: not common */
	GcWritten written;
	bool has_format; /* a column may say, by its option "format", what its cells must be */
	char *(*encode)(
		const char *json);		   /* what path takes, of a column's JSON; NULL: the same */
	GcExportMember by_export;	   /* one column of an export (header NULL: none), */
	const GcExportMap *export_map; /* or several */
} GcAttribute;

/* Is it one that an export alone gives? */
static inline bool
gc_attribute_is_export_only(const GcAttribute *attribute)
{
	return attribute->path == NULL && attribute->by_export.header != NULL;
}

/* Where the list's id stands in the pattern of a path. */
#define GC_LIST_ID	   "{contactListId}"
#define GC_DNC_LIST_ID "{dncListId}"

/* What a page is asked of. */
typedef struct GcPageRequest
{
	const struct GcResource *resource;
	const char *list_id; /* contacts: of which list */
	int64 number;		 /* from 1 */
	int size;
	const char *criteria; /* contacts: JSON; else parameters of the query; NULL: all */
	const char *sorts;	  /* contacts: what to sort by, JSON without brackets; NULL: nothing */
} GcPageRequest;

/* A condition that a listing takes as a parameter, "attribute = value"; see api/listing.h. */
typedef struct GcListingFilter
{
	const char *attribute; /* NULL ends an array of them */
	const char *parameter;
	int most;				  /* values at once, each by a parameter of its own */
	bool by_name;			  /* filterType says how it is compared: by a part, too */
	const char *const *words; /* all that there are, NULL-terminated; NULL: any */
} GcListingFilter;

/* Ids that a listing takes at once. */
#define GC_LISTING_MAX_IDS 100

/*
 * Further calls by which the entities of a page become rows, or get members that the
 * listing does not have, each call for some of them.  Its functions know no memory but
 * what they are given, and throw nothing remote.
 */
/* As many as a query's columns may take. */
#define GC_EXPANSIONS_MAX 2

typedef struct GcExpansion
{
	const struct GcResource
		*of;		  /* of each of these any number of rows; NULL: one, with more in it */
	int entities;	  /* that share a call, at most */
	const char *each; /* what a call is made for, in EXPLAIN */
	bool may_be_gone; /* an answer "not found" means that there is nothing */
	const char *method;
	const char *endpoint; /* a pattern */

	/* The call for some entities; false: none is needed. */
	bool (*call)(const GcSpan *entities, int count, StringInfo path, StringInfo body,
				 GcCallSpec *spec);

	/*
	 * Appends their rows, JSON with commas between, made with the call's answer
	 * (NULL: there is none); returns how many, or -1 if it is not what was asked for.
	 */
	int (*rows)(const GcSpan *entities, int count, const char *bytes, size_t len,
				StringInfo rows);
} GcExpansion;

typedef struct GcResource
{
	const char *object;	 /* as the table option has it */
	const char *comment; /* what its rows are */
	const GcAttribute *attributes;
	int attribute_count;
	double default_rows;		 /* that the planner takes while nobody has looked */
	bool has_list;				 /* belongs to one contact list, and has its columns as well */
	bool has_dnc_list;			 /* belongs to one DNC list, and is read by its export */
	bool by_options;			 /* a table's options say what it is: api/entities.h */
	const char *insert_endpoint; /* a pattern; NULL: nothing can be inserted */
	const char *update_endpoint; /* the same for UPDATE */
	const char *delete_endpoint; /* … for DELETE */
	const char *clear_endpoint;	 /* … for TRUNCATE */

	/* The call for one page; path and body are built in "path" and "body". */
	void (*page)(const GcPageRequest *request, StringInfo path, StringInfo body,
				 GcCallSpec *spec);
	const GcExpansion *expansion;	/* makes the rows; NULL: entities are rows */
	const GcListingFilter *filters; /* NULL: it takes none */
	const GcEntityKind *kind;		/* how they are written one by one; NULL: they are not */
	/* The same without a number, for EXPLAIN. */
	const char *path_name;
	const char *method;
	const char *endpoint; /* a pattern */
} GcResource;

extern const GcResource gc_contacts;
extern const GcResource gc_contact_lists;
extern const GcResource gc_job_lists; /* the same in dialect "jobs" */
extern const GcResource gc_campaigns;
extern const GcResource gc_dnc_lists;
extern const GcResource gc_dnc_entries;
extern const GcResource gc_events;
extern const GcResource gc_import_jobs;
extern const GcResource gc_import_queues; /* the same in dialect "jobs" */
extern const GcResource gc_entities;

/* What those of lists have in common: a page of the listing, and what it is filtered by. */
extern void gc_lists_page(const GcPageRequest *request, StringInfo path, StringInfo body,
						  GcCallSpec *spec);
extern const GcListingFilter gc_list_filters[];

/* All of them, NULL-terminated. */
extern const GcResource *const gc_resources[];

/* Their names for a hint, quoted, a comma between two. */
extern char *gc_resource_names(void);

/* The resource of that name; throws with the nearest one as a hint. */
extern const GcResource *gc_resource_by_name(const char *object);

/*
 * The attribute of that name, of one resource (NULL: of any); NULL if there is
 * none, with the nearest name offered to "nearest".  For a per-column one,
 * *column is set to the part behind the colon, else to NULL.
 */
extern const GcAttribute *gc_resource_find(const GcResource *resource, const char *name,
										   const char **column, GcNearest *nearest);

/* The same for a value of the option "attribute"; throws if there is none. */
extern const GcAttribute *gc_resource_attribute(const GcResource *resource, const char *value,
												const char **column);

#endif /* GC_API_RESOURCE_H */
