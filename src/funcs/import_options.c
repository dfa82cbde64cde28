/*
 * funcs/import_options.c
 *	  The options of submit_import(), which come as JSON.
 */
#include "postgres.h"

#include "base/nearest.h"
#include "funcs/import_options.h"

#include "utils/builtins.h"
#include "utils/guc.h"

/* Contacts of a part: at least a request's, and no more than the platform takes at once. */
#define PART_ROWS_MIN 1000
#define PART_ROWS_MAX 1000000

#define DAY_MS (24 * 60 * 60 * 1000)

typedef void (*OptionReader)(const char *name, JsonbValue *value, GcSubmission *submission);

static _Noreturn void
throw_value(const char *name, const char *hint)
{
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					errmsg("invalid value for option \"%s\" of submit_import()", name),
					errhint("%s", hint)));
}

/* A number or a string, as text; NULL: it is neither. */
static char *
scalar(const JsonbValue *value)
{
	if (value->type == jbvString)
		return pnstrdup(value->val.string.val, value->val.string.len);
	if (value->type == jbvNumeric)
		return DatumGetCString(
			DirectFunctionCall1(numeric_out, NumericGetDatum(value->val.numeric)));
	return NULL;
}

static void
read_part_rows(const char *name, JsonbValue *value, GcSubmission *submission)
{
	char *given = scalar(value);
	int rows;

	if (given == NULL || !parse_int(given, &rows, 0, NULL) || rows < PART_ROWS_MIN ||
		rows > PART_ROWS_MAX)
		throw_value(name, "It is a number of rows, from 1000 to 1000000.");
	submission->part_rows = rows;
}

static void
read_stall_timeout(const char *name, JsonbValue *value, GcSubmission *submission)
{
	char *given = scalar(value);
	int ms;

	if (given == NULL || !parse_int(given, &ms, GUC_UNIT_MS, NULL) || ms < 1 || ms > DAY_MS)
		throw_value(name, "It is a time of up to a day, such as \"30min\".");
}

static bool
is_token_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		   (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

/* A header's name is a token, and its value has no line to end. */
static bool
is_header(const char *name, int name_len, const char *value, int value_len)
{
	for (int i = 0; i < name_len; i++)
		if (!is_token_char(name[i]))
			return false;
	for (int i = 0; i < value_len; i++)
		if (((unsigned char) value[i] < ' ' && value[i] != '\t') || value[i] == 0x7f)
			return false;
	return name_len > 0;
}

static void
read_webhook_headers(const char *name, JsonbValue *value, GcSubmission *submission)
{
	static const char hint[] =
		"It is an object of HTTP headers, such as {\"X-Team\": \"outbound\"}.";
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue header = {0};
	JsonbValue item;

	if (value->type != jbvBinary || !JsonContainerIsObject(value->val.binary.data))
		throw_value(name, hint);
	iterator = JsonbIteratorInit(value->val.binary.data);
	while ((token = JsonbIteratorNext(&iterator, &item, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
			header = item;
		else if (token == WJB_VALUE &&
				 (item.type != jbvString ||
				  !is_header(header.val.string.val, header.val.string.len, item.val.string.val,
							 item.val.string.len)))
			throw_value(name, hint);
	}
}

static const struct
{
	const char *name;
	OptionReader read;
} import_options[] = {
	{"part_rows", read_part_rows},
	{"stall_timeout", read_stall_timeout},
	{"webhook_headers", read_webhook_headers},
};

static _Noreturn void
throw_name(const char *name)
{
	GcNearest nearest;

	gc_nearest_init(&nearest, name);
	for (int i = 0; i < lengthof(import_options); i++)
		gc_nearest_offer(&nearest, import_options[i].name);
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("invalid option \"%s\" of submit_import()", name),
			 nearest.best
				 ? errhint("Perhaps you meant the option \"%s\".", nearest.best)
				 : errhint("Its options are part_rows, stall_timeout and webhook_headers.")));
}

static void
read_option(const char *name, JsonbValue *value, GcSubmission *submission)
{
	for (int i = 0; i < lengthof(import_options); i++)
		if (strcmp(import_options[i].name, name) == 0)
		{
			import_options[i].read(name, value, submission);
			return;
		}
	throw_name(name);
}

void
gc_import_options_read(Jsonb *options, GcSubmission *submission)
{
	JsonbIterator *iterator = JsonbIteratorInit(&options->root);
	JsonbIteratorToken token;
	JsonbValue item;
	char *name = NULL;

	if (!JB_ROOT_IS_OBJECT(options))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("the options of submit_import() must be a JSON object")));
	while ((token = JsonbIteratorNext(&iterator, &item, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
			name = pnstrdup(item.val.string.val, item.val.string.len);
		else if (token == WJB_VALUE)
			read_option(name, &item, submission);
	}
	submission->options = JsonbToCString(NULL, &options->root, VARSIZE(options));
}
