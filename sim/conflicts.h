/*
 * conflicts.h
 *	  The kinds of conflict that a write can meet, as errors to reply with.
 */
#ifndef SIM_CONFLICTS_H
#define SIM_CONFLICTS_H

#include "request.h"

extern const char *const conflict_names[]; /* K1 to K8, then NULL */

/* A kind is its place in conflict_names plus 1. */
extern int conflict_status(int kind);

/*
 * The error as the reply.  With words, counted from 1, the code tells nothing
 * and the message has the words of that number, the last for any number above.
 */
extern void conflict_reply(Request *req, int kind, int64_t words);

#endif
