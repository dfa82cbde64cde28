/*
 * journal.h
 *	  Lists and contacts in a file, as they change, so that they are there again after a kill.
 *
 * Each change is written whole before anything is answered that tells of it.  All want
 * the lock, and do nothing where there is no journal.
 */
#ifndef SIM_JOURNAL_H
#define SIM_JOURNAL_H

#include "store.h"

/* Goes through what the file has, if it is there, and writes to it from now on. */
extern void journal_open(const char *path, void (*make_list)(const json_t *body));

extern void journal_list(const List *list, const json_t *body); /* as a test made it */
extern void journal_contact(const List *list, const Contact *contact);
extern void journal_gone(const List *list, const Contact *contact);
extern void journal_reset(void);
extern void journal_close(void);

#endif
