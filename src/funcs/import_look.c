/*
 * funcs/import_look.c
 *	  An import as it is now, for who may see it, or have a say in it.
 */
#include "postgres.h"

#include "funcs/import_look.h"
#include "store/query_args.h"

#include "access/xact.h"
#include "catalog/pg_authid.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/datum.h"

/* Columns of the query. */
enum
{
	LOOK_ROW = 1,
	LOOK_STATE,
	LOOK_SUBMITTED_BY,
	LOOK_REASON,
	LOOK_RETRY_AT,
	LOOK_TOTAL,
	LOOK_SETTLED,
	LOOK_XMIN
};

static void
read_row(GcQuery *query, GcLook *seen)
{
	bool isnull;
	Datum row = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, LOOK_ROW, &isnull);
	MemoryContext spi_cxt;

	seen->state = gc_query_text(query, 0, LOOK_STATE);
	seen->submitted_by = gc_query_text(query, 0, LOOK_SUBMITTED_BY);
	seen->reason = gc_query_text(query, 0, LOOK_REASON);
	seen->retry_at = gc_args_int64_at(0, LOOK_RETRY_AT);
	seen->rows_total = gc_args_int64_at(0, LOOK_TOTAL);
	seen->rows_settled = gc_args_int64_at(0, LOOK_SETTLED);
	seen->is_ours =
		TransactionIdIsCurrentTransactionId((TransactionId) gc_args_int64_at(0, LOOK_XMIN));
	spi_cxt = MemoryContextSwitchTo(query->cxt);
	seen->row = datumCopy(row, false, -1);
	MemoryContextSwitchTo(spi_cxt);
}

/* False: there is none. */
static bool
find(int64 id, GcLook *seen)
{
	GcArgs args = {0};
	GcQuery query;
	bool found;

	if (!gc_query_begin(&query))
		return false;
	gc_args_int64(&args, id);
	found = gc_query_look(
				"SELECT i, i.state, i.submitted_by, i.failure_reason, i.retry_at, "
				" i.rows_total, i.rows_accepted + i.rows_rejected + i.rows_skipped, "
				" q.xmin::text::bigint "
				"FROM gc_fdw.imports i JOIN gc_fdw.import_queue q USING (id) WHERE id = $1",
				args.count, args.types, args.values) > 0;
	if (found)
		read_row(&query, seen);
	gc_query_end(&query);
	return found;
}

static bool
is_owner(const GcLook *seen)
{
	Oid role = get_role_oid(seen->submitted_by, true);

	return superuser() || (OidIsValid(role) && has_privs_of_role(GetUserId(), role));
}

/* Others' imports are not there for who may not see them. */
void
gc_look(int64 id, GcLook *seen)
{
	if (!find(id, seen) ||
		!(is_owner(seen) || has_privs_of_role(GetUserId(), ROLE_PG_READ_ALL_STATS)))
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
						errmsg("import " INT64_FORMAT " does not exist", id)));
}

void
gc_look_as_owner(int64 id, GcLook *seen)
{
	gc_look(id, seen);
	if (!is_owner(seen))
		ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
						errmsg("import " INT64_FORMAT " was submitted by another role", id),
						errdetail("It is \"%s\".", seen->submitted_by)));
}
