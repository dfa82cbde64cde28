/*
 * api/import_events.c
 *	  Rows of an uploaded file that the platform refused: they show in its events alone.
 */
#include "postgres.h"

#include "api/import_events.h"
#include "api/pager.h"
#include "api/resource.h"
#include "base/json_pick.h"
#include "base/value.h"

#include "utils/memutils.h"
#include "utils/timestamp.h"

#define PAGE_ROWS 100

/* The platform's Date is to the second, and its clocks may differ by some. */
#define SLACK_US (2 * USECS_PER_SEC)

/* An attribute of an event, as the table "events" has it; NULL: it has none. */
static const char *
attribute(const GcSpan *event, const char *name)
{
	for (int i = 0; i < gc_events.attribute_count; i++)
	{
		const GcAttribute *found = &gc_events.attributes[i];
		const char *path[2] = {found->path, NULL};
		const char *slash;
		GcSpan span = *event;

		if (strcmp(found->name, name) != 0)
			continue;
		if (found->derive)
			return found->derive(event);
		slash = strchr(found->path, '/');
		if (slash)
		{
			path[0] = pnstrdup(found->path, slash - found->path);
			path[1] = slash + 1;
		}
		span = gc_pick_member(event, path, slash ? 2 : 1);
		return gc_value_span_words(&span);
	}
	return NULL;
}

static bool
is_ours(const GcImportEvents *events, const GcSpan *event)
{
	const char *list_id = attribute(event, "list_id");
	const char *correlation_id = attribute(event, "correlation_id");

	if (list_id == NULL || strcmp(list_id, events->list_id) != 0)
		return false;
	if (events->rows_only && attribute(event, "contact_id") == NULL)
		return false;
	return events->correlation_id == NULL || correlation_id == NULL ||
		   strcmp(events->correlation_id, correlation_id) == 0;
}

/* The latest come first, so that the walk ends with the first that is too old. */
static bool
is_too_old(const GcImportEvents *events, const GcSpan *event)
{
	const char *time = attribute(event, "time");
	TimestampTz at;

	return time && gc_value_moment(time, &at) && at < events->since - SLACK_US;
}

static void
hand_over(const GcSpan *event, void (*take)(void *arg, const GcImportEvent *event), void *arg)
{
	GcImportEvent row = {.contact_id = attribute(event, "contact_id"),
						 .code = attribute(event, "code"),
						 .message = attribute(event, "message"),
						 .correlation_id = attribute(event, "correlation_id")};

	take(arg, &row);
}

int64
gc_import_events(const GcImportEvents *events,
				 void (*take)(void *arg, const GcImportEvent *event), void *arg)
{
	MemoryContext walk_cxt =
		AllocSetContextCreate(CurrentMemoryContext, "gc_fdw events", ALLOCSET_DEFAULT_SIZES);
	MemoryContext row_cxt =
		AllocSetContextCreate(walk_cxt, "gc_fdw event", ALLOCSET_DEFAULT_SIZES);
	MemoryContext caller_cxt = MemoryContextSwitchTo(walk_cxt);
	GcPager *pager =
		gc_pager_open(events->calls, &gc_events, NULL, PAGE_ROWS, 1, events->what);
	int64 count = 0;
	GcJson *json;

	gc_pager_filter(pager, "category=IMPORT_ERROR&sortBy=timestamp&sortOrder=descending");
	while (gc_pager_next(pager, true, &json) == GC_NEXT_ROW)
	{
		GcSpan event;

		if (!gc_json_value(json, &event))
			gc_pager_throw(pager, json->error);
		MemoryContextReset(row_cxt);
		MemoryContextSwitchTo(row_cxt);
		if (is_too_old(events, &event))
			break;
		if (is_ours(events, &event))
		{
			count++;
			if (take)
				hand_over(&event, take, arg);
		}
		MemoryContextSwitchTo(walk_cxt);
	}
	MemoryContextSwitchTo(caller_cxt);
	MemoryContextDelete(walk_cxt);
	return count;
}
