/*
 * api/expand.c
 *	  Entities of a page become rows by further calls, some of them made ahead.
 */
#include "postgres.h"

#include "api/expand.h"

/* Some entities that share a call; its texts belong to the call, so they live as long. */
typedef struct Group
{
	GcCall *call; /* NULL: none was needed, or it has been freed */
	GcSpan *entities;
	int count;
	StringInfoData path;
	StringInfoData body;
} Group;

struct GcExpander
{
	GcCalls *calls;
	const GcExpansion *expansion;
	const char *message;
	GcExpander *inner;	/* whose rows are the entities; NULL: a page has them */
	const GcSift *sift; /* NULL: all of them are wanted */
	GcJson entities;	/* those that no group has yet */
	int left;			/* of these */
	int max_ahead;
	int ahead;	   /* groups wanted now */
	Group *ring;   /* max_ahead of them, by number modulo max_ahead */
	int64 started; /* groups so far */
	int64 read;	   /* … of which rows have been made */
	StringInfoData rows;
	GcJson cursor; /* inside the rows */
	int row_count; /* left of them */
};

GcExpander *
gc_expander_create(GcCalls *calls, const GcExpansion *expansion, int max_ahead,
				   const char *message, GcExpander *inner)
{
	GcExpander *expander = palloc0(sizeof(GcExpander));

	expander->calls = calls;
	expander->expansion = expansion;
	expander->message = message;
	expander->inner = inner;
	expander->max_ahead = max_ahead;
	expander->ahead = 1;
	expander->ring = palloc0(sizeof(Group) * max_ahead);
	for (int i = 0; i < max_ahead; i++)
	{
		expander->ring[i].entities = palloc0(sizeof(GcSpan) * expansion->entities);
		initStringInfo(&expander->ring[i].path);
		initStringInfo(&expander->ring[i].body);
	}
	initStringInfo(&expander->rows);
	return expander;
}

void
gc_expander_sift(GcExpander *expander, const GcSift *sift)
{
	while (expander->inner)
		expander = expander->inner;
	expander->sift = sift;
}

void
gc_expander_page(GcExpander *expander, const GcPage *page)
{
	while (expander->inner)
		expander = expander->inner;
	expander->entities = page->entities;
	expander->left = page->count;
}

/* The next entity that is wanted; false: there are no more. */
static bool
take_entity(GcExpander *expander, GcSpan *entity)
{
	while (expander->left > 0)
	{
		expander->left--;
		(void) gc_json_element(&expander->entities);
		(void) gc_json_value(&expander->entities, entity);
		if (expander->sift == NULL || expander->sift->passes(expander->sift->arg, entity))
			return true;
	}
	return false;
}

/* Takes the next entities into a group, and asks for what they need. */
static void
start_group(GcExpander *expander)
{
	Group *group = &expander->ring[expander->started++ % expander->max_ahead];
	GcCallSpec spec;

	group->count = 0;
	while (group->count < expander->expansion->entities &&
		   take_entity(expander, &group->entities[group->count]))
		group->count++;
	resetStringInfo(&group->path);
	resetStringInfo(&group->body);
	if (group->count > 0 && expander->expansion->call(group->entities, group->count,
													  &group->path, &group->body, &spec))
		group->call = gc_call_start(expander->calls, &spec);
}

/* The answer to a group's call; NULL: there is none. */
static const char *
group_answer(GcExpander *expander, Group *group, size_t *len)
{
	const GcFailure *failure;

	*len = 0;
	if (group->call == NULL)
		return NULL;
	failure = gc_call_failure(group->call);
	if (failure == NULL)
		return gc_call_reply(group->call, len);
	if (failure->status != 404 || !expander->expansion->may_be_gone)
		gc_call_throw(group->call, expander->message, NULL);
	return NULL;
}

static void
make_rows(GcExpander *expander, Group *group)
{
	size_t len;
	const char *bytes = group_answer(expander, group, &len);
	int count = 0;

	resetStringInfo(&expander->rows);
	appendStringInfoChar(&expander->rows, '[');
	if (group->count > 0)
		count = expander->expansion->rows(group->entities, group->count, bytes, len,
										  &expander->rows);
	if (count < 0)
		gc_call_throw_reply(group->call, "The answer is not what was asked for.",
							expander->message, NULL);
	appendStringInfoChar(&expander->rows, ']');
	gc_json_init(&expander->cursor, expander->rows.data, expander->rows.len);
	(void) gc_json_enter(&expander->cursor, '[');
	expander->row_count = count;
	if (group->call)
		gc_call_free(group->call);
	group->call = NULL;
}

static GcNext next_group(GcExpander *expander, bool wait);

/* What is expanded is used up: the rows that come before it are next, if there are some. */
static GcNext
next_entities(GcExpander *expander, bool wait)
{
	GcExpander *inner = expander->inner;
	GcNext next = inner ? next_group(inner, wait) : GC_NEXT_END;

	if (next == GC_NEXT_ROW)
	{
		expander->entities = inner->cursor;
		expander->left = inner->row_count;
		inner->row_count = 0;
	}
	return next;
}

/* Makes the next group's rows the rows at hand, if the page has more. */
static GcNext
next_group(GcExpander *expander, bool wait)
{
	Group *group;

	while (expander->left == 0 && expander->read == expander->started)
	{
		GcNext next = next_entities(expander, wait);

		if (next != GC_NEXT_ROW)
			return next;
	}
	while (expander->left > 0 && expander->started < expander->read + expander->ahead)
		start_group(expander);
	group = &expander->ring[expander->read % expander->max_ahead];
	if (group->call && !gc_call_try(group->call, wait))
		return GC_NEXT_LATER;
	make_rows(expander, group);
	expander->read++;
	expander->ahead = Min(expander->ahead * 2, expander->max_ahead);
	return GC_NEXT_ROW;
}

GcNext
gc_expander_next(GcExpander *expander, bool wait, GcJson **row)
{
	/* A group may have no rows, hence "while". */
	while (expander->row_count == 0)
	{
		GcNext next = next_group(expander, wait);

		if (next != GC_NEXT_ROW)
			return next;
	}
	expander->row_count--;
	(void) gc_json_element(&expander->cursor);
	*row = &expander->cursor;
	return GC_NEXT_ROW;
}
