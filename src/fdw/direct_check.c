/*
 * fdw/direct_check.c
 *	  What a bulk job does, and did, to contacts: it has no echo that would say.
 */
#include "postgres.h"

#include "api/contacts.h"
#include "api/criteria.h"
#include "base/contact_id.h"
#include "base/json_pick.h"
#include "base/option.h"
#include "base/value.h"
#include "base/written.h"
#include "fdw/direct_parts.h"
#include "fdw/merge.h"
#include "store/contact_audit.h"

#include "utils/timestamp.h"

/* Contacts that an error names. */
#define HELD_SHOWN 5

/* Contacts that one search gives, to look at. */
#define SEARCH_MAX 100

/* How long to wait before another search: at first, and at most. */
#define POLL_FIRST_US (100 * INT64CONST(1000))
#define POLL_CAP_US	  (2 * USECS_PER_SEC)

/* ---- reading ---- */

static const char *
not_read(const GcDirect *direct)
{
	return psprintf("could not read contacts of %s", direct->request.rel->label);
}

/* Runs a call; NULL if it is about one contact, and says that there is none. */
static GcCall *
run(GcDirect *direct, const GcCallSpec *spec, bool single)
{
	GcCall *call = gc_call_start(direct->calls, spec);

	gc_call_wait(call);
	if (gc_call_failure(call) == NULL)
		return call;
	if (single && gc_contacts_is_missing(gc_call_failure(call)))
		return NULL;
	gc_call_throw(call, not_read(direct), gc_direct_tell(direct));
}

static GcSpan
member_of(const GcSpan *object, const char *name)
{
	return gc_pick_member(object, &name, 1);
}

/* The text of a cell, or of any member; "" if there is none. */
static const char *
text_of(const GcSpan *value)
{
	int len;
	char *text_value = value->p ? gc_value_span_text(value, &len) : NULL;

	return text_value ? text_value : "";
}

/* A contact's id; "", which finds nobody, if it has none. */
static char *
id_of(const GcSpan *contact)
{
	GcSpan id = member_of(contact, "id");

	return pstrdup(text_of(&id));
}

List *
gc_direct_search(GcDirect *direct, const char *criteria, int size, int64 *total)
{
	GcPageRequest request = {
		.list_id = direct->request.list->id, .number = 1, .size = size, .criteria = criteria};
	List *ids = NIL;
	StringInfoData path;
	StringInfoData body;
	const char *problem;
	const char *bytes;
	GcCallSpec spec;
	GcCall *call;
	GcPage page;
	GcSpan one;
	size_t len;

	initStringInfo(&path);
	initStringInfo(&body);
	gc_contacts.page(&request, &path, &body, &spec);
	call = gc_call_start(direct->calls, &spec);
	gc_call_wait(call);
	if (gc_call_failure(call))
		gc_call_throw(call, not_read(direct), gc_direct_tell(direct));
	bytes = gc_call_reply(call, &len);
	problem = gc_page_read(&page, bytes, len);
	if (problem == NULL && page.total < 0)
		problem = "The answer does not say how many there are in all.";
	if (problem)
		gc_call_throw_reply(call, problem, not_read(direct), gc_direct_tell(direct));
	while (gc_json_element(&page.entities) && gc_json_value(&page.entities, &one))
		ids = lappend(ids, id_of(&one));
	*total = page.total;
	gc_call_free(call);
	return ids;
}

/* Adds the contacts of an array, which are to outlive its call. */
static List *
take_contacts(List *contacts, const char *bytes, size_t len)
{
	char *copy = pnstrdup(bytes, len);
	GcJson json;
	GcSpan one;

	gc_json_init(&json, copy, len);
	(void) gc_json_enter(&json, '[');
	while (gc_json_element(&json) && gc_json_value(&json, &one))
	{
		GcDirectContact *contact = palloc(sizeof(GcDirectContact));

		contact->id = id_of(&one);
		contact->raw = one;
		contacts = lappend(contacts, contact);
	}
	return contacts;
}

List *
gc_direct_read(GcDirect *direct, char *const *ids, int count)
{
	List *contacts = NIL;

	for (int first = 0; first < count; first += GC_CONTACTS_MAX_IDS)
	{
		int some = Min(GC_CONTACTS_MAX_IDS, count - first);
		const char *bytes;
		GcCallSpec spec;
		GcCall *call;
		size_t len;

		gc_contacts_by_ids(direct->request.list->id, ids + first, some, &spec);
		call = run(direct, &spec, some == 1);
		if (call == NULL)
			continue;
		bytes = gc_call_reply(call, &len);
		if (some == 1) /* one contact, no array */
		{
			bytes = psprintf("[%s]", bytes);
			len += 2;
		}
		if (gc_json_count_objects(bytes, len) < 0)
			gc_call_throw_reply(call, "The answer is not a JSON array of contacts.",
								not_read(direct), gc_direct_tell(direct));
		contacts = take_contacts(contacts, bytes, len);
		gc_call_free(call);
	}
	return contacts;
}

static const GcDirectContact *
find_contact(List *contacts, const char *id)
{
	ListCell *lc;

	foreach (lc, contacts)
		if (strcmp(((GcDirectContact *) lfirst(lc))->id, id) == 0)
			return lfirst(lc);
	return NULL;
}

/* ---- the probe ---- */

/* The cells that SET names, with what the contact has in them. */
static char *
own_cells(const GcDirect *direct, const GcDirectContact *contact)
{
	GcSpan data = member_of(&contact->raw, "data");
	StringInfoData cells;

	initStringInfo(&cells);
	for (int i = 0; i < direct->patch.field_count; i++)
	{
		const char *field = direct->patch.fields[i];
		GcSpan value = member_of(&data, field);

		appendStringInfo(&cells, "%s\"", i > 0 ? "," : "");
		gc_json_escape(&cells, field, strlen(field));
		appendStringInfoString(&cells, "\":");
		if (value.type == '"')
			gc_json_append(&cells, &value);
		else
			appendStringInfoString(&cells, "\"\"");
	}
	return cells.data;
}

/* Does SET name that cell? */
static bool
is_named(const GcDirect *direct, const char *field)
{
	for (int i = 0; i < direct->patch.field_count; i++)
		if (strcmp(direct->patch.fields[i], field) == 0)
			return true;
	return false;
}

/* The next cell with a text in it that SET does not name; NULL: there is none any more. */
static const char *
next_other(const GcDirect *direct, GcJson *cells)
{
	GcSpan key;
	GcSpan value;

	while (gc_json_key(cells, &key) && gc_json_value(cells, &value))
		if (*text_of(&value) != '\0' && !is_named(direct, text_of(&key)))
			return text_of(&key);
	return NULL;
}

/* A cursor into the contact's cells; false if it has none. */
static bool
enter_cells(const GcDirectContact *contact, GcJson *cells)
{
	GcSpan data = member_of(&contact->raw, "data");

	gc_json_init(cells, data.p, data.len);
	return data.type == '{' && gc_json_enter(cells, '{');
}

/* Has a cell that SET does not name, and that had a text before, none any more? */
static bool
has_lost(const GcDirect *direct, const GcDirectContact *before, const GcDirectContact *after)
{
	GcSpan new = member_of(&after->raw, "data");
	const char *field;
	GcJson cells;

	if (!enter_cells(before, &cells))
		return false;
	while ((field = next_other(direct, &cells)) != NULL)
	{
		GcSpan now = member_of(&new, field);

		if (*text_of(&now) == '\0')
			return true;
	}
	return false;
}

List *
gc_direct_telling(const GcDirect *direct, List *contacts)
{
	List *telling = NIL;
	GcJson cells;
	ListCell *lc;

	foreach (lc, contacts)
		if (enter_cells(lfirst(lc), &cells) && next_other(direct, &cells) != NULL)
			telling = lappend(telling, lfirst(lc));
	return telling;
}

/* Writes the contact as it was before the job. */
static void
restore(GcDirect *direct, const GcDirectContact *contact, const GcBulkJob *job)
{
	GcMerger *merger = gc_merger_create(direct->request.list);
	GcPatch none = {.attributes = "", .cells = ""};
	GcContactsFlags flags = {.do_not_queue = true};
	GcCallSpec spec = {.call_class = GC_CALL_IDEMPOTENT,
					   .method = "POST",
					   .path = gc_contacts_post_path(direct->request.list->id, &flags),
					   .endpoint = GC_CONTACTS_ALL,
					   .rate.bulk = true};
	GcCall *call;
	GcRow row;

	if (gc_merge(merger, contact->id, contact->raw.p, contact->raw.len, &none, &row) != NULL)
		elog(ERROR, "could not make contact \"%s\" whole again", contact->id);
	spec.body = psprintf("[%s]", row.json);
	spec.body_len = strlen(spec.body);
	call = gc_call_start(direct->calls, &spec);
	gc_call_wait(call);
	gc_audit_end_trial(direct->audit);
	if (gc_call_failure(call))
		gc_call_throw(call,
					  psprintf("could not restore cells of contact \"%s\" of %s",
							   gc_value_display(contact->id, NAMEDATALEN),
							   direct->request.rel->label),
					  psprintf("A bulk edit took those away that it did not name.  "
							   "The file of bulk job \"%s\" has them.",
							   job->id));
	gc_call_free(call);
}

static void
throw_replaces(const GcDirect *direct)
{
	ereport(
		ERROR,
		(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
		 errmsg("bulk edits of %s take away the cells that they do not name",
				direct->request.rel->label),
		 errdetail("That was tried with a contact, which is as it was.  Nothing was changed."),
		 errhint("Set the option \"direct_modify\" to false.")));
}

static void
throw_untold(const GcDirect *direct)
{
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("cannot tell what bulk edits of %s do to cells that they do not name",
					direct->request.rel->label),
			 errdetail("The first contacts have no other cells.  Nothing was changed."),
			 errhint("Set the option \"direct_modify\" to false.")));
}

/* One job about that contact, which is given what it has in the cells that SET names. */
static void
try_edit(GcDirect *direct, const GcDirectContact *contact, GcBulkJob *job)
{
	StringInfoData which;

	initStringInfo(&which);
	appendStringInfoString(&which, "\"contactIds\":[\"");
	gc_json_escape(&which, contact->id, strlen(contact->id));
	appendStringInfoString(&which, "\"]");
	/* Its file, which has the contact as it was, is what is left if we do not see the end. */
	gc_audit_begin_trial(direct->audit, gc_value_display(contact->id, NAMEDATALEN));
	gc_direct_job(direct,
				  psprintf("{%s,\"contact\":{%s\"data\":{%s}}}", which.data, direct->start,
						   own_cells(direct, contact)),
				  1, false, job);
}

/* False if nothing could be learned: the contact was passed over, or is gone. */
static bool
probe_one(GcDirect *direct, const GcDirectContact *contact)
{
	const GcDirectContact *after = NULL;
	GcBulkJob job;

	try_edit(direct, contact, &job);
	if (job.completed != 0)
		after = find_contact(gc_direct_read(direct, &contact->id, 1), contact->id);
	if (after && has_lost(direct, contact, after))
	{
		restore(direct, contact, &job);
		throw_replaces(direct);
	}
	gc_audit_end_trial(direct->audit);
	return after != NULL;
}

void
gc_direct_probe(GcDirect *direct, List *contacts)
{
	List *ids = NIL;
	ListCell *lc;

	if (contacts == NIL)
		throw_untold(direct);
	foreach (lc, contacts)
	{
		if (probe_one(direct, lfirst(lc)))
			return;
		ids = lappend(ids, ((GcDirectContact *) lfirst(lc))->id);
	}
	gc_direct_throw_held(direct, ids, list_length(ids));
}

/* ---- afterwards ---- */

/* Has the contact what SET gave it, as far as that can be told? */
static bool
is_set(const GcDirect *direct, const GcDirectContact *contact)
{
	GcSpan callable = member_of(&contact->raw, "callable");
	GcSpan data = member_of(&contact->raw, "data");

	if (direct->patch.shown.callable && callable.type != direct->patch.shown.callable)
		return false;
	for (int i = 0; i < direct->cell_count; i++)
	{
		GcSpan cell = member_of(&data, direct->cells[i].column);

		if (strcmp(text_of(&cell), direct->cells[i].value) != 0)
			return false;
	}
	return true;
}

void
gc_direct_throw_held(GcDirect *direct, List *ids, int64 count)
{
	bool edit = direct->verb == GC_VERB_UPDATE;
	const GcPolicy *policy = gc_policy(edit ? GC_CAUSE_IN_USE : GC_CAUSE_CAMPAIGN);
	StringInfoData names;
	ListCell *lc;
	int shown = 0;

	initStringInfo(&names);
	foreach (lc, ids)
		if (shown < HELD_SHOWN)
			appendStringInfo(&names, "%s\"%s\"", shown++ > 0 ? ", " : "",
							 gc_value_display(lfirst(lc), NAMEDATALEN));
	if (count > shown)
		appendStringInfo(&names, " and " INT64_FORMAT " more", count - shown);
	/* Nothing was begun. */
	if (direct->taken == 0)
	{
		direct->taken += count;
		gc_audit_take(direct->audit, count);
	}
	/* A job may call those done that it has passed over. */
	if (direct->accepted + direct->in_doubt > direct->taken - count)
	{
		int64 fewer =
			Min(direct->accepted, direct->accepted + direct->in_doubt + count - direct->taken);

		direct->accepted -= fewer;
		direct->audit->entry.accepted -= fewer;
	}
	ereport(
		ERROR,
		(errcode(policy->sqlstate), errmsg_internal("%s", gc_direct_failed(direct, count)),
		 edit ? errdetail(
					"They do not have what SET gave them; the dialler may hold them: %s.\n%s",
					names.data, gc_direct_tell(direct))
			  : errdetail("They are still there, as those are that a campaign uses: "
						  "%s.\n%s",
						  names.data, gc_direct_tell(direct)),
		 errhint("%s", policy->hint)));
}

/* Was it made after that moment?  Then the job was not about it. */
static bool
is_newer(const GcDirectContact *contact, TimestampTz began)
{
	GcSpan created = member_of(&contact->raw, "dateCreated");
	TimestampTz at;

	return created.type == '"' && gc_value_moment(text_of(&created), &at) && at >= began;
}

/* An opt-out, or the end of one, that a contact shows. */
static void
audit_callable(const GcDirect *direct, const GcDirectContact *contact)
{
	const char *correlation_id = direct->audit->entry.correlation_id;

	gc_contact_audit_put(&(GcContactChange){
		.list_id = gc_value_display(direct->request.list->id, GC_AUDIT_LIST_SIZE),
		.contact_id = gc_value_display(contact->id, GC_CONTACT_ID_MAX),
		.change = "callable",
		.new_value = direct->patch.shown.callable == 't' ? "true" : "false",
		.confirmed_at = GetCurrentTimestamp(),
		.correlation_id = *correlation_id ? correlation_id : NULL,
	});
}

/* Those of the contacts that the job should not have left as they are. */
static List *
find_held(GcDirect *direct, List *ids, TimestampTz began)
{
	char **array = palloc(sizeof(char *) * Max(list_length(ids), 1));
	List *held = NIL;
	ListCell *lc;

	foreach (lc, ids)
		array[foreach_current_index(lc)] = lfirst(lc);
	foreach (lc, gc_direct_read(direct, array, list_length(ids)))
	{
		GcDirectContact *contact = lfirst(lc);

		if (!is_newer(contact, began) &&
			(direct->verb == GC_VERB_DELETE || !is_set(direct, contact)))
			held = lappend(held, contact->id);
		else if (direct->verb == GC_VERB_UPDATE && direct->patch.shown.callable)
			audit_callable(direct, contact);
	}
	return held;
}

void
gc_direct_check_set(GcDirect *direct, List *ids)
{
	List *held = find_held(direct, ids, DT_NOEND);

	if (held != NIL)
		gc_direct_throw_held(direct, held, list_length(held));
}

void
gc_direct_check_left(GcDirect *direct, const char *criteria, TimestampTz began)
{
	const GcSourceRequest *request = &direct->request;
	GcTime shown =
		gc_written_shown(request->conn->api_url, request->list->id,
						 gc_option_ms(request->rel->server_options, NIL, "read_lag"));
	int64 pause_us = POLL_FIRST_US;
	int64 left;
	List *ids;
	List *held;

	while ((ids = gc_direct_search(direct, criteria, SEARCH_MAX, &left)) != NIL &&
		   gc_clock_now() < shown)
	{
		if (pause_us == POLL_FIRST_US)
			gc_source_tell_lag(request->rel, shown);
		(void) gc_calls_sleep(direct->calls, Min(gc_clock_now() + pause_us, shown),
							  GC_WAIT_LAG, true);
		pause_us = Min(pause_us * 2, POLL_CAP_US);
	}
	held = find_held(direct, ids, began);
	if (held != NIL)
		gc_direct_throw_held(direct, held, left - list_length(ids) + list_length(held));
}
