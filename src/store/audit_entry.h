/*
 * store/audit_entry.h
 *	  Rows of gc_fdw.audit_log: written here and now, by a worker, or to the log.
 */
#ifndef GC_STORE_AUDIT_ENTRY_H
#define GC_STORE_AUDIT_ENTRY_H

#include "postgres.h"

#include "base/stat.h"

#include "storage/dsm.h"

/* An id of the platform's is a UUID; what is longer than this is cut. */
#define GC_AUDIT_LIST_SIZE 128

typedef enum GcAuditStatus
{
	GC_AUDIT_RUNNING,
	GC_AUDIT_COMPLETED,
	GC_AUDIT_FAILED,
	GC_AUDIT_ROLLED_BACK
} GcAuditStatus;

/* A row; in one piece, since it travels through shared memory.  Text in the database's encoding. */
typedef struct GcAuditEntry
{
	int64 id; /* 0: the next one */
	TimestampTz at;
	char by_role[NAMEDATALEN];
	char application_name[NAMEDATALEN];
	char operation[16];
	char list_id[GC_AUDIT_LIST_SIZE];	  /* "": none */
	char correlation_id[GC_STAT_ID_SIZE]; /* "": none */
	GcAuditStatus status;
	int64 latency_us;
	int64 total;
	int64 accepted;
	int64 in_doubt;
	int64 rejected;
	int64 requests;
	int64 statements;
} GcAuditEntry;

/* Before the first entry of a transaction: makes sure that rows can be written later. */
extern void gc_audit_entry_prepare(void);

/* Writes rows, in a transaction; false if there is no table. */
extern bool gc_audit_entry_write(const GcAuditEntry *const *entries, int count);

/* A line in the server's log with the same fields. */
extern void gc_audit_entry_log(const GcAuditEntry *entry);

/* The next id of the table, for an entry that others are to refer to. */
extern int64 gc_audit_entry_next_id(void);

/* In the worker: takes the mail (store/mail.h) with entries, before it connects to the database; writes it, thereafter. */
extern void gc_audit_entry_take(dsm_segment *segment);
extern void gc_audit_entry_receive(dsm_segment *segment);

#endif /* GC_STORE_AUDIT_ENTRY_H */
