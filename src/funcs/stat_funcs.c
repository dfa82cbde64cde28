/*
 * funcs/stat_funcs.c
 *	  SQL functions under the views on what is done over the network.
 *
 * Each makes a set of rows from a copy of shared memory.  The views, in the
 * extension's script, give the columns their names and the servers theirs.
 * Everyone sees the rows of his own roles, pg_read_all_stats all of them; all
 * of the current database only.
 */
#include "postgres.h"

#include "base/progress.h"
#include "base/stat.h"
#include "base/value.h"
#include "net/quota.h"

#include "catalog/pg_authid.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

/* Seen through exports.map. */
#pragma GCC visibility push(default)
PG_FUNCTION_INFO_V1(gc_fdw_stat_servers);
PG_FUNCTION_INFO_V1(gc_fdw_stat_endpoints);
PG_FUNCTION_INFO_V1(gc_fdw_stat_recent);
PG_FUNCTION_INFO_V1(gc_fdw_stat_progress);
PG_FUNCTION_INFO_V1(gc_fdw_stat_limits);
PG_FUNCTION_INFO_V1(gc_fdw_stat_reset);
#pragma GCC visibility pop

#define ROW_MAX 16

/* A row as it is filled, from left to right. */
typedef struct Row
{
	Datum values[ROW_MAX];
	bool nulls[ROW_MAX];
	int count;
} Row;

static void
add(Row *row, Datum value)
{
	Assert(row->count < ROW_MAX);
	row->nulls[row->count] = false;
	row->values[row->count++] = value;
}

static void
add_null(Row *row)
{
	row->nulls[row->count] = true;
	row->values[row->count++] = (Datum) 0;
}

static void
add_count(Row *row, int64 count)
{
	add(row, Int64GetDatum(count));
}

/* Microseconds, as an interval. */
static void
add_interval(Row *row, int64 us)
{
	Interval *interval = palloc0(sizeof(Interval));

	interval->time = us;
	add(row, IntervalPGetDatum(interval));
}

/* An empty text is NULL, and so is the moment 0. */
static void
add_text(Row *row, const char *value)
{
	if (*value)
		add(row, CStringGetTextDatum(value));
	else
		add_null(row);
}

static void
add_moment(Row *row, TimestampTz moment)
{
	if (moment != 0)
		add(row, TimestampTzGetDatum(moment));
	else
		add_null(row);
}

static void
put(FunctionCallInfo fcinfo, Row *row)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;

	Assert(row->count == result->setDesc->natts);
	tuplestore_putvalues(result->setResult, result->setDesc, row->values, row->nulls);
}

/* May the caller see what was done for that owner? */
static bool
visible(const GcStatOwner *owner)
{
	return owner->database == MyDatabaseId &&
		   (has_privs_of_role(GetUserId(), owner->role) ||
			has_privs_of_role(GetUserId(), ROLE_PG_READ_ALL_STATS));
}

Datum
gc_fdw_stat_servers(PG_FUNCTION_ARGS)
{
	int count;
	GcStatServer *entries = gc_stat_servers(&count);

	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; i < count; i++)
	{
		GcStatServer *entry = &entries[i];
		Row row = {.count = 0};

		if (!visible(&entry->owner))
			continue;
		add(&row, ObjectIdGetDatum(entry->owner.server));
		add_count(&row, entry->requests);
		add_count(&row, entry->retries);
		add_count(&row, entry->throttled);
		add_count(&row, entry->errors);
		add_count(&row, entry->rows_sent);
		add_count(&row, entry->rows_received);
		add_count(&row, entry->bytes_sent);
		add_count(&row, entry->bytes_received);
		add_interval(&row, entry->quota_wait_us);
		add_interval(&row, entry->network_us);
		add_count(&row, entry->tokens);
		add_moment(&row, entry->since);
		put(fcinfo, &row);
	}
	return (Datum) 0;
}

/* The counts of requests by their time. */
static Datum
buckets_datum(const int64 buckets[GC_STAT_BUCKETS])
{
	Datum elements[GC_STAT_BUCKETS];

	for (int i = 0; i < GC_STAT_BUCKETS; i++)
		elements[i] = Int64GetDatum(buckets[i]);
	return PointerGetDatum(construct_array(elements, GC_STAT_BUCKETS, INT8OID, sizeof(int64),
										   FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

/* 2 → 2xx; 0: no answer */
static const char *
status_class_text(int status_class)
{
	return status_class > 0 ? psprintf("%dxx", status_class) : "";
}

Datum
gc_fdw_stat_endpoints(PG_FUNCTION_ARGS)
{
	int count;
	GcStatEndpoint *entries = gc_stat_endpoints(&count);

	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; i < count; i++)
	{
		GcStatEndpoint *entry = &entries[i];
		Row row = {.count = 0};

		if (!visible(&entry->owner))
			continue;
		add(&row, ObjectIdGetDatum(entry->owner.server));
		add_text(&row, entry->method);
		add_text(&row, entry->endpoint);
		add_text(&row, status_class_text(entry->status_class));
		add_count(&row, entry->count);
		add_interval(&row, entry->us);
		add(&row, buckets_datum(entry->buckets));
		put(fcinfo, &row);
	}
	return (Datum) 0;
}

Datum
gc_fdw_stat_recent(PG_FUNCTION_ARGS)
{
	int count;
	GcStatRecent *entries = gc_stat_recent(&count);

	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; i < count; i++)
	{
		GcStatRecent *entry = &entries[i];
		Row row = {.count = 0};

		if (!visible(&entry->owner))
			continue;
		add_moment(&row, entry->at);
		add(&row, Int32GetDatum(entry->pid));
		add(&row, ObjectIdGetDatum(entry->owner.server));
		add_text(&row, entry->method);
		add_text(&row, entry->path);
		if (entry->status > 0)
			add(&row, Int32GetDatum(entry->status));
		else
			add_null(&row);
		add(&row, Float8GetDatum(entry->us / 1000.0));
		add(&row, Int32GetDatum(entry->attempt));
		add_text(&row, entry->request_id);
		add_text(&row, entry->correlation_id);
		put(fcinfo, &row);
	}
	return (Datum) 0;
}

Datum
gc_fdw_stat_progress(PG_FUNCTION_ARGS)
{
	int count;
	GcProgressState *slots = gc_progress_show(&count);
	TimestampTz now = GetCurrentTimestamp();

	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; i < count; i++)
	{
		GcProgressState *slot = &slots[i];
		Row row = {.count = 0};

		if (!visible(&slot->owner))
			continue;
		add(&row, Int32GetDatum(slot->pid));
		add(&row, ObjectIdGetDatum(slot->owner.role));
		add(&row, ObjectIdGetDatum(slot->owner.server));
		add_text(&row, gc_value_display(slot->list, GC_PROGRESS_NAME_SIZE));
		add_text(&row, slot->operation);
		add_count(&row, slot->rows_done);
		if (slot->rows_total >= 0)
			add_count(&row, slot->rows_total);
		else
			add_null(&row);
		add_count(&row, slot->requests);
		add_interval(&row, slot->quota_wait_us);
		add_interval(&row, Max(now - slot->since, 0));
		put(fcinfo, &row);
	}
	return (Datum) 0;
}

/* Has an earlier entry shown the same quota?  Roles may share an OAuth client. */
static bool
quota_shown(const GcStatServer *entries, int which)
{
	for (int i = 0; i < which; i++)
		if (entries[i].quota_id == entries[which].quota_id &&
			entries[i].owner.server == entries[which].owner.server &&
			visible(&entries[i].owner))
			return true;
	return false;
}

Datum
gc_fdw_stat_limits(PG_FUNCTION_ARGS)
{
	int count;
	GcStatServer *entries = gc_stat_servers(&count);

	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; i < count; i++)
	{
		GcQuotaState states[2];
		int buckets;

		if (!visible(&entries[i].owner) || quota_shown(entries, i))
			continue;
		buckets = gc_quota_show(entries[i].quota_id, states);
		for (int b = 0; b < buckets; b++)
		{
			GcQuotaState *state = &states[b];
			Row row = {.count = 0};

			add(&row, ObjectIdGetDatum(entries[i].owner.server));
			add_text(&row, state->client);
			add_text(&row, state->bulk ? "bulk" : "all");
			add(&row, Int32GetDatum(state->allowed));
			if (state->used >= 0)
				add(&row, Int32GetDatum(state->used));
			else
				add_null(&row);
			add_moment(&row, state->reset_at);
			add_moment(&row, state->closed_until);
			add(&row, Int32GetDatum(state->waiters));
			add_interval(&row, state->longest_wait_us);
			put(fcinfo, &row);
		}
	}
	return (Datum) 0;
}

Datum
gc_fdw_stat_reset(PG_FUNCTION_ARGS)
{
	gc_stat_reset(MyDatabaseId);
	PG_RETURN_VOID();
}
