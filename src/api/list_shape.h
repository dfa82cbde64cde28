/*
 * api/list_shape.h
 *	  A contact list as an answer has it.
 */
#ifndef GC_API_LIST_SHAPE_H
#define GC_API_LIST_SHAPE_H

#include "postgres.h"

#include "api/contact_lists.h"

struct json_t;

/*
 * By column names, with phone and email columns and data types beside; in the current
 * context.  NULL if it has no id, name or columns.
 */
extern GcList *gc_list_from_listing(struct json_t *entity);

/* The same by the fields of its schema.  Its size is not known. */
extern GcList *gc_list_from_fields(struct json_t *entity);

/* Takes from a listing what fields do not say: cells' lengths, trimming, the size. */
extern void gc_list_complete(GcList *list, const GcList *listed);

/* Does a field hold phone numbers, or email addresses? */
extern bool gc_list_field_is_phone(struct json_t *field);
extern bool gc_list_field_is_email(struct json_t *field);

#endif /* GC_API_LIST_SHAPE_H */
