/*
 * auth.c
 *	  Clients, tokens and whose request it is.
 */
#include <stdlib.h>
#include <strings.h>

#include "auth.h"
#include "errors.h"
#include "permissions.h"
#include "state.h"
#include "switches.h"

#define TOKEN_BYTES 48
#define MAX_TOKENS	10000 /* older ones are forgotten */

typedef struct Token
{
	struct Token *next;
	Client *client;
	int64_t expires_us;
	int64_t number; /* in order of issue: names it without telling it */
	Window window;
	char text[TOKEN_BYTES * 4 / 3 + 1];
} Token;

static Client *clients;
static Token *tokens; /* newest first */
static int ntokens;
static int64_t issued;
static Window org_window;

static const char base64[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void
auth_add_client(const char *id, const char *secret)
{
	Client *client = sim_alloc(sizeof(Client));

	client->id = sim_strdup(id);
	client->secret = sim_strdup(secret);
	client->first_secret = sim_strdup(secret);
	client->next = clients;
	clients = client;
}

static Client *
find_client(const char *id)
{
	Client *client = clients;

	while (client && strcmp(client->id, id) != 0)
		client = client->next;
	return client;
}

static void
set_secret(Client *client, const char *secret)
{
	free(client->secret);
	client->secret = sim_strdup(secret);
}

bool
auth_set_secret(const char *id, const char *secret)
{
	Client *client = find_client(id);

	if (client)
		set_secret(client, secret);
	return client != NULL;
}

bool
auth_set_permissions(const char *id, json_t *permissions)
{
	Client *client = find_client(id);

	if (client == NULL || !(json_is_null(permissions) || permissions_valid(permissions)))
		return false;
	json_decref(client->permissions);
	client->permissions = json_is_null(permissions) ? NULL : json_incref(permissions);
	return true;
}

/* A string to free, NULL when the text is not base64. */
static char *
decode_base64(const char *text)
{
	Buf out = {0};
	unsigned bits = 0;
	int nbits = 0;

	for (; *text && *text != '='; text++)
	{
		const char *found = strchr(base64, *text);

		if (found == NULL)
		{
			buf_free(&out);
			return NULL;
		}
		bits = bits << 6 | (unsigned) (found - base64);
		nbits += 6;
		if (nbits >= 8)
		{
			nbits -= 8;
			buf_putc(&out, (char) (bits >> nbits));
		}
	}
	buf_putc(&out, '\0');
	return out.data;
}

static void
oauth_error(Request *req, int status, const char *error, const char *description)
{
	reply_json(req, status,
			   json_pack("{s:s, s:s, s:s}", "error", error, "description", description,
						 "error_description", description));
}

/* The client that the Authorization header proves; NULL with a reply. */
static Client *
basic_client(Request *req)
{
	const char *header = request_header(req, "Authorization");
	int status = (int) sw_number(SW_TOKEN_ERROR_STATUS);
	char *pair = NULL;
	char *colon;
	Client *client = NULL;

	if (header && strncasecmp(header, "Basic ", 6) == 0)
		pair = decode_base64(header + 6 + strspn(header + 6, " "));
	colon = pair ? strchr(pair, ':') : NULL;
	if (colon == NULL)
		oauth_error(req, status, "invalid_client", "client authentication required");
	else
	{
		*colon = '\0';
		client = find_client(pair);
		if (client == NULL)
			oauth_error(req, status, "invalid_client", "client not found");
		else if (strcmp(client->secret, colon + 1) != 0)
		{
			client = NULL;
			oauth_error(req, status, "invalid_client", "authentication failed");
		}
	}
	free(pair);
	return client;
}

static bool
check_grant(Request *req)
{
	const char *type = request_header(req, "Content-Type");
	Request *form;
	const Span *grant;
	char *uri;
	bool good;

	if (type == NULL || strncasecmp(type, "application/x-www-form-urlencoded", 33) != 0)
	{
		oauth_error(req, 400, "invalid_request", "the body must be a form");
		return false;
	}
	uri = sim_printf("/?%.*s", (int) req->body.len, req->body.data ? req->body.data : "");
	form = request_create(uri);
	grant = request_param(form, "grant_type");
	good = grant && span_is(*grant, "client_credentials");
	if (!good)
		oauth_error(req, 400, grant ? "unsupported_grant_type" : "invalid_request",
					"grant_type must be client_credentials");
	request_free(form);
	free(uri);
	return good;
}

static void
forget_old_tokens(void)
{
	Token **link = &tokens;

	if (ntokens <= MAX_TOKENS)
		return;
	for (int i = 0; i < MAX_TOKENS / 2; i++)
		link = &(*link)->next;
	while (*link)
	{
		Token *old = *link;

		*link = old->next;
		free(old);
		ntokens--;
	}
}

static Token *
issue_token(Client *client)
{
	Token *token = sim_alloc(sizeof(Token));
	unsigned char random[sizeof(token->text)];

	sim_random(random, sizeof(random));
	for (size_t i = 0; i + 1 < sizeof(token->text); i++)
		token->text[i] = base64[random[i] % 62]; /* letters and digits only */
	token->client = client;
	token->expires_us = sim_now_us() + sw_number(SW_TOKEN_LIFETIME) * 1000000;
	token->next = tokens;
	tokens = token;
	ntokens++;
	token->number = ++issued;
	forget_old_tokens();
	counters.tokens_issued++;
	return token;
}

void
auth_token(Request *req)
{
	Client *client;
	Token *token;

	if (strcmp(req->method, "POST") != 0)
	{
		reply_header(req, "Allow", "POST");
		oauth_error(req, 405, "invalid_request", "only POST");
		return;
	}
	if ((client = basic_client(req)) == NULL || !check_grant(req))
		return;
	req->client = client;
	token = issue_token(client);
	reply_json(req, 200,
			   json_pack("{s:s, s:s, s:I}", "access_token", token->text, "token_type",
						 sw_text(SW_TOKEN_TYPE), "expires_in",
						 (json_int_t) sw_number(SW_TOKEN_LIFETIME)));
}

Window *
auth_check(Request *req)
{
	const char *header = request_header(req, "Authorization");
	Token *token = tokens;

	if (header == NULL || strncasecmp(header, "Bearer ", 7) != 0)
	{
		reply_error(req, 401, "authentication.required",
					"No authentication bearer token specified.");
		return NULL;
	}
	header += 7 + strspn(header + 7, " ");
	while (token && strcmp(token->text, header) != 0)
		token = token->next;
	if (token == NULL)
	{
		reply_error(req, 401, "bad.credentials", "Invalid login credentials.");
		return NULL;
	}
	req->client = token->client;
	if (sim_now_us() >= token->expires_us)
	{
		reply_error(req, 401, "credentials.expired", "The supplied credentials are expired.");
		return NULL;
	}
	return sw_is(SW_LIMIT_SCOPE, "token")	 ? &token->window
		   : sw_is(SW_LIMIT_SCOPE, "client") ? &token->client->window
											 : &org_window;
}

json_t *
auth_windows(void)
{
	json_t *list = json_array();
	int64_t number = 0;

	limit_show(list, &org_window, "org", NULL, 0);
	for (const Client *client = clients; client; client = client->next)
		limit_show(list, &client->window, "client", client->id, ++number);
	for (const Token *token = tokens; token; token = token->next)
		limit_show(list, &token->window, "token", token->client->id, token->number);
	return list;
}

void
auth_revoke_tokens(void)
{
	while (tokens)
	{
		Token *token = tokens;

		tokens = token->next;
		free(token);
	}
	ntokens = 0;
}

void
auth_reset(void)
{
	auth_revoke_tokens();
	for (Client *client = clients; client; client = client->next)
	{
		client->window = (Window){0};
		set_secret(client, client->first_secret);
		json_decref(client->permissions);
		client->permissions = NULL;
	}
	org_window = (Window){0};
	issued = 0;
}
