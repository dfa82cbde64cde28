/*
 * funcs/ledger_funcs.h
 *	  delivered(): did a contact reach the platform?
 */
#ifndef GC_FUNCS_LEDGER_FUNCS_H
#define GC_FUNCS_LEDGER_FUNCS_H

#include "postgres.h"

/* From whom it learns which list a foreign table is of; once, from _PG_init. */
extern void gc_ledger_funcs_init(char *(*list_id)(Oid relid));

#endif /* GC_FUNCS_LEDGER_FUNCS_H */
