/*
 * base/contact_id.h
 *	  What a contact id may look like: the table option contact_id_pattern.
 */
#ifndef GC_BASE_CONTACT_ID_H
#define GC_BASE_CONTACT_ID_H

#include "postgres.h"

/* Our own idea of a contact id, which the platform does not publish; characters. */
#define GC_CONTACT_ID_MAX 100

typedef struct GcIdPattern GcIdPattern;

/* In the current context.  "source" has passed the option's check. */
extern GcIdPattern *gc_id_pattern_create(const char *source);

/* Holds an id, in UTF-8, against it; scratch memory goes to the current context. */
extern bool gc_id_pattern_matches(GcIdPattern *pattern, const char *id, int len);

/* As the option has it, for messages. */
extern const char *gc_id_pattern_source(const GcIdPattern *pattern);

#endif /* GC_BASE_CONTACT_ID_H */
