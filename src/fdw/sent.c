/*
 * fdw/sent.c
 *	  What a transaction has sent, for the WARNING should it roll back.
 */
#include "postgres.h"

#include "fdw/sent.h"

#include "nodes/pg_list.h"
#include "utils/memutils.h"

/* In TopTransactionContext, so that it goes with the transaction. */
static List *records = NIL;

GcSent *
gc_sent_record(const char *label)
{
	SubTransactionId subxact = GetCurrentSubTransactionId();
	MemoryContext caller_cxt;
	GcSent *sent;
	ListCell *lc;

	foreach (lc, records)
	{
		sent = lfirst(lc);
		if (sent->subxact == subxact && !sent->told && strcmp(sent->label, label) == 0)
			return sent;
	}
	caller_cxt = MemoryContextSwitchTo(TopTransactionContext);
	sent = palloc0(sizeof(GcSent));
	sent->label = pstrdup(label);
	sent->subxact = subxact;
	records = lappend(records, sent);
	MemoryContextSwitchTo(caller_cxt);
	return sent;
}

static void
warn(GcSent *sent)
{
	if (sent->told || sent->accepted + sent->on_wire == 0)
		return;
	sent->told = true;
	ereport(WARNING,
			(errcode(ERRCODE_WARNING),
			 errmsg("what was sent to %s stays there after the rollback", sent->label),
			 errdetail("Contacts accepted: " INT64_FORMAT ", in doubt: " INT64_FORMAT
					   ", not sent: " INT64_FORMAT ".",
					   sent->accepted, sent->on_wire, sent->held)));
}

static void
on_xact(XactEvent event, void *arg)
{
	ListCell *lc;

	switch (event)
	{
		case XACT_EVENT_ABORT:
			foreach (lc, records)
				warn(lfirst(lc));
			records = NIL;
			break;
		case XACT_EVENT_COMMIT:
		case XACT_EVENT_PREPARE:
			records = NIL;
			break;
		default:
			break;
	}
}

static void
on_subxact(SubXactEvent event, SubTransactionId mine, SubTransactionId parent, void *arg)
{
	ListCell *lc;

	foreach (lc, records)
	{
		GcSent *sent = lfirst(lc);

		if (sent->subxact != mine)
			continue;
		if (event == SUBXACT_EVENT_COMMIT_SUB)
			sent->subxact = parent;
		else if (event == SUBXACT_EVENT_ABORT_SUB)
			warn(sent);
	}
}

void
gc_sent_init(void)
{
	RegisterXactCallback(on_xact, NULL);
	RegisterSubXactCallback(on_subxact, NULL);
}
