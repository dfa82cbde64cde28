/*
 * api/list_fields.h
 *	  The fields of a list's schema, and the columns that a table shows in their place.
 *
 * Dialect "jobs" has fields where the platform has columns, phone columns, email columns and
 * data types side by side.  A table is the same in both: here one becomes the other, and
 * fields that are wanted are added to those that there are.
 */
#ifndef GC_API_LIST_FIELDS_H
#define GC_API_LIST_FIELDS_H

#include "postgres.h"

#include "api/entity.h"

/* As jansson has it, which goes ill with some headers of the server (api/control.h). */
struct json_t;

#define GC_FIELDS_HINT                                                                        \
	"Fields can be added, and neither removed nor changed: make a new list with the fields "  \
	"wanted, or leave the column out of the table."

/*
 * A list with fields, and with the members that say the same of them in a listing
 * ("listing": what one has of it, or NULL): a new object.  NULL: it is no such list.
 */
extern struct json_t *gc_list_fields_view(struct json_t *list, struct json_t *listing);

/* GcEntityKind's functions of these names. */
extern void gc_list_fields_check(const GcEntityWriter *writer, const GcSpan *body,
								 const char *failed);
extern char *gc_list_fields_shown(const char *object);
extern bool gc_list_fields_same(const GcEntityChange *change, const GcSpan *has,
								const GcSpan *wants);
extern GcEntityChange *gc_list_fields_combine(const GcEntityWriter *writer, const GcSpan *seen,
											  const GcSpan *now, const GcEntityChange *changes,
											  int *count, const char *failed);

#endif /* GC_API_LIST_FIELDS_H */
