/*
 * store/ledger.h
 *	  The ledger: which contacts were delivered to which list, and with what content.
 *
 * Tier two of idempotency (SCENARIOS D3).  A contact has one entry for each list, its
 * last delivery.
 */
#ifndef GC_STORE_LEDGER_H
#define GC_STORE_LEDGER_H

#include "postgres.h"

typedef struct GcLedger GcLedger;

/* Begins entries of a part of an import, in a transaction; in the current context. */
extern GcLedger *gc_ledger_open(const char *list_id, int64 import_id, int part);

/* The same of a statement, whose audit row has that id. */
extern GcLedger *gc_ledger_open_statement(const char *list_id, int64 audit_id);

/*
 * Adds a contact, id in UTF-8, with the content that was sent.  Of rows with one id the last
 * one counts; one that is among the rejected rows of its source is passed over.
 */
extern void gc_ledger_put(GcLedger *ledger, const char *id, const char *content, size_t len);

/* Writes what there is; more may follow. */
extern void gc_ledger_flush(GcLedger *ledger);

#endif /* GC_STORE_LEDGER_H */
