/*
 * funcs/server_arg.c
 *	  The server that a function is about.
 */
#include "postgres.h"

#include "base/compat.h"
#include "funcs/server_arg.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/pg_foreign_server.h"
#include "miscadmin.h"
#include "utils/acl.h"

static bool
is_ours(Oid wrapper)
{
	return strcmp(GetForeignDataWrapper(wrapper)->fdwname, "gc_fdw") == 0;
}

/* The servers of the wrapper: how many, and the last one. */
static int
count_servers(Oid *found)
{
	Relation catalog = table_open(ForeignServerRelationId, AccessShareLock);
	SysScanDesc scan = systable_beginscan(catalog, InvalidOid, false, NULL, 0, NULL);
	HeapTuple tuple;
	int count = 0;

	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_foreign_server server = (Form_pg_foreign_server) GETSTRUCT(tuple);

		if (!is_ours(server->srvfdw))
			continue;
		*found = server->oid;
		count++;
	}
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
	return count;
}

static Oid
only_server(void)
{
	Oid found = InvalidOid;
	int count = count_servers(&found);

	if (count == 0)
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
						errmsg("there is no server of gc_fdw in this database")));
	if (count > 1)
		ereport(ERROR, (errcode(ERRCODE_AMBIGUOUS_PARAMETER),
						errmsg("this database has %d servers of gc_fdw", count),
						errhint("Name the one that is meant: server => '…'.")));
	return found;
}

bool
gc_server_is_only(void)
{
	Oid found;

	return count_servers(&found) == 1;
}

ForeignServer *
gc_server_arg(const char *name)
{
	ForeignServer *server =
		name ? GetForeignServerByName(name, false) : GetForeignServer(only_server());

	if (!is_ours(server->fdwid))
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("server \"%s\" does not belong to gc_fdw", server->servername)));
	if (!gc_compat_may_use_server(server->serverid))
		aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_FOREIGN_SERVER, server->servername);
	return server;
}
