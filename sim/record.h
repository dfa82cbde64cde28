/*
 * record.h
 *	  What was asked, for tests to look at: the most recent requests.
 *
 * Owns the records.  Secrets are never in them: of an Authorization header
 * only the scheme is kept.  All but record_prepare want the lock.
 */
#ifndef SIM_RECORD_H
#define SIM_RECORD_H

#include "request.h"

typedef struct Record Record;

extern Record *record_prepare(const Request *req);	  /* the costly part, without the lock */
extern void record_add(Request *req, Record *record); /* gives req->seq */
extern void record_finish(const Request *req);		  /* status and rows are known now */
extern void record_clear(void);
extern void record_reset(void); /* and count from 1 again */

/* Those whose path has the text, as the reply. */
extern void record_list(Request *req, int64_t since, const char *path);

#endif
