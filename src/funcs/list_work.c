/*
 * funcs/list_work.c
 *	  A function that does the same to many lists: its connection, figures and audit row.
 */
#include "postgres.h"

#include "base/value.h"
#include "funcs/list_work.h"

#include "miscadmin.h"
#include "utils/memutils.h"

/* Characters that are shown of a name. */
#define NAME_SHOWN 256

static int64 (*rows_waiting)(const GcList *list) = NULL;

static void
note_write(void *arg)
{
	gc_audit_take(((GcListWork *) arg)->audit, 1);
}

static void
note_end(void *arg, const GcListResult *result)
{
	GcListWork *work = arg;

	if (result->failed && !result->written)
		gc_audit_take(work->audit, 1);
	work->audit->entry.accepted += result->changed;
	work->audit->entry.rejected += result->failed && !result->in_doubt;
	work->failed += result->failed;
	gc_audit_answered(work->audit, gc_list_work_shown(result->correlation_id));
	if (result->changed && work->confirmed)
		work->confirmed(result);
}

/* The audit reads the figures until it is released, an error or not. */
static void
release(void *arg)
{
	gc_audit_release(((GcListWork *) arg)->audit);
}

GcListWork *
gc_list_work_begin(const ForeignServer *server, const char *operation,
				   void (*confirmed)(const GcListResult *result))
{
	GcListWork *work = palloc0(sizeof(GcListWork));
	MemoryContextCallback *on_reset = palloc0(sizeof(MemoryContextCallback));

	work->conn = gc_connection_get(GetUserId(), server->serverid);
	work->stat.spent = palloc0(sizeof(int64));
	work->audit = gc_audit_begin(psprintf("server \"%s\"", server->servername), "", operation,
								 NULL, &work->stat);
	work->audit->counts = "Lists";
	on_reset->func = release;
	on_reset->arg = work;
	MemoryContextRegisterResetCallback(CurrentMemoryContext, on_reset);
	work->watch = (GcListWatch){.writes = note_write,
								.ended = note_end,
								.arg = work,
								.in_doubt = &work->audit->entry.in_doubt};
	work->confirmed = confirmed;
	return work;
}

void
gc_list_work_end(GcListWork *work, const char *hint)
{
	gc_audit_complete(work->audit);
	if (work->failed == 0)
		return;
	ereport(WARNING, (errmsg_plural(INT64_FORMAT " list could not be seen to",
									INT64_FORMAT " lists could not be seen to", work->failed,
									work->failed),
					  errhint("%s", hint)));
}

void
gc_list_work_check_key(const char *key)
{
	if (*key == '\0')
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("the key must not be empty")));
	/* Who is between may take them for steps in the path, and DELETE of ".." for one of the list. */
	if (strcmp(key, ".") == 0 || strcmp(key, "..") == 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("the key must not be \"%s\"", key)));
}

void
gc_list_work_init(int64 (*waiting)(const GcList *list))
{
	rows_waiting = waiting;
}

void
gc_list_work_check_waiting(const List *lists)
{
	ListCell *lc;

	foreach (lc, lists)
	{
		const GcList *list = lfirst(lc);

		if (rows_waiting(list) > 0)
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					 errmsg("rows for contact list \"%s\" wait for COMMIT",
							gc_list_work_shown(list->name)),
					 errdetail("This transaction has written them, and they could bring the "
							   "contact back."),
					 errhint("COMMIT first.")));
	}
}

const char *
gc_list_work_shown(const char *utf8)
{
	return utf8 ? gc_value_display(utf8, NAME_SHOWN) : NULL;
}
