/*
 * fdw/left_out.c
 *	  Cells that an INSERT leaves out: what the first echoes say became of them.
 */
#include "postgres.h"

#include "base/ids.h"
#include "base/value.h"
#include "fdw/left_out.h"

#include "utils/memutils.h"
#include "utils/timestamp.h"

/* So many answers are looked at. */
#define FIRST_ANSWERS 4

/* Younger contacts may be those of the same load, which is run again: they never had more. */
#define OLD_US USECS_PER_HOUR

typedef struct LeftOut
{
	const GcRelation *rel;
	const GcList *list;
	int answers;
	/* Of the answer at hand: */
	bool *sent; /* by column of the list: some contact was sent with it */
	TimestampTz young_from;
	int64 old; /* contacts that had been there for long */
	bool keeps;
} LeftOut;

/* Ids of lists of which the session knows enough. */
static List *settled = NIL;

static void
settle(const GcList *list)
{
	MemoryContext caller_cxt = MemoryContextSwitchTo(TopMemoryContext);

	settled = lappend(settled, pstrdup(list->id));
	MemoryContextSwitchTo(caller_cxt);
}

/* The list's column of a member's name; -1: it has none. */
static int
column_of(const GcList *list, const GcSpan *key)
{
	char *name = palloc(key->len + 1);
	int len = gc_json_unescape(key, name);
	int column;

	name[Max(len, 0)] = '\0';
	column = gc_list_column(list, name);
	pfree(name);
	return column;
}

/* A contact that was sent. */
static void
visit_sent(void *arg, const GcContactEcho *contact)
{
	LeftOut *left_out = arg;
	GcJson json;
	GcSpan key;

	gc_json_init(&json, contact->data.p, contact->data.len);
	if (contact->data.type != '{' || !gc_json_enter(&json, '{'))
		return;
	while (gc_json_key(&json, &key) && gc_json_value(&json, NULL))
	{
		int column = column_of(left_out->list, &key);

		if (column >= 0)
			left_out->sent[column] = true;
	}
}

static bool
is_old(const LeftOut *left_out, const GcSpan *created)
{
	TimestampTz at;

	return created->type == '"' && gc_value_moment(pnstrdup(created->p, created->len), &at) &&
		   at < left_out->young_from;
}

/* A contact of the answer. */
static void
visit_echoed(void *arg, const GcContactEcho *contact)
{
	LeftOut *left_out = arg;
	GcJson json;
	GcSpan key;
	GcSpan value;

	left_out->old += is_old(left_out, &contact->created);
	gc_json_init(&json, contact->data.p, contact->data.len);
	if (contact->data.type != '{' || !gc_json_enter(&json, '{'))
		return;
	while (!left_out->keeps && gc_json_key(&json, &key) && gc_json_value(&json, &value))
	{
		int column = value.type == '"' && value.len > 0 ? column_of(left_out->list, &key) : -1;

		left_out->keeps = column >= 0 && !left_out->sent[column];
	}
}

/* A column that was not sent; NULL: all were. */
static const char *
left_out_column(const LeftOut *left_out)
{
	for (int i = 0; i < left_out->list->column_count; i++)
		if (!left_out->sent[i])
			return left_out->list->columns[i];
	return NULL;
}

static void
tell(const LeftOut *left_out, const char *column)
{
	ereport(WARNING,
			(errmsg("the platform may have blanked cells of %s that the INSERT leaves out",
					left_out->rel->label),
			 errdetail_plural(
				 "The answer has " INT64_FORMAT " contact that was there before.  It has "
				 "nothing in \"%s\", nor in any other column that was not sent.",
				 "The answer has " INT64_FORMAT " contacts that were there before.  None has "
				 "anything in \"%s\", nor in any other column that was not sent.",
				 left_out->old, left_out->old, gc_value_display(column, NAMEDATALEN)),
			 errhint("Name all columns of the list, or set the option \"partial_rows\" to "
					 "\"merge\".")));
}

/* Looks at an answer; false: no more need be looked at. */
static bool
look(void *arg, const GcBatch *batch)
{
	LeftOut *left_out = arg;
	TimestampTz answered_at = gc_call_answer_time(batch->call);
	const char *column;
	const char *bytes;
	size_t len;

	memset(left_out->sent, 0, sizeof(bool) * left_out->list->column_count);
	left_out->old = 0;
	left_out->young_from =
		(TIMESTAMP_IS_NOBEGIN(answered_at) ? GetCurrentTimestamp() : answered_at) - OLD_US;
	(void) gc_contacts_walk_echo(batch->body.data, batch->body.len, visit_sent, left_out);
	column = left_out_column(left_out);
	bytes = gc_call_reply(batch->call, &len);
	if (column)
		(void) gc_contacts_walk_echo(bytes, len, visit_echoed, left_out);
	if (left_out->keeps || left_out->old > 0)
		settle(left_out->list);
	if (!left_out->keeps && left_out->old > 0)
		tell(left_out, column);
	return !gc_ids_have(settled, left_out->list->id) && ++left_out->answers < FIRST_ANSWERS;
}

void
gc_left_out_watch(GcTarget *target, const GcRelation *rel, const GcList *list)
{
	LeftOut *left_out;

	if (gc_ids_have(settled, list->id))
		return;
	left_out = palloc0(sizeof(LeftOut));
	left_out->rel = rel;
	left_out->list = list;
	left_out->sent = palloc(sizeof(bool) * Max(list->column_count, 1));
	gc_deliver_on_echo(target, look, left_out);
}
