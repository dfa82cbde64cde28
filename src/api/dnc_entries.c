/*
 * api/dnc_entries.c
 *	  What a do-not-call list holds: added, removed, and wiped.
 *
 * Nothing lists or finds entries but an export, which has them in its first column
 * and, in its third, when they expire.
 */
#include "postgres.h"

#include "api/dnc_entries.h"
#include "api/export.h"
#include "api/resource.h"
#include "api/url.h"
#include "base/value.h"

#define NOT_SUPPORTED "dnc.source.operation.not.supported"

static const struct
{
	const char *part;	/* of the path */
	const char *member; /* of a PATCH's body */
	const char *endpoint;
} kinds[GC_DNC_KINDS] = {
	[GC_DNC_PHONES] = {"phonenumbers", "phoneNumbers", GC_DNC_LIST_ONE "/phonenumbers"},
	[GC_DNC_EMAILS] = {"emailaddresses", "emailAddresses", GC_DNC_LIST_ONE "/emailaddresses"},
	[GC_DNC_WHATSAPP] = {"whatsappnumbers", "whatsAppNumbers",
						 GC_DNC_LIST_ONE "/whatsappnumbers"},
	[GC_DNC_CUSTOM] = {"customexclusioncolumns", "customExclusionColumnEntries",
					   GC_DNC_LIST_ONE "/customexclusioncolumns"},
};

static const GcAttribute entry_attributes[] = {
	{"entry", "text", .by_export.position = 1, .written = GC_WRITTEN_ONCE, .has_format = true},
	{"expires_at", "timestamptz", .by_export.position = 3, .written = GC_WRITTEN_ALWAYS},
};

const GcResource gc_dnc_entries = {
	.object = "dnc_entries",
	.comment = "entries of one DNC list",
	.attributes = entry_attributes,
	.attribute_count = lengthof(entry_attributes),
	.default_rows = 10000,
	.has_dnc_list = true,
	.insert_endpoint = GC_DNC_LIST_ONE,
	.update_endpoint = GC_DNC_LIST_ONE,
	.delete_endpoint = GC_DNC_LIST_ONE,
	.clear_endpoint = GC_DNC_LIST_ONE,
	.path_name = "export",
	.method = "POST",
	.endpoint = GC_DNC_EXPORT_ENDPOINT,
};

static const char *
no_entries(const GcDncList *list)
{
	return psprintf("DNC list \"%s\" keeps no entries of its own",
					gc_value_display(list->name, NAMEDATALEN));
}

static const char elsewhere_hint[] =
	"Its numbers are kept by its source, and are changed there.";

void
gc_dnc_check_source(const GcDncList *list)
{
	if (list->source_type == NULL || strncmp(list->source_type, "rds", strlen("rds")) == 0)
		return;
	ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED), errmsg("%s", no_entries(list)),
					errdetail("Its source is \"%s\".",
							  gc_value_display(list->source_type, NAMEDATALEN)),
					errhint("%s", elsewhere_hint)));
}

GcDncKind
gc_dnc_kind(const GcDncList *list, const char *entry)
{
	const char *method = list->contact_method ? list->contact_method : "Phone";

	if (list->source_type && strcmp(list->source_type, "rds_custom") == 0)
		return GC_DNC_CUSTOM;
	if (strcmp(method, "Email") == 0)
		return GC_DNC_EMAILS;
	if (strcmp(method, "WhatsApp") == 0)
		return GC_DNC_WHATSAPP;
	/* A list of any method has numbers and addresses: no number has an "@". */
	if (strcmp(method, "Any") == 0 && entry && strchr(entry, '@'))
		return GC_DNC_EMAILS;
	return GC_DNC_PHONES;
}

const char *
gc_dnc_format(const GcDncList *list)
{
	/* That of any method has several. */
	if (list->contact_method && strcmp(list->contact_method, "Any") == 0)
		return NULL;
	switch (gc_dnc_kind(list, NULL))
	{
		case GC_DNC_PHONES:
		case GC_DNC_WHATSAPP:
			return "e164";
		case GC_DNC_EMAILS:
			return "email";
		default:
			return NULL;
	}
}

static char *
path_of(const GcDncList *list, GcDncKind kind)
{
	return psprintf("%s/%s/%s", GC_DNC_LISTS_PATH, gc_url_escape(list->id), kinds[kind].part);
}

/* An entry is added, or removed, once, however often it is asked for. */
void
gc_dnc_patch_spec(const GcDncPatch *patch, GcCallSpec *spec)
{
	StringInfoData body;

	initStringInfo(&body);
	appendStringInfo(&body, "{\"action\":\"%s\"", patch->remove ? "Remove" : "Add");
	if (patch->until)
		appendStringInfo(&body, ",\"expirationDateTime\":\"%s\"", patch->until);
	appendStringInfo(&body, ",\"%s\":[", kinds[patch->kind].member);
	appendStringInfoString(&body, patch->entries);
	appendStringInfoString(&body, "]}");
	*spec = (GcCallSpec){.call_class = GC_CALL_IDEMPOTENT,
						 .method = "PATCH",
						 .path = path_of(patch->list, patch->kind),
						 .endpoint = kinds[patch->kind].endpoint,
						 .body = body.data,
						 .body_len = body.len,
						 .may_be_empty = true,
						 .in_doubt = patch->in_doubt,
						 .rows = patch->rows};
}

GcCall *
gc_dnc_patch_start(GcCalls *calls, const GcDncPatch *patch)
{
	GcCallSpec spec;

	gc_dnc_patch_spec(patch, &spec);
	return gc_call_start(calls, &spec);
}

GcCall *
gc_dnc_wipe_start(GcCalls *calls, const GcDncList *list, GcDncKind kind, int64 *in_doubt)
{
	GcCallSpec spec = {.call_class = GC_CALL_IDEMPOTENT,
					   .method = "DELETE",
					   .path = path_of(list, kind),
					   .endpoint = kinds[kind].endpoint,
					   .may_be_empty = true,
					   .in_doubt = in_doubt,
					   .rows = 1};

	return gc_call_start(calls, &spec);
}

void
gc_dnc_throw(const GcCall *call, const char *message, const char *counts)
{
	GcFailure failure = *gc_call_failure(call);

	/* What gc_dnc_check_source() could not know. */
	if (failure.code && strcmp(failure.code, NOT_SUPPORTED) == 0)
	{
		failure.sqlstate = ERRCODE_FEATURE_NOT_SUPPORTED;
		failure.hint = elsewhere_hint;
	}
	else if (failure.code && strstr(failure.code, ".limit.exceeded"))
	{
		failure.sqlstate = ERRCODE_PROGRAM_LIMIT_EXCEEDED;
		failure.hint = "Remove entries that have expired, or use another list.";
	}
	gc_failure_throw(&failure, message, counts);
}
