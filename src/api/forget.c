/*
 * api/forget.c
 *	  Erasure of one contact from every contact list of the organisation.
 *
 * A contact that the dialler holds may be refused, or passed over with a success, so that
 * only a look afterwards tells.
 */
#include "postgres.h"

#include "api/contact_lists.h"
#include "api/contacts.h"
#include "api/forget.h"

enum
{
	STEP_LOOK,
	STEP_DELETE,
	STEP_LOOK_AGAIN
};

static void delete (GcEach *each, GcEachItem *item)
{
	GcCallSpec spec = {
		.call_class = GC_CALL_IDEMPOTENT,
		.method = "DELETE",
		.path = gc_contacts_one_path(item->shown->list_id, item->shown->entry),
		.endpoint = GC_CONTACTS_ONE,
		.may_be_empty = true,
		.rate = {.priority = true, .bulk = true},
	};

	item->step = STEP_DELETE;
	(void) gc_each_write(each, item, &spec);
}

/* NULL, or a failure that says that it is not there. */
static void
answered_look(GcEach *each, GcEachItem *item, const GcFailure *failure)
{
	bool again = item->step == STEP_LOOK_AGAIN;
	bool gone = failure && gc_contacts_is_missing(failure);

	if (again && (failure == NULL || gone))
		gc_each_known(each, item);
	if (gone)
		gc_each_done(each, item, item->shown->written ? "erased" : "absent",
					 item->shown->written);
	else if (failure)
		gc_each_failed(each, item);
	else if (again)
		gc_each_held(each, item, NULL);
	else
		delete (each, item);
}

static void
answered_delete(GcEach *each, GcEachItem *item, const GcFailure *failure)
{
	if (failure == NULL)
	{
		item->step = STEP_LOOK_AGAIN;
		(void) gc_each_read_contact(each, item);
	}
	else if (gc_contacts_is_missing(failure))
		gc_each_done(each, item, "erased", true);
	else if (failure->cause == GC_CAUSE_CAMPAIGN || failure->cause == GC_CAUSE_IN_USE)
		gc_each_held(each, item, failure);
	else
		gc_each_failed(each, item);
}

static void
answered(GcEach *each, GcEachItem *item)
{
	const GcFailure *failure = gc_call_failure(item->call);

	if (item->step == STEP_DELETE)
		answered_delete(each, item, failure);
	else
		answered_look(each, item, failure);
}

List *
gc_forget_contact(GcConnection *conn, GcStat *stat, List *lists, const char *contact_id,
				  const GcListWatch *watch)
{
	const GcEachWay way = {gc_each_read_contact, answered};
	GcEach *each = gc_each_create(conn, stat, &way, watch, list_length(lists));

	gc_each_add_contact(each, lists, contact_id);
	return gc_each_run(each);
}
