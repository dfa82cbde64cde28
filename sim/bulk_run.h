/*
 * bulk_run.h
 *	  A bulk job at work: contact by contact, by time or by polls.
 *
 * Which contacts it is about was settled as it was submitted; each is changed as
 * it is when its turn comes.  Runs of one list come one after the other.  All want
 * the lock.
 */
#ifndef SIM_BULK_RUN_H
#define SIM_BULK_RUN_H

#include "choice.h"
#include "things.h"

typedef struct Run Run;

/* The patch, where it is an edit, is in the request's body, which is taken; NULL with a reply. */
extern Run *run_create(Request *req, const Choice *choice, bool edit);
extern int64_t run_total(const Run *run);
extern void run_begin(Run *run, const Thing *job); /* from now on it is the module's */
extern void run_free(Run *run);					   /* of one that has not begun */

extern int runs_of(const List *list);
extern void run_poll(const Thing *job);
extern void run_end(const Thing *job); /* as it is */
extern void runs_settle(void);		   /* what is due by now, before anybody can see it */
extern void runs_reset(void);

#endif
