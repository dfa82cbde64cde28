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

static GcSent *
find_record(const char *label, SubTransactionId subxact)
{
	ListCell *lc;

	foreach (lc, records)
	{
		GcSent *sent = lfirst(lc);

		if (sent->subxact == subxact && strcmp(sent->label, label) == 0)
			return sent;
	}
	return NULL;
}

GcSent *
gc_sent_record(const char *label)
{
	SubTransactionId subxact = GetCurrentSubTransactionId();
	GcSent *sent = find_record(label, subxact);
	MemoryContext caller_cxt;

	if (sent)
		return sent;
	caller_cxt = MemoryContextSwitchTo(TopTransactionContext);
	sent = palloc0(sizeof(GcSent));
	sent->label = pstrdup(label);
	sent->subxact = subxact;
	records = lappend(records, sent);
	MemoryContextSwitchTo(caller_cxt);
	return sent;
}

void
gc_sent_told(GcSent *sent, int64 taken, int64 accepted, int64 in_doubt)
{
	sent->taken -= taken;
	sent->accepted -= accepted;
	sent->in_doubt -= in_doubt;
}

static void
warn(const GcSent *sent)
{
	if (sent->clears > 0)
		ereport(WARNING, (errcode(ERRCODE_WARNING),
						  errmsg("contacts that TRUNCATE took from %s are not brought back by "
								 "the rollback",
								 sent->label)));
	if (sent->accepted + sent->in_doubt == 0)
		return;
	ereport(WARNING, (errcode(ERRCODE_WARNING),
					  errmsg("what was sent to %s is not undone by the rollback", sent->label),
					  errdetail("Contacts accepted: " INT64_FORMAT ", in doubt: " INT64_FORMAT
								", not sent: " INT64_FORMAT ".",
								sent->accepted, sent->in_doubt,
								sent->taken - sent->accepted - sent->in_doubt)));
}

/* A savepoint is released: its records become its parent's. */
static void
move_to_parent(GcSent *sent, SubTransactionId parent)
{
	GcSent *parents = find_record(sent->label, parent);

	if (parents == NULL)
	{
		sent->subxact = parent;
		return;
	}
	parents->taken += sent->taken;
	parents->accepted += sent->accepted;
	parents->in_doubt += sent->in_doubt;
	parents->clears += sent->clears;
	/* Its statements are over, so nobody points to it any more. */
	records = list_delete_ptr(records, sent);
	pfree(sent->label);
	pfree(sent);
}

static void
on_xact(XactEvent event, void *arg)
{
	ListCell *lc;

	switch (event)
	{
		case XACT_EVENT_PRE_PREPARE:
			/* A later ROLLBACK PREPARED could tell nobody. */
			if (records != NIL)
				ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
								errmsg("cannot PREPARE a transaction that has written to %s",
									   ((GcSent *) linitial(records))->label)));
			break;
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

	if (event != SUBXACT_EVENT_COMMIT_SUB && event != SUBXACT_EVENT_ABORT_SUB)
		return;
	foreach (lc, list_copy(records))
	{
		GcSent *sent = lfirst(lc);

		if (sent->subxact != mine)
			continue;
		if (event == SUBXACT_EVENT_COMMIT_SUB)
		{
			move_to_parent(sent, parent);
			continue;
		}
		warn(sent);
		records = list_delete_ptr(records, sent);
	}
}

void
gc_sent_init(void)
{
	RegisterXactCallback(on_xact, NULL);
	RegisterSubXactCallback(on_subxact, NULL);
}
