/*
 * base/compat.h
 *	  What differs between the server versions we build on (15 to 18).
 *
 * The only place that asks for PG_VERSION_NUM, so that everything else reads
 * as if there were one version.
 */
#ifndef GC_BASE_COMPAT_H
#define GC_BASE_COMPAT_H

#include "postgres.h"

#include "access/stratnum.h"
#include "catalog/pg_attribute.h"
#include "catalog/pg_foreign_server.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "optimizer/pathnode.h"
#include "storage/latch.h"
#include "storage/proc.h"
#include "utils/acl.h"
#include "utils/relcache.h"
#include "utils/selfuncs.h"
#include "utils/wait_event.h"
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif
#if PG_VERSION_NUM >= 170000
#include "utils/syscache.h"
#endif
#if PG_VERSION_NUM >= 180000
#include "commands/explain_format.h"
#include "commands/explain_state.h"
#include "storage/waiteventset.h"
#endif

#if PG_VERSION_NUM < 150000
#error "gc_fdw needs PostgreSQL 15 or later"
#endif

/* Shared memory that is there without shared_preload_libraries. */
#if PG_VERSION_NUM >= 170000
#include "storage/dsm_registry.h"
#define GC_COMPAT_NAMED_SEGMENTS 1
#else
#define GC_COMPAT_NAMED_SEGMENTS 0
#endif

/* This backend's place among all processes, for others to find its latch by. */
static inline int
gc_compat_proc_number(void)
{
#if PG_VERSION_NUM >= 170000
	return MyProcNumber;
#else
	return MyProc->pgprocno;
#endif
}

/* Does the current role own that server, or is it a superuser? */
static inline bool
gc_compat_owns_server(Oid server)
{
#if PG_VERSION_NUM >= 160000
	return object_ownercheck(ForeignServerRelationId, server, GetUserId());
#else
	return pg_foreign_server_ownercheck(server, GetUserId());
#endif
}

/* May the current role use that server? */
static inline bool
gc_compat_may_use_server(Oid server)
{
#if PG_VERSION_NUM >= 160000
	return object_aclcheck(ForeignServerRelationId, server, GetUserId(), ACL_USAGE) ==
		   ACLCHECK_OK;
#else
	return pg_foreign_server_aclcheck(server, GetUserId(), ACL_USAGE) == ACLCHECK_OK;
#endif
}

/* A wait set that lives as long as the backend. */
static inline WaitEventSet *
gc_compat_wait_event_set(int nevents)
{
#if PG_VERSION_NUM >= 170000
	return CreateWaitEventSet(NULL, nevents);
#else
	return CreateWaitEventSet(TopMemoryContext, nevents);
#endif
}

/* The wait event of that name, made at first sight; before 17 extensions share one. */
static inline uint32
gc_compat_wait_event(const char *name)
{
#if PG_VERSION_NUM >= 170000
	return WaitEventExtensionNew(name);
#else
	return PG_WAIT_EXTENSION;
#endif
}

/* Does ANALYZE look at that column, or has it a statistics target of 0? */
static inline bool
gc_compat_is_analyzed(Form_pg_attribute attribute)
{
#if PG_VERSION_NUM >= 170000
	HeapTuple tuple = SearchSysCache2(ATTNUM, ObjectIdGetDatum(attribute->attrelid),
									  Int16GetDatum(attribute->attnum));
	bool is_null = true;
	Datum target = (Datum) 0;

	if (HeapTupleIsValid(tuple))
	{
		target = SysCacheGetAttr(ATTNUM, tuple, Anum_pg_attribute_attstattarget, &is_null);
		ReleaseSysCache(tuple);
	}
	return is_null || DatumGetInt16(target) != 0;
#else
	return attribute->attstattarget != 0;
#endif
}

/* How many elements an array has, as the planner guesses. */
static inline double
gc_compat_array_length(PlannerInfo *root, Node *array)
{
#if PG_VERSION_NUM >= 170000
	return estimate_array_length(root, array);
#else
	return estimate_array_length(array);
#endif
}

/* The table that a scan reads, in the range table; of an upper relation the one below it. */
static inline Index
gc_compat_scan_relation(ForeignScan *plan)
{
	if (plan->scan.scanrelid > 0)
		return plan->scan.scanrelid;
#if PG_VERSION_NUM >= 160000
	return bms_next_member(plan->fs_base_relids, -1);
#else
	return bms_next_member(plan->fs_relids, -1);
#endif
}

/* A statement that is running has counted rows to which nothing happened. */
static inline void
gc_compat_uncount(EState *estate, int64 rows)
{
	estate->es_processed -= rows;
#if PG_VERSION_NUM >= 160000
	estate->es_total_processed -= rows;
#endif
}

/* The role whose user mapping a scan uses: a view's owner, or the caller. */
static inline Oid
gc_compat_scan_user(ForeignScan *plan, EState *estate)
{
#if PG_VERSION_NUM >= 160000
	Oid check_as_user = plan->checkAsUser;
#else
	Oid check_as_user = exec_rt_fetch(gc_compat_scan_relation(plan), estate)->checkAsUser;
#endif
	return OidIsValid(check_as_user) ? check_as_user : GetUserId();
}

/* The role whose user mapping a modification uses. */
static inline Oid
gc_compat_modify_user(ResultRelInfo *rri, EState *estate)
{
#if PG_VERSION_NUM >= 160000
	return ExecGetResultRelCheckAsUser(rri, estate);
#else
	RangeTblEntry *rte;
	Index rti = rri->ri_RangeTableIndex;

	/* A partition that tuple routing opened has no entry: its root has. */
	if (rti == 0 && rri->ri_RootResultRelInfo != NULL)
		rti = rri->ri_RootResultRelInfo->ri_RangeTableIndex;
	if (rti == 0)
		return GetUserId();
	rte = exec_rt_fetch(rti, estate);
	return OidIsValid(rte->checkAsUser) ? rte->checkAsUser : GetUserId();
#endif
}

static inline ForeignPath *
gc_compat_foreign_path(PlannerInfo *root, RelOptInfo *rel, double rows, Relids required_outer,
					   Cost startup_cost, Cost total_cost, List *pathkeys, List *fdw_private)
{
#if PG_VERSION_NUM >= 180000
	return create_foreignscan_path(
		root, rel, NULL, rows, 0, startup_cost, total_cost, pathkeys,
		required_outer ? required_outer : rel->lateral_relids, NULL, NIL, fdw_private);
#elif PG_VERSION_NUM >= 170000
	return create_foreignscan_path(root, rel, NULL, rows, startup_cost, total_cost, pathkeys,
								   required_outer ? required_outer : rel->lateral_relids, NULL,
								   NIL, fdw_private);
#else
	return create_foreignscan_path(root, rel, NULL, rows, startup_cost, total_cost, pathkeys,
								   required_outer ? required_outer : rel->lateral_relids, NULL,
								   fdw_private);
#endif
}

/* A path of one row for all of a query's grouping; "below" can give it, too. */
static inline ForeignPath *
gc_compat_upper_path(PlannerInfo *root, RelOptInfo *rel, PathTarget *target, Cost startup_cost,
					 Cost total_cost, Path *below, List *fdw_private)
{
#if PG_VERSION_NUM >= 180000
	return create_foreign_upper_path(root, rel, target, 1, 0, startup_cost, total_cost, NIL,
									 below, NIL, fdw_private);
#elif PG_VERSION_NUM >= 170000
	return create_foreign_upper_path(root, rel, target, 1, startup_cost, total_cost, NIL,
									 below, NIL, fdw_private);
#else
	return create_foreign_upper_path(root, rel, target, 1, startup_cost, total_cost, NIL,
									 below, fdw_private);
#endif
}

/* A table of the range table, open for as long as the executor's state is. */
static inline Relation
gc_compat_range_table_relation(EState *estate, Index relation)
{
#if PG_VERSION_NUM >= 180000
	return ExecGetRangeTableRelation(estate, relation, false);
#else
	return ExecGetRangeTableRelation(estate, relation);
#endif
}

/* Index entries of a row that is in the heap; false: a unique index had its key already. */
static inline bool
gc_compat_index_row(ResultRelInfo *rri, TupleTableSlot *slot, EState *estate)
{
	bool repeats = false;

#if PG_VERSION_NUM >= 160000
	(void) ExecInsertIndexTuples(rri, slot, estate, false, true, &repeats, NIL, false);
#else
	(void) ExecInsertIndexTuples(rri, slot, estate, false, true, &repeats, NIL);
#endif
	return !repeats;
}

/* Does an order go from the greatest down? */
static inline bool
gc_compat_descends(const PathKey *pathkey)
{
#if PG_VERSION_NUM >= 180000
	return pathkey->pk_cmptype == COMPARE_GT;
#else
	return pathkey->pk_strategy == BTGreaterStrategyNumber;
#endif
}

/*
 * Does an Append that waits for asynchronous scans wake up for the latch?  It has
 * since the minor releases of May 2025.
 */
#if PG_VERSION_NUM >= 180000 || (PG_VERSION_NUM >= 170005 && PG_VERSION_NUM < 180000) ||      \
	(PG_VERSION_NUM >= 160009 && PG_VERSION_NUM < 170000) ||                                  \
	(PG_VERSION_NUM >= 150013 && PG_VERSION_NUM < 160000)
#define GC_COMPAT_APPEND_SEES_LATCH true
#else
#define GC_COMPAT_APPEND_SEES_LATCH false
#endif

/* The index of the primary key; InvalidOid: there is none. */
static inline Oid
gc_compat_primary_key(Relation rel)
{
#if PG_VERSION_NUM >= 180000
	return RelationGetPrimaryKeyIndex(rel, false);
#else
	return RelationGetPrimaryKeyIndex(rel);
#endif
}

/* The ExecutorRun hook lost its execute_once argument in 18. */
#if PG_VERSION_NUM >= 180000
#define GC_EXECUTOR_RUN_PARAMS QueryDesc *queryDesc, ScanDirection direction, uint64 count
#define GC_EXECUTOR_RUN_ARGS   queryDesc, direction, count
#else
#define GC_EXECUTOR_RUN_PARAMS                                                                \
	QueryDesc *queryDesc, ScanDirection direction, uint64 count, bool execute_once
#define GC_EXECUTOR_RUN_ARGS queryDesc, direction, count, execute_once
#endif

#endif /* GC_BASE_COMPAT_H */
