/*
 * funcs/import_options.h
 *	  The options of submit_import(), which come as JSON.
 */
#ifndef GC_FUNCS_IMPORT_OPTIONS_H
#define GC_FUNCS_IMPORT_OPTIONS_H

#include "postgres.h"

#include "store/submission.h"

#include "utils/jsonb.h"

/* Throws at what is no option, or no value of it; else sets the submission's. */
extern void gc_import_options_read(Jsonb *options, GcSubmission *submission);

#endif /* GC_FUNCS_IMPORT_OPTIONS_H */
