/*
 * uploads.c
 *	  Files of contacts: sent to the upload service, or to the storage by a signed
 *	  address.
 */
#include <stdlib.h>
#include <strings.h>

#include "csvread.h"
#include "digest.h"
#include "errors.h"
#include "exports.h"
#include "lists.h"
#include "locks.h"
#include "state.h"
#include "switches.h"
#include "things.h"
#include "uploads.h"

#define MAX_SECONDS 604800

/* An address that was given, for whoever has it. */
typedef struct Ticket
{
	struct Ticket *next;
	char key[UUID_SIZE];
	char secret[UUID_SIZE];
	char *list_id;
	char *id_name; /* NULL = none */
	char *content_type;
	bool clear_system_data;
} Ticket;

static Ticket *tickets;

void
uploads_reset(void)
{
	while (tickets)
	{
		Ticket *gone = tickets;

		tickets = gone->next;
		free(gone->list_id);
		free(gone->id_name);
		free(gone->content_type);
		free(gone);
	}
}

static bool
refuse(Request *req, const char *code, const char *message)
{
	reply_error(req, 400, code, "%s", message);
	return false;
}

bool
upload_form(Request *req, const char *known)
{
	const Intake *intake = req->intake;

	if (intake->malformed)
		return refuse(req, "bad.request", "The body is no form, or it breaks off.");
	for (int i = 0; i < intake->nfields; i++)
	{
		char *wanted = sim_printf(" %s ", intake->fields[i].name);
		bool is_known = strstr(known, wanted) != NULL;

		free(wanted);
		if (!is_known)
			return refuse(req, "invalid.property", "The form has a field that is not known.");
	}
	if (!intake->has_file)
		return refuse(req, "constraint.validation", "file is required.");
	if (intake->failed)
		reply_error(req, 500, "internal.server.error", "There is no room for the file.");
	return !intake->failed;
}

/* One cell, in which another separator stands. */
static bool
is_delimited_otherwise(Stream *file)
{
	CsvRead *in = csvread_create(file);
	Span cells[MAX_CSV_CELLS];
	int n = 0;
	bool otherwise =
		csvread_next(in, cells, &n) == CSV_ROW && n == 1 &&
		(memchr(cells[0].p, ';', cells[0].n) || memchr(cells[0].p, '\t', cells[0].n) ||
		 memchr(cells[0].p, '|', cells[0].n));

	csvread_free(in);
	return otherwise;
}

UploadFile
upload_rows(Request *req, RowsOptions *options, bool refuses)
{
	Stream *file = req->intake->file;
	UploadFile rows = {NULL, req->intake->lines};
	CsvRead *in;

	if (file)
	{
		in = csvread_create(file);
		rows.total = csvread_count(in);
		csvread_free(in);
	}
	if (refuses && file && (rows.total < 0 || is_delimited_otherwise(file)))
	{
		refuse(req, "invalid.file.format", "The file format is invalid.");
		return rows;
	}
	if (rows.total < 0)
		options->broken = "IMPORT_COULD_NOT_PARSE_AN_ENTRY";
	rows.total = rows.total > options->header ? rows.total - options->header : 0;
	rows.rows = file ? rows_of_file(file, options) : rows_of_nothing(true);
	req->rows = rows.total;
	return rows;
}

Import *
upload_begin(Request *req, const char *list_id, ImportKind kind, UploadFile file)
{
	Import *import = import_add(req, list_id, kind, file.rows, file.total);

	import->bytes = req->intake->bytes;
	memcpy(import->sha256, req->intake->sha256, sizeof(import->sha256));
	return import;
}

/* A list has one import at a time, as far as it shows. */
static bool
is_busy(Request *req, const List *list)
{
	if (sw_is(SW_IMPORT_BUSY, "queue") || imports_active(list->id, false) == 0)
		return false;
	reply_error(req, 409, "contact.list.not.ready",
				"The contact list has an import in progress.");
	return true;
}

/* The list with that id, if it takes an import now; NULL with a reply. */
static List *
open_list(Request *req, const char *id)
{
	List *list = store_find((Span){(char *) id, strlen(id)});

	if (list == NULL || !list_is_ready(list))
		reply_error(req, 404, "contact.list.not.found", "The contact list was not found.");
	else if (!list_refuses_import(req, list) && !is_busy(req, list))
		return list;
	return NULL;
}

static void
take_form(Request *req, const char *list_id)
{
	const char *id_name = intake_value(req->intake, "contact-id-name");
	RowsOptions options = {.id_name = id_name && *id_name ? id_name : NULL,
						   .header = true,
						   .verifies = sw_is(SW_IMPORT_VERIFIES, "on")};
	UploadFile file = upload_rows(req, &options, sw_is(SW_BAD_FILES, "400"));

	if (file.rows == NULL)
		return;
	state_lock();
	if (open_list(req, list_id))
	{
		upload_begin(req, list_id, IMPORT_UPLOAD, file);
		reply_json(req, 200, json_pack("{s:s}", "correlationId", req->correlation_id));
	}
	else
		rows_free(file.rows);
	state_unlock();
}

void
upload_classic(Request *req)
{
	const char *type;
	const char *list_id;

	if (!upload_form(req, " id fileType contact-id-name "))
		return;
	type = intake_value(req->intake, "fileType");
	list_id = intake_value(req->intake, "id");
	if (!type || strcmp(type, "contactlist") != 0)
		refuse(req, "invalid.value", "fileType must be contactlist.");
	else if (!list_id || *list_id == '\0')
		refuse(req, "constraint.validation", "id is required.");
	else
		take_form(req, list_id);
}

static void
sign(const Ticket *ticket, int64_t until, char out[65])
{
	char *text = sim_printf("%s %s %lld", ticket->secret, ticket->key, (long long) until);

	sha256_hex(text, strlen(text), out);
	free(text);
}

static void
reply_ticket(Request *req, const Ticket *ticket, int64_t seconds)
{
	int64_t until = sim_now_us() / 1000000 + seconds;
	char *base = exports_storage();
	char signature[65];
	char *uri;

	sign(ticket, until, signature);
	uri = sim_printf("%s/uploads/%s?X-Amz-Algorithm=AWS4-HMAC-SHA256&Expires=%lld"
					 "&X-Amz-Signature=%s",
					 base, ticket->key, (long long) until, signature);
	reply_json(req, 200,
			   json_pack("{s:s, s:s, s:{s:s, s:s}}", "url", uri, "uploadKey", ticket->key,
						 "headers", "Content-Type", ticket->content_type,
						 "x-amz-meta-upload-key", ticket->key));
	free(uri);
	free(base);
}

static bool
is_text_member(const json_t *body, const char *name)
{
	const json_t *value = json_object_get(body, name);

	return !value || json_is_null(value) || json_is_string(value);
}

/* Whether the members are known and of their kinds. */
static bool
check_request(Request *req, const json_t *body)
{
	static const char texts[] =
		" contentType id contactIdName importTemplateId listNamePrefix "
		"divisionIdForTargetContactLists fileSpecificationTemplateId retentionTypeColumn "
		"retentionDaysColumn retentionDateExpirationColumn ";
	const char *name;
	json_t *value;

	json_object_foreach((json_t *) body, name, value)
	{
		char *wanted = sim_printf(" %s ", name);
		bool is_text = strstr(texts, wanted) != NULL;
		bool is_clear = strcmp(name, "clearSystemData") == 0;
		bool is_seconds = strcmp(name, "signedUrlTimeoutSeconds") == 0;

		free(wanted);
		if (!is_text && !is_clear && !is_seconds)
			return refuse(req, "invalid.property", "The request has no such property.");
		if ((is_text && !is_text_member(body, name)) ||
			(is_clear && !json_is_boolean(value)) || (is_seconds && !json_is_integer(value)))
			return refuse(req, "invalid.value", "A property has a value of the wrong kind.");
	}
	return true;
}

static bool
check_ticket(Request *req, const json_t *body, int64_t seconds)
{
	const char *type = json_string_value(json_object_get(body, "contentType"));

	if (!check_request(req, body))
		return false;
	if (!type)
		return refuse(req, "constraint.validation", "contentType is required.");
	if (strcmp(type, "text/csv") != 0)
		return refuse(req, "invalid.value", "contentType must be text/csv.");
	if (seconds < 1 || seconds > MAX_SECONDS)
		return refuse(req, "invalid.value",
					  "signedUrlTimeoutSeconds is between 1 and 604800.");
	return json_is_string(json_object_get(body, "id")) ||
		   refuse(req, "constraint.validation", "id is required.");
}

void
upload_sign(Request *req)
{
	json_t *body = thing_body(req);
	json_t *given = json_object_get(body, "signedUrlTimeoutSeconds");
	int64_t seconds = given ? json_integer_value(given) : sw_number(SW_STORAGE_SECONDS);
	const char *id_name = json_string_value(json_object_get(body, "contactIdName"));
	Ticket *ticket;
	List *list;

	if (body && check_ticket(req, body, seconds) &&
		(list = open_list(req, json_string_value(json_object_get(body, "id")))))
	{
		ticket = sim_alloc(sizeof(Ticket));
		sim_uuid(ticket->key);
		sim_uuid(ticket->secret);
		ticket->list_id = sim_strdup(list->id);
		ticket->id_name = id_name && *id_name ? sim_strdup(id_name) : NULL;
		ticket->content_type =
			sim_strdup(json_string_value(json_object_get(body, "contentType")));
		ticket->clear_system_data = json_is_true(json_object_get(body, "clearSystemData"));
		ticket->next = tickets;
		tickets = ticket;
		reply_ticket(req, ticket, seconds);
	}
	json_decref(body);
}

/* Just the headers that were given with the address, as far as the storage cares. */
static bool
has_headers(const Request *req, const Ticket *ticket)
{
	const char *type = request_header(req, "Content-Type");
	const char *key = request_header(req, "x-amz-meta-upload-key");

	for (int i = 0; i < req->nheaders; i++)
		if (strncasecmp(req->headers[i].name, "x-amz-", 6) == 0 &&
			strcasecmp(req->headers[i].name, "x-amz-meta-upload-key") != 0)
			return false;
	return type && strcmp(type, ticket->content_type) == 0 && key &&
		   strcmp(key, ticket->key) == 0;
}

static bool
is_signed(Request *req, const Ticket *ticket)
{
	const Span *until = request_param(req, "Expires");
	const Span *given = request_param(req, "X-Amz-Signature");
	int64_t expires = until ? strtoll(until->p, NULL, 10) : 0;
	char signature[65];

	sign(ticket, expires, signature);
	if (!given || !span_is(*given, signature) || !has_headers(req, ticket))
		storage_error(req, 403, "SignatureDoesNotMatch", "The signature does not match.");
	else if (expires < req->arrived_us / 1000000)
		storage_error(req, 403, "AccessDenied", "Request has expired");
	else
		return true;
	return false;
}

/* The ticket that the request shows, if it is all that it should be; NULL with a reply. */
static Ticket *
find_ticket(Request *req)
{
	Ticket *ticket = req->nparts == 2 ? tickets : NULL;

	while (ticket && !span_is(req->part[1], ticket->key))
		ticket = ticket->next;
	if (request_header(req, "Authorization"))
		storage_error(req, 400, "InvalidArgument",
					  "Only one auth mechanism allowed; only the X-Amz-Algorithm query "
					  "parameter or the Authorization header should be specified");
	else if (ticket == NULL)
		storage_error(req, 403, "AccessDenied", "Access Denied");
	else if (strcmp(req->method, "PUT") != 0)
		storage_error(req, 405, "MethodNotAllowed", "The method is not allowed.");
	else if (is_signed(req, ticket) && request_header(req, "Content-Length") == NULL)
		storage_error(req, 411, "MissingContentLength",
					  "You must provide the Content-Length HTTP header.");
	else if (req->reply.status == 0)
		return ticket;
	return NULL;
}

void
upload_put(Request *req)
{
	RowsOptions options = {.header = true, .verifies = sw_is(SW_IMPORT_VERIFIES, "on")};
	char *list_id = NULL;
	char *id_name = NULL;
	UploadFile file;
	Ticket *ticket;

	state_lock();
	if ((ticket = find_ticket(req)) != NULL)
	{
		list_id = sim_strdup(ticket->list_id);
		options.id_name = id_name = ticket->id_name ? sim_strdup(ticket->id_name) : NULL;
		options.clear_system_data = ticket->clear_system_data;
	}
	state_unlock();
	if (list_id)
	{
		file = upload_rows(req, &options, false);
		state_lock();
		upload_begin(req, list_id, IMPORT_PRESIGNED, file);
		reply_empty(req, 200);
		state_unlock();
	}
	free(id_name);
	free(list_id);
}
