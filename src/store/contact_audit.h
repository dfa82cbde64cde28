/*
 * store/contact_audit.h
 *	  Rows of gc_fdw.contact_audit: opt-outs and do-not-call entries, contact by contact.
 *
 * What the platform has confirmed outlives a ROLLBACK, and so does its row.  Rows are kept
 * in memory until the transaction ends, and are written in it, or by a worker if it aborts.
 * Of a load with many of them, which memory has no room for, a worker gets them at once
 * (store/stream.h); with none to be had they are written in the transaction, and a line of
 * the server's log says how many a rollback has taken.
 */
#ifndef GC_STORE_CONTACT_AUDIT_H
#define GC_STORE_CONTACT_AUDIT_H

#include "postgres.h"

#include "datatype/timestamp.h"
#include "storage/dsm.h"

/* A row; text in the database's encoding. */
typedef struct GcContactChange
{
	const char *by_role; /* NULL: the current role */
	const char *list_id;
	const char *contact_id; /* or the entry of a DNC list */
	const char *change;		/* callable, status, dnc */
	const char *old_value;	/* NULL: not known */
	const char *new_value;
	TimestampTz confirmed_at;
	const char *correlation_id; /* or NULL */
} GcContactChange;

/* Adds a row. */
extern void gc_contact_audit_put(const GcContactChange *change);

/*
 * Registers the transaction callbacks; from _PG_init, before whoever writes to the platform
 * at the end of a transaction registers his.
 */
extern void gc_contact_audit_init(void);

/* In the worker: takes rows of an aborted transaction (store/mail.h), and writes them. */
extern void gc_contact_audit_take(dsm_segment *segment);
extern void gc_contact_audit_receive(dsm_segment *segment);

#endif /* GC_STORE_CONTACT_AUDIT_H */
