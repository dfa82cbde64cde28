/*
 * api/import_status.c
 *	  What a contact list shows of the file that it was filled from last, or is at the moment.
 */
#include "postgres.h"

#include "api/import_status.h"
#include "api/resource.h"
#include "api/url.h"
#include "base/json_pick.h"
#include "base/value.h"

#define STATUS_ENDPOINT "/api/v2/outbound/contactlists/" GC_LIST_ID "/importstatus"

static const struct
{
	const char *code;
	const char *words;
} failures[] = {
	{"CONTACT_COLUMNS_LIMIT_EXCEEDED", "The file has more columns than a list may have (50)."},
	{"EXCEEDED_CONTACT_LIMIT",
	 "The list, or the organisation, has no room for more contacts."},
	{"IMPORT_COLUMNS_DO_NOT_EXIST_ON_LIST",
	 "The file has columns that the list does not have."},
	{"IMPORT_COLUMN_EXCEEDS_LENGTH_LIMIT",
	 "A column's name is longer than the platform takes."},
	{"IMPORT_CONTACT_DOES_NOT_MATCH_LIST_FORMAT",
	 "The file's columns are not those of the list."},
	{"IMPORT_COULD_NOT_PARSE_AN_ENTRY", "The file, or a row of it, cannot be read."},
	{"IMPORT_DATUM_EXCEEDS_LENGTH_LIMIT", "A cell is longer than the platform takes."},
	{"IMPORT_ENTRY_DOES_NOT_ALIGN_WITH_HEADERS",
	 "A row has more or fewer cells than the header."},
	{"IMPORT_FAILED_TO_READ_HEADERS", "The file's header cannot be read."},
	{"IMPORT_INVALID_CUSTOM_ID", "A contact's id is not one that the platform takes."},
	{"IMPORT_INVALID_DATA", "A cell is not what its column takes."},
	{"IMPORT_INVALID_EMAIL_ADDRESSES", "A contact has an email address that is none."},
	{"IMPORT_INVALID_PHONE_NUMBERS", "A contact has a phone number that is none."},
	{"IMPORT_LIST_NO_LONGER_EXISTS", "The contact list has been deleted."},
	{"IMPORT_MISSING_CUSTOM_ID", "The file, or a row of it, lacks the contact's id."},
	{"IMPORT_NO_COLUMNS_DEFINED", "The list has no columns."},
	{"IMPORT_TOO_MANY_COLUMNS", "The file has too many columns."},
	{"IMPORT_TOO_MANY_EXTRA_COLUMNS",
	 "The file has too many columns beside those of the list."},
};

const char *
gc_import_failure_words(const char *code)
{
	for (int i = 0; i < lengthof(failures); i++)
		if (strcmp(failures[i].code, code) == 0)
			return failures[i].words;
	return "The platform ended the import.";
}

static int64
number(const GcSpan *object, const char *name)
{
	GcSpan span = gc_pick_member(object, &name, 1);

	return span.p && span.type == '0' ? strtoll(span.p, NULL, 10) : 0;
}

static void
read_status(const char *bytes, size_t len, GcImportStatus *status)
{
	static const char *const state_path = "state";
	static const char *const failure_path = "failureReason";
	GcSpan object = {.p = bytes, .len = len, .type = '{'};
	GcSpan state = gc_pick_member(&object, &state_path, 1);
	GcSpan failure = gc_pick_member(&object, &failure_path, 1);

	status->at_work = gc_json_span_is(&state, "IN_PROGRESS");
	status->failed = gc_json_span_is(&state, "FAILED");
	status->total = number(&object, "totalRecords");
	status->completed = number(&object, "completedRecords");
	status->percent = number(&object, "percentComplete");
	if (failure.p && failure.type == '"')
		strlcpy(status->failure, failure.p, Min(failure.len + 1, sizeof(status->failure)));
}

bool
gc_import_status_get(GcCalls *calls, const char *list_id, const char *what,
					 GcImportStatus *status)
{
	GcCallSpec spec = {.call_class = GC_CALL_SAFE,
					   .method = "GET",
					   .path = psprintf("/api/v2/outbound/contactlists/%s/importstatus",
										gc_url_escape(list_id)),
					   .endpoint = STATUS_ENDPOINT};
	GcCall *call = gc_call_start(calls, &spec);
	const char *bytes;
	size_t len;

	gc_call_wait(call);
	if (gc_call_failure(call))
	{
		if (!gc_failure_passes(gc_call_failure(call)))
			gc_call_throw(call, psprintf("could not read the import status of %s", what),
						  NULL);
		gc_call_free(call);
		return false;
	}
	memset(status, 0, sizeof(*status));
	bytes = gc_call_reply(call, &len);
	read_status(bytes, len, status);
	status->at = gc_call_answer_time(call);
	gc_call_free(call);
	return true;
}

bool
gc_import_status_same(const GcImportStatus *a, const GcImportStatus *b)
{
	return a->at_work == b->at_work && a->failed == b->failed && a->total == b->total &&
		   a->completed == b->completed && a->percent == b->percent &&
		   strcmp(a->failure, b->failure) == 0;
}
