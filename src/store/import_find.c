/*
 * store/import_find.c
 *	  Which import of ours a job of the platform belongs to.
 */
#include "postgres.h"

#include "store/import_find.h"
#include "store/query_args.h"

#include "miscadmin.h"

/* As the policies of the tables have it, which do not hold for their owner.  $2 is who asks. */
#define MAY_BE_SEEN                                                                           \
	"(pg_catalog.pg_has_role($2, 'pg_read_all_stats', 'USAGE') OR EXISTS (SELECT FROM "       \
	" pg_catalog.pg_roles r WHERE r.rolname = q.submitted_by AND "                            \
	" pg_catalog.pg_has_role($2, r.oid, 'USAGE')))"

#define PARTS                                                                                 \
	"SELECT p.import_id, p.rows FROM gc_fdw.import_parts p "                                  \
	"JOIN gc_fdw.import_queue q ON q.id = p.import_id WHERE q.list_id = $1 AND " MAY_BE_SEEN

int64
gc_import_of_job(const char *list_id, const char *job_id, int64 rows)
{
	GcArgs args = {0};
	Oid caller = GetUserId();
	GcQuery query;
	uint64 found;
	int64 id = 0;

	if (!gc_query_begin(&query))
		return 0;
	gc_args_text(&args, list_id);
	gc_args_add(&args, OIDOID, ObjectIdGetDatum(caller));
	if (job_id)
		gc_args_text(&args, job_id);
	found = gc_query_look(job_id ? PARTS " AND p.job_id = $3"
								 : PARTS " AND p.method = 'upload' AND p.sent_at IS NOT NULL "
										 "ORDER BY p.sent_at DESC LIMIT 1",
						  args.count, args.types, args.values);
	if (found > 0 && (job_id || gc_args_int64_at(0, 2) == rows))
		id = gc_args_int64_at(0, 1);
	gc_query_end(&query);
	return id;
}
