/*
 * faults.c
 *	  What tests ask to go wrong: matching, and what becomes of a reply.
 */
#include <fnmatch.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>

#include "bodies.h"
#include "conflicts.h"
#include "errors.h"
#include "faults.h"
#include "state.h"
#include "switches.h"

typedef enum MemberKind
{
	M_TEXT,
	M_NUMBER,
	M_PERCENT,
	M_FLAG,
	M_WORDS,
	M_CONFLICT,
	M_BODY,
	M_DROP,
	M_OBJECT,
	M_CALLS,
	M_ANY
} MemberKind;

static const char *const drops[] = {"before", "after", "during",
									NULL}; /* in the order of Drop */

/* What a fault may say; offset 0 (refs' own) = read from spec when needed. */
static const struct Member
{
	const char *name;
	MemberKind kind;
	size_t offset;
} members[] = {
	{"method", M_TEXT, offsetof(Fault, method)},
	{"path", M_TEXT, offsetof(Fault, path)},
	{"body_contains", M_TEXT, offsetof(Fault, body_contains)},
	{"nth", M_NUMBER, offsetof(Fault, nth)},
	{"every", M_NUMBER, offsetof(Fault, every)},
	{"times", M_NUMBER, offsetof(Fault, times)},
	{"percent", M_PERCENT, offsetof(Fault, percent)},
	{"status", M_NUMBER, offsetof(Fault, status)},
	{"effect", M_FLAG, offsetof(Fault, effect)},
	{"conflict", M_CONFLICT, offsetof(Fault, conflict)},
	{"conflict_words", M_WORDS, offsetof(Fault, words)},
	{"content_type", M_TEXT, offsetof(Fault, content_type)},
	{"delay_ms", M_NUMBER, offsetof(Fault, delay_ms)},
	{"delay_before_ms", M_NUMBER, offsetof(Fault, delay_before_ms)},
	{"stall", M_FLAG, offsetof(Fault, stall)},
	{"drop", M_DROP, offsetof(Fault, drop)},
	{"rst", M_FLAG, offsetof(Fault, rst)},
	{"truncate", M_NUMBER, offsetof(Fault, truncate)},
	{"bytes_per_second", M_NUMBER, offsetof(Fault, bytes_per_second)},
	{"read_bytes_per_second", M_NUMBER, offsetof(Fault, read_bytes_per_second)},
	{"echo_less", M_NUMBER, offsetof(Fault, echo_less)},
	{"headers", M_OBJECT, 0},
	{"body", M_TEXT, 0},
	{"body_kind", M_BODY, offsetof(Fault, body_kind)},
	{"body_bytes", M_NUMBER, offsetof(Fault, body_bytes)},
	{"body_json", M_ANY, 0},
	{"echo_patch", M_OBJECT, 0},
	{CALLS_BEFORE, M_CALLS, 0},
	{CALLS_AFTER, M_CALLS, 0},
	{NULL, M_ANY, 0},
};

#define MAX_FAULTS 256

static Fault *faults[MAX_FAULTS];
static int nfaults;
static _Atomic int nduring; /* of them, those that strike during the body */
static uint64_t random_state;

/* Choices count from 1. */
static bool
set_choice(int *place, const char *const *choices, const json_t *value)
{
	*place = 0;
	for (int i = 0; json_is_string(value) && choices[i]; i++)
		if (strcmp(choices[i], json_string_value(value)) == 0)
			*place = i + 1;
	return *place > 0;
}

/* [{"method": "POST", "path": "/…", "body": …}, …]; method and body may be left out. */
static bool
are_calls(const json_t *calls)
{
	size_t i;
	json_t *one;
	bool good = json_is_array(calls);

	json_array_foreach(calls, i, one)
	{
		const char *path = json_string_value(json_object_get(one, "path"));
		json_t *method = json_object_get(one, "method");

		if (!path || *path != '/' || (method && !json_is_string(method)))
			good = false;
	}
	return good;
}

static bool
set_member(Fault *fault, const struct Member *member, const json_t *value)
{
	void *place = (char *) fault + member->offset;

	switch (member->kind)
	{
		case M_TEXT:
			if (member->offset && json_is_string(value))
				*(const char **) place = json_string_value(value);
			return json_is_string(value);
		case M_NUMBER:
			if (!json_is_integer(value) || json_integer_value(value) < 0)
				return false;
			*(int64_t *) place = json_integer_value(value);
			return true;
		case M_FLAG:
			*(bool *) place = json_is_true(value);
			return json_is_boolean(value);
		case M_PERCENT:
			*(double *) place = json_number_value(value);
			return *(double *) place > 0 && *(double *) place <= 100;
		case M_WORDS:
			*(int64_t *) place = json_is_true(value) ? 1 : json_integer_value(value);
			return json_is_boolean(value) || *(int64_t *) place > 0;
		case M_CONFLICT:
			return set_choice(place, conflict_names, value);
		case M_BODY:
			return set_choice(place, body_kind_names, value);
		case M_DROP:
			return set_choice(place, drops, value);
		case M_OBJECT:
			return json_is_object(value);
		case M_CALLS:
			return are_calls(value);
		default:
			return true;
	}
}

void
fault_release(Fault *fault)
{
	if (--fault->refs > 0)
		return;
	json_decref(fault->spec);
	json_decref(fault->called);
	free(fault);
}

/* Whether it strikes as the body comes in, not when all of it is there. */
static bool
is_during(const Fault *fault)
{
	return fault->drop == DROP_DURING || fault->read_bytes_per_second > 0;
}

/* Sets what follows from what was said; what does not go together, to free. */
static char *
complete(Fault *fault)
{
	if (fault->nth > 0 && fault->times < 0)
		fault->times = 1;
	if (fault->conflict && fault->status == 0)
		fault->status = conflict_status(fault->conflict);
	if (fault->body_kind && !fault->effect && fault->status == 0)
		fault->status = 200;
	if (fault->words > 0 && !fault->conflict)
		return sim_printf("\"conflict_words\" goes with \"conflict\"");
	if (fault->body_bytes > 0 && !fault->body_kind)
		return sim_printf("\"body_bytes\" goes with \"body_kind\"");
	if (is_during(fault) && (json_object_get(fault->spec, CALLS_BEFORE) ||
							 json_object_get(fault->spec, CALLS_AFTER)))
		return sim_printf("no calls go with what strikes during the body");
	if (fault->rst && !fault->drop && fault->truncate < 0)
		return sim_printf("\"rst\" goes with \"drop\" or \"truncate\"");
	fault->body_bytes = body_size((BodyKind) fault->body_kind, fault->body_bytes);
	body_prepare((BodyKind) fault->body_kind, fault->body_bytes);
	return NULL;
}

/* NULL, with *why to free, when the spec is not a fault. */
static Fault *
fault_create(json_t *spec, char **why)
{
	Fault *fault = sim_alloc(sizeof(Fault));
	const char *name;
	json_t *value;

	fault->refs = 1;
	fault->truncate = fault->times = -1;
	fault->spec = json_incref(spec);
	fault->called = json_array();
	*why = json_is_object(spec) ? NULL : sim_printf("a fault must be an object");
	json_object_foreach(spec, name, value)
	{
		const struct Member *member = members;

		while (member->name && strcmp(member->name, name) != 0)
			member++;
		if (member->name == NULL || !set_member(fault, member, value))
		{
			free(*why);
			*why = sim_printf("a fault has no such \"%s\"", name);
		}
	}
	if (*why == NULL)
		*why = complete(fault);
	if (*why == NULL)
		return fault;
	fault_release(fault);
	return NULL;
}

void
faults_clear(void)
{
	nduring = 0;
	while (nfaults > 0)
		fault_release(faults[--nfaults]);
}

void
faults_set(Request *req)
{
	json_t *list = json_loadb(req->body.data, req->body.len, JSON_ALLOW_NUL, NULL);
	char *why = NULL;

	if (!json_is_array(list) || json_array_size(list) > MAX_FAULTS)
		why = sim_printf("the body must be an array of at most %d faults", MAX_FAULTS);
	faults_clear();
	random_state = (uint64_t) sw_number(SW_SEED);
	for (size_t i = 0; i < json_array_size(list) && why == NULL; i++)
	{
		Fault *fault = fault_create(json_array_get(list, i), &why);

		if (fault)
		{
			faults[nfaults++] = fault;
			nduring += is_during(fault);
		}
	}
	json_decref(list);
	if (why == NULL)
	{
		reply_json(req, 200, json_pack("{s:i}", "faults", nfaults));
		return;
	}
	faults_clear();
	reply_error(req, 400, "bad.request", "%s", why);
	free(why);
}

void
faults_list(Request *req)
{
	json_t *list = json_array();

	for (int i = 0; i < nfaults; i++)
	{
		json_t *one = json_copy(faults[i]->spec);

		json_object_set_new(one, "seen", json_integer(faults[i]->seen));
		json_object_set_new(one, "hits", json_integer(faults[i]->hits));
		json_object_set(one, "called", faults[i]->called);
		json_array_append_new(list, one);
	}
	reply_json(req, 200, list);
}

static bool
fault_concerns(const Fault *fault, const Request *req)
{
	if (fault->method && strcmp(fault->method, req->method) != 0)
		return false;
	if (fault->path && strpbrk(fault->path, "*?[") && fnmatch(fault->path, req->path, 0) != 0)
		return false;
	if (fault->path && !strpbrk(fault->path, "*?[") && !strstr(req->path, fault->path))
		return false;
	return !fault->body_contains ||
		   (req->body.len > 0 && memmem(req->body.data, req->body.len, fault->body_contains,
										strlen(fault->body_contains)));
}

static bool
fault_is_due(const Fault *fault)
{
	if (fault->times >= 0 && fault->hits >= fault->times)
		return false;
	if (fault->nth > 0)
		return fault->seen >= fault->nth;
	return fault->every == 0 || fault->seen % fault->every == 0;
}

/* From 0 to 100, without 100. */
static double
draw(void)
{
	return (double) (sim_mix(&random_state) >> 11) * 0x1p-53 * 100;
}

/*
 * All that match count the request; the first that is due strikes.  Those with
 * a percentage share one draw, so that their percentages add up.
 */
Fault *
faults_match(const Request *req, bool during)
{
	Fault *struck = NULL;
	double left = -1; /* of the draw; below 0 = not drawn */

	for (int i = 0; i < nfaults; i++)
	{
		Fault *fault = faults[i];

		if (is_during(fault) != during || !fault_concerns(fault, req))
			continue;
		fault->seen++;
		if (struck || !fault_is_due(fault))
			continue;
		if (fault->percent > 0)
		{
			if (left < 0)
				left = draw();
			left -= fault->percent;
			if (left >= 0)
				continue;
		}
		fault->hits++;
		fault->refs++;
		struck = fault;
	}
	return struck;
}

bool
faults_during(void)
{
	return nduring > 0;
}

/* One of the calls as a request of its own, known to no record, token or limit. */
static Request *
make_call(const json_t *call)
{
	const json_t *body = json_object_get(call, "body");
	const char *method = json_string_value(json_object_get(call, "method"));
	Request *req = request_create(json_string_value(json_object_get(call, "path")));

	req->method = method ? method : "POST";
	req->headers[req->nheaders++] = (Header){"Content-Type", "application/json"};
	if (body)
		buf_put_json(&req->body, body);
	req->body_bytes = req->body.len;
	return req;
}

void
fault_call(Fault *fault, const char *when, void (*make)(Request *req))
{
	const json_t *calls = json_object_get(fault->spec, when);
	size_t i;
	json_t *call;

	json_array_foreach(calls, i, call)
	{
		Request *req;

		state_lock();
		req = make_call(call);
		state_unlock();
		make(req);
		state_lock();
		json_array_append_new(fault->called, json_integer(req->reply.status));
		state_unlock();
		request_free(req);
	}
}

static void
patch_echo(const Fault *fault, Request *req, json_t *patch)
{
	Buf *body = &req->reply.body;
	json_t *echo = json_loadb(body->data, body->len, JSON_ALLOW_NUL, NULL);
	size_t i;
	json_t *contact;

	if (json_is_array(echo))
	{
		for (int64_t n = 0; n < fault->echo_less && json_array_size(echo) > 0; n++)
			json_array_remove(echo, json_array_size(echo) - 1);
		json_array_foreach(echo, i, contact)
		{
			json_t *own = json_deep_copy(patch);

			if (own && json_is_object(contact))
				json_object_update_recursive(contact, own);
			json_decref(own);
		}
		body->len = 0;
		buf_put_json(body, echo);
	}
	json_decref(echo);
}

static void
set_body(const Fault *fault, Request *req)
{
	json_t *text = json_object_get(fault->spec, "body");
	json_t *json = json_object_get(fault->spec, "body_json");
	Buf *body = &req->reply.body;

	body->len = 0;
	if (json)
		buf_put_json(body, json);
	else
		buf_put(body, json_string_value(text), json_string_length(text));
	free(req->reply.content_type);
	req->reply.content_type =
		text || json ? sim_strdup(json ? "application/json" : "text/plain; charset=utf-8")
					 : NULL;
}

void
fault_apply(const Fault *fault, Request *req)
{
	const char *name;
	json_t *value;
	json_t *patch = json_object_get(fault->spec, "echo_patch");

	if (patch || fault->echo_less > 0)
		patch_echo(fault, req, patch);
	if (fault->conflict || fault->status > 0 || fault->body_kind ||
		json_object_get(fault->spec, "body") || json_object_get(fault->spec, "body_json"))
		reply_drop_stream(req);
	if (fault->conflict)
		conflict_reply(req, fault->conflict, fault->words);
	else if (fault->status > 0 || json_object_get(fault->spec, "body") ||
			 json_object_get(fault->spec, "body_json"))
		set_body(fault, req);
	if (fault->body_kind)
		body_make(req, (BodyKind) fault->body_kind, fault->body_bytes);
	if (fault->status > 0)
		req->reply.status = (int) fault->status;
	if (fault->content_type)
	{
		free(req->reply.content_type);
		req->reply.content_type = sim_strdup(fault->content_type);
	}
	json_object_foreach(json_object_get(fault->spec, "headers"), name, value)
	{
		char *dumped = json_is_string(value) || json_is_null(value)
						   ? NULL
						   : json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);

		reply_header(req, name, dumped ? dumped : json_string_value(value));
		free(dumped);
	}
}
