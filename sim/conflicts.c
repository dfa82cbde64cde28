/*
 * conflicts.c
 *	  The kinds of conflict that a write can meet, as errors to reply with.
 *
 * The platform publishes few of the codes: those it does not are ours.
 */
#include "conflicts.h"

#define MAX_WORDS 3

typedef struct Conflict
{
	int status;
	const char *code;
	const char *words[MAX_WORDS]; /* messages; the first is the usual one */
	const char *entity;			  /* its kind, and the field that is at fault */
	const char *field;
} Conflict;

const char *const conflict_names[] = {"K1", "K2", "K3", "K4", "K5", "K6", "K7", "K8", NULL};

static const Conflict conflicts[] = {
	{409,
	 "duplicate.external.id",
	 {"A contact with the external id 42 already exists in the organization."},
	 "Contact",
	 "externalId"},
	{409,
	 "contact.list.not.ready",
	 {"The contact list is locked.", "The contact list is processing.",
	  "The contact list has an import in progress."},
	 "ContactList",
	 NULL},
	{409, "contact.in.use", {"The contact is being dialed."}, "Contact", NULL},
	{409,
	 "invalid.update.wrong.version",
	 {"The resource has been modified since the last request. Please refresh and retry.",
	  "The version given does not match the current version.",
	  "Resource conflict - Unexpected version was provided"},
	 "ContactList",
	 "version"},
	{409,
	 "too.many.import.jobs",
	 {"The contact list has the maximum of 3 concurrent import jobs."},
	 "ContactList",
	 NULL},
	{400,
	 "duplicate.name",
	 {"A contact list of that name already exists."},
	 "ContactList",
	 "name"},
	{409,
	 "referential.integrity.error",
	 {"The contact list that the campaign names does not exist.",
	  "The contact list is incompatible with the campaign."},
	 "Campaign",
	 "contactList"},
	{409,
	 "duplicate.contact.id",
	 {"The request has a duplicate contact: 42."},
	 "Contact",
	 "id"},
};

int
conflict_status(int kind)
{
	return conflicts[kind - 1].status;
}

/* The id in the path of what the request is about, if any. */
static const char *
entity_id(const Request *req)
{
	int part = req->nparts > 6 && span_is(req->part[5], "contacts") ? 6 : 4;

	return req->nparts > part ? req->part[part].p : NULL;
}

void
conflict_reply(Request *req, int kind, int64_t words)
{
	const Conflict *conflict = &conflicts[kind - 1];
	const char *code = words > 0 ? "conflict" : conflict->code;
	const char *id = entity_id(req);
	const char *message;
	int i = words > 1 ? (int) (words < MAX_WORDS ? words : MAX_WORDS) - 1 : 0;

	while (i > 0 && conflict->words[i] == NULL)
		i--;
	message = conflict->words[i];
	reply_json(
		req, conflict->status,
		json_pack("{s:s, s:s, s:i, s:s*, s:s, s:s, s:{}, s:s, s:[{s:s, s:s*, s:s*, s:s}],"
				  " s:[]}",
				  "message", message, "code", code, "status", conflict->status, "entityId", id,
				  "entityName", conflict->entity, "messageWithParams", message,
				  "messageParams", "contextId", req->correlation_id, "details", "errorCode",
				  code, "fieldName", conflict->field, "entityId", id, "entityName",
				  conflict->entity, "errors"));
}
