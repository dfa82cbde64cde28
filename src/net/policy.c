/*
 * net/policy.c
 *	  What becomes of each kind of failure: one table (DESIGN 5, SCENARIOS K).
 */
#include "postgres.h"

#include "net/policy.h"

/* Exponential backoff with full jitter. */
#define BACKOFF .budget = GC_BUDGET_TRIES, .first_ms = 500, .cap_ms = 30000

static const GcPolicy policies[] = {
	[GC_CAUSE_NONE] = {ERRCODE_SUCCESSFUL_COMPLETION},
	[GC_CAUSE_NOT_ASKED] = {ERRCODE_CONFIGURATION_LIMIT_EXCEEDED},
	[GC_CAUSE_NOT_SENT] = {ERRCODE_SQLCLIENT_UNABLE_TO_ESTABLISH_SQLCONNECTION, BACKOFF},
	/* A certificate that is not trusted will not be so in a second. */
	[GC_CAUSE_TRUST] = {ERRCODE_SQLCLIENT_UNABLE_TO_ESTABLISH_SQLCONNECTION,
						.hint =
							"Certificates are trusted as the server option \"ca_file\" says; "
							"without it, as the system does."},
	[GC_CAUSE_PROXY] = {ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION,
						.hint =
							"Check the options \"proxy_user\" and \"proxy_password\" of the "
							"user mapping, and \"proxy\" of the server."},
	[GC_CAUSE_PROXY_NO] = {ERRCODE_SQLCLIENT_UNABLE_TO_ESTABLISH_SQLCONNECTION},
	[GC_CAUSE_LOST] = {ERRCODE_CONNECTION_FAILURE, .doubt = true, BACKOFF},
	[GC_CAUSE_TOO_BIG] = {ERRCODE_FDW_ERROR, .doubt = true},
	[GC_CAUSE_GARBLED] = {ERRCODE_FDW_ERROR, .doubt = true, BACKOFF},
	[GC_CAUSE_REQUEST] = {ERRCODE_INVALID_PARAMETER_VALUE},
	[GC_CAUSE_COLUMNS] = {ERRCODE_UNDEFINED_COLUMN, .code = "invalid.contact.columns"},
	[GC_CAUSE_TOO_MANY] = {ERRCODE_PROGRAM_LIMIT_EXCEEDED, .code = "too.many.contacts"},
	[GC_CAUSE_CAMPAIGN] = {ERRCODE_OBJECT_IN_USE,
						   .hint = "Stop the campaign, or delete such contacts later.",
						   .code = "contact.in.use"},
	[GC_CAUSE_GONE] = {ERRCODE_T_R_SERIALIZATION_FAILURE,
					   .hint =
						   "Somebody else has deleted it since it was read.  Run it again.",
					   .code = "contact.does.not.exist"},
	[GC_CAUSE_TRANSITION] = {ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
							 .hint = "A campaign is set on from \"off\", \"complete\" and "
									 "\"forced_off\"; what makes one invalid is to be mended "
									 "first.",
							 .code = "bad.status.transition"},
	[GC_CAUSE_TOKEN] = {ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION, .budget = GC_BUDGET_TOKEN,
						.hint = "Check the credentials of the user mapping, and the roles of "
								"its OAuth client."},
	[GC_CAUSE_CREDENTIALS] = {ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION,
							  .hint = "Check the credentials of the user mapping, and the "
									  "roles of its OAuth client."},
	[GC_CAUSE_LOGIN] = {ERRCODE_FDW_ERROR,
						.hint = "Check the server option \"region\" or \"login_url\"."},
	[GC_CAUSE_FORBIDDEN] = {ERRCODE_INSUFFICIENT_PRIVILEGE,
							.hint = "Give the OAuth client a role with the permission that "
									"the message names."},
	[GC_CAUSE_NOT_FOUND] = {ERRCODE_FDW_TABLE_NOT_FOUND,
							.hint =
								"Check that the contact list is still there, and the server "
								"option \"region\" or \"api_url\"."},
	[GC_CAUSE_TIMEOUT] = {ERRCODE_T_R_SERIALIZATION_FAILURE, BACKOFF},
	[GC_CAUSE_TOO_LARGE] = {ERRCODE_PROGRAM_LIMIT_EXCEEDED},
	[GC_CAUSE_THROTTLED] = {ERRCODE_CONFIGURATION_LIMIT_EXCEEDED, BACKOFF,
							.hint =
								"Lower the server option \"requests_per_minute\", or raise "
								"\"retry_timeout\"."},
	/* I1: it is told apart from the quota, which it does not use up. */
	[GC_CAUSE_RECYCLED] = {ERRCODE_CONFIGURATION_LIMIT_EXCEEDED, .budget = GC_BUDGET_TIME,
						   .first_ms = 1000, .cap_ms = 1000, .exact = true,
						   .hint = "A campaign is recycled once in 5 seconds.  Run it again "
								   "later, or raise \"retry_timeout\".",
						   .code = "too.many.recycles"},
	[GC_CAUSE_EXTERNAL_ID] = {ERRCODE_UNIQUE_VIOLATION,
							  .hint = "Set \"external_id_unique\" to false, of the "
									  "organisation or (Terraform: resource "
									  "genesyscloud_outbound_contactlist) of the list, and "
									  "clear the contacts that already conflict before "
									  "running again.",
							  .code = "duplicate.external.id", .words = {"external id"}},
	/* A list that is being provisioned answers within a second, an import takes longer: G2. */
	[GC_CAUSE_LOCKED] = {ERRCODE_T_R_SERIALIZATION_FAILURE, .budget = GC_BUDGET_TIME,
						 .first_ms = 500, .cap_ms = 5000,
						 .hint = "Something else holds the list.  Run it again later, or "
								 "raise \"retry_timeout\".",
						 .code = "contact.list.not.ready",
						 .words = {"locked", "processing", "import in progress"}},
	/* G4 */
	[GC_CAUSE_IN_USE] = {ERRCODE_T_R_SERIALIZATION_FAILURE, .budget = GC_BUDGET_TIME,
						 .first_ms = 500, .cap_ms = 500, .exact = true,
						 .hint = "The dialler holds the contact.  Run it again later, or "
								 "raise \"retry_timeout\".",
						 .code = "contact.in.use", .words = {"being dialed"}},
	/* The same version would be refused again: who wrote it reads afresh (I3). */
	[GC_CAUSE_VERSION] = {ERRCODE_T_R_SERIALIZATION_FAILURE,
						  .hint = "Somebody else has changed it meanwhile.  Run it again.",
						  .code = "invalid.update.wrong.version",
						  .words = {"has been modified since",
									"does not match the current version",
									"Unexpected version"}},
	/* G3 */
	[GC_CAUSE_JOBS] = {ERRCODE_T_R_SERIALIZATION_FAILURE, .budget = GC_BUDGET_TIME,
					   .first_ms = 15000, .cap_ms = 15000, .exact = true,
					   .hint = "Too many jobs of the list are at work.  Run it again later, "
							   "or raise \"retry_timeout\".",
					   .code = "too.many.import.jobs", .words = {"concurrent"}},
	[GC_CAUSE_TWICE] = {ERRCODE_UNIQUE_VIOLATION,
						.hint = "Remove the second contact with that id from the source.",
						.code = "duplicate.contact.id", .words = {"duplicate contact"}},
	[GC_CAUSE_ACTIVE] = {ERRCODE_OBJECT_IN_USE,
						 .hint = "Stop it in the same statement (SET campaign_status = 'off', "
								 "...), and set it on again with another one.",
						 .code = "invalid.update.campaign.active",
						 .words = {"campaign is active"}},
	[GC_CAUSE_NAME] = {ERRCODE_UNIQUE_VIOLATION,
					   .hint = "Use the one that is there, or choose another name.",
					   .code = "duplicate", .words = {"already exists"}},
	[GC_CAUSE_REFERENCE] = {ERRCODE_FOREIGN_KEY_VIOLATION,
							.code = "referential.integrity.error",
							.words = {"does not exist", "incompatible"}},
	[GC_CAUSE_SERVER] = {ERRCODE_SYSTEM_ERROR, .doubt = true, BACKOFF},
	[GC_CAUSE_NOT_OFFERED] = {ERRCODE_SYSTEM_ERROR},
	[GC_CAUSE_OTHER] = {ERRCODE_FDW_ERROR},
};

/* The kinds of 409, those that say more before those that say less. */
static const GcCause conflicts[] = {GC_CAUSE_EXTERNAL_ID, GC_CAUSE_TWICE,	  GC_CAUSE_ACTIVE,
									GC_CAUSE_LOCKED,	  GC_CAUSE_IN_USE,	  GC_CAUSE_VERSION,
									GC_CAUSE_JOBS,		  GC_CAUSE_REFERENCE, GC_CAUSE_NAME};

const GcPolicy *
gc_policy(GcCause cause)
{
	return &policies[cause];
}

static bool
says_words(const GcPolicy *policy, const char *message)
{
	for (int i = 0; i < lengthof(policy->words) && policy->words[i]; i++)
		if (strstr(message, policy->words[i]))
			return true;
	return false;
}

GcCause
gc_policy_conflict(const char *code, const char *message)
{
	for (int i = 0; code && i < lengthof(conflicts); i++)
		if (strstr(code, policies[conflicts[i]].code))
			return conflicts[i];
	for (int i = 0; message && i < lengthof(conflicts); i++)
		if (says_words(&policies[conflicts[i]], message))
			return conflicts[i];
	return GC_CAUSE_LOCKED;
}

GcCause
gc_policy_bad_request(const char *code, const char *message)
{
	static const GcCause causes[] = {GC_CAUSE_COLUMNS,	  GC_CAUSE_TOO_MANY,
									 GC_CAUSE_CAMPAIGN,	  GC_CAUSE_GONE,
									 GC_CAUSE_TRANSITION, GC_CAUSE_REFERENCE};

	/* Some services have no 409 for it. */
	if (message && says_words(&policies[GC_CAUSE_VERSION], message))
		return GC_CAUSE_VERSION;
	if (code == NULL)
		return GC_CAUSE_REQUEST;
	/* A list that is being filled is not deleted, nor dialled. */
	if (strstr(code, "import.in.progress"))
		return GC_CAUSE_LOCKED;
	/* Of the conditions of a search. */
	if (strstr(code, "column.does.not.match.contact.list"))
		return GC_CAUSE_COLUMNS;
	for (int i = 0; i < lengthof(causes); i++)
		if (strstr(code, policies[causes[i]].code))
			return causes[i];
	return strstr(code, "duplicate.name") ? GC_CAUSE_NAME : GC_CAUSE_REQUEST;
}

GcCause
gc_policy_throttled(const char *code)
{
	return code && strstr(code, policies[GC_CAUSE_RECYCLED].code) ? GC_CAUSE_RECYCLED
																  : GC_CAUSE_THROTTLED;
}
