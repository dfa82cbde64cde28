/*
 * fdw/dnc_truncate.c
 *	  TRUNCATE of the entries of DNC lists.
 *
 * The one way to the calls that wipe a list: DELETE removes what it has read.
 */
#include "postgres.h"

#include "api/dnc_entries.h"
#include "fdw/dnc_truncate.h"
#include "fdw/size.h"
#include "store/audit.h"

typedef struct Target
{
	GcRelation *rel;
	GcDncList *list;
	GcAudit *audit; /* NULL: nothing was asked for */
	bool twin;		/* its list is that of a table before it */
} Target;

List *
gc_dnc_truncate_find(List *rels, GcConnection *conn, GcStat *stat)
{
	List *targets = NIL;
	ListCell *lc;

	foreach (lc, rels)
	{
		Target *target = palloc0(sizeof(Target));
		ListCell *other;

		target->rel = lfirst(lc);
		target->list =
			gc_dnc_list_get(conn, stat, target->rel->dnc_list_id, target->rel->dnc_list_name);
		target->rel->label =
			psprintf("DNC list \"%s\"", gc_value_display(target->list->name, NAMEDATALEN));
		gc_dnc_check_source(target->list);
		foreach (other, targets)
			target->twin |=
				strcmp(((Target *) lfirst(other))->list->id, target->list->id) == 0;
		targets = lappend(targets, target);
	}
	return targets;
}

static void
wipe(Target *target, GcCalls *calls, GcDncKind kind)
{
	GcCall *call = gc_dnc_wipe_start(calls, target->list, kind, &target->audit->clears);
	const GcFailure *failure;

	gc_call_wait(call);
	failure = gc_call_failure(call);
	gc_audit_answered(target->audit, failure ? failure->correlation_id
											 : gc_call_header(call, "inin-correlation-id"));
	if (failure)
	{
		/* What the error says, no WARNING repeats. */
		if (failure->in_doubt)
			target->audit->clears--;
		gc_dnc_throw(call, psprintf("could not wipe %s", target->rel->label),
					 failure->in_doubt ? "It is unknown whether its entries are gone." : NULL);
	}
	target->audit->cleared++;
	gc_call_free(call);
}

void
gc_dnc_truncate(List *targets, GcConnection *conn, GcStat *stat)
{
	GcCalls *calls = gc_calls_open(conn, stat);
	ListCell *lc;

	foreach (lc, targets)
	{
		Target *target = lfirst(lc);

		if (target->twin)
			continue;
		ereport(WARNING, (errmsg("what %s has kept from being called may be called again",
								 target->rel->label)));
		target->audit = gc_audit_begin(target->rel->label, NULL, "TRUNCATE", NULL, stat);
		gc_audit_wrote(target->audit, target->list->id);
		wipe(target, calls, gc_dnc_kind(target->list, NULL));
		/* One that takes any has addresses, too. */
		if (gc_dnc_kind(target->list, "@") != gc_dnc_kind(target->list, NULL))
			wipe(target, calls, gc_dnc_kind(target->list, "@"));
		gc_size_note(target->rel, 0);
		gc_audit_complete(target->audit);
	}
	gc_calls_close(calls);
}

void
gc_dnc_truncate_release(List *targets)
{
	ListCell *lc;

	foreach (lc, targets)
		if (((Target *) lfirst(lc))->audit)
			gc_audit_release(((Target *) lfirst(lc))->audit);
}
