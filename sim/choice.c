/*
 * choice.c
 *	  Which contacts a body asks for: by ids, by a saved filter, by criteria.
 */
#include <stdlib.h>

#include "choice.h"
#include "errors.h"
#include "filters.h"
#include "lag.h"

static bool
check_ids(Request *req, const json_t *ids)
{
	size_t i;
	json_t *id;
	bool good = json_is_array(ids) && json_array_size(ids) > 0;

	json_array_foreach(ids, i, id) good = good && json_is_string(id);
	if (!good)
		reply_error(req, 400, "bad.request", "contactIds is an array of contact ids.");
	return good;
}

static bool
check_members(Request *req, const json_t *body, const char *known)
{
	static const char ways[] = " contactListFilterId criteria contactIds ";
	const char *name;
	json_t *value;
	int given = 0;

	json_object_foreach((json_t *) body, name, value)
	{
		char *padded = sim_printf(" %s ", name);
		bool is_known = strstr(known, padded) != NULL;

		given += strstr(ways, padded) && !json_is_null(value);
		free(padded);
		if (!is_known)
		{
			reply_error(req, 400, "invalid.property", "The body has no property %s.", name);
			return false;
		}
	}
	if (given > 1)
		reply_error(req, 400, "bad.request", "There can be a filter, criteria or ids.");
	return given < 2;
}

bool
choice_read(Request *req, const json_t *body, const char *known, Choice *choice)
{
	const json_t *ids = json_object_get(body, "contactIds");
	const json_t *conditions;

	if (!check_members(req, body, known) ||
		!filter_conditions(req, body, choice->list, &conditions))
		return false;
	if (ids && !json_is_null(ids))
	{
		choice->ids = ids;
		return check_ids(req, ids);
	}
	if (conditions)
		choice->criteria = criteria_read(req, conditions, choice->list->columns);
	return !conditions || choice->criteria;
}

void
choice_free(Choice *choice)
{
	if (choice->criteria)
		criteria_free(choice->criteria);
}

static void
walk_named(const Choice *choice, ChoiceTake take, void *arg)
{
	size_t i;
	json_t *id;

	json_array_foreach(choice->ids, i, id)
	{
		Contact *contact = list_contact(
			choice->list, (Span){(char *) json_string_value(id), json_string_length(id)});

		if (contact && !take(arg, contact))
			return;
	}
}

void
choice_walk(const Choice *choice, ChoiceTake take, void *arg)
{
	Contact **shown;
	int64_t n;

	if (choice->ids)
	{
		walk_named(choice, take, arg);
		return;
	}
	n = lag_shown(choice->list, &shown);
	for (int64_t i = 0; i < n; i++)
	{
		Span cells[MAX_COLUMNS];

		if (choice->criteria)
			contact_cells(shown[i], cells);
		if ((!choice->criteria || criteria_match(choice->criteria, cells)) &&
			!take(arg, shown[i]))
			return;
	}
}
