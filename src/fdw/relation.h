/*
 * fdw/relation.h
 *	  A foreign table: which resource, which list, and what each column is.
 *
 * Made from the catalogs alone, without a request.
 */
#ifndef GC_FDW_RELATION_H
#define GC_FDW_RELATION_H

#include "postgres.h"

#include "api/contact_lists.h"
#include "api/resource.h"
#include "base/cell.h"
#include "base/value.h"

#include "nodes/bitmapset.h"
#include "utils/rel.h"

typedef struct GcColumn
{
	AttrNumber attnum; /* 0: dropped, the rest is not set */
	const char *name;  /* in SQL */
	const char *field; /* the remote column, UTF-8; NULL: an attribute */
	const GcAttribute *attribute;
	const char *attribute_column; /* of a per-column attribute: the remote column, UTF-8 */
	GcCellFormat format;		  /* as the option has it */
	GcValueType type;
	bool not_null; /* as declared */
} GcColumn;

typedef struct GcRelation
{
	Oid relid;
	Oid server_id;
	const char *name;
	List *options;		  /* the table's */
	List *server_options; /* where the table says nothing */
	const GcResource *resource;
	const char *list_id;	 /* UTF-8; NULL if it goes by name, or has no list */
	const char *list_name;	 /* UTF-8; NULL if it goes by id, or has no list */
	const char *dnc_list_id; /* the same for a DNC list */
	const char *dnc_list_name;
	const char *list_label; /* whichever of the two, for messages */
	const char *label;		/* what it is, for messages: contact list "Leads" */
	TupleDesc tupdesc;
	int column_count;
	GcColumn *columns;	  /* by attnum - 1 */
	bool strict;		  /* the option verification */
	AttrNumber key;		  /* the column whose value is the contact's id; 0: none */
	double analyzed_rows; /* that ANALYZE found; -1: it has not run */
	double asked_rows;	  /* that conditions leave, asked at plan time; -1: nobody has */
	AttrNumber id;		  /* the column that is the attribute "id"; 0: none */
} GcRelation;

/*
 * Throws unless a table's options say which object it shows, and which list if
 * the object belongs to one.  For the validator, so that DDL is refused.
 */
extern void gc_relation_check_options(List *options);

/*
 * Reads the catalogs; the result lives in the current context, and refers to
 * the relation's tuple descriptor.  Throws if the options contradict each
 * other or name what does not exist.
 */
extern GcRelation *gc_relation_load(Relation rel);

/* From here on messages have the list's name, which says more than an id. */
extern void gc_relation_call(GcRelation *rel, const GcList *list);

/* The list's column that a column most likely means, for messages; NULL: none is near. */
extern const char *gc_relation_nearest(const GcColumn *column, const GcList *list);

/*
 * For reading: calls it by the list's name, and holds its columns against the
 * list's: every field must exist.  Throws 42703 with the nearest name as a hint.
 * (For writing: fdw/drift.h.)
 */
extern void gc_relation_check(GcRelation *rel, const GcList *list);

/* Has the table a column that the list does not have? */
extern bool gc_relation_lacks(const GcRelation *rel, const GcList *list);

/*
 * The further calls that these columns (attnums) take, those for many at once first; how
 * many, into an array of GC_EXPANSIONS_MAX.
 */
extern int gc_relation_expansions(const GcRelation *rel, Bitmapset *columns,
								  const GcExpansion **found);

/* The column's value where it is a constant of the table (list_id, list_name), UTF-8. */
extern const char *gc_relation_constant(const GcColumn *column, const GcList *list);

#endif /* GC_FDW_RELATION_H */
