/*
 * api/list_writes.h
 *	  Contact lists as they are made, changed and deleted.
 */
#ifndef GC_API_LIST_WRITES_H
#define GC_API_LIST_WRITES_H

#include "postgres.h"

#include "api/entity.h"

/* As jansson has it, which goes ill with some headers of the server (api/control.h). */
struct json_t;

extern const GcEntityKind gc_list_kind;

/* The kind's "explain", which other dialects have as well. */
extern void gc_list_explain(const GcEntityWriter *writer, const char *id,
							const GcFailure *failure, const char *failed);

/* So long is waited before a list that was made is first asked for, and again (A2). */
#define GC_LIST_POLL_US 500000

/* Is it the answer of a list that is still being made? */
extern bool gc_list_is_not_yet(const GcFailure *failure);

/* ---- api/list_check.c ---- */

/*
 * Throws if a list that is to be made is none that the platform takes: its limits, and
 * columns that are named and not there (SCENARIOS A4).
 */
extern void gc_list_check_new(const GcEntityWriter *writer, const GcSpan *body,
							  const char *failed);

/*
 * The same of a tree; "types" are those of columns, NULL-terminated; does the dialect know
 * numbers for WhatsApp?
 */
extern void gc_list_check_whole(struct json_t *list, const char *const *types,
								bool has_whatsapp, const char *failed);

/* Only what it says of its columns. */
extern void gc_list_check_columns(struct json_t *list, const char *const *types,
								  const char *failed);

#endif /* GC_API_LIST_WRITES_H */
