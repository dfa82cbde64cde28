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

/* Contacts of one list; those taken that are neither accepted nor in doubt were not sent. */
typedef struct GcSent
{
	char *label; /* contact list "Leads" */
	SubTransactionId subxact;
	int64 taken; /* from the executor */
	int64 accepted;
	int64 in_doubt; /* if it ends now; counted by the calls (api/request.h) */
	int64 clears;	/* by TRUNCATE, those in doubt too; counted by the calls */
} GcSent;

/* The current subtransaction's record of a list; made if there is none. */
extern GcSent *gc_sent_record(const char *label);

/* An error has told of these contacts: the WARNING need not. */
extern void gc_sent_told(GcSent *sent, int64 taken, int64 accepted, int64 in_doubt);

/* Registers the transaction callbacks; once, from _PG_init. */
extern void gc_sent_init(void);

#endif /* GC_FDW_SENT_H */
