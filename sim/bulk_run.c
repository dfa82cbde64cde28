/*
 * bulk_run.c
 *	  A bulk job at work: contact by contact, by time or by polls.
 */
#include <stdlib.h>

#include "bulk_run.h"
#include "changes.h"
#include "errors.h"
#include "locks.h"
#include "switches.h"

struct Run
{
	Run *next; /* in order of submission */
	char *list_id;
	char *job_id;
	bool edit;
	Columns *columns; /* of an edit: what batch is read by, and points into */
	Buf patch;
	Batch batch;

	Buf ids;   /* of the contacts: length, text; none in --discard */
	size_t at; /* where the next one is */
	int64_t total;
	int64_t seen;	  /* contacts whose turn has come */
	int64_t changed;  /* those of them that were there and not held */
	int64_t begin_us; /* not before */
	int64_t us;		  /* how long it takes */
	int64_t polls;	  /* how many it takes, instead; 0 = goes by time */
	int64_t polled;
};

static Run *runs;

void
run_free(Run *run)
{
	batch_free(&run->batch);
	buf_free(&run->patch);
	buf_free(&run->ids);
	if (run->columns)
		columns_release(run->columns);
	free(run->list_id);
	free(run->job_id);
	free(run);
}

static bool
take_id(void *arg, const Contact *contact)
{
	Run *run = arg;
	Span id = contact_id(contact);

	buf_put(&run->ids, &id.n, sizeof(id.n));
	buf_put(&run->ids, id.p, id.n);
	run->total++;
	return true;
}

/* The contact of a request to edit, checked as that of a PUT. */
static bool
read_patch(Run *run, Request *req, const List *list)
{
	bool good;

	run->columns = columns_share(list->columns);
	good = batch_read_one(&run->batch, req, run->list_id, run->columns);
	run->patch = req->body;
	req->body = (Buf){0};
	return good;
}

Run *
run_create(Request *req, const Choice *choice, bool edit)
{
	Run *run = sim_alloc(sizeof(Run));

	run->list_id = sim_strdup(choice->list->id);
	run->edit = edit;
	run->us = sw_number(SW_BULK_JOB_MS) * 1000;
	run->polls = sw_number(SW_BULK_JOB_POLLS);
	if (edit && !read_patch(run, req, choice->list))
	{
		run_free(run);
		return NULL;
	}
	if (sw_is(SW_DISCARD, "off"))
		choice_walk(choice, take_id, run);
	else
		run->total = choice->ids ? (int64_t) json_array_size(choice->ids)
								 : sw_number(SW_GENERATED_CONTACTS);
	return run;
}

int64_t
run_total(const Run *run)
{
	return run->total;
}

void
run_begin(Run *run, const Thing *job)
{
	Run **link = &runs;

	run->job_id = sim_strdup(thing_text(job, "id"));
	run->begin_us = sim_now_us();
	while (*link)
		link = &(*link)->next;
	*link = run;
}

int
runs_of(const List *list)
{
	int n = 0;

	for (Run *run = runs; run; run = run->next)
		n += strcmp(run->list_id, list->id) == 0;
	return n;
}

static Run **
find_run(const Thing *job)
{
	Run **link = &runs;

	while (*link && strcmp((*link)->job_id, thing_text(job, "id")) != 0)
		link = &(*link)->next;
	return link;
}

/* An earlier one of the same list has to end first. */
static bool
is_waiting(const Run *run)
{
	const Run *other = runs;

	while (other != run && strcmp(other->list_id, run->list_id) != 0)
		other = other->next;
	return other != run;
}

void
run_poll(const Thing *job)
{
	Run *run = *find_run(job);

	if (run && !is_waiting(run))
		run->polled++;
}

static void
remove_run(Run **link)
{
	Run *gone = *link;

	*link = gone->next;
	run_free(gone);
}

void
run_end(const Thing *job)
{
	Run **link = find_run(job);

	if (*link)
		remove_run(link);
}

void
runs_reset(void)
{
	while (runs)
		remove_run(&runs);
}

static bool
is_over(const Run *run, int64_t now)
{
	return run->polls > 0 ? run->polled >= run->polls : now >= run->begin_us + run->us;
}

/* How many turns have come. */
static int64_t
due(const Run *run, int64_t now)
{
	double part = run->polls > 0 ? (double) run->polled / (double) run->polls
								 : (double) (now - run->begin_us) / (double) run->us;

	return is_over(run, now) ? run->total : (int64_t) (part * (double) run->total);
}

/* NULL when it is no longer there. */
static Contact *
next_contact(Run *run, List *list)
{
	Span id;

	memcpy(&id.n, run->ids.data + run->at, sizeof(id.n));
	id.p = run->ids.data + run->at + sizeof(id.n);
	run->at += sizeof(id.n) + id.n;
	return list_contact(list, id);
}

/* Why the job fails at the next contact; NULL = it does not. */
static const char *
take_turn(Run *run, List *list)
{
	int64_t most = sw_number(SW_BULK_FAIL_AFTER);
	Contact *contact = NULL;

	if (most > 0 && run->changed >= most)
		return "bulk.operation.failed";
	run->seen++;
	if (run->ids.len > 0 && (contact = next_contact(run, list)) == NULL)
		return NULL;
	if (contact && contact_is_held(list, contact) &&
		!(run->edit && sw_is(SW_IN_USE_WRITES, "take")))
		return sw_is(SW_BULK_IN_USE, "fail") ? "contact.in.use" : NULL;
	if (contact && run->edit)
		contact_edit(list, contact, &run->batch);
	else if (contact)
		list_delete(list, contact);
	run->changed++;
	return NULL;
}

static void
show(const Run *run, const char *state, const char *failure)
{
	Thing *job = things_find(THING_JOB, (Span){run->job_id, strlen(run->job_id)});
	int64_t completed = sw_is(SW_BULK_COMPLETED, "all") ? run->seen : run->changed;
	bool complete = strcmp(state, "Complete") == 0;
	json_t *members = json_pack("{s:s, s:s, s:I, s:I}", "id", run->job_id, "state", state,
								"completedRecords", (json_int_t) completed, "percentComplete",
								(json_int_t) (complete		   ? 100
											  : run->total > 0 ? completed * 100 / run->total
															   : 0));

	if (failure)
		json_object_set_new(
			members, "failureReason",
			json_pack("{s:s, s:s}", "message", "The operation failed.", "code", failure));
	if (job)
		things_set(THING_JOB, members);
	json_decref(members);
}

/* Does what is due; true when the run has come to its end. */
static bool
advance(Run *run, int64_t now)
{
	List *list = store_find((Span){run->list_id, strlen(run->list_id)});
	const char *failure = list ? NULL : "contact.list.not.found";
	int64_t turns = due(run, now);

	while (!failure && run->seen < turns)
		failure = take_turn(run, list);
	show(run, failure ? "Failed" : is_over(run, now) ? "Complete" : "InProgress", failure);
	return failure || is_over(run, now);
}

/* The next of the list begins when this one has ended. */
static void
let_next_begin(const Run *ended, int64_t now)
{
	int64_t end = ended->polls > 0 ? now : ended->begin_us + ended->us;

	for (Run *run = ended->next; run; run = run->next)
		if (strcmp(run->list_id, ended->list_id) == 0 && run->begin_us < end)
			run->begin_us = end;
}

void
runs_settle(void)
{
	Run **link = &runs;
	int64_t now = sim_now_us();

	while (*link)
	{
		Run *run = *link;

		if (!is_waiting(run) && run->begin_us <= now && advance(run, now))
		{
			let_next_begin(run, now);
			remove_run(link);
		}
		else
			link = &run->next;
	}
}
