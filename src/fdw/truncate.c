/*
 * fdw/truncate.c
 *	  TRUNCATE of contacts, whose lists are cleared, and of the entries of DNC lists.
 *
 * The server calls once for all tables of one foreign server.  Nothing is asked
 * for before all of them have been looked at; then all lists are cleared at
 * once, and waited for one after the other.
 */
#include "postgres.h"

#include "api/clear.h"
#include "base/option.h"
#include "base/written.h"
#include "fdw/dnc_truncate.h"
#include "fdw/pending.h"
#include "fdw/relation.h"
#include "fdw/size.h"
#include "fdw/truncate.h"
#include "store/audit.h"

#include "foreign/foreign.h"
#include "miscadmin.h"
#include "utils/memutils.h"

typedef struct Target
{
	GcRelation *rel;
	GcList *list;
	GcCall *call;
	GcAudit *audit; /* NULL: nothing was asked for */
	bool twin;		/* its list is that of a table before it */
} Target;

/* What is not to be called is wiped only where its own table says so. */
static bool
is_truncatable(const GcRelation *rel)
{
	if (rel->resource->has_dnc_list && !gc_option_given(rel->options, "truncatable"))
		return false;
	return gc_option_bool(rel->options, rel->server_options, "truncatable");
}

static GcRelation *
load(Relation relation)
{
	GcRelation *rel = gc_relation_load(relation);

	if (rel->resource->clear_endpoint == NULL ||
		!gc_option_bool(rel->options, rel->server_options, "updatable") ||
		!is_truncatable(rel))
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						errmsg("foreign table \"%s\" does not allow truncates", rel->name),
						rel->resource->has_dnc_list
							? errhint("Set its own option \"truncatable\" to \"true\".")
							: 0));
	return rel;
}

/* What waits for COMMIT would be in the list again afterwards. */
static void
check_pending(const Target *target)
{
	int64 rows = gc_pending_count(target->list);

	if (rows > 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_IN_USE),
				 errmsg("cannot truncate %s, to which this transaction has contacts to send",
						target->rel->label),
				 errdetail("Contacts that are sent at COMMIT: " INT64_FORMAT ".", rows),
				 errhint("TRUNCATE in a transaction before this one, or first of all.")));
}

/* The contact lists among these tables, all of one server; of the others, *dnc. */
static List *
find_lists(List *relations, GcConnection *conn, GcStat *stat, List **dnc)
{
	List *targets = NIL;
	List *others = NIL;
	ListCell *lc;
	ListCell *other;

	foreach (lc, relations)
	{
		GcRelation *rel = load(lfirst(lc));
		Target *target = palloc0(sizeof(Target));

		target->rel = rel;
		if (rel->resource->has_dnc_list)
			others = lappend(others, rel);
		else
			targets = lappend(targets, target);
	}
	*dnc = gc_dnc_truncate_find(others, conn, stat);
	foreach (lc, targets)
	{
		Target *target = lfirst(lc);

		target->list = gc_list_get(conn, stat, target->rel->list_id, target->rel->list_name);
		gc_relation_check(target->rel, target->list);
		check_pending(target);
		foreach (other, targets)
		{
			if (other == lc)
				break;
			target->twin |=
				strcmp(((Target *) lfirst(other))->list->id, target->list->id) == 0;
		}
	}
	return targets;
}

/* Asks for it; an opt-out is in its contact, and goes with it (DESIGN 2.1). */
static void
start(Target *target, GcCalls *calls, const GcStat *stat)
{
	ereport(WARNING, (errmsg("the opt-outs in %s go with its contacts", target->rel->label),
					  errhint("Contacts that are loaded again are callable.")));
	target->audit =
		gc_audit_begin(target->rel->label, target->list->id, "TRUNCATE", NULL, stat);
	target->call = gc_clear_start(calls, target->list, &target->audit->clears);
}

static void
finish_call(Target *target)
{
	const GcFailure *failure;

	gc_call_wait(target->call);
	failure = gc_call_failure(target->call);
	gc_audit_answered(target->audit,
					  failure ? failure->correlation_id
							  : gc_call_header(target->call, "inin-correlation-id"));
	if (failure == NULL)
	{
		target->audit->cleared++;
		return;
	}
	if (gc_list_is_doubted(failure))
		gc_list_forget(target->list);
	/* What the error says, no WARNING repeats. */
	if (failure->in_doubt)
		target->audit->clears--;
	gc_call_throw(target->call, psprintf("could not clear %s", target->rel->label),
				  failure->in_doubt ? "It is unknown whether its contacts are going." : NULL);
}

/* Until when the platform may not show what this cluster has written to the list. */
static GcTime
lag_until(const Target *target, const GcConnection *conn)
{
	return gc_written_shown(conn->api_url, target->list->id,
							gc_option_ms(target->rel->server_options, NIL, "read_lag"));
}

/* Those of one statement. */
typedef struct Targets
{
	List *lists;
	List *dnc;
} Targets;

static void
release(void *arg)
{
	Targets *targets = arg;
	ListCell *lc;

	foreach (lc, targets->lists)
		if (((Target *) lfirst(lc))->audit)
			gc_audit_release(((Target *) lfirst(lc))->audit);
	gc_dnc_truncate_release(targets->dnc);
}

static void
clear(List *targets, GcConnection *conn, GcStat *stat)
{
	GcCalls *calls = gc_calls_open(conn, stat);
	ListCell *lc;

	foreach (lc, targets)
		if (!((Target *) lfirst(lc))->twin)
			start(lfirst(lc), calls, stat);
	foreach (lc, targets)
		if (!((Target *) lfirst(lc))->twin)
			finish_call(lfirst(lc));
	foreach (lc, targets)
	{
		Target *target = lfirst(lc);
		GcRelation *rel = target->rel;

		if (!target->twin)
			gc_clear_await(calls, target->list, rel->label, lag_until(target, conn),
						   gc_option_ms(rel->options, rel->server_options, "ready_timeout"));
		gc_size_note(rel, 0);
		if (target->audit)
			gc_audit_complete(target->audit);
	}
	gc_calls_close(calls);
}

/* Nothing at the platform depends on a list's contacts or counts them: the rest is local. */
static void
gcExecForeignTruncate(List *relations, DropBehavior behavior, bool restart_seqs)
{
	MemoryContext cxt =
		AllocSetContextCreate(CurrentMemoryContext, "gc_fdw truncate", ALLOCSET_DEFAULT_SIZES);
	MemoryContext caller_cxt = MemoryContextSwitchTo(cxt);
	ForeignTable *table = GetForeignTable(RelationGetRelid((Relation) linitial(relations)));
	MemoryContextCallback *on_reset = palloc0(sizeof(MemoryContextCallback));
	Targets *targets = palloc0(sizeof(Targets));
	GcStat *stat = palloc0(sizeof(GcStat));
	GcConnection *conn = gc_connection_get(GetUserId(), table->serverid);

	/* The audit reads the figures until it is released, an error or not. */
	stat->spent = palloc0(sizeof(int64));
	on_reset->func = release;
	on_reset->arg = targets;
	MemoryContextRegisterResetCallback(cxt, on_reset);
	targets->lists = find_lists(relations, conn, stat, &targets->dnc);
	clear(targets->lists, conn, stat);
	gc_dnc_truncate(targets->dnc, conn, stat);
	MemoryContextSwitchTo(caller_cxt);
	MemoryContextDelete(cxt);
}

void
gc_truncate_routine(FdwRoutine *routine)
{
	routine->ExecForeignTruncate = gcExecForeignTruncate;
}
