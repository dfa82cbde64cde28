/*
 * net/connection.c
 *	  What a session keeps of one user mapping: settings, token, quota.
 */
#include "postgres.h"

#include "base/clock.h"
#include "base/compat.h"
#include "base/option.h"
#include "base/region.h"
#include "net/connection.h"

#include "access/reloptions.h"
#include "access/xact.h"
#include "catalog/pg_user_mapping.h"
#include "common/hashfn.h"
#include "foreign/foreign.h"
#include "miscadmin.h"
#include "nodes/nodes.h"
#include "utils/inval.h"
#include "utils/memutils.h"
#include "utils/syscache.h"

static dlist_head connections = DLIST_STATIC_INIT(connections);

/* One use by one statement. */
typedef struct Hold
{
	GcConnection *conn;
	MemoryContextCallback on_reset;
} Hold;

static void
connection_destroy(GcConnection *conn)
{
	dlist_delete(&conn->node);
	if (conn->token.value)
		explicit_bzero(conn->token.value, strlen(conn->token.value));
	MemoryContextDelete(conn->cxt);
}

static void
hold_reset(void *arg)
{
	GcConnection *conn = ((Hold *) arg)->conn;

	if (--conn->users == 0 && !conn->valid)
		connection_destroy(conn);
}

static void
connection_hold(GcConnection *conn)
{
	Hold *hold = palloc(sizeof(Hold));

	hold->conn = conn;
	hold->on_reset.func = hold_reset;
	hold->on_reset.arg = hold;
	MemoryContextRegisterResetCallback(CurrentMemoryContext, &hold->on_reset);
	conn->users++;
}

/* A server or mapping changed (hash 0: any may have). */
static void
on_catalog_change(Datum arg, int cache_id, uint32 hash)
{
	dlist_iter iter;

	dlist_foreach (iter, &connections)
	{
		GcConnection *conn = dlist_container(GcConnection, node, iter.cur);

		if (hash == 0 ||
			hash == (cache_id == FOREIGNSERVEROID ? conn->server_hash : conn->mapping_hash))
			conn->valid = false;
	}
}

void
gc_connection_init(void)
{
	CacheRegisterSyscacheCallback(FOREIGNSERVEROID, on_catalog_change, (Datum) 0);
	CacheRegisterSyscacheCallback(USERMAPPINGOID, on_catalog_change, (Datum) 0);
}

static _Noreturn void
throw_no_url(ForeignServer *server, const char *option)
{
	bool has_url = gc_option_given(server->options, "api_url") ||
				   gc_option_given(server->options, "login_url");

	ereport(ERROR,
			(errcode(ERRCODE_FDW_OPTION_NAME_NOT_FOUND),
			 errmsg("server \"%s\" lacks the option \"%s\"", server->servername,
					has_url ? option : "region"),
			 has_url ? errhint("The options \"api_url\" and \"login_url\" go together.")
					 : errhint("Set it with ALTER SERVER to an AWS region, such as "
							   "\"us-east-1\", or else \"api_url\" and \"login_url\".")));
}

/* A service's own option, or the region's, which exclude each other; NULL: neither. */
static char *
known_url(ForeignServer *server, const char *option, const char *service)
{
	const char *url = gc_option_string(server->options, NIL, option);
	const char *region = gc_option_string(server->options, NIL, "region");
	char *copy;

	if (url == NULL && region != NULL)
		url = gc_region_url(region, service);
	if (url == NULL)
		return NULL;
	copy = pstrdup(url);
	while (*copy && copy[strlen(copy) - 1] == '/')
		copy[strlen(copy) - 1] = '\0';
	return copy;
}

/* The base URL of a service that there must be. */
static char *
service_url(ForeignServer *server, const char *option, const char *service)
{
	char *url = known_url(server, option, service);

	if (url == NULL)
		throw_no_url(server, option);
	return url;
}

static void
read_server(GcConnection *conn, ForeignServer *server)
{
	List *options = server->options;
	const char *ca_file = gc_option_string(options, NIL, "ca_file");
	const char *proxy = gc_option_string(options, NIL, "proxy");

	conn->server_name = pstrdup(server->servername);
	conn->server_options = copyObject(options);
	conn->api_url = service_url(server, "api_url", "api");
	conn->upload_url = known_url(server, "upload_url", "apps");
	conn->max_in_flight = gc_option_int(options, NIL, "max_in_flight");
	conn->max_requests = gc_option_int(options, NIL, "max_requests");
	conn->transport.ca_file = ca_file ? pstrdup(ca_file) : NULL;
	conn->transport.proxy = proxy ? pstrdup(proxy) : NULL;
	conn->transport.connect_timeout = gc_option_ms(options, NIL, "connect_timeout");
	conn->transport.request_timeout = gc_option_ms(options, NIL, "request_timeout");
	conn->transport.max_reply = gc_option_bytes(options, NIL, "max_response_size");
	conn->retry.timeout_ms = gc_option_ms(options, NIL, "retry_timeout");
	conn->retry.max_retries = gc_option_int(options, NIL, "max_retries");
}

/* A mapping's option, copied into the current context; NULL if it is not given. */
static char *
mapping_string(List *options, const char *name)
{
	const char *value = gc_option_string(options, NIL, name);

	return value ? pstrdup(value) : NULL;
}

/* What a mapping lacks to get a token by; NULL: nothing. */
static const char *
lacking_option(List *options)
{
	if (gc_option_given(options, "access_token"))
		return NULL;
	if (!gc_option_given(options, "client_id"))
		return "client_id";
	return gc_option_given(options, "client_secret") ||
				   gc_option_given(options, "client_secret_file")
			   ? NULL
			   : "client_secret";
}

static void
check_mapping(ForeignServer *server, UserMapping *mapping)
{
	const char *lacking = lacking_option(mapping->options);

	if (lacking)
		ereport(ERROR, (errcode(ERRCODE_FDW_OPTION_NAME_NOT_FOUND),
						errmsg("the user mapping of \"%s\" for server \"%s\" has no %s",
							   MappingUserName(mapping->userid), server->servername, lacking),
						errhint("Set client_id and client_secret or client_secret_file, or "
								"access_token, with ALTER USER MAPPING.")));
}

/* How a client proves who it is; nothing for a mapping with a fixed token. */
static GcOAuthClient
read_client(GcConnection *conn, ForeignServer *server, List *options)
{
	GcOAuthClient oauth = {.transport = conn->transport,
						   .retry = conn->retry,
						   .owner = conn->owner,
						   .client_id = mapping_string(options, "client_id"),
						   .client_secret = mapping_string(options, "client_secret"),
						   .client_secret_file =
							   mapping_string(options, "client_secret_file")};

	if (oauth.client_id)
		oauth.login_url = service_url(server, "login_url", "login");
	return oauth;
}

/* Takes over a mapping's options, in place of those it had. */
static void
read_mapping(GcConnection *conn, ForeignServer *server, List *options)
{
	conn->transport.client_cert = mapping_string(options, "client_cert");
	conn->transport.client_key = mapping_string(options, "client_key");
	conn->transport.proxy_user = mapping_string(options, "proxy_user");
	conn->transport.proxy_password = mapping_string(options, "proxy_password");
	conn->oauth = read_client(conn, server, options);
	conn->token = (GcToken){.value = mapping_string(options, "access_token")};
	conn->token_number++;
	conn->mapping_options = copyObject(options);
}

static void
read_rate(List *options, GcRateSettings *rate)
{
	rate->per_minute = gc_option_int(options, NIL, "requests_per_minute");
	rate->per_minute_max = gc_option_given(options, "requests_per_minute");
	rate->per_second = gc_option_real(options, NIL, "requests_per_second");
	rate->bulk_per_minute = gc_option_int(options, NIL, "bulk_requests_per_minute");
	rate->jitter_ms = gc_option_ms(options, NIL, "jitter");
	rate->share = gc_option_real(options, NIL, "quota_share");
	rate->reserve = gc_option_real(options, NIL, "quota_reserve");
}

/* Whose quota it is: the client's, or that of a token given as it is, which is not shown. */
static const char *
client_name(GcConnection *conn)
{
	const char *token = conn->token.value;

	if (conn->oauth.client_id)
		return conn->oauth.client_id;
	return psprintf("token %08x", hash_bytes((const unsigned char *) token, strlen(token)));
}

/*
 * The hosts at which a client's quota is counted.  Whose login host is another
 * may call himself by any client's name there, so his is not that client's.
 */
static const char *
quota_hosts(GcConnection *conn)
{
	if (conn->oauth.login_url == NULL)
		return conn->api_url;
	return psprintf("%s %s", conn->api_url, conn->oauth.login_url);
}

static GcConnection *
connection_make(Oid user_id, ForeignServer *server, UserMapping *mapping)
{
	/* Under the caller's context until it is complete: an error leaves nothing. */
	MemoryContext cxt =
		AllocSetContextCreate(CurrentMemoryContext, "gc_fdw connection", ALLOCSET_SMALL_SIZES);
	MemoryContext caller_cxt = MemoryContextSwitchTo(cxt);
	GcConnection *conn = palloc0(sizeof(GcConnection));
	GcRateSettings rate;

	conn->cxt = cxt;
	conn->mapping_id = mapping->umid;
	conn->server_id = server->serverid;
	conn->server_hash =
		GetSysCacheHashValue1(FOREIGNSERVEROID, ObjectIdGetDatum(server->serverid));
	conn->mapping_hash =
		GetSysCacheHashValue1(USERMAPPINGOID, ObjectIdGetDatum(mapping->umid));
	conn->owner =
		(GcStatOwner){.database = MyDatabaseId, .server = server->serverid, .role = user_id};
	read_server(conn, server);
	check_mapping(server, mapping);
	read_mapping(conn, server, mapping->options);
	read_rate(server->options, &rate);
	conn->quota = gc_quota_get(quota_hosts(conn), client_name(conn), &rate);
	gc_stat_quota(&conn->owner, gc_quota_id(conn->quota));
	conn->valid = true;
	MemoryContextSetParent(cxt, TopMemoryContext);
	dlist_push_tail(&connections, &conn->node);
	MemoryContextSwitchTo(caller_cxt);
	return conn;
}

static bool
has_mapping(Oid user_id, Oid server_id)
{
	Datum server = ObjectIdGetDatum(server_id);

	return SearchSysCacheExists2(USERMAPPINGUSERSERVER, ObjectIdGetDatum(user_id), server) ||
		   SearchSysCacheExists2(USERMAPPINGUSERSERVER, ObjectIdGetDatum(InvalidOid), server);
}

/* The server's own message does not name the server before 17. */
static UserMapping *
find_mapping(Oid user_id, ForeignServer *server)
{
	if (!has_mapping(user_id, server->serverid))
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
						errmsg("user mapping not found for user \"%s\", server \"%s\"",
							   GetUserNameFromId(user_id, false), server->servername),
						errhint("Make one with CREATE USER MAPPING.")));
	return GetUserMapping(user_id, server->serverid);
}

GcConnection *
gc_connection_get(Oid user_id, Oid server_id)
{
	ForeignServer *server = GetForeignServer(server_id);
	UserMapping *mapping = find_mapping(user_id, server);
	GcConnection *conn = NULL;
	dlist_mutable_iter iter;

	dlist_foreach_modify (iter, &connections)
	{
		GcConnection *kept = dlist_container(GcConnection, node, iter.cur);

		if (!kept->valid && kept->users == 0)
			connection_destroy(kept);
		else if (kept->valid && kept->mapping_id == mapping->umid &&
				 kept->owner.role == user_id)
			conn = kept;
	}
	if (conn == NULL)
		conn = connection_make(user_id, server, mapping);
	connection_hold(conn);
	return conn;
}

/* Is there nothing that gc_connection_get() would throw for? */
static bool
can_connect(Oid user_id, ForeignServer *server)
{
	bool has_region = gc_option_given(server->options, "region");

	return has_mapping(user_id, server->serverid) &&
		   (has_region || gc_option_given(server->options, "api_url")) &&
		   (has_region || gc_option_given(server->options, "login_url")) &&
		   lacking_option(GetUserMapping(user_id, server->serverid)->options) == NULL;
}

void
gc_connection_pace(Oid user_id, Oid server_id, GcTime *interval, GcTime *wait)
{
	ForeignServer *server = GetForeignServer(server_id);
	GcRateLimit limit = {0};

	if (can_connect(user_id, server))
	{
		gc_quota_pace(gc_connection_get(user_id, server_id)->quota, interval, wait);
		return;
	}
	read_rate(server->options, &limit.settings);
	*interval = gc_ratelimit_interval(&limit, gc_clock_now());
	*wait = 0;
}

/* The options of a user mapping as they are now; false if it is gone. */
static bool
current_options(Oid mapping_id, List **options)
{
	HeapTuple tuple;
	Datum datum;
	bool isnull;

	AcceptInvalidationMessages();
	tuple = SearchSysCache1(USERMAPPINGOID, ObjectIdGetDatum(mapping_id));
	if (!HeapTupleIsValid(tuple))
		return false;
	datum = SysCacheGetAttr(USERMAPPINGOID, tuple, Anum_pg_user_mapping_umoptions, &isnull);
	*options = isnull ? NIL : untransformRelOptions(datum);
	ReleaseSysCache(tuple);
	return true;
}

/*
 * The platform refused the credentials: takes up those that the mapping has by
 * now, if any.  False if they are the same.  By the mapping's own number: a
 * statement never goes on as another client because a role has lost its
 * mapping, or got one.  It keeps the server's options, and its place in the
 * first client's quota.
 */
static bool
connection_reload(GcConnection *conn)
{
	List *options;
	MemoryContext caller_cxt;

	/* Outside of a transaction nothing can be looked up. */
	if (!IsTransactionState())
		return false;
	if (!current_options(conn->mapping_id, &options) || lacking_option(options))
	{
		conn->oauth.client_id = NULL;
		conn->token.value = NULL;
		return true;
	}
	if (equal(options, conn->mapping_options))
		return false;
	caller_cxt = MemoryContextSwitchTo(conn->cxt);
	read_mapping(conn, GetForeignServer(conn->server_id), options);
	MemoryContextSwitchTo(caller_cxt);
	return true;
}

/* What there is to say when the mapping was dropped, or emptied. */
static GcFailure *
no_credentials(GcConnection *conn)
{
	GcFailure *failure = palloc0(sizeof(GcFailure));

	failure->cause = GC_CAUSE_NOT_ASKED;
	failure->outcome = GC_HTTP_PENDING;
	failure->sqlstate = ERRCODE_UNDEFINED_OBJECT;
	failure->message =
		psprintf("The platform refused the credentials that the statement began "
				 "with, and the user mapping for server \"%s\" has none any more.",
				 conn->server_name);
	failure->method = "POST";
	failure->path = "/oauth/token";
	failure->instead = "could not obtain an access token";
	return failure;
}

static bool
token_is_due(GcConnection *conn)
{
	GcToken *token = &conn->token;

	return conn->oauth.client_id != NULL &&
		   (token->value == NULL ||
			(token->refresh_at != 0 && gc_clock_now() >= token->refresh_at));
}

GcFailure *
gc_connection_token(GcConnection *conn, GcStat *stat)
{
	while (token_is_due(conn))
	{
		GcToken fresh = {0};
		GcFailure *failure = gc_oauth_fetch(&conn->oauth, &fresh, conn->cxt, stat);

		if (failure == NULL)
		{
			if (conn->token.value)
				pfree(conn->token.value);
			conn->token = fresh;
			conn->token_number++;
		}
		else if (failure->sqlstate != ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION ||
				 !connection_reload(conn))
			return failure;
	}
	return conn->token.value ? NULL : no_credentials(conn);
}

bool
gc_connection_token_refused(GcConnection *conn, uint64 token_number)
{
	/* Several requests may have been refused for one old token. */
	if (token_number != conn->token_number || conn->token.value == NULL)
		return true;
	if (conn->oauth.client_id == NULL)
		return connection_reload(conn);
	pfree(conn->token.value);
	conn->token.value = NULL;
	return true;
}

int
gc_connection_forget(Oid server_id)
{
	int count = 0;
	dlist_mutable_iter iter;

	dlist_foreach_modify (iter, &connections)
	{
		GcConnection *conn = dlist_container(GcConnection, node, iter.cur);

		if (OidIsValid(server_id) && conn->server_id != server_id)
			continue;
		count += conn->valid;
		/* What others wait for is not everybody's to forget. */
		if (!gc_shared_is_shared() || gc_compat_owns_server(conn->server_id))
			gc_quota_forget(conn->quota);
		conn->valid = false;
		if (conn->users == 0)
			connection_destroy(conn);
	}
	if (dlist_is_empty(&connections))
		gc_http_close_idle();
	return count;
}
