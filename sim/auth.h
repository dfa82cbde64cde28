/*
 * auth.h
 *	  Clients, tokens and whose request it is.
 *
 * Owns the clients, which stay to the end, and the tokens.  All but
 * auth_add_client want the lock.
 */
#ifndef SIM_AUTH_H
#define SIM_AUTH_H

#include <jansson.h>

#include "limit.h"

typedef struct Client
{
	struct Client *next;
	char *id;
	char *secret;
	char *first_secret;	 /* the command line's */
	json_t *permissions; /* NULL: all */
	Window window;
} Client;

extern void auth_add_client(const char *id, const char *secret);
extern void auth_token(Request *req); /* POST /oauth/token */

/*
 * The rate window the request falls into, and req->client; NULL, with 401 as
 * the reply, when it carries no good token.
 */
extern Window *auth_check(Request *req);

/* False when there is no such client.  Tokens that were issued stay good. */
extern bool auth_set_secret(const char *id, const char *secret);
/* False when there is no such client, or these are none.  null: all of them. */
extern bool auth_set_permissions(const char *id, json_t *permissions);
extern json_t *auth_windows(void); /* those that were opened, for tests to see */
extern void auth_revoke_tokens(void);
extern void
auth_reset(void); /* no tokens, no open windows, the first secrets, all permissions */

#endif
