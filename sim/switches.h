/*
 * switches.h
 *	  Everything that can be set: on the command line, and while running.
 *
 * Owns the table of switches and their values.  Values may be read at any
 * time from any thread.
 */
#ifndef SIM_SWITCHES_H
#define SIM_SWITCHES_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

typedef enum Switch
{
	SW_ABSENT_CELLS,
	SW_BAD_FILES,
	SW_BAD_ROWS,
	SW_BETWEEN_BOUNDS,
	SW_BULK_COMPLETED,
	SW_BULK_EDIT_DATA,
	SW_BULK_EDIT_MAX,
	SW_BULK_FAIL_AFTER,
	SW_BULK_IN_USE,
	SW_BULK_JOBS_MAX,
	SW_BULK_JOB_MS,
	SW_BULK_JOB_POLLS,
	SW_BULK_REQUESTS_PER_MINUTE,
	SW_CAMPAIGN_ON,
	SW_CAMPAIGN_STOP_MS,
	SW_CLEAR_BUSY,
	SW_CLEAR_MS,
	SW_CONTACTS_MAX,
	SW_CONTACT_ID_CHARS,
	SW_CONTACT_ID_MAX,
	SW_CONTACT_SHAPE,
	SW_DELETE_CONTACTS_MAX,
	SW_DELETE_STATUS,
	SW_DIALECTS,
	SW_DISCARD,
	SW_DNC_ENTRIES_MAX,
	SW_DNC_RECORDS_MAX,
	SW_DNC_UNDATED_ADD,
	SW_DOWNLOAD_REDIRECT,
	SW_DUPLICATE_IDS,
	SW_ECHO_ORDER,
	SW_EXPORT_BUSY,
	SW_EXPORT_COLUMNS,
	SW_EXPORT_HEADER,
	SW_EXPORT_LINES,
	SW_EXPORT_MS,
	SW_EXPORT_QUOTE,
	SW_EXPORT_STALE,
	SW_EXPORT_URI,
	SW_EXTERNAL_ID_UNIQUE,
	SW_GENERATED_CONTACTS,
	SW_GZIP,
	SW_IMPORT_ABSENT_COLUMNS,
	SW_IMPORT_BAD_ROWS,
	SW_IMPORT_BUSY,
	SW_IMPORT_COMPLETED,
	SW_IMPORT_DELETE,
	SW_IMPORT_DONE_STATE,
	SW_IMPORT_HOLD,
	SW_IMPORT_LOCKS,
	SW_IMPORT_MS,
	SW_IMPORT_POLLS,
	SW_IMPORT_SHOWS,
	SW_IMPORT_TINY,
	SW_IMPORT_VERIFIES,
	SW_IN_USE_WRITES,
	SW_JOBS_ACTIVE_MAX,
	SW_JOBS_BYTES_MAX,
	SW_JOBS_CONTACTS_MAX,
	SW_JOBS_PROCESSING,
	SW_JOBS_ROWS_MAX,
	SW_LATENCY_MS,
	SW_LIMIT_SCOPE,
	SW_LIST_IN_USE,
	SW_NON_STRING_DATA,
	SW_OVERLONG_CELLS,
	SW_PAGE_PAST_END,
	SW_PAGE_SIZE_OVER,
	SW_PROVISION_CONTACTS_MS,
	SW_PROVISION_MS,
	SW_PROVISION_STATUS,
	SW_PUT_ABSENT,
	SW_PUT_MISSING_STATUS,
	SW_RATE_HEADERS,
	SW_RATE_WINDOW_SECONDS,
	SW_READ_LAG_MS,
	SW_RECORD_BODIES,
	SW_RECORD_DIGEST,
	SW_RECORD_MAX,
	SW_RECYCLE_MS,
	SW_REQUESTS_PER_MINUTE,
	SW_SCHEMA_LAG_MS,
	SW_SEARCH_MAX_ROWS,
	SW_SEED,
	SW_STATUS_PARTS,
	SW_STORAGE_HOST,
	SW_STORAGE_SECONDS,
	SW_TEXT_COMPARE,
	SW_THROTTLE_CODE,
	SW_TOKEN_ERROR_STATUS,
	SW_TOKEN_LIFETIME,
	SW_TOKEN_TYPE,
	SW_UNKNOWN_FIELDS,
	SW_UPLOAD_LIMITED,
	SW_URI_MAX,
	SW_COUNT
} Switch;

extern void switches_init(void);
extern void switches_keep(void); /* what a reset goes back to */
extern void switches_reset(void);

/* False, with a message to free in *why, when there is no such switch or value. */
extern bool switch_set(const char *name, const char *value, char **why);
extern bool switch_set_json(const char *name, const json_t *value, char **why);

extern int64_t sw_number(Switch sw);
extern bool sw_is(Switch sw, const char *choice);
extern const char *sw_text(Switch sw); /* of a switch with choices */
extern json_t *switches_json(void);

#endif
