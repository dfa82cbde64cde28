/*
 * dnc_writes.c
 *	  DNC lists are made, changed and deleted.
 */
#include <stdlib.h>

#include "dnc_writes.h"
#include "dnclists.h"
#include "errors.h"
#include "exports.h"
#include "switches.h"

#define NAME_MAX_CHARS 64

/* What a PUT replaces; dncSourceType is fixed. */
static const char *const settable[] = {
	"name",		 "contactMethod",		  "loginId", "campaignId", "dncCodes",
	"licenseId", "customExclusionColumn", "division"};

static bool
refuse(Request *req, int status, const char *code, const char *message)
{
	reply_error(req, status, code, "%s", message);
	return false;
}

static const char *
text_of(const json_t *body, const char *member)
{
	const char *text = json_string_value(json_object_get(body, member));

	return text ? text : "";
}

static bool
is_one_of(const char *text, const char *words)
{
	char *wanted = sim_printf(" %s ", text);
	bool is = *text && strstr(words, wanted) != NULL;

	free(wanted);
	return is;
}

static bool
check_known(Request *req, const json_t *body)
{
	const char *name;
	json_t *value;

	json_object_foreach((json_t *) body, name, value)
	{
		if (!is_one_of(name, " campaignId contactMethod customExclusionColumn dateCreated "
							 "dateModified division dncCodes dncSourceType id importStatus "
							 "licenseId loginId name selfUri size version "))
			return refuse(req, 400, "invalid.property", "A DNC list has no such property.");
	}
	return true;
}

/* What its source needs. */
static bool
check_source(Request *req, const json_t *body)
{
	const char *source = text_of(body, "dncSourceType");
	const char *method = text_of(body, "contactMethod");

	if (!is_one_of(source, " rds rds_custom dnc.com gryphon "))
		return refuse(req, 400, "constraint.validation", "dncSourceType is required.");
	if (*method && !is_one_of(method, " Email Phone Any WhatsApp "))
		return refuse(req, 400, "constraint.validation", "There is no such contactMethod.");
	if (strcmp(source, "rds_custom") == 0 && !*text_of(body, "customExclusionColumn"))
		return refuse(req, 400, "constraint.validation", "customExclusionColumn is required.");
	if (strcmp(source, "dnc.com") == 0 && !*text_of(body, "loginId"))
		return refuse(req, 400, "constraint.validation", "loginId is required.");
	if (strcmp(source, "gryphon") == 0 && !*text_of(body, "licenseId"))
		return refuse(req, 400, "constraint.validation", "licenseId is required.");
	return true;
}

/* No other list has it. */
static bool
check_name(Request *req, const json_t *body, const Thing *self)
{
	const char *name = text_of(body, "name");

	if (!*name)
		return refuse(req, 400, "constraint.validation", "name is required.");
	if (strlen(name) > NAME_MAX_CHARS)
		return refuse(req, 400, "name.length.exceeded", "The name is too long.");
	for (Thing *list = things_first(THING_DNC_LIST); list; list = list->next)
		if (list != self && strcmp(thing_text(list, "name"), name) == 0)
			return refuse(req, 400, "duplicate.name", "A DNC list has that name already.");
	return true;
}

static json_t *
members_of(const json_t *body)
{
	json_t *members = json_object();

	for (size_t i = 0; i < sizeof(settable) / sizeof(settable[0]); i++)
	{
		json_t *value = json_object_get(body, settable[i]);

		if (value)
			json_object_set(members, settable[i], value);
		else if (strcmp(settable[i], "division") != 0)
			json_object_set_new(members, settable[i], json_null());
	}
	return members;
}

void
dnc_lists_post(Request *req)
{
	json_t *body = thing_body(req);

	if (body && check_known(req, body) && check_source(req, body) &&
		check_name(req, body, NULL))
	{
		json_t *members = members_of(body);

		json_object_set(members, "dncSourceType", json_object_get(body, "dncSourceType"));
		reply_json(req, 200, dnc_list_show(dnc_list_make(members)));
		json_decref(members);
	}
	json_decref(body);
}

void
dnc_list_put(Request *req)
{
	Thing *list = thing_named(THING_DNC_LIST, req);
	json_t *body = list ? thing_body(req) : NULL;

	if (body && check_known(req, body) && check_source(req, body) &&
		check_name(req, body, list))
	{
		if (json_integer_value(json_object_get(body, "version")) != list->version)
			refuse(req, 409, "invalid.update.wrong.version",
				   "The version given does not match the current version.");
		else if (strcmp(text_of(body, "dncSourceType"), thing_text(list, "dncSourceType")) !=
				 0)
			refuse(req, 400, "constraint.validation", "dncSourceType cannot be changed.");
		else
		{
			json_t *members = members_of(body);

			json_object_set(members, "id", json_object_get(list->body, "id"));
			reply_json(req, 200, dnc_list_show(dnc_list_make(members)));
			json_decref(members);
		}
	}
	json_decref(body);
}

/* Does a campaign of that kind have it? */
static bool
has_it(ThingKind kind, const Thing *list)
{
	for (Thing *campaign = things_first(kind); campaign; campaign = campaign->next)
	{
		size_t i;
		json_t *item;

		json_array_foreach(json_object_get(campaign->body, "dncLists"), i, item)
		{
			if (strcmp(text_of(item, "id"), thing_text(list, "id")) == 0)
				return true;
		}
	}
	return false;
}

void
dnc_list_delete(Request *req)
{
	Thing *list = thing_named(THING_DNC_LIST, req);
	const json_t *import = list ? json_object_get(list->body, "importStatus") : NULL;

	if (list == NULL)
		return;
	if (has_it(THING_CAMPAIGN, list) || has_it(THING_MESSAGING, list))
		refuse(req, 400, "referential.integrity.error", "A campaign refers to the DNC list.");
	else if (strcmp(text_of(import, "state"), "IN_PROGRESS") == 0)
		refuse(req, 400, "contact.list.import.in.progress",
			   "The DNC list has an import in progress.");
	else
	{
		exports_forget("dnclists", thing_text(list, "id"));
		things_remove(THING_DNC_LIST, list);
		reply_empty(req,
					sw_is(SW_DELETE_STATUS, "auto") ? 204 : (int) sw_number(SW_DELETE_STATUS));
	}
}
