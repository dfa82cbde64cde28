/*
 * net/oauth.h
 *	  Access tokens by OAuth client credentials.
 *
 * Blocks (interruptibly) while it asks, with retries of its own.
 */
#ifndef GC_NET_OAUTH_H
#define GC_NET_OAUTH_H

#include "postgres.h"

#include "base/clock.h"
#include "base/stat.h"
#include "net/failure.h"
#include "net/http.h"
#include "net/retry.h"

typedef struct GcToken
{
	char *value;	   /* in the context given below; NULL: none */
	GcTime refresh_at; /* ask for a new one from then on; 0: never */
} GcToken;

typedef struct GcOAuthClient
{
	const char *login_url;
	const char *client_id;
	const char *client_secret;
	const char *client_secret_file; /* instead; read for each token, as it may have changed */
	GcHttpRequest transport; /* timeouts, trust, proxy, size limit; the rest is ours to fill */
	GcRetryPolicy retry;
	GcStatOwner owner; /* for whom calls are counted */
} GcOAuthClient;

/*
 * Asks for a token; "token->value" is allocated in "cxt".  Returns NULL, or the
 * failure, in the current context: 28000 if the credentials are refused or
 * cannot be read, 08001 and others as DESIGN 5 has them.  Throws for interrupts only.
 */
extern GcFailure *gc_oauth_fetch(const GcOAuthClient *client, GcToken *token,
								 MemoryContext cxt, GcStat *stat);

#endif /* GC_NET_OAUTH_H */
