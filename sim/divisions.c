/*
 * divisions.c
 *	  Divisions, to which lists and campaigns belong.
 */
#include "divisions.h"
#include "errors.h"

#define DIVISIONS_PATH "/api/v2/authorization/divisions/"

static json_t *
reference(const char *id, const char *name)
{
	char *uri = sim_printf(DIVISIONS_PATH "%s", id);
	json_t *shown = json_pack("{s:s, s:s, s:s}", "id", id, "name", name, "selfUri", uri);

	free(uri);
	return shown;
}

bool
division_refer(Request *req, json_t *body)
{
	json_t *given = json_object_get(body, "division");
	const char *id = json_string_value(json_object_get(given, "id"));
	Thing *division = id ? things_find(THING_DIVISION, (Span){(char *) id, strlen(id)}) : NULL;

	if (!json_is_object(given) || (id && strcmp(id, HOME_DIVISION) == 0))
		json_object_set_new(body, "division", division_home());
	else if (division)
		json_object_set_new(body, "division", reference(id, thing_text(division, "name")));
	else
	{
		reply_error(req, 400, "not.found", "There is no such division.");
		return false;
	}
	return true;
}

void
divisions_seed(Request *req)
{
	json_t *body = thing_body(req);

	if (body)
		reply_json(req, 200, thing_show(things_set(THING_DIVISION, body), ""));
	json_decref(body);
}

static void
put_division(Buf *out, const Listing *listing, void *thing)
{
	json_t *shown = thing ? reference(thing_text(thing, "id"), thing_text(thing, "name"))
						  : division_home();

	(void) listing;
	buf_put_json(out, shown);
	json_decref(shown);
}

void
divisions_get(Request *req)
{
	const Listed home = {.id = HOME_DIVISION, .name = "Home"};
	Listing listing;

	if (listing_open(&listing, req))
	{
		listing_offer(&listing, &home);
		for (Thing *thing = things_first(THING_DIVISION); thing; thing = thing->next)
		{
			const Listed listed = thing_listed(thing);

			listing_offer(&listing, &listed);
		}
		listing_reply(&listing, put_division);
	}
	listing_close(&listing);
}
