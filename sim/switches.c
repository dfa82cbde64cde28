/*
 * switches.c
 *	  Everything that can be set: on the command line, and while running.
 */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "switches.h"
#include "util.h"

/*
 * A switch is one of its choices (the first is the default; stored as its
 * number) or, without choices, a number from 0 up.
 */
typedef struct SwitchDef
{
	const char *name;
	const char *choices[4];
	int64_t initial;
} SwitchDef;

static const SwitchDef defs[SW_COUNT] = {
	[SW_ABSENT_CELLS] = {"absent_cells", {"keep", "blank"}, 0},
	[SW_BAD_FILES] = {"bad_files", {"fail", "400"}, 0},
	[SW_BAD_ROWS] = {"bad_rows", {"refuse", "skip"}, 0},
	[SW_BETWEEN_BOUNDS] = {"between_bounds", {"inclusive", "exclusive"}, 0},
	[SW_BULK_COMPLETED] = {"bulk_completed", {"changed", "all"}, 0},
	[SW_BULK_EDIT_DATA] = {"bulk_edit_data", {"patch", "replace"}, 0},
	[SW_BULK_EDIT_MAX] = {"bulk_edit_max", {NULL}, 1000},
	[SW_BULK_FAIL_AFTER] = {"bulk_fail_after", {NULL}, 0},
	[SW_BULK_IN_USE] = {"bulk_in_use", {"skip", "fail"}, 0},
	[SW_BULK_JOBS_MAX] = {"bulk_jobs_max", {NULL}, 0},
	[SW_BULK_JOB_MS] = {"bulk_job_ms", {NULL}, 50},
	[SW_BULK_JOB_POLLS] = {"bulk_job_polls", {NULL}, 0},
	[SW_BULK_REQUESTS_PER_MINUTE] = {"bulk_requests_per_minute", {NULL}, 0},
	[SW_CAMPAIGN_ON] = {"campaign_on", {"free", "lock", "hold"}, 0},
	[SW_CAMPAIGN_STOP_MS] = {"campaign_stop_ms", {NULL}, 0},
	[SW_CLEAR_BUSY] = {"clear_busy", {"allow", "409"}, 0},
	[SW_CLEAR_MS] = {"clear_ms", {NULL}, 0},
	[SW_CONTACTS_MAX] = {"contacts_max", {NULL}, 0},
	[SW_CONTACT_ID_CHARS] = {"contact_id_chars", {"strict", "any"}, 0},
	[SW_CONTACT_ID_MAX] = {"contact_id_max", {NULL}, 100},
	[SW_CONTACT_SHAPE] = {"contact_shape", {"data", "typed"}, 0},
	[SW_DELETE_CONTACTS_MAX] = {"delete_contacts_max", {NULL}, 250},
	[SW_DELETE_STATUS] = {"delete_status", {"auto", "200", "204"}, 0},
	[SW_DIALECTS] = {"dialects", {"both", "platform"}, 0},
	[SW_DISCARD] = {"discard", {"off", "on"}, 0},
	[SW_DNC_ENTRIES_MAX] = {"dnc_entries_max", {NULL}, 1000},
	[SW_DNC_RECORDS_MAX] = {"dnc_records_max", {NULL}, 1000000},
	[SW_DNC_UNDATED_ADD] = {"dnc_undated_add", {"clear", "keep"}, 0},
	[SW_DOWNLOAD_REDIRECT] = {"download_redirect", {"on", "off"}, 0},
	[SW_DUPLICATE_IDS] = {"duplicate_ids", {"take", "409"}, 0},
	[SW_ECHO_ORDER] = {"echo_order", {"request", "reversed"}, 0},
	[SW_EXPORT_BUSY] = {"export_busy", {"409", "400", "join", "restart"}, 0},
	[SW_EXPORT_COLUMNS] = {"export_columns", {"new", "old"}, 0},
	[SW_EXPORT_HEADER] = {"export_header", {"quoted", "plain", "bare"}, 0},
	[SW_EXPORT_LINES] = {"export_lines", {"crlf", "lf"}, 0},
	[SW_EXPORT_MS] = {"export_ms", {NULL}, 50},
	[SW_EXPORT_QUOTE] = {"export_quote", {"minimal", "all"}, 0},
	[SW_EXPORT_STALE] = {"export_stale", {"on", "off"}, 0},
	[SW_EXPORT_URI] = {"export_uri", {"relative", "absolute", "storage"}, 0},
	[SW_EXTERNAL_ID_UNIQUE] = {"external_id_unique", {"off", "on"}, 0},
	[SW_GENERATED_CONTACTS] = {"generated_contacts", {NULL}, 1000000},
	[SW_GZIP] = {"gzip", {"off", "on"}, 0},
	[SW_IMPORT_ABSENT_COLUMNS] = {"import_absent_columns", {"take", "refuse"}, 0},
	[SW_IMPORT_BAD_ROWS] = {"import_bad_rows", {"skip", "fail"}, 0},
	[SW_IMPORT_BUSY] = {"import_busy", {"queue", "409"}, 0},
	[SW_IMPORT_COMPLETED] = {"import_completed", {"all", "accepted"}, 0},
	[SW_IMPORT_DELETE] = {"import_delete", {"refuse", "allow"}, 0},
	[SW_IMPORT_DONE_STATE] = {"import_done_state", {"absent", "null"}, 0},
	[SW_IMPORT_HOLD] = {"import_hold", {"off", "0", "50", "100"}, 0},
	[SW_IMPORT_LOCKS] = {"import_locks", {"off", "on"}, 0},
	[SW_IMPORT_MS] = {"import_ms", {NULL}, 50},
	[SW_IMPORT_POLLS] = {"import_polls", {NULL}, 0},
	[SW_IMPORT_SHOWS] = {"import_shows",
						 {"exact", "early_percent", "early_success", "stale"},
						 0},
	[SW_IMPORT_TINY] = {"import_tiny", {NULL}, 0},
	[SW_IMPORT_VERIFIES] = {"import_verifies", {"off", "on"}, 0},
	[SW_IN_USE_WRITES] = {"in_use_writes", {"409", "take", "skip"}, 0},
	[SW_JOBS_ACTIVE_MAX] = {"jobs_active_max", {NULL}, 3},
	[SW_JOBS_BYTES_MAX] = {"jobs_bytes_max", {NULL}, 10000000},
	[SW_JOBS_CONTACTS_MAX] = {"jobs_contacts_max", {NULL}, 50000},
	[SW_JOBS_PROCESSING] = {"jobs_processing", {"off", "on"}, 0},
	[SW_JOBS_ROWS_MAX] = {"jobs_rows_max", {NULL}, 5000},
	[SW_LATENCY_MS] = {"latency_ms", {NULL}, 0},
	[SW_LIMIT_SCOPE] = {"limit_scope", {"token", "client", "org"}, 0},
	[SW_LIST_IN_USE] = {"list_in_use", {"in_use", "integrity"}, 0},
	[SW_NON_STRING_DATA] = {"non_string_data", {"reject", "coerce"}, 0},
	[SW_OVERLONG_CELLS] = {"overlong_cells", {"reject", "truncate"}, 0},
	[SW_PAGE_PAST_END] = {"page_past_end", {"error", "empty"}, 0},
	[SW_PAGE_SIZE_OVER] = {"page_size_over", {"cap", "refuse"}, 0},
	[SW_PROVISION_CONTACTS_MS] = {"provision_contacts_ms", {NULL}, 0},
	[SW_PROVISION_MS] = {"provision_ms", {NULL}, 0},
	[SW_PROVISION_STATUS] = {"provision_status", {"404", "409"}, 0},
	[SW_PUT_ABSENT] = {"put_absent", {"keep", "reset"}, 0},
	[SW_PUT_MISSING_STATUS] = {"put_missing_status", {"400", "404"}, 0},
	[SW_RATE_HEADERS] = {"rate_headers", {"inin", "xratelimit", "both", "none"}, 0},
	[SW_RATE_WINDOW_SECONDS] = {"rate_window_seconds", {NULL}, 60},
	[SW_READ_LAG_MS] = {"read_lag_ms", {NULL}, 0},
	[SW_RECORD_BODIES] = {"record_bodies", {"off", "on"}, 0},
	[SW_RECORD_DIGEST] = {"record_digest", {"auto", "on", "off"}, 0},
	[SW_RECORD_MAX] = {"record_max", {NULL}, 100000},
	[SW_RECYCLE_MS] = {"recycle_ms", {NULL}, 5000},
	[SW_REQUESTS_PER_MINUTE] = {"requests_per_minute", {NULL}, 0},
	[SW_SCHEMA_LAG_MS] = {"schema_lag_ms", {NULL}, 0},
	[SW_SEARCH_MAX_ROWS] = {"search_max_rows", {NULL}, 0},
	[SW_SEED] = {"seed", {NULL}, 1},
	[SW_STATUS_PARTS] = {"status_parts", {"merge", "replace"}, 0},
	[SW_STORAGE_HOST] = {"storage_host", {"127.0.0.1", "localhost"}, 0},
	[SW_STORAGE_SECONDS] = {"storage_seconds", {NULL}, 600},
	[SW_TEXT_COMPARE] = {"text_compare", {"ignorecase", "exact"}, 0},
	[SW_THROTTLE_CODE] = {"throttle_code",
						  {"too.many.requests.retry.after", "too.many.requests"},
						  0},
	[SW_TOKEN_ERROR_STATUS] = {"token_error_status", {"400", "401"}, 0},
	[SW_TOKEN_LIFETIME] = {"token_lifetime", {NULL}, 86400},
	[SW_TOKEN_TYPE] = {"token_type", {"bearer", "Bearer"}, 0},
	[SW_UNKNOWN_FIELDS] = {"unknown_fields", {"refuse", "drop"}, 0},
	[SW_UPLOAD_LIMITED] = {"upload_limited", {"off", "on"}, 0},
	[SW_URI_MAX] = {"uri_max", {NULL}, 8192},
};

static _Atomic int64_t current[SW_COUNT];
static int64_t kept[SW_COUNT];

void
switches_init(void)
{
	for (int i = 0; i < SW_COUNT; i++)
		current[i] = defs[i].initial;
	switches_keep();
}

void
switches_keep(void)
{
	for (int i = 0; i < SW_COUNT; i++)
		kept[i] = current[i];
}

void
switches_reset(void)
{
	for (int i = 0; i < SW_COUNT; i++)
		current[i] = kept[i];
}

static int
find_switch(const char *name)
{
	for (int i = 0; i < SW_COUNT; i++)
		if (strcmp(defs[i].name, name) == 0)
			return i;
	return -1;
}

static bool
parse_value(const SwitchDef *def, const char *value, int64_t *out)
{
	char *end;

	if (def->choices[0])
	{
		for (int i = 0; i < 4 && def->choices[i]; i++)
			if (strcmp(def->choices[i], value) == 0)
			{
				*out = i;
				return true;
			}
		return false;
	}
	*out = strtoll(value, &end, 10);
	return *value && *end == '\0' && *out >= 0;
}

bool
switch_set(const char *name, const char *value, char **why)
{
	int i = find_switch(name);
	int64_t parsed;

	if (i < 0)
		*why = sim_printf("there is no switch \"%s\"", name);
	else if (!parse_value(&defs[i], value, &parsed))
		*why = sim_printf("switch \"%s\" cannot be \"%s\"", name, value);
	else
	{
		current[i] = parsed;
		return true;
	}
	return false;
}

/* true and false mean on and off, as far as a switch has those. */
bool
switch_set_json(const char *name, const json_t *value, char **why)
{
	char number[32];

	if (json_is_string(value))
		return switch_set(name, json_string_value(value), why);
	if (json_is_boolean(value))
		return switch_set(name, json_is_true(value) ? "on" : "off", why);
	if (!json_is_integer(value))
	{
		*why = sim_printf("switch \"%s\" takes a string, an integer or a boolean", name);
		return false;
	}
	snprintf(number, sizeof(number), "%lld", (long long) json_integer_value(value));
	return switch_set(name, number, why);
}

const char *
sw_text(Switch sw)
{
	return defs[sw].choices[current[sw]];
}

int64_t
sw_number(Switch sw)
{
	return defs[sw].choices[0] ? atoi(sw_text(sw)) : current[sw];
}

bool
sw_is(Switch sw, const char *choice)
{
	return strcmp(sw_text(sw), choice) == 0;
}

json_t *
switches_json(void)
{
	json_t *all = json_object();

	for (int i = 0; i < SW_COUNT; i++)
		json_object_set_new(all, defs[i].name,
							defs[i].choices[0] ? json_string(sw_text(i))
											   : json_integer(current[i]));
	return all;
}
