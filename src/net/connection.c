/*
 * net/connection.c
 *	  What a session keeps of one user mapping: settings, token, quota.
 */
#include "postgres.h"

#include "base/clock.h"
#include "base/option.h"
#include "net/connection.h"

#include "common/hashfn.h"
#include "foreign/foreign.h"
#include "miscadmin.h"
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

/* The base URL of a service: its own option, or the region's. */
static char *
service_url(ForeignServer *server, const char *option, const char *service)
{
	const char *url = gc_option_string(server->options, NIL, option);
	const char *region = gc_option_string(server->options, NIL, "region");
	char *copy;

	if (url == NULL && region != NULL)
		url = gc_option_region_url(region, service);
	if (url == NULL)
		ereport(ERROR, (errcode(ERRCODE_FDW_OPTION_NAME_NOT_FOUND),
						errmsg("server \"%s\" does not say where its %s host is",
							   server->servername, service),
						errhint("Set the server option \"region\" or \"%s\".", option)));
	copy = pstrdup(url);
	while (*copy && copy[strlen(copy) - 1] == '/')
		copy[strlen(copy) - 1] = '\0';
	return copy;
}

static void
read_server(GcConnection *conn, ForeignServer *server)
{
	List *options = server->options;
	const char *ca_file = gc_option_string(options, NIL, "ca_file");

	conn->server_name = pstrdup(server->servername);
	conn->server_options = copyObject(options);
	conn->api_url = service_url(server, "api_url", "api");
	conn->max_in_flight = gc_option_int(options, NIL, "max_in_flight");
	conn->max_requests = gc_option_int(options, NIL, "max_requests");
	conn->transport.ca_file = ca_file ? pstrdup(ca_file) : NULL;
	conn->transport.connect_timeout = gc_option_ms(options, NIL, "connect_timeout");
	conn->transport.request_timeout = gc_option_ms(options, NIL, "request_timeout");
	conn->transport.max_reply = gc_option_bytes(options, NIL, "max_response_size");
	conn->retry.timeout_ms = gc_option_ms(options, NIL, "retry_timeout");
	conn->retry.max_retries = gc_option_int(options, NIL, "max_retries");
}

static void
read_mapping(GcConnection *conn, ForeignServer *server, UserMapping *mapping)
{
	const char *token = gc_option_string(mapping->options, NIL, "access_token");
	const char *id = gc_option_string(mapping->options, NIL, "client_id");
	const char *secret = gc_option_string(mapping->options, NIL, "client_secret");

	if (token)
	{
		conn->token.value = pstrdup(token);
		return;
	}
	if (id == NULL || secret == NULL)
		ereport(ERROR, (errcode(ERRCODE_FDW_OPTION_NAME_NOT_FOUND),
						errmsg("the user mapping of \"%s\" for server \"%s\" has no %s",
							   MappingUserName(mapping->userid), server->servername,
							   id == NULL ? "client_id" : "client_secret"),
						errhint("Set client_id and client_secret, or access_token, with ALTER "
								"USER MAPPING.")));
	conn->oauth.login_url = service_url(server, "login_url", "login");
	conn->oauth.client_id = pstrdup(id);
	conn->oauth.client_secret = pstrdup(secret);
	conn->oauth.transport = conn->transport;
	conn->oauth.retry = conn->retry;
	conn->oauth.owner = conn->owner;
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
	read_mapping(conn, server, mapping);
	read_rate(server->options, &rate);
	conn->quota = gc_quota_get(conn->api_url, client_name(conn), &rate);
	gc_stat_quota(&conn->owner, gc_quota_id(conn->quota));
	conn->valid = true;
	MemoryContextSetParent(cxt, TopMemoryContext);
	dlist_push_tail(&connections, &conn->node);
	MemoryContextSwitchTo(caller_cxt);
	return conn;
}

/* The server's own message does not name the server before 17. */
static UserMapping *
find_mapping(Oid user_id, ForeignServer *server)
{
	Datum server_id = ObjectIdGetDatum(server->serverid);

	if (!SearchSysCacheExists2(USERMAPPINGUSERSERVER, ObjectIdGetDatum(user_id), server_id) &&
		!SearchSysCacheExists2(USERMAPPINGUSERSERVER, ObjectIdGetDatum(InvalidOid), server_id))
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

GcFailure *
gc_connection_token(GcConnection *conn, GcStat *stat)
{
	GcToken *token = &conn->token;
	GcFailure *failure;

	if (conn->oauth.client_id != NULL &&
		(token->value == NULL ||
		 (token->refresh_at != 0 && gc_clock_now() >= token->refresh_at)))
	{
		GcToken fresh = {0};

		failure = gc_oauth_fetch(&conn->oauth, &fresh, conn->cxt, stat);
		if (failure)
			return failure;
		if (token->value)
			pfree(token->value);
		*token = fresh;
		conn->token_number++;
	}
	return NULL;
}

bool
gc_connection_token_refused(GcConnection *conn, uint64 token_number)
{
	if (conn->oauth.client_id == NULL)
		return false;
	/* Several requests may have been refused for one old token. */
	if (token_number == conn->token_number && conn->token.value)
	{
		pfree(conn->token.value);
		conn->token.value = NULL;
	}
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
		gc_quota_forget(conn->quota);
		conn->valid = false;
		if (conn->users == 0)
			connection_destroy(conn);
	}
	if (dlist_is_empty(&connections))
		gc_http_close_idle();
	return count;
}
