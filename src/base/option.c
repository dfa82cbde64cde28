/*
 * base/option.c
 *	  The table of options, its validator and its readers.
 */
#include "postgres.h"

#include <limits.h>

#include "base/nearest.h"
#include "base/option.h"
#include "base/region.h"
#include "base/url_check.h"

#include "catalog/pg_collation.h"
#include "commands/defrem.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "regex/regex.h"
#include "utils/builtins.h"
#include "utils/guc.h"

typedef enum OptionType
{
	OPTION_STRING,	/* anything but empty */
	OPTION_TOKEN,	/* visible ASCII, since it goes into a header */
	OPTION_BOOL,	/* as PostgreSQL spells booleans */
	OPTION_INT,		/* within min and max */
	OPTION_REAL,	/* within min and max */
	OPTION_MS,		/* a time; a plain number is milliseconds */
	OPTION_KB,		/* a size; a plain number is kilobytes */
	OPTION_FILE,	/* one that the server reads; for superusers to set */
	OPTION_URL,		/* https, or http to a loopback address */
	OPTION_PROXY,	/* the URL of a proxy, without credentials */
	OPTION_REGION,	/* an AWS region of the platform */
	OPTION_PATTERN, /* a regular expression */
	OPTION_WORD,	/* one of "words" */
} OptionType;

typedef struct Option
{
	const char *name;
	int places;
	OptionType type;
	const char *default_value; /* NULL: none */
	double min;
	double max;
	const char *const *words; /* OPTION_WORD: NULL-terminated */
} Option;

static const char *const dialect_words[] = {"platform", "jobs", NULL};
static const char *const names_words[] = {"snake", "exact", NULL};
static const char *const drift_words[] = {"warn", "error", "ignore", NULL};
static const char *const partial_words[] = {"allow", "merge", "refuse", NULL};
static const char *const error_words[] = {"stop", "reject", NULL};
static const char *const upload_words[] = {"classic", "presigned", NULL};
static const char *const deliver_words[] = {"statement", "commit", "import", NULL};
static const char *const duplicate_words[] = {"update", "ignore", "error", NULL};
static const char *const update_words[] = {"put", "patch", NULL};
static const char *const scan_words[] = {"auto", "ids", "search", "export", NULL};
static const char *const verification_words[] = {"strict", "relaxed", NULL};
static const char *const format_words[] = {"e164", "email", NULL};
static const char *const attributes_words[] = {"common", "all", NULL};

#define SERVER_TABLE (GC_PLACE_SERVER | GC_PLACE_TABLE)
#define DAY_MS		 (24.0 * 3600 * 1000)

/* Sources of the numbers: the names' reference; 5,000 a request and 100 a page are the API's own. */
static const Option option_table[] = {
	/* name, places, type, default, min, max */
	{"region", GC_PLACE_SERVER, OPTION_REGION},
	{"api_url", GC_PLACE_SERVER, OPTION_URL},
	{"login_url", GC_PLACE_SERVER, OPTION_URL},
	{"upload_url", GC_PLACE_SERVER, OPTION_URL},
	{"dialect", GC_PLACE_SERVER, OPTION_WORD, "platform", 0, 0, dialect_words},
	{"requests_per_minute", GC_PLACE_SERVER, OPTION_INT, "300", 1, 1000000},
	{"requests_per_second", GC_PLACE_SERVER, OPTION_REAL, "15", 0, 100000},
	{"bulk_requests_per_minute", GC_PLACE_SERVER, OPTION_INT, "0", 0, 1000000},
	{"quota_share", GC_PLACE_SERVER, OPTION_REAL, "1.0", 0.001, 1},
	{"quota_reserve", GC_PLACE_SERVER, OPTION_REAL, "0.1", 0, 1},
	{"max_requests", GC_PLACE_SERVER, OPTION_INT, "0", 0, INT_MAX},
	{"jitter", GC_PLACE_SERVER, OPTION_MS, "100ms", 0, 60000},
	{"max_in_flight", GC_PLACE_SERVER, OPTION_INT, "4", 1, 64},
	{"connect_timeout", GC_PLACE_SERVER, OPTION_MS, "10s", 1, DAY_MS},
	{"request_timeout", GC_PLACE_SERVER, OPTION_MS, "60s", 1, DAY_MS},
	{"retry_timeout", GC_PLACE_SERVER, OPTION_MS, "5min", 0, DAY_MS},
	{"max_retries", GC_PLACE_SERVER, OPTION_INT, "20", 0, 1000},
	{"max_response_size", GC_PLACE_SERVER, OPTION_KB, "64MB", 1, 1024 * 1024},
	{"read_lag", GC_PLACE_SERVER, OPTION_MS, "10s", 0, DAY_MS},
	{"ca_file", GC_PLACE_SERVER, OPTION_FILE},
	{"proxy", GC_PLACE_SERVER, OPTION_PROXY},

	{"client_id", GC_PLACE_MAPPING, OPTION_TOKEN},
	{"client_secret", GC_PLACE_MAPPING, OPTION_STRING},
	{"client_secret_file", GC_PLACE_MAPPING, OPTION_FILE},
	{"access_token", GC_PLACE_MAPPING, OPTION_TOKEN},
	{"client_cert", GC_PLACE_MAPPING, OPTION_FILE},
	{"client_key", GC_PLACE_MAPPING, OPTION_FILE},
	{"proxy_user", GC_PLACE_MAPPING, OPTION_STRING},
	{"proxy_password", GC_PLACE_MAPPING, OPTION_STRING},
	{"webhook_secret", GC_PLACE_MAPPING, OPTION_STRING},

	{"batch_size", SERVER_TABLE, OPTION_INT, "1000", 1, 5000},
	{"batch_bytes", SERVER_TABLE, OPTION_KB, "500kB", 1, 500},
	{"buffer_memory", SERVER_TABLE, OPTION_KB, "8MB", 64, 1024 * 1024},
	{"fetch_size", SERVER_TABLE, OPTION_INT, "100", 1, 100},
	{"verification", SERVER_TABLE, OPTION_WORD, "strict", 0, 0, verification_words},
	{"on_error", SERVER_TABLE, OPTION_WORD, "stop", 0, 0, error_words},
	{"max_rejects", SERVER_TABLE, OPTION_INT, "1000", 0, INT_MAX},
	{"list_freshness", SERVER_TABLE, OPTION_MS, "10s", 0, DAY_MS},
	{"on_duplicate", SERVER_TABLE, OPTION_WORD, "update", 0, 0, duplicate_words},
	{"on_drift", SERVER_TABLE, OPTION_WORD, "warn", 0, 0, drift_words},
	{"fdw_startup_cost", SERVER_TABLE, OPTION_REAL, "0", 0, 1e10},
	{"fdw_tuple_cost", SERVER_TABLE, OPTION_REAL, "0.01", 0, 1e10},
	{"use_remote_estimate", SERVER_TABLE, OPTION_BOOL, "false"},
	{"exact_filters", SERVER_TABLE, OPTION_BOOL, "false"},
	{"scan_method", SERVER_TABLE, OPTION_WORD, "auto", 0, 0, scan_words},
	{"ready_timeout", SERVER_TABLE, OPTION_MS, "2min", 1, DAY_MS},
	{"async_capable", SERVER_TABLE, OPTION_BOOL, "true"},
	{"deliver", SERVER_TABLE, OPTION_WORD, "statement", 0, 0, deliver_words},
	{"updatable", SERVER_TABLE, OPTION_BOOL, "true"},
	{"truncatable", SERVER_TABLE, OPTION_BOOL, "true"},
	{"partial_rows", SERVER_TABLE, OPTION_WORD, "allow", 0, 0, partial_words},
	{"direct_modify", SERVER_TABLE, OPTION_BOOL, "false"},
	{"ledger", SERVER_TABLE, OPTION_BOOL, "false"},
	{"import_threshold", SERVER_TABLE, OPTION_INT, "50000", 0, INT_MAX},
	{"upload_method", SERVER_TABLE, OPTION_WORD, "classic", 0, 0, upload_words},
	{"update_freshness", SERVER_TABLE, OPTION_MS, "30s", 0, DAY_MS},

	{"object", GC_PLACE_TABLE, OPTION_STRING},
	{"list_id", GC_PLACE_TABLE, OPTION_STRING},
	{"list_name", GC_PLACE_TABLE, OPTION_STRING},
	{"dnc_list_id", GC_PLACE_TABLE, OPTION_STRING},
	{"dnc_list_name", GC_PLACE_TABLE, OPTION_STRING},
	{"key", GC_PLACE_TABLE, OPTION_STRING},
	{"priority", GC_PLACE_TABLE, OPTION_BOOL, "false"},
	{"clear_system_data", GC_PLACE_TABLE, OPTION_BOOL, "false"},
	{"do_not_queue", GC_PLACE_TABLE, OPTION_BOOL, "false"},
	{"path", GC_PLACE_TABLE, OPTION_STRING},
	{"items", GC_PLACE_TABLE, OPTION_STRING, "entities"},
	{"id_field", GC_PLACE_TABLE, OPTION_STRING, "id"},
	{"natural_key", GC_PLACE_TABLE, OPTION_STRING},
	{"version_field", GC_PLACE_TABLE, OPTION_STRING},
	{"paged", GC_PLACE_TABLE, OPTION_BOOL, "true"},
	{"update_method", GC_PLACE_TABLE, OPTION_WORD, "put", 0, 0, update_words},
	{"contact_id_pattern", GC_PLACE_TABLE, OPTION_PATTERN, "^[A-Za-z0-9._:@-]{1,100}$"},

	{"field", GC_PLACE_COLUMN, OPTION_STRING},
	{"attribute", GC_PLACE_COLUMN, OPTION_STRING},
	{"format", GC_PLACE_COLUMN, OPTION_WORD, NULL, 0, 0, format_words},
	{"key", GC_PLACE_IMPORT, OPTION_STRING},
	{"names", GC_PLACE_IMPORT, OPTION_WORD, "snake", 0, 0, names_words},
	{"list_prefix", GC_PLACE_IMPORT, OPTION_STRING},
	{"objects", GC_PLACE_IMPORT, OPTION_BOOL, "true"},
	{"attributes", GC_PLACE_IMPORT, OPTION_WORD, "common", 0, 0, attributes_words},
};

/* The option of that name that may stand in one of "places", or NULL. */
static const Option *
option_find(const char *name, int places)
{
	for (int i = 0; i < lengthof(option_table); i++)
		if ((option_table[i].places & places) && strcmp(option_table[i].name, name) == 0)
			return &option_table[i];
	return NULL;
}

static const char *
place_name(int places)
{
	if (places & GC_PLACE_SERVER)
		return "a foreign server";
	if (places & GC_PLACE_MAPPING)
		return "a user mapping";
	if (places & GC_PLACE_TABLE)
		return "a foreign table";
	if (places & GC_PLACE_COLUMN)
		return "a column";
	return places & GC_PLACE_IMPORT ? "IMPORT FOREIGN SCHEMA" : "a foreign-data wrapper";
}

/* May a message repeat the value?  A secret never, not even a wrong one. */
static bool
value_is_public(const Option *option, const char *value)
{
	if (option->places & GC_PLACE_MAPPING)
		return false;
	/* https://user:password@host */
	return (option->type != OPTION_URL && option->type != OPTION_PROXY) ||
		   strchr(value, '@') == NULL;
}

static void
option_bad_value(const Option *option, const char *value, const char *hint)
{
	if (!value_is_public(option, value))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("invalid value for option \"%s\"", option->name),
						hint ? errhint("%s", hint) : 0));
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					errmsg("invalid value for option \"%s\": \"%s\"", option->name, value),
					hint ? errhint("%s", hint) : 0));
}

static void
check_region(const Option *option, const char *value)
{
	const char *nearest;

	if (gc_region_exists(value, &nearest))
		return;
	option_bad_value(
		option, value,
		nearest
			? psprintf("Perhaps you meant \"%s\".", nearest)
			: "A region is an AWS region name, such as \"us-east-1\" or \"eu-central-1\".");
}

static void
check_pattern(const Option *option, const char *value)
{
	int chars = pg_mbstrlen(value);
	pg_wchar *wide = palloc((strlen(value) + 1) * sizeof(pg_wchar));
	regex_t regex;

	pg_mb2wchar_with_len(value, wide, strlen(value));
	if (pg_regcomp(&regex, wide, chars, REG_ADVANCED | REG_NOSUB, C_COLLATION_OID) != REG_OKAY)
		option_bad_value(option, value, "It must be a regular expression.");
	pg_regfree(&regex);
}

static void
check_word(const Option *option, const char *value)
{
	StringInfoData hint;

	initStringInfo(&hint);
	for (const char *const *word = option->words; *word; word++)
	{
		if (strcmp(*word, value) == 0)
			return;
		appendStringInfo(&hint, "%s\"%s\"", hint.len ? ", " : "Valid values are ", *word);
	}
	appendStringInfoChar(&hint, '.');
	option_bad_value(option, value, hint.data);
}

/* What a number looks like; the parser's own hint, where it has one, says more. */
static const char *
number_hint(OptionType type)
{
	switch (type)
	{
		case OPTION_MS:
			return "A time is a number with a unit, such as \"30s\".";
		case OPTION_KB:
			return "A size is a number with a unit, such as \"500kB\".";
		case OPTION_INT:
			return "It must be a whole number.";
		default:
			return "It must be a number.";
	}
}

/* Parses a number (int, real, time in ms, size in kB) and holds it to its range. */
static double
option_number(const Option *option, const char *value)
{
	const char *hint = NULL;
	double number = 0;
	int flags = option->type == OPTION_MS	? GUC_UNIT_MS
				: option->type == OPTION_KB ? GUC_UNIT_KB
											: 0;

	if (option->type == OPTION_REAL)
	{
		if (!parse_real(value, &number, 0, &hint))
			option_bad_value(option, value, hint ? hint : number_hint(option->type));
	}
	else
	{
		int whole;

		if (!parse_int(value, &whole, flags, &hint))
			option_bad_value(option, value, hint ? hint : number_hint(option->type));
		number = whole;
	}
	if (!(number >= option->min && number <= option->max))
		option_bad_value(option, value,
						 psprintf("It must be between %.15g%s and %.15g%s.", option->min,
								  option->type == OPTION_MS	  ? " ms"
								  : option->type == OPTION_KB ? " kB"
															  : "",
								  option->max,
								  option->type == OPTION_MS	  ? " ms"
								  : option->type == OPTION_KB ? " kB"
															  : ""));
	return number;
}

static void
option_check(const Option *option, const char *value)
{
	bool flag;
	const char *problem;

	switch (option->type)
	{
		case OPTION_STRING:
		case OPTION_FILE:
			if (*value == '\0')
				option_bad_value(option, value, "It must not be empty.");
			break;
		case OPTION_TOKEN:
			if (*value == '\0')
				option_bad_value(option, value, "It must not be empty.");
			for (const char *p = value; *p; p++)
				if (*p <= ' ' || *p > '~')
					option_bad_value(option, value,
									 "It must be visible ASCII characters, without spaces.");
			break;
		case OPTION_BOOL:
			if (!parse_bool(value, &flag))
				option_bad_value(option, value, "It must be \"true\" or \"false\".");
			break;
		case OPTION_INT:
		case OPTION_REAL:
		case OPTION_MS:
		case OPTION_KB:
			(void) option_number(option, value);
			break;
		case OPTION_URL:
			problem = gc_url_problem(value);
			if (problem)
				option_bad_value(option, value, problem);
			break;
		case OPTION_PROXY:
			problem = gc_url_proxy_problem(value);
			if (problem)
				option_bad_value(option, value, problem);
			break;
		case OPTION_REGION:
			check_region(option, value);
			break;
		case OPTION_PATTERN:
			check_pattern(option, value);
			break;
		case OPTION_WORD:
			check_word(option, value);
			break;
	}
}

/* Options that say the same thing twice, or contradict each other. */
static const char *const exclusive_table[][2] = {
	{"region", "api_url"},
	{"region", "login_url"},
	{"region", "upload_url"},
	{"list_id", "list_name"},
	{"dnc_list_id", "dnc_list_name"},
	{"field", "attribute"},
	{"format", "attribute"},
	{"access_token", "client_id"},
	{"access_token", "client_secret"},
	{"access_token", "client_secret_file"},
	{"client_secret", "client_secret_file"},
};

/* Options that mean nothing without another. */
static const char *const needs_table[][2] = {
	{"client_key", "client_cert"},
	{"proxy_password", "proxy_user"},
};

static void
check_combination(List *options)
{
	for (int i = 0; i < lengthof(exclusive_table); i++)
		if (gc_option_given(options, exclusive_table[i][0]) &&
			gc_option_given(options, exclusive_table[i][1]))
			ereport(ERROR, (errcode(ERRCODE_FDW_INVALID_OPTION_NAME),
							errmsg("options \"%s\" and \"%s\" exclude each other",
								   exclusive_table[i][0], exclusive_table[i][1])));
	for (int i = 0; i < lengthof(needs_table); i++)
		if (gc_option_given(options, needs_table[i][0]) &&
			!gc_option_given(options, needs_table[i][1]))
			ereport(ERROR, (errcode(ERRCODE_FDW_INVALID_OPTION_NAME),
							errmsg("option \"%s\" needs option \"%s\"", needs_table[i][0],
								   needs_table[i][1])));
}

/*
 * Whoever could name a file would have the server's own rights to read it, or
 * at least to learn whether it exists.  As postgres_fdw does, the whole set is
 * looked at: beside such an option only a superuser changes another.
 */
static void
check_may_set(const Option *option, GcOptionPlace place)
{
	if (option->type == OPTION_FILE && !superuser())
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("option \"%s\" is superuser-only", option->name),
				 place == GC_PLACE_SERVER
					 ? errhint("Servers with the option \"%s\" set may only be created or "
							   "modified by the superuser.",
							   option->name)
					 : errhint("User mappings with the option \"%s\" set may only be created "
							   "or modified by the superuser.",
							   option->name)));
}

/* Plain http never leaves this machine, so neither does it through a proxy. */
static void
check_proxy_reach(List *options)
{
	static const char *const base_urls[] = {"api_url", "login_url", "upload_url"};
	const char *proxy = gc_option_string(options, NIL, "proxy");

	for (int i = 0; i < lengthof(base_urls); i++)
	{
		const char *base = gc_option_string(options, NIL, base_urls[i]);

		if (proxy && base && gc_url_is_plain(base) && !gc_url_is_loopback(proxy))
			ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
							errmsg("option \"%s\" is plain http, which is not sent to a proxy "
								   "elsewhere",
								   base_urls[i]),
							errhint("Use https.")));
	}
}

/* "Valid options are: …" of a place, in the table's order. */
static const char *
valid_options(GcOptionPlace place)
{
	StringInfoData names;

	initStringInfo(&names);
	for (int i = 0; i < lengthof(option_table); i++)
		if (option_table[i].places & place)
			appendStringInfo(&names, "%s%s", names.len ? ", " : "", option_table[i].name);
	return names.data;
}

/* Reports an option that may not stand where it stands. */
static void
option_unknown(const char *name, GcOptionPlace place)
{
	const Option *elsewhere = option_find(name, ~0);
	GcNearest nearest;

	if (elsewhere != NULL)
		ereport(ERROR, (errcode(ERRCODE_FDW_INVALID_OPTION_NAME),
						errmsg("option \"%s\" does not belong on %s", name, place_name(place)),
						errhint("It is an option of %s.", place_name(elsewhere->places))));
	if (place == 0)
		ereport(ERROR, (errcode(ERRCODE_FDW_INVALID_OPTION_NAME),
						errmsg("invalid option \"%s\"", name),
						errhint("The wrapper has no options.")));
	gc_nearest_init(&nearest, name);
	for (int i = 0; i < lengthof(option_table); i++)
		if (option_table[i].places & place)
			gc_nearest_offer(&nearest, option_table[i].name);
	ereport(ERROR,
			(errcode(ERRCODE_FDW_INVALID_OPTION_NAME), errmsg("invalid option \"%s\"", name),
			 nearest.best ? errhint("Perhaps you meant the option \"%s\".", nearest.best)
						  : errhint("The options of %s are: %s.", place_name(place),
									valid_options(place))));
}

void
gc_option_validate(List *options, GcOptionPlace place)
{
	ListCell *lc;

	foreach (lc, options)
	{
		DefElem *def = (DefElem *) lfirst(lc);
		const Option *option = option_find(def->defname, place);

		if (option == NULL)
			option_unknown(def->defname, place);
		check_may_set(option, place);
		option_check(option, defGetString(def));
	}
	check_combination(options);
	check_proxy_reach(options);
}

static const char *
list_value(List *options, const char *name)
{
	ListCell *lc;

	foreach (lc, options)
	{
		DefElem *def = (DefElem *) lfirst(lc);

		if (strcmp(def->defname, name) == 0)
			return defGetString(def);
	}
	return NULL;
}

/* The option's definition and its value in force; checked, since catalogs can be old. */
static const char *
option_value(List *options, List *fallback, const char *name, const Option **option)
{
	const char *value = list_value(options, name);

	if (value == NULL)
		value = list_value(fallback, name);
	*option = option_find(name, ~0);
	if (*option == NULL)
		elog(ERROR, "option \"%s\" is not in the table", name);
	if (value == NULL)
		return (*option)->default_value;
	option_check(*option, value);
	return value;
}

const char *
gc_option_string(List *options, List *fallback, const char *name)
{
	const Option *option;

	return option_value(options, fallback, name, &option);
}

bool
gc_option_bool(List *options, List *fallback, const char *name)
{
	const Option *option;
	bool result = false;

	(void) parse_bool(option_value(options, fallback, name, &option), &result);
	return result;
}

int
gc_option_int(List *options, List *fallback, const char *name)
{
	return (int) gc_option_real(options, fallback, name);
}

double
gc_option_real(List *options, List *fallback, const char *name)
{
	const Option *option;
	const char *value = option_value(options, fallback, name, &option);

	return option_number(option, value);
}

int
gc_option_ms(List *options, List *fallback, const char *name)
{
	return (int) gc_option_real(options, fallback, name);
}

int64
gc_option_bytes(List *options, List *fallback, const char *name)
{
	return (int64) gc_option_real(options, fallback, name) * 1024;
}

bool
gc_option_given(List *options, const char *name)
{
	return list_value(options, name) != NULL;
}
