/*
 * api/optout.c
 *	  The parts of a contact's statuses that say "no".
 *
 * jansson's json_object() is hidden by the server's function of that name, so
 * trees are pruned in place, never built.
 */
#include "postgres.h"

#include <jansson.h>

#include "api/optout.h"

#include "miscadmin.h"

/* Removes all but false leaves; true if something is left. */
static bool
prune(json_t *object)
{
	const char *name;
	json_t *value;
	void *next;

	check_stack_depth();
	json_object_foreach_safe(object, next, name, value)
	{
		if (json_is_false(value) || (json_is_object(value) && prune(value)))
			continue;
		json_object_del(object, name);
	}
	return json_object_size(object) > 0;
}

char *
gc_optout_parts(const char *json, bool *valid)
{
	json_t *tree = json_loads(json, 0, NULL);
	char *parts = NULL;

	*valid = json_is_object(tree);
	if (*valid && prune(tree))
	{
		char *dumped = json_dumps(tree, JSON_COMPACT);

		if (dumped)
			parts = pstrdup(dumped);
		free(dumped);
	}
	json_decref(tree);
	return parts;
}

static bool
contains(json_t *whole, json_t *part)
{
	const char *name;
	json_t *value;

	check_stack_depth();
	if (!json_is_object(part))
		return json_is_false(whole);
	json_object_foreach(part, name, value)
	{
		if (!contains(json_object_get(whole, name), value))
			return false;
	}
	return true;
}

bool
gc_optout_shown(const char *sent, const char *echoed, size_t echoed_len)
{
	json_t *part = json_loads(sent, 0, NULL);
	json_t *whole = echoed ? json_loadb(echoed, echoed_len, 0, NULL) : NULL;
	bool shown = part != NULL && contains(whole, part);

	json_decref(part);
	json_decref(whole);
	return shown;
}

/* Removes what "like" does not have; true if something is left. */
static bool
restrict_to(json_t *object, json_t *like)
{
	const char *name;
	json_t *value;
	void *next;

	check_stack_depth();
	json_object_foreach_safe(object, next, name, value)
	{
		json_t *wanted = json_object_get(like, name);

		if (wanted == NULL ||
			(json_is_object(wanted) && !(json_is_object(value) && restrict_to(value, wanted))))
			json_object_del(object, name);
	}
	return json_object_size(object) > 0;
}

char *
gc_optout_before(const char *sent, const char *read, size_t read_len)
{
	json_t *like = json_loads(sent, 0, NULL);
	json_t *whole = json_loadb(read, read_len, 0, NULL);
	char *parts = NULL;

	if (json_is_object(like) && json_is_object(whole) && restrict_to(whole, like))
	{
		char *dumped = json_dumps(whole, JSON_COMPACT);

		if (dumped)
			parts = pstrdup(dumped);
		free(dumped);
	}
	json_decref(like);
	json_decref(whole);
	return parts;
}
