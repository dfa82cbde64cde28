/*
 * imports.c
 *	  Imports at work: row by row, by time or by polls, one of a list at a time.
 */
#include <stdlib.h>

#include "auth.h"
#include "events.h"
#include "imports.h"
#include "switches.h"

static Import *imports;

static void
import_free(Import *import)
{
	rows_free(import->rows);
	json_decref(import->errors);
	free(import->list_id);
	free(import->client);
	free(import->failure);
	free(import);
}

void
imports_reset(void)
{
	while (imports)
	{
		Import *gone = imports;

		imports = gone->next;
		import_free(gone);
	}
}

/* The switch says where imports stand still that begin from now on. */
static int64_t
switched_hold(void)
{
	return sw_is(SW_IMPORT_HOLD, "off") ? NOT_HELD : sw_number(SW_IMPORT_HOLD);
}

Import *
import_add(const Request *req, const char *list_id, ImportKind kind, Rows *rows, int64_t total)
{
	Import *import = sim_alloc(sizeof(Import));
	Import **link = &imports;

	sim_uuid(import->id);
	memcpy(import->correlation_id, req->correlation_id, UUID_SIZE);
	import->kind = kind;
	import->list_id = sim_strdup(list_id);
	import->client = sim_strdup(req->client ? req->client->id : "");
	import->rows = rows;
	import->total = total;
	import->errors = json_array();
	import->arrived_us = import->begin_us = sim_now_us();
	import->us = sw_number(SW_IMPORT_MS) * 1000;
	import->polls = sw_number(SW_IMPORT_POLLS);
	import->hold = switched_hold();
	while (*link)
		link = &(*link)->next;
	return *link = import;
}

Import *
imports_first(void)
{
	return imports;
}

Import *
import_find(Span id)
{
	Import *import = imports;

	while (import && !span_is(id, import->id))
		import = import->next;
	return import;
}

bool
import_is_active(const Import *import)
{
	return import->state == IMPORT_QUEUED || import->state == IMPORT_AT_WORK;
}

bool
import_is_job(const Import *import)
{
	return import->kind >= IMPORT_BULK;
}

int64_t
imports_active(const char *list_id, bool jobs_only)
{
	int64_t n = 0;

	for (Import *import = imports; import; import = import->next)
		n += import_is_active(import) && (!jobs_only || import_is_job(import)) &&
			 strcmp(import->list_id, list_id) == 0;
	return n;
}

/* An earlier one of the same list has to end first. */
static bool
is_waiting(const Import *import)
{
	const Import *other = imports;

	while (other != import &&
		   !(import_is_active(other) && strcmp(other->list_id, import->list_id) == 0))
		other = other->next;
	return other != import;
}

void
import_poll(Import *import)
{
	if (import_is_active(import) && !is_waiting(import))
		import->polled++;
}

void
imports_poll_list(const List *list)
{
	for (Import *import = imports; import; import = import->next)
		if (!import_is_job(import) && strcmp(import->list_id, list->id) == 0)
			import_poll(import);
}

int64_t
import_percent(const Import *import)
{
	bool exact = sw_is(SW_IMPORT_SHOWS, "exact");

	if (import->state == IMPORT_COMPLETED)
		return 100;
	if (import->state == IMPORT_QUEUED || import->total == 0 ||
		sw_is(SW_IMPORT_SHOWS, "stale"))
		return 0;
	return exact || !import_is_active(import) ? import->done * 100 / import->total : 100;
}

static List *
list_of(const Import *import)
{
	return store_find((Span){import->list_id, strlen(import->list_id)});
}

/* Success has no name: the state is absent, or null, and all of it is complete. */
static json_t *
status_of(const Import *import)
{
	bool early = sw_is(SW_IMPORT_SHOWS, "early_success");
	int64_t completed = sw_is(SW_IMPORT_COMPLETED, "all") ? import->done : import->accepted;
	json_t *status = json_pack(
		"{s:I, s:I, s:I, s:[s]}", "totalRecords", (json_int_t) import->total,
		"completedRecords", (json_int_t) completed, "percentComplete",
		(json_int_t) import_percent(import), "targetContactListIds", import->list_id);

	if (import->state == IMPORT_FAILED || import->state == IMPORT_CANCELED)
		json_object_set_new(status, "state", json_string("FAILED"));
	else if (import_is_active(import) && !early)
		json_object_set_new(status, "state", json_string("IN_PROGRESS"));
	else if (sw_is(SW_IMPORT_DONE_STATE, "null"))
		json_object_set_new(status, "state", json_null());
	if (import->failure)
		json_object_set_new(status, "failureReason", json_string(import->failure));
	return status;
}

/* A list has one status; small imports may never show in it, unless they fail. */
static void
show(const Import *import, List *list)
{
	bool tiny = import->total < sw_number(SW_IMPORT_TINY) && !import->failure;

	if (list == NULL || tiny || import_is_job(import) || import->state == IMPORT_QUEUED)
		return;
	json_decref(list->import_status);
	list->import_status = status_of(import);
}

static void
add_event(const Import *import, const RowError *error, int64_t row)
{
	char *message = error->message;
	json_t *event;

	if (row > 0)
		message = sim_printf("Row %lld: %s", (long long) row, error->message);
	event = json_pack("{s:s, s:s*, s:s, s:s*, s:s}", "code", error->code, "message", message,
					  "listId", import->list_id, "contactId", error->id, "correlationId",
					  import->correlation_id);
	/* The contact's id may be bytes that are no text. */
	if (event == NULL)
		event = json_pack("{s:s, s:s}", "code", error->code, "listId", import->list_id);
	event_add(event);
	json_decref(event);
	if (row > 0)
		free(message);
}

static void
keep_error(Import *import, const RowError *error)
{
	json_t *one = json_pack("{s:I}", "row", (json_int_t) import->done);

	import->rejected++;
	if (error->id)
		json_object_set_new(one, "contactId", json_string(error->id));
	if (error->field)
		json_object_set_new(one, "field", json_string(error->field));
	json_object_set_new(one, "message", json_string(error->message));
	json_array_append_new(import->errors, one);
	if (!import_is_job(import))
		add_event(import, error, import->done);
}

void
import_end(Import *import, ImportState state, const char *failure)
{
	import->state = state;
	import->end_us = sim_now_us();
	import->failure = failure ? sim_strdup(failure) : NULL;
	rows_free(import->rows);
	import->rows = NULL;
	show(import, list_of(import));
	for (Import *other = import->next; other; other = other->next)
		if (strcmp(other->list_id, import->list_id) == 0 && import_is_active(other))
			other->begin_us = import->end_us;
}

static void
fail(Import *import, const RowError *error)
{
	if (json_array_size(import->errors) == 0 && import_is_job(import))
		json_array_append_new(import->errors,
							  json_pack("{s:i, s:s}", "row", 0, "message", error->message));
	else if (json_array_size(import->errors) == 0)
		add_event(import, error, 0);
	import_end(import, IMPORT_FAILED, error->code);
}

static bool
is_over(const Import *import, int64_t now)
{
	if (import->hold != NOT_HELD)
		return false;
	return import->polls > 0 ? import->polled >= import->polls
							 : now >= import->begin_us + import->us;
}

/* How many turns have come. */
static int64_t
due(const Import *import, int64_t now)
{
	double part = import->polls > 0 ? (double) import->polled / (double) import->polls
				  : import->us > 0	? (double) (now - import->begin_us) / (double) import->us
									: 1;
	int64_t n = part >= 1 ? import->total : (int64_t) (part * (double) import->total);
	int64_t most = import->hold * import->total / 100;

	return import->hold != NOT_HELD && (n > most || import->polls == 0) ? most : n;
}

static void
begin(Import *import, List *list)
{
	RowError error = {0};

	import->state = IMPORT_AT_WORK;
	if (import->overwrites)
		list_clear(list, 0);
	rows_begin(import->rows, list, &error);
	if (error.code)
		fail(import, &error);
	row_error_free(&error);
}

/* False when the import has ended with it. */
static bool
take_turn(Import *import, List *list)
{
	RowError error = {0};

	rows_take(import->rows, list, &error);
	import->done++;
	if (error.code == NULL)
		import->accepted++;
	else
	{
		keep_error(import, &error);
		if (error.fatal || sw_is(SW_IMPORT_BAD_ROWS, "fail"))
			fail(import, &error);
	}
	row_error_free(&error);
	return import->state == IMPORT_AT_WORK;
}

static void
advance(Import *import, int64_t now)
{
	List *list = list_of(import);
	int64_t turns;

	if (list == NULL)
	{
		RowError error = {.code = "IMPORT_LIST_NO_LONGER_EXISTS",
						  .message = "The contact list is gone."};

		fail(import, &error);
		return;
	}
	if (import->state == IMPORT_QUEUED)
		begin(import, list);
	turns = due(import, now);
	if (import->state == IMPORT_AT_WORK && import->done < turns)
	{
		int64_t counted = rows_take_many(import->rows, list, turns - import->done);

		import->done += counted;
		import->accepted += counted;
	}
	while (import->state == IMPORT_AT_WORK && import->done < turns && take_turn(import, list))
		;
	if (import->state == IMPORT_AT_WORK && import->done == import->total &&
		is_over(import, now))
		import_end(import, IMPORT_COMPLETED, NULL);
	show(import, list);
}

void
imports_settle(void)
{
	for (Import *import = imports; import; import = import->next)
		if (import_is_active(import) && !is_waiting(import))
			advance(import, sim_now_us());
}
