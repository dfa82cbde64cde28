/*
 * choice.h
 *	  Which contacts a body asks for: by ids, by a saved filter, by criteria.
 *
 * All want the lock.
 */
#ifndef SIM_CHOICE_H
#define SIM_CHOICE_H

#include "criteria.h"

typedef struct Choice
{
	List *list;			/* the caller's */
	Criteria *criteria; /* NULL = all */
	const json_t *ids;	/* the body's; NULL = all */
} Choice;

/*
 * False, with an error as the reply, when the body has members that are not
 * among the known ones (" a b "), or does not say well or too often which
 * contacts it means.  Either way choice_free follows.
 */
extern bool choice_read(Request *req, const json_t *body, const char *known, Choice *choice);
extern void choice_free(Choice *choice);

/* Gives each of them, as reads show it, until it is told to stop. */
typedef bool (*ChoiceTake)(void *arg, const Contact *contact);
extern void choice_walk(const Choice *choice, ChoiceTake take, void *arg);

#endif
