/*
 * locks.c
 *	  What keeps writes out: a lock on a list, a clear or an import at work, a campaign that dials.
 */
#include "locks.h"
#include "conflicts.h"
#include "errors.h"
#include "imports.h"
#include "switches.h"
#include "things.h"

/* Until it is off, a campaign dials what it has begun. */
static bool
is_dialling(const Thing *campaign)
{
	static const char *const states[] = {"on", "stopping", "forced_stopping"};
	const char *status = thing_text(campaign, "campaignStatus");

	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++)
		if (strcmp(status, states[i]) == 0)
			return true;
	return false;
}

static bool
is_dialled(const List *list)
{
	for (Thing *campaign = things_first(THING_CAMPAIGN); campaign; campaign = campaign->next)
		if (is_dialling(campaign) &&
			strcmp(thing_refers(campaign->body, "contactList"), list->id) == 0)
			return true;
	return false;
}

bool
contact_is_held(const List *list, const Contact *contact)
{
	return contact->in_use || (sw_is(SW_CAMPAIGN_ON, "hold") && is_dialled(list));
}

static bool
is_over(const Lock *lock)
{
	return lock->conflict == 0 || lock->times == 0 ||
		   (lock->until_us > 0 && lock->until_us <= sim_now_us());
}

const char *
list_locked(const List *list)
{
	return is_over(&list->lock) ? NULL : conflict_names[list->lock.conflict - 1];
}

bool
list_is_clearing(Request *req, const List *list)
{
	if (list->clear_us == 0 || sw_is(SW_CLEAR_BUSY, "allow"))
		return false;
	reply_error(req, 409, "contact.list.not.ready", "The contact list is processing.");
	return true;
}

bool
list_refuses_import(Request *req, List *list)
{
	Lock *lock = &list->lock;

	if (!is_over(lock))
	{
		lock->times -= lock->times > 0;
		conflict_reply(req, lock->conflict, lock->words);
		return true;
	}
	if (sw_is(SW_CAMPAIGN_ON, "lock") && is_dialled(list))
	{
		reply_error(req, 409, "contact.list.not.ready", "The contact list is locked.");
		return true;
	}
	return list_is_clearing(req, list);
}

bool
list_refuses(Request *req, List *list)
{
	if (sw_is(SW_IMPORT_LOCKS, "on") && imports_active(list->id, false) > 0)
	{
		reply_error(req, 409, "contact.list.not.ready",
					"The contact list has an import in progress.");
		return true;
	}
	return list_refuses_import(req, list);
}

/* False when a member is not of its kind; without a conflict there is no lock. */
static bool
read_lock(const json_t *body, Lock *lock)
{
	json_t *conflict = json_object_get(body, "conflict");
	json_t *words = json_object_get(body, "conflict_words");
	json_t *times = json_object_get(body, "times");
	json_t *ms = json_object_get(body, "ms");

	*lock = (Lock){0, json_is_true(words) ? 1 : json_integer_value(words),
				   times ? json_integer_value(times) : -1,
				   ms ? sim_now_us() + json_integer_value(ms) * 1000 : 0};
	for (int i = 0; json_is_string(conflict) && conflict_names[i]; i++)
		if (strcmp(conflict_names[i], json_string_value(conflict)) == 0)
			lock->conflict = i + 1;
	return (lock->conflict > 0 || !conflict || json_is_null(conflict)) &&
		   (!times || json_is_integer(times)) && (!ms || json_is_integer(ms));
}

void
locks_seed(Request *req)
{
	json_t *body = thing_body(req);
	json_t *id = json_object_get(body, "listId");
	List *list = NULL;
	Lock lock;

	if (json_is_string(id))
		list = store_find((Span){(char *) json_string_value(id), json_string_length(id)});
	if (body && list == NULL)
		reply_error(req, 404, "not.found", "listId names no list.");
	else if (body && !read_lock(body, &lock))
		reply_error(req, 400, "bad.request", "conflict is K1 to K8 or null.");
	else if (body)
	{
		list->lock = lock;
		reply_json(req, 200,
				   json_pack("{s:s, s:s?}", "listId", list->id, "locked", list_locked(list)));
	}
	json_decref(body);
}
