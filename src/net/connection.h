/*
 * net/connection.h
 *	  What a session keeps of one user mapping: settings, token, quota.
 *
 * Kept for the session, forgotten when the server or the mapping changes: a
 * statement at work keeps what it began with, the next one gets the new.  Only
 * credentials that are refused are looked up again in between.
 */
#ifndef GC_NET_CONNECTION_H
#define GC_NET_CONNECTION_H

#include "postgres.h"

#include "base/stat.h"
#include "net/http.h"
#include "net/oauth.h"
#include "net/quota.h"
#include "net/retry.h"

#include "lib/ilist.h"
#include "nodes/pg_list.h"

typedef struct GcConnection
{
	Oid mapping_id; /* of the user mapping */
	Oid server_id;
	char *server_name;
	List *server_options;  /* DefElems, for options that tables may override */
	List *mapping_options; /* as they were read last */
	char *api_url;		   /* without a trailing slash */
	char *upload_url;	   /* the same, of the upload service; NULL: it is not known */
	int max_in_flight;
	int max_requests;		 /* of one statement; 0: no limit */
	GcHttpRequest transport; /* timeouts, trust, proxy, size limit */
	GcRetryPolicy retry;
	GcOAuthClient oauth; /* client_id NULL: a fixed access_token is given */
	GcToken token;
	uint64 token_number; /* counts tokens, to tell whose 401 it was */
	GcQuota *quota;
	GcStatOwner owner; /* for whom requests are counted */
	void *cache;	   /* for the layer above; lives in cxt, … */
	List *young;	   /* … as does this: what was made a moment ago (api/request.h) */
	MemoryContext cxt; /* all of this */
	uint32 server_hash;
	uint32 mapping_hash;
	bool valid; /* false: the catalog has changed since */
	int users;	/* statements that hold it */
	dlist_node node;
} GcConnection;

/*
 * The connection of a role to a server.  It is held until the current memory
 * context is reset.  Throws if there is no user mapping, or if options lack.
 */
extern GcConnection *gc_connection_get(Oid user_id, Oid server_id);

/*
 * The pace of a role's requests to a server, as far as is known without one, in
 * microseconds: from one to the next, and until the first.  Of who could not
 * make one, by the server's options.
 */
extern void gc_connection_pace(Oid user_id, Oid server_id, GcTime *interval, GcTime *wait);

/*
 * Sees to it that there is a token to send: asks for one where there is none or
 * it is about to expire.  Where the credentials are refused, the mapping is read
 * again, and they may have changed.  Returns NULL, or why there is none, in the
 * current context.  It is conn->token.value then, until the next call.
 */
extern GcFailure *gc_connection_token(GcConnection *conn, GcStat *stat);

/*
 * The token with that number was refused: forget it.  False if there can be no
 * other: it is fixed, and the mapping has still the same.
 */
extern bool gc_connection_token_refused(GcConnection *conn, uint64 token_number);

/*
 * Forgets connections to a server (InvalidOid: to all), with their tokens and
 * what is known of their quota; how many there were.
 */
extern int gc_connection_forget(Oid server_id);

/* Registers the catalog callbacks; once, from _PG_init. */
extern void gc_connection_init(void);

#endif /* GC_NET_CONNECTION_H */
