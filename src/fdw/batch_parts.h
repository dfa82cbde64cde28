/*
 * fdw/batch_parts.h
 *	  A batch of contacts, between batch.c (its rows) and batch_echo.c (what the platform
 *	  makes of them).
 */
#ifndef GC_FDW_BATCH_PARTS_H
#define GC_FDW_BATCH_PARTS_H

#include "postgres.h"

#include "fdw/batch.h"

/* What may be wrong with a row's echo. */
typedef enum GcBatchDifference
{
	GC_DIFFERS_NOT,
	GC_DIFFERS_ABSENT,
	GC_DIFFERS_EXISTED,	 /* it is older than it may be */
	GC_DIFFERS_RENEWED,	 /* there was no such contact any more, and there is one again */
	GC_DIFFERS_OPTOUT,	 /* it is not shown */
	GC_DIFFERS_CALLABLE, /* it did not become so */
} GcBatchDifference;

/* A row, as its echo must show it. */
typedef struct GcBatchNote
{
	int row;
	char *id;
	char callable;			   /* 't', 'f', or 0: whichever */
	char was_callable;		   /* when it was read; 0: it was not */
	char *phone_number_status; /* its false parts; or NULL */
	char *contactable_status;
	char *was_phone_status; /* the same parts when it was read; or NULL */
	char *was_contactable_status;
	char *created;			   /* dateCreated; NULL: any */
	GcBatchDifference differs; /* in the echo at hand */
} GcBatchNote;

/* Notes a row with that id; what else "shown" has is copied. */
extern void gc_batch_note(GcBatch *batch, int row, const char *id, const GcBatchNote *shown);

#endif /* GC_FDW_BATCH_PARTS_H */
