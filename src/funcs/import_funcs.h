/*
 * funcs/import_funcs.h
 *	  Imports in SQL: submit_import(), await_import() and their kin.
 */
#ifndef GC_FUNCS_IMPORT_FUNCS_H
#define GC_FUNCS_IMPORT_FUNCS_H

#include "postgres.h"

#include "store/submission.h"

/* How a submission's rows are staged (fdw/staging.h); once, from _PG_init. */
extern void gc_import_funcs_init(GcSubmitter submit);

#endif /* GC_FUNCS_IMPORT_FUNCS_H */
