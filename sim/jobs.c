/*
 * jobs.c
 *	  The writes of dialect "jobs": each is answered with a job that does it later.
 */
#include <stdlib.h>

#include "errors.h"
#include "generate.h"
#include "import_control.h"
#include "job_lists.h"
#include "job_rows.h"
#include "jobs.h"
#include "locks.h"
#include "state.h"
#include "switches.h"
#include "things.h"
#include "uploads.h"

#define MAX_QUEUE 100 /* that a listing shows, the most recent ones */

/* A list may have so many jobs that wait or are at work. */
static bool
has_room(Request *req, const List *list)
{
	int64_t most = sw_number(SW_JOBS_ACTIVE_MAX);

	if (most == 0 || imports_active(list->id, true) < most)
		return true;
	reply_error(req, 409, "too.many.import.jobs",
				"The contact list has the maximum of %lld concurrent import jobs.",
				(long long) most);
	return false;
}

/* The list of the path, if it takes a job now; NULL with a reply. */
static List *
open_list(Request *req)
{
	List *list = job_list_ready(req);

	return list && !list_refuses_import(req, list) && has_room(req, list) ? list : NULL;
}

static void
reply_job(Request *req, const Import *import)
{
	reply_json(req, 200, json_pack("{s:s}", "jobId", import->id));
}

/* One of the ids that is in another list, where ids are the organization's. */
static bool
is_elsewhere(Request *req, const List *list, const json_t *rows)
{
	for (List *other = store_lists(); other && sw_is(SW_EXTERNAL_ID_UNIQUE, "on");
		 other = other->next)
		for (size_t i = 0; i < json_array_size(rows) && other != list; i++)
		{
			const json_t *id = json_object_get(json_array_get(rows, i), "id");
			Span span = {(char *) json_string_value(id), json_string_length(id)};

			if (!id || !list_contact(other, span))
				continue;
			reply_error(req, 409, "duplicate.external.id",
						"A contact with the external id %s already exists in the "
						"organization.",
						span.p);
			reply_error_detail(req, (Span){"externalId", 10}, span);
			return true;
		}
	return false;
}

/* Takes the rows. */
static void
begin(Request *req, ImportKind kind, json_t *rows, const RowsOptions *options, bool overwrites)
{
	List *list;
	Import *import;

	state_lock();
	list = open_list(req);
	if (list && !is_elsewhere(req, list, rows))
	{
		import = import_add(req, list->id, kind, rows_of_json(json_incref(rows), options),
							(int64_t) json_array_size(rows));
		import->overwrites = overwrites;
		reply_job(req, import);
	}
	state_unlock();
	json_decref(rows);
}

/* What the contacts of a body are read by; false, with a reply, when the list is none. */
static bool
borrow(Request *req, Columns **columns, json_t **emails)
{
	List *list;

	state_lock();
	if ((list = open_list(req)) != NULL)
	{
		*columns = columns_share(list->columns);
		*emails = json_deep_copy(json_object_get(list->body, "emailColumns"));
	}
	state_unlock();
	return list != NULL;
}

/* append, or overwrite: what was there goes first. */
static bool
read_mode(Request *req, bool required, bool *overwrites)
{
	const Span *mode = request_param(req, "mode");

	*overwrites = mode && span_is(*mode, "overwrite");
	if (*overwrites || (mode ? span_is(*mode, "append") : !required))
		return true;
	reply_error(req, 400, "invalid.query.param.value", "mode is append or overwrite.");
	return false;
}

static bool
is_too_many(Request *req, int64_t rows)
{
	int64_t most = sw_number(SW_JOBS_ROWS_MAX);

	req->rows = rows < 0 ? 0 : rows;
	if (rows <= most)
		return false;
	reply_error(req, 413, "request.entity.too.large",
				"The request is over the size limit. Maximum contacts: %lld",
				(long long) most);
	return true;
}

/* --discard: contacts are counted. */
static void
discard_rows(Request *req, ImportKind kind, int64_t rows)
{
	List *list;

	state_lock();
	if ((list = open_list(req)) != NULL)
		reply_job(req, import_add(req, list->id, kind, rows_of_nothing(true), rows));
	state_unlock();
}

void
jobs_append(Request *req)
{
	RowsOptions options = {.on_duplicate = DUPLICATE_UPDATE};
	Columns *columns;
	json_t *emails;
	json_t *rows;
	bool overwrites;

	if (!read_mode(req, true, &overwrites) ||
		is_too_many(req, scan_count_rows(req->body.data, req->body.len)))
		return;
	if (sw_is(SW_DISCARD, "on"))
	{
		discard_rows(req, IMPORT_BULK, req->rows);
		return;
	}
	if (!borrow(req, &columns, &emails))
		return;
	rows = job_rows_flat(req, columns, json_loadb(req->body.data, req->body.len, 0, NULL));
	if (rows && !job_rows_have_twice(req, rows))
		begin(req, IMPORT_BULK, rows, &options, overwrites);
	else
		json_decref(rows);
	json_decref(emails);
	columns_release(columns);
}

void
jobs_upload(Request *req)
{
	RowsOptions options = {.id_name = "contactId"};
	bool overwrites;
	UploadFile file;
	Import *import;
	List *list;

	if (!read_mode(req, false, &overwrites) || !upload_form(req, " "))
		return;
	options.header = overwrites;
	file = upload_rows(req, &options, true);
	if (file.rows == NULL)
		return;
	state_lock();
	if ((list = open_list(req)) != NULL)
	{
		import = upload_begin(req, list->id, IMPORT_FILE, file);
		import->overwrites = overwrites;
		reply_job(req, import);
	}
	else
		rows_free(file.rows);
	state_unlock();
}

static bool
find_word(Request *req, const json_t *body, const char *member, const char *const *words,
		  int *found)
{
	const json_t *value = json_object_get(body, member);

	*found = 0;
	for (int i = 0; words[i] && value; i++)
		if (json_is_string(value) && strcmp(words[i], json_string_value(value)) == 0)
		{
			*found = i;
			return true;
		}
	if (value)
		reply_error(req, 400, "invalid.value", "%s has a value that is not known.", member);
	return value == NULL;
}

static bool
check_import(Request *req, const json_t *body, RowsOptions *options)
{
	static const char *const duplicates[] = {"update", "ignore", "error", NULL};
	static const char *const formats[] = {"relaxed", "strict", NULL};
	json_t *contacts = json_object_get(body, "contacts");
	size_t known = (contacts != NULL) + (json_object_get(body, "duplicateDetection") != NULL) +
				   (json_object_get(body, "formatVerification") != NULL);
	int duplicate;
	int format;

	req->rows = (int64_t) json_array_size(contacts);
	if (json_object_size(body) != known)
		reply_error(req, 400, "invalid.property", "An import has no such property.");
	else if (contacts == NULL)
		reply_error(req, 400, "constraint.validation", "contacts is required.");
	else if (req->rows > sw_number(SW_JOBS_CONTACTS_MAX))
		reply_error(req, 400, "too.many.contacts.added",
					"Too many contacts added; the limit is %lld.",
					(long long) sw_number(SW_JOBS_CONTACTS_MAX));
	else if (find_word(req, body, "duplicateDetection", duplicates, &duplicate) &&
			 find_word(req, body, "formatVerification", formats, &format))
	{
		options->on_duplicate = (OnDuplicate) duplicate;
		options->verifies = format > 0;
		return true;
	}
	return false;
}

static void
take_import(Request *req, json_t *contacts, const RowsOptions *options)
{
	Columns *columns;
	json_t *emails;
	json_t *rows;

	if (!borrow(req, &columns, &emails))
		return;
	json_incref(contacts);
	rows = sw_is(SW_CONTACT_SHAPE, "typed") ? job_rows_typed(req, columns, emails, contacts)
											: job_rows_data(req, columns, contacts);
	if (rows && !job_rows_have_twice(req, rows))
		begin(req, IMPORT_QUEUE, rows, options, false);
	else
		json_decref(rows);
	json_decref(emails);
	columns_release(columns);
}

void
jobs_import(Request *req)
{
	json_t *body = thing_body(req);
	RowsOptions options = {.on_duplicate = DUPLICATE_UPDATE};

	if (body && check_import(req, body, &options))
	{
		if (sw_is(SW_DISCARD, "on"))
			discard_rows(req, IMPORT_QUEUE, req->rows);
		else
			take_import(req, json_object_get(body, "contacts"), &options);
	}
	json_decref(body);
}

/* What is not stored has failed, once the job has ended. */
static json_t *
show_job(const Import *import, bool with_errors)
{
	int64_t failed =
		import_is_active(import) ? import->rejected : import->total - import->accepted;
	char arrived[TIME_SIZE];
	json_t *shown;

	sim_format_time(import->arrived_us, arrived);
	shown = json_pack("{s:s, s:s, s:I, s:I, s:I}", "jobId", import->id, "status",
					  import_state_name(import), "totalRecords", (json_int_t) import->total,
					  "successfulRecords", (json_int_t) import->accepted, "failedRecords",
					  (json_int_t) failed);
	if (with_errors)
		json_object_set_new(shown, "errors", json_deep_copy(import->errors));
	else
		json_object_set_new(shown, "dateSubmitted", json_string(arrived));
	return shown;
}

/* NULL, with 404 as the reply, when there is none, or none of that list. */
static Import *
find_job(Request *req, Span id, const List *list)
{
	Import *import = import_find(id);

	if (import && import_is_job(import) && (!list || strcmp(import->list_id, list->id) == 0))
	{
		import_poll(import);
		imports_settle();
		return import;
	}
	reply_error(req, 404, "resource.not.found", "The job was not found.");
	return NULL;
}

void
job_get(Request *req)
{
	Import *import = find_job(req, req->arg[0], NULL);

	if (import)
		reply_json(req, 200, show_job(import, true));
}

static List *
queue_list(Request *req)
{
	List *list = store_find(req->arg[0]);

	if (list == NULL)
		reply_error(req, 404, "contact.list.not.found", "The contact list was not found.");
	return list;
}

void
jobs_queue(Request *req)
{
	List *list = queue_list(req);
	json_t *jobs = json_array();

	for (Import *import = imports_first(); import && list; import = import->next)
	{
		if (!import_is_job(import) || strcmp(import->list_id, list->id) != 0)
			continue;
		json_array_append_new(jobs, show_job(import, false));
		if (json_array_size(jobs) > MAX_QUEUE)
			json_array_remove(jobs, 0);
	}
	req->rows = (int64_t) json_array_size(jobs);
	if (list)
		reply_json(req, 200, json_pack("{s:O}", "jobStatuses", jobs));
	json_decref(jobs);
}

void
jobs_queue_one(Request *req)
{
	List *list = queue_list(req);
	Import *import = list ? find_job(req, req->arg[1], list) : NULL;

	if (import)
		reply_json(req, 200, show_job(import, true));
}
