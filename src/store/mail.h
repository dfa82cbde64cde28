/*
 * store/mail.h
 *	  Bytes for a worker, made ready while a transaction runs and handed over while it aborts.
 *
 * An abort can neither fail nor wait: the shared memory is there by then, and if no worker
 * is to be had the sender is told, and logs what is in it.
 */
#ifndef GC_STORE_MAIL_H
#define GC_STORE_MAIL_H

#include "postgres.h"

#include "store/job.h"

/* A sender's; all zero at first.  What is not sent is kept for the next transaction. */
typedef struct GcMail
{
	dsm_segment *segment;
	Size room;
} GcMail;

/* What the segment begins with. */
typedef struct GcMailHead
{
	volatile bool taken; /* by the worker, which sees to it from there on */
	int count;			 /* of what follows */
	char bytes[FLEXIBLE_ARRAY_MEMBER] pg_attribute_aligned(MAXIMUM_ALIGNOF);
} GcMailHead;

/* Makes room for that many bytes, if there is none; what was in it is gone then.  May throw. */
extern void gc_mail_prepare(GcMail *mail, Size room);

/* NULL: nothing has been made ready. */
extern GcMailHead *gc_mail_head(const GcMail *mail);

/* Hands it over; false: there is no worker.  Nothing throws. */
extern bool gc_mail_send(GcMail *mail, GcJobKind kind);

/* In the worker: it has been kept for us alone. */
extern GcMailHead *gc_mail_take(dsm_segment *segment);

#endif /* GC_STORE_MAIL_H */
