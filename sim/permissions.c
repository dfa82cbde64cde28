/*
 * permissions.c
 *	  What a client may do, and what a call asks of it.
 */
#include <stdlib.h>

#include "auth.h"
#include "errors.h"
#include "permissions.h"

static bool
client_has(const json_t *permissions, Span wanted)
{
	size_t i;
	json_t *permission;

	json_array_foreach(permissions, i, permission)
	{
		if (json_string_length(permission) == wanted.n &&
			memcmp(json_string_value(permission), wanted.p, wanted.n) == 0)
			return true;
	}
	return false;
}

/* The next one of "a & b" or "a | b"; false at its end. */
static bool
next_permission(const char **rest, Span *permission)
{
	*rest += strspn(*rest, " &|");
	*permission = (Span){(char *) *rest, strcspn(*rest, " ")};
	*rest += permission->n;
	return permission->n > 0;
}

static void
refuse(Request *req, bool any, const Buf *names)
{
	if (any)
		reply_error(req, 403, "missing.any.permissions",
					"Unable to perform the requested action. You must have at least one of "
					"the following permissions assigned: [%.*s]",
					(int) names->len, names->data);
	else
		reply_error(req, 403, "missing.permissions",
					"Unable to perform the requested action. You are missing the following "
					"permission(s): [%.*s]",
					(int) names->len, names->data);
}

/* As on the platform, a call that asks for a single one asks for any of one. */
bool
permissions_check(Request *req, const char *wanted)
{
	const json_t *permissions = req->client ? req->client->permissions : NULL;
	bool any = wanted && strchr(wanted, '&') == NULL;
	bool found = false;
	Buf missing = {0};
	Span permission;

	if (permissions == NULL || wanted == NULL)
		return true;
	while (next_permission(&wanted, &permission))
	{
		if (client_has(permissions, permission))
			found = true;
		else
			buf_printf(&missing, "%s%.*s", missing.len ? ", " : "", (int) permission.n,
					   permission.p);
	}
	if (any && found)
		missing.len = 0;
	if (missing.len > 0)
		refuse(req, any, &missing);
	found = missing.len == 0;
	buf_free(&missing);
	return found;
}

bool
permissions_valid(const json_t *permissions)
{
	size_t i;
	json_t *permission;

	json_array_foreach(permissions, i, permission)
	{
		const char *entity =
			json_is_string(permission) ? strchr(json_string_value(permission), ':') : NULL;
		const char *action = entity ? strchr(entity + 1, ':') : NULL;

		if (action == NULL || action[1] == '\0' || strchr(action + 1, ':'))
			return false;
	}
	return json_is_array(permissions);
}
