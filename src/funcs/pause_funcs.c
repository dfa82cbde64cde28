/*
 * funcs/pause_funcs.c
 *	  pause() and its kin: contact lists and servers whose imports wait.
 */
#include "postgres.h"

#include "base/compat.h"
#include "base/option.h"
#include "store/import_control.h"

#include "catalog/pg_class.h"
#include "foreign/foreign.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

/* Seen through exports.map. */
#pragma GCC visibility push(default)
PG_FUNCTION_INFO_V1(gc_fdw_pause);
PG_FUNCTION_INFO_V1(gc_fdw_unpause);
PG_FUNCTION_INFO_V1(gc_fdw_pause_server);
PG_FUNCTION_INFO_V1(gc_fdw_unpause_server);
#pragma GCC visibility pop

static const char *
reason_arg(FunctionCallInfo fcinfo)
{
	return PG_ARGISNULL(1) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(1));
}

static void
need_first(FunctionCallInfo fcinfo, const char *what)
{
	if (PG_ARGISNULL(0))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("%s is NULL", what)));
}

static bool
is_ours(const ForeignServer *server)
{
	return strcmp(GetForeignDataWrapper(server->fdwid)->fdwname, "gc_fdw") == 0;
}

/* Whoever may insert into the table may pause its list: its imports are his, too. */
static GcImportPause
list_of(Oid relid)
{
	GcImportPause pause = {0};
	AclResult allowed = pg_class_aclcheck(relid, GetUserId(), ACL_INSERT);
	ForeignTable *table;
	ForeignServer *server;

	if (get_rel_relkind(relid) != RELKIND_FOREIGN_TABLE)
		ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE),
						errmsg("\"%s\" is not a foreign table", get_rel_name(relid))));
	if (allowed != ACLCHECK_OK)
		aclcheck_error(allowed, OBJECT_FOREIGN_TABLE, get_rel_name(relid));
	table = GetForeignTable(relid);
	server = GetForeignServer(table->serverid);
	pause.server = server->servername;
	pause.list_id = gc_option_string(table->options, NIL, "list_id");
	if (pause.list_id == NULL)
		pause.list_name = gc_option_string(table->options, NIL, "list_name");
	if (!is_ours(server) || (pause.list_id == NULL && pause.list_name == NULL))
		ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE),
						errmsg("\"%s\" has no contact list", get_rel_name(relid))));
	return pause;
}

static GcImportPause
server_of(const char *name)
{
	GcImportPause pause = {.server = name};
	ForeignServer *server = GetForeignServerByName(name, false);

	if (!gc_compat_owns_server(server->serverid))
		aclcheck_error(ACLCHECK_NOT_OWNER, OBJECT_FOREIGN_SERVER, name);
	if (!is_ours(server))
		ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE),
						errmsg("server \"%s\" does not belong to gc_fdw", name)));
	return pause;
}

static void
release(const GcImportPause *pause)
{
	if (!gc_import_release(pause))
		ereport(NOTICE, (errmsg("it was not paused")));
}

Datum
gc_fdw_pause(PG_FUNCTION_ARGS)
{
	GcImportPause pause;

	need_first(fcinfo, "the table");
	pause = list_of(PG_GETARG_OID(0));
	gc_import_hold(&pause, reason_arg(fcinfo));
	PG_RETURN_VOID();
}

Datum
gc_fdw_unpause(PG_FUNCTION_ARGS)
{
	GcImportPause pause = list_of(PG_GETARG_OID(0));

	release(&pause);
	PG_RETURN_VOID();
}

Datum
gc_fdw_pause_server(PG_FUNCTION_ARGS)
{
	GcImportPause pause;

	need_first(fcinfo, "the server's name");
	pause = server_of(NameStr(*PG_GETARG_NAME(0)));
	gc_import_hold(&pause, reason_arg(fcinfo));
	PG_RETURN_VOID();
}

Datum
gc_fdw_unpause_server(PG_FUNCTION_ARGS)
{
	GcImportPause pause = server_of(NameStr(*PG_GETARG_NAME(0)));

	release(&pause);
	PG_RETURN_VOID();
}
