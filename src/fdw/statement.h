/*
 * fdw/statement.h
 *	  What all scans and writes of one statement share.
 */
#ifndef GC_FDW_STATEMENT_H
#define GC_FDW_STATEMENT_H

#include "postgres.h"

#include "executor/executor.h"

/* The statement's count of requests, for max_requests; lives as long as its executor state. */
extern int64 *gc_statement_spent(EState *estate);

#endif /* GC_FDW_STATEMENT_H */
