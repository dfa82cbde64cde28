/*
 * store/audit.c
 *	  What a transaction has sent: the audit of each statement, and the WARNING at a rollback.
 */
#include "postgres.h"

#include "base/value.h"
#include "store/audit.h"
#include "store/mail.h"

#include "common/string.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

/* So many statements of a transaction have rows of their own. */
#define SINGLE_MAX 1000

/* Room in the shared memory that is first made ready; doubled when it is used up. */
#define MAIL_ROOM 32

/* In TopTransactionContext, so that they go with the transaction; oldest first. */
static dlist_head audits = DLIST_STATIC_INIT(audits);
static int audit_count = 0;

/* For the transaction that may abort. */
static GcMail mail;

/* ---- shared memory ---- */

/* Makes room for all there are and one more. */
static void
mail_prepare(void)
{
	int room = MAIL_ROOM;

	while (room <= audit_count)
		room *= 2;
	gc_mail_prepare(&mail, sizeof(GcAuditEntry) * room);
}

/* Hands all entries to a worker.  Runs while the transaction aborts: nothing here throws. */
static bool
mail_send(void)
{
	GcMailHead *head = gc_mail_head(&mail);
	dlist_iter iter;

	if (head == NULL)
		return false;
	head->count = 0;
	dlist_foreach (iter, &audits)
		((GcAuditEntry *) head->bytes)[head->count++] =
			dlist_container(GcAudit, node, iter.cur)->entry;
	return gc_mail_send(&mail, GC_JOB_AUDIT);
}

/* ---- entries ---- */

static bool
alike(const GcAudit *a, const GcAudit *b)
{
	return a->subxact == b->subxact && a->over == b->over &&
		   a->entry.status == b->entry.status && strcmp(a->label, b->label) == 0 &&
		   strcmp(a->entry.list_id, b->entry.list_id) == 0 &&
		   strcmp(a->entry.operation, b->entry.operation) == 0 &&
		   strcmp(a->entry.by_role, b->entry.by_role) == 0 &&
		   strcmp(a->entry.application_name, b->entry.application_name) == 0;
}

/* One of several statements that another may join: nobody is counting in it. */
static GcAudit *
find_shared(const GcAudit *like)
{
	dlist_iter iter;

	dlist_reverse_foreach(iter, &audits)
	{
		GcAudit *audit = dlist_container(GcAudit, node, iter.cur);

		/* They are behind all others. */
		if (!audit->shared)
			return NULL;
		if (audit != like && !audit->held && alike(audit, like))
			return audit;
	}
	return NULL;
}

static void
copy_name(char *to, size_t size, const char *from)
{
	int len = pg_mbcliplen(from, strlen(from), size - 1);

	memcpy(to, from, len);
	to[len] = '\0';
}

static void
set_list(GcAuditEntry *entry, const char *list_id)
{
	copy_name(entry->list_id, sizeof(entry->list_id),
			  gc_value_display(list_id, GC_AUDIT_LIST_SIZE));
}

static GcAudit *
make_audit(const char *label, const char *list_id, const char *operation, const char *by_role)
{
	GcAudit *audit = palloc0(sizeof(GcAudit));
	GcAuditEntry *entry = &audit->entry;

	copy_name(entry->by_role, sizeof(entry->by_role),
			  by_role ? by_role : GetUserNameFromId(GetUserId(), false));
	copy_name(entry->application_name, sizeof(entry->application_name), application_name);
	if (list_id)
		set_list(entry, list_id);
	strlcpy(entry->operation, operation, sizeof(entry->operation));
	entry->status = GC_AUDIT_COMPLETED;
	audit->label = pstrdup(label);
	audit->of_contacts = list_id != NULL;
	audit->counts = audit->of_contacts ? "Contacts" : "Rows";
	audit->subxact = GetCurrentSubTransactionId();
	audit->shared = audit_count >= SINGLE_MAX;
	return audit;
}

static void
free_audit(GcAudit *audit)
{
	pfree(audit->label);
	pfree(audit);
}

GcAudit *
gc_audit_begin(const char *label, const char *list_id, const char *operation,
			   const char *by_role, const GcStat *stat)
{
	MemoryContext caller_cxt = MemoryContextSwitchTo(TopTransactionContext);
	GcAudit *audit = make_audit(label, list_id, operation, by_role);
	GcAudit *shared = audit->shared ? find_shared(audit) : NULL;

	MemoryContextSwitchTo(caller_cxt);
	if (shared)
	{
		free_audit(audit);
		audit = shared;
	}
	else
	{
		gc_audit_entry_prepare();
		mail_prepare();
		dlist_push_tail(&audits, &audit->node);
		audit_count++;
	}
	audit->entry.status = GC_AUDIT_RUNNING;
	audit->entry.statements++;
	audit->since = GetCurrentTimestamp();
	audit->stat = stat;
	audit->held = true;
	return audit;
}

GcAudit *
gc_audit_alone(const char *list_id, const char *by_role, const GcStat *stat)
{
	GcAudit *audit = make_audit("", list_id, "", by_role);

	audit->stat = stat;
	return audit;
}

void
gc_audit_take(GcAudit *audit, int64 rows)
{
	audit->entry.total += rows;
	audit->entry.status = GC_AUDIT_RUNNING;
}

void
gc_audit_wrote(GcAudit *audit, const char *list_id)
{
	char before[GC_AUDIT_LIST_SIZE];

	strlcpy(before, audit->entry.list_id, sizeof(before));
	set_list(&audit->entry, list_id);
	if (audit->several || (before[0] && strcmp(before, audit->entry.list_id) != 0))
	{
		audit->several = true;
		audit->entry.list_id[0] = '\0';
	}
}

void
gc_audit_answered(GcAudit *audit, const char *correlation_id)
{
	if (correlation_id && pg_is_ascii(correlation_id))
		strlcpy(audit->entry.correlation_id, correlation_id,
				sizeof(audit->entry.correlation_id));
}

static const char *
three_counts(const GcAudit *audit, int64 total, int64 accepted, int64 in_doubt)
{
	return psprintf("%s accepted: " INT64_FORMAT ", in doubt: " INT64_FORMAT
					", not sent: " INT64_FORMAT ".",
					audit->counts, accepted, in_doubt, total - accepted - in_doubt);
}

const char *
gc_audit_tell(GcAudit *audit, int64 total, int64 accepted, int64 in_doubt)
{
	audit->told_total += total;
	audit->told_accepted += accepted;
	audit->told_in_doubt += in_doubt;
	return three_counts(audit, total, accepted, in_doubt);
}

/* In place of what was there before; NULL: nothing is. */
static void
note(char **place, const char *what)
{
	if (*place)
		pfree(*place);
	*place = what ? MemoryContextStrdup(TopTransactionContext, what) : NULL;
}

void
gc_audit_set_job(GcAudit *audit, const char *job)
{
	note(&audit->job, job);
}

void
gc_audit_begin_trial(GcAudit *audit, const char *contact)
{
	note(&audit->tried, contact);
	audit->trials = 0;
}

void
gc_audit_end_trial(GcAudit *audit)
{
	note(&audit->tried, NULL);
	note(&audit->job, NULL);
}

int64
gc_audit_id(GcAudit *audit)
{
	if (audit->entry.id == 0)
		audit->entry.id = gc_audit_entry_next_id();
	return audit->entry.id;
}

/* Adds the time since the start, or since this was last done. */
static void
stop_clock(GcAudit *audit)
{
	TimestampTz now = GetCurrentTimestamp();

	audit->entry.latency_us += now - audit->since;
	audit->entry.at = audit->since = now;
}

void
gc_audit_complete(GcAudit *audit)
{
	if (audit->entry.status == GC_AUDIT_RUNNING)
		stop_clock(audit);
	audit->entry.status = GC_AUDIT_COMPLETED;
}

/* The statement's figures are final. */
static void
count_requests(GcAudit *audit)
{
	if (audit->stat)
		audit->entry.requests += audit->stat->requests;
	audit->stat = NULL;
}

/* ---- the ends of transactions ---- */

/* Puts an audit together with another that is alike, if they are many. */
static void
join_shared(GcAudit *audit)
{
	GcAudit *other = audit->shared && !audit->held ? find_shared(audit) : NULL;
	GcAuditEntry *entry;

	if (other == NULL)
		return;
	entry = &other->entry;
	entry->at = Max(entry->at, audit->entry.at);
	entry->latency_us += audit->entry.latency_us;
	entry->total += audit->entry.total;
	entry->accepted += audit->entry.accepted;
	entry->in_doubt += audit->entry.in_doubt;
	entry->rejected += audit->entry.rejected;
	entry->requests += audit->entry.requests;
	entry->statements += audit->entry.statements;
	gc_audit_answered(other,
					  audit->entry.correlation_id[0] ? audit->entry.correlation_id : NULL);
	other->told_total += audit->told_total;
	other->told_accepted += audit->told_accepted;
	other->told_in_doubt += audit->told_in_doubt;
	other->clears += audit->clears;
	other->cleared += audit->cleared;
	dlist_delete(&audit->node);
	audit_count--;
	free_audit(audit);
}

void
gc_audit_release(GcAudit *audit)
{
	count_requests(audit);
	audit->held = false;
	/* What was rolled back while the statement was there could not be joined then. */
	if (audit->over)
		join_shared(audit);
}

/* One WARNING for each list that was written in what is rolled back now. */
static void
warn(GcAudit *first)
{
	int64 total = 0;
	int64 accepted = 0;
	int64 in_doubt = 0;
	int64 clears = 0;
	int64 cleared = 0;
	dlist_iter iter;

	dlist_foreach (iter, &audits)
	{
		GcAudit *audit = dlist_container(GcAudit, node, iter.cur);

		if (audit->over || audit->subxact != first->subxact ||
			strcmp(audit->label, first->label) != 0)
			continue;
		total += audit->entry.total - audit->entry.rejected - audit->told_total;
		accepted += audit->entry.accepted - audit->told_accepted;
		in_doubt += audit->entry.in_doubt - audit->told_in_doubt;
		audit->told_total = audit->entry.total - audit->entry.rejected;
		audit->told_accepted = audit->entry.accepted;
		audit->told_in_doubt = audit->entry.in_doubt;
		clears += audit->clears;
		cleared += audit->cleared;
		audit->clears = audit->cleared = 0;
	}
	if (cleared > 0)
		ereport(WARNING, (errcode(ERRCODE_WARNING),
						  errmsg("%s that TRUNCATE took from %s are not brought back by "
								 "the rollback",
								 first->of_contacts ? "contacts" : "entries", first->label)));
	else if (clears > 0)
		ereport(WARNING, (errcode(ERRCODE_WARNING),
						  errmsg("it is unknown whether TRUNCATE took the %s from %s; the "
								 "rollback does not bring them back",
								 first->of_contacts ? "contacts" : "entries", first->label)));
	if (accepted + in_doubt == 0)
		return;
	ereport(WARNING,
			(errcode(ERRCODE_WARNING),
			 errmsg("what was sent to %s is not undone by the rollback", first->label),
			 errdetail_internal("%s", three_counts(first, total, accepted, in_doubt))));
}

static void
warn_of_job(const GcAudit *audit)
{
	if (audit->tried && audit->trials > 0)
		ereport(WARNING,
				(errcode(ERRCODE_WARNING),
				 errmsg("contact \"%s\" of %s may have lost cells to a bulk edit that was "
						"tried with it",
						audit->tried, audit->label),
				 audit->job
					 ? errdetail("The file of bulk job \"%s\" has it as it was.", audit->job)
					 : 0));
	else if (audit->job)
		ereport(WARNING, (errcode(ERRCODE_WARNING),
						  errmsg("the platform goes on with bulk job \"%s\" of %s", audit->job,
								 audit->label)));
}

static void
roll_back(GcAudit *audit)
{
	count_requests(audit);
	warn_of_job(audit);
	if (audit->entry.status == GC_AUDIT_RUNNING)
	{
		stop_clock(audit);
		audit->entry.status = GC_AUDIT_FAILED;
	}
	else
		audit->entry.status = GC_AUDIT_ROLLED_BACK;
	audit->over = true;
}

/* Everything of a subtransaction (or, if none is given, of the transaction) is rolled back. */
static void
roll_back_all(SubTransactionId subxact)
{
	dlist_mutable_iter iter;

	dlist_foreach_modify (iter, &audits)
	{
		GcAudit *audit = dlist_container(GcAudit, node, iter.cur);

		if (audit->over || (subxact != InvalidSubTransactionId && audit->subxact != subxact))
			continue;
		warn(audit);
	}
	dlist_foreach_modify (iter, &audits)
	{
		GcAudit *audit = dlist_container(GcAudit, node, iter.cur);

		if (audit->over || (subxact != InvalidSubTransactionId && audit->subxact != subxact))
			continue;
		roll_back(audit);
		audit->subxact = InvalidSubTransactionId;
		join_shared(audit);
	}
}

/* A savepoint is released: what it did is its parent's. */
static void
move_to_parent(SubTransactionId mine, SubTransactionId parent)
{
	dlist_mutable_iter iter;

	dlist_foreach_modify (iter, &audits)
	{
		GcAudit *audit = dlist_container(GcAudit, node, iter.cur);

		if (audit->over || audit->subxact != mine)
			continue;
		audit->subxact = parent;
		join_shared(audit);
	}
}

static void
write_all(void)
{
	const GcAuditEntry **entries = palloc(sizeof(GcAuditEntry *) * audit_count);
	int count = 0;
	dlist_iter iter;

	dlist_foreach (iter, &audits)
	{
		GcAudit *audit = dlist_container(GcAudit, node, iter.cur);

		count_requests(audit);
		entries[count++] = &audit->entry;
	}
	/* The extension may have been dropped in this very transaction. */
	if (!gc_audit_entry_write(entries, count))
		for (int i = 0; i < count; i++)
			gc_audit_entry_log(entries[i]);
}

static void
hand_over_all(void)
{
	dlist_iter iter;

	if (mail_send())
		return;
	dlist_foreach (iter, &audits)
		gc_audit_entry_log(&dlist_container(GcAudit, node, iter.cur)->entry);
}

static void
on_xact(XactEvent event, void *arg)
{
	if (audit_count == 0)
		return;
	switch (event)
	{
		case XACT_EVENT_PRE_PREPARE:
			/* A later ROLLBACK PREPARED could tell nobody. */
			ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
							errmsg("cannot PREPARE a transaction that has written to %s",
								   dlist_head_element(GcAudit, node, &audits)->label)));
			break;
		case XACT_EVENT_PRE_COMMIT:
			write_all();
			return;
		case XACT_EVENT_ABORT:
			roll_back_all(InvalidSubTransactionId);
			hand_over_all();
			break;
		case XACT_EVENT_COMMIT:
		case XACT_EVENT_PREPARE:
			break;
		default:
			return;
	}
	dlist_init(&audits);
	audit_count = 0;
}

static void
on_subxact(SubXactEvent event, SubTransactionId mine, SubTransactionId parent, void *arg)
{
	if (audit_count == 0)
		return;
	if (event == SUBXACT_EVENT_COMMIT_SUB)
		move_to_parent(mine, parent);
	else if (event == SUBXACT_EVENT_ABORT_SUB)
		roll_back_all(mine);
}

void
gc_audit_init(void)
{
	RegisterXactCallback(on_xact, NULL);
	RegisterSubXactCallback(on_subxact, NULL);
}
