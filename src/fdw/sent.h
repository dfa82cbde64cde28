/*
 * fdw/sent.h
 *	  What a transaction has sent, for the WARNING should it roll back.
 *
 * The platform knows no transactions: what was sent stays sent.  A record
 * outlives the statement, whose memory is gone when the abort is handled.
 */
#ifndef GC_FDW_SENT_H
#define GC_FDW_SENT_H

#include "postgres.h"

#include "access/xact.h"

typedef struct GcSent
{
	char *label; /* contact list "Leads" */
	SubTransactionId subxact;
	int64 accepted;
	int64 on_wire; /* in doubt, if it ends now */
	int64 held;	   /* taken from the executor, not sent */
	bool told;	   /* an error has given these counts */
} GcSent;

/* The current subtransaction's record of a list; made if there is none. */
extern GcSent *gc_sent_record(const char *label);

/* Registers the transaction callbacks; once, from _PG_init. */
extern void gc_sent_init(void);

#endif /* GC_FDW_SENT_H */
