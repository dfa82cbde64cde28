/*
 * bulk_jobs.c
 *	  Edits and deletes of many contacts: submitted, listed, asked for.
 */
#include <stdlib.h>

#include "bulk_jobs.h"
#include "bulk_run.h"
#include "contacts.h"
#include "errors.h"
#include "exports.h"
#include "list_export.h"
#include "lists.h"
#include "locks.h"
#include "switches.h"

#define MAX_JOBS  10		 /* that a listing shows, the most recent ones */
#define JOB_APART " listId " /* members that are not shown */

static bool
is_of_list(const Thing *job, const List *list)
{
	return strcmp(thing_text(job, "listId"), list->id) == 0;
}

/* Makes the job, or changes the one with the id. */
static Thing *
set_job(const List *list, const json_t *members)
{
	Thing *job = things_set(THING_JOB, members);
	char *uri = sim_printf("/api/v2/outbound/contactlists/%s/contacts/bulk/jobs/%s", list->id,
						   thing_text(job, "id"));
	json_t *defaults = json_pack("{s:s, s:s, s:s, s:i, s:i, s:i, s:s}", "listId", list->id,
								 "state", "InProgress", "type", "BulkEdit", "totalRecords", 0,
								 "completedRecords", 0, "percentComplete", 0, "selfUri", uri);

	json_object_update_missing(job->body, defaults);
	json_decref(defaults);
	free(uri);
	return job;
}

/* Of jobs that no listing shows any more no file is kept. */
static void
forget_old_files(const List *list)
{
	int newer = 0;

	for (Thing *job = things_first(THING_JOB); job; job = job->next)
		newer += is_of_list(job, list);
	for (Thing *job = things_first(THING_JOB); job && newer > MAX_JOBS; job = job->next)
		if (is_of_list(job, list))
		{
			exports_forget("bulkjobs", thing_text(job, "id"));
			newer--;
		}
}

/* The contacts as they are before the job, as the file of an export. */
static void
keep_file(Request *req, const Choice *choice, Thing *job)
{
	int64_t rows;
	Stream *stream = sw_is(SW_DISCARD, "on") ? NULL : list_export_file(choice, &rows);
	char *uri;

	if (stream == NULL)
		return;
	uri = export_add(req, "bulkjobs", thing_text(job, "id"), stream, rows);
	json_object_set_new(job->body, "downloadURI", json_string(uri));
	free(uri);
	forget_old_files(choice->list);
}

static void
submit(Request *req, const json_t *body, const Choice *choice, bool edit)
{
	Run *run = run_create(req, choice, edit);
	json_t *members;
	Thing *job;

	if (run == NULL)
		return;
	req->rows = run_total(run);
	members = json_pack("{s:s, s:I}", "type", edit ? "BulkEdit" : "BulkDelete", "totalRecords",
						(json_int_t) req->rows);
	job = set_job(choice->list, members);
	json_decref(members);
	if (!json_is_false(json_object_get(body, "generateDownloadURI")))
		keep_file(req, choice, job);
	run_begin(run, job);
	reply_json(req, 200, thing_show(job, JOB_APART));
}

/* What is to be edited stands in the body instead of all of it, less what is read-only. */
static bool
take_contact(Request *req, const json_t *body)
{
	json_t *contact = json_copy(json_object_get(body, "contact"));
	bool good = json_is_object(contact);

	if (good)
	{
		json_object_del(contact, "id");
		req->body.len = 0;
		buf_put_json(&req->body, contact);
	}
	else
		reply_error(req, 400, "constraint.validation", "contact is required.");
	json_decref(contact);
	return good;
}

static bool
is_chosen(Request *req, const Choice *choice)
{
	int64_t most = sw_number(SW_BULK_EDIT_MAX);

	if (choice->criteria == NULL && choice->ids == NULL)
		reply_error(req, 400, "constraint.validation", "There is no filter and no criteria.");
	else if (choice->ids && (int64_t) json_array_size(choice->ids) > most)
		reply_error(req, 400, "too.many.contacts.requested",
					"Too many contacts; the limit is %lld.", (long long) most);
	else
		return true;
	return false;
}

static bool
has_room(Request *req, const List *list)
{
	int64_t most = sw_number(SW_BULK_JOBS_MAX);

	if (most == 0 || runs_of(list) < most)
		return true;
	reply_error(req, 409, "too.many.bulk.jobs",
				"The contact list has the maximum of %lld concurrent bulk jobs.",
				(long long) most);
	return false;
}

static void
take_request(Request *req, const char *known, bool edit)
{
	json_t *body = thing_body(req);
	Choice choice = {.list = body ? contacts_list(req) : NULL};

	if (choice.list && choice_read(req, body, known, &choice) && is_chosen(req, &choice) &&
		(!edit || take_contact(req, body)) && !list_refuses(req, choice.list) &&
		has_room(req, choice.list))
		submit(req, body, &choice, edit);
	choice_free(&choice);
	json_decref(body);
}

void
bulk_update(Request *req)
{
	take_request(req, " contactListFilterId criteria contactIds contact generateDownloadURI ",
				 true);
}

void
bulk_remove(Request *req)
{
	take_request(req, " contactListFilterId criteria generateDownloadURI ", false);
}

static List *
seeded_list(const json_t *body)
{
	const json_t *id = json_object_get(body, "listId");

	return json_is_string(id)
			   ? store_find((Span){(char *) json_string_value(id), json_string_length(id)})
			   : NULL;
}

/* A job that is at work and is said to have ended does nothing more. */
void
bulk_jobs_seed(Request *req)
{
	json_t *body = thing_body(req);
	List *list = seeded_list(body);
	Thing *job;

	if (body && list == NULL)
		reply_error(req, 404, "not.found", "listId names no list.");
	else if (body)
	{
		job = set_job(list, body);
		if (strcmp(thing_text(job, "state"), "InProgress") != 0)
			run_end(job);
		reply_json(req, 200, thing_show(job, JOB_APART));
	}
	json_decref(body);
}

void
bulk_job_get(Request *req)
{
	List *list = list_find(req, "contact.list.not.found");
	Thing *job = list ? things_find(THING_JOB, req->arg[1]) : NULL;

	if (job && is_of_list(job, list))
	{
		run_poll(job);
		runs_settle();
		reply_json(req, 200, thing_show(job, JOB_APART));
	}
	else if (list)
		reply_error(req, 404, "resource.not.found", "The job was not found.");
}

void
bulk_jobs_get(Request *req)
{
	List *list = list_find(req, "contact.list.not.found");
	json_t *jobs = json_array();

	for (Thing *job = list ? things_first(THING_JOB) : NULL; job; job = job->next)
	{
		if (!is_of_list(job, list))
			continue;
		json_array_insert_new(jobs, 0, thing_show(job, JOB_APART));
		if (json_array_size(jobs) > MAX_JOBS)
			json_array_remove(jobs, MAX_JOBS);
	}
	req->rows = (int64_t) json_array_size(jobs);
	if (list)
		reply_json(req, 200,
				   json_pack("{s:I, s:O, s:s}", "total", (json_int_t) req->rows, "entities",
							 jobs, "selfUri", req->path));
	json_decref(jobs);
}
