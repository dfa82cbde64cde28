/*
 * changes.h
 *	  What becomes of a contact: by a POST, a PUT, a bulk edit, a test.
 *
 * What is given has been checked.  A contact that is changed is a new one in
 * the place of the old one, which is gone then.  All want the lock.
 */
#ifndef SIM_CHANGES_H
#define SIM_CHANGES_H

#include "rows.h"

/* The query parameters of a POST; -1 = not given. */
typedef struct PostFlags
{
	int8_t priority;
	int8_t do_not_queue;
	bool clear_system_data;
	bool blank; /* the switch absent_cells */
} PostFlags;

/* A new contact, or a new version of the one with the row's id. */
extern Contact *contact_upsert(List *list, const Batch *batch, int i, const PostFlags *flags);

/* data is replaced; other attributes that are not sent stay, or by a switch do not. */
extern Contact *contact_overwrite(List *list, Contact *old, const Batch *batch);

/* What is sent is set, all else stays; of data, too, but by a switch. */
extern Contact *contact_edit(List *list, Contact *old, const Batch *batch);

/* Members that only the platform, or another writer, sets; false = there is no such one. */
extern bool contact_set_members(List *list, Contact **contact, const json_t *members);

#endif
