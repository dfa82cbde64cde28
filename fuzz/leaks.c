/*
 * fuzz/leaks.c
 *	  Thousands of exchanges that end in every way, and nothing is left of them (U9).
 *
 * The argument is the URL of a simulator.  Each round starts some exchanges in a
 * context of its own, which is deleted when all have ended, or in the middle of
 * them, by an interrupt too.  At the end there are as many descriptors as at the
 * beginning, as much memory, and nothing that the leak sanitizer can find.
 */
#include "postgres.h"

#include <curl/curl.h>
#include <dirent.h>
#include <sanitizer/allocator_interface.h>
#include <stdio.h>
#include <stdlib.h>

#include "server.h"
#include "shim.h"

#include "net/http.h"
#include "net/loop.h"

#include "lib/stringinfo.h"

#define ROUNDS		 600
#define MAX_IN_ROUND 6

/* What can become of an exchange, and what makes it so: a fault of the simulator's. */
typedef struct Kind
{
	const char *path;
	GcHttpOutcome outcome;
	bool has_body;
	const char *fault; /* but for its path; NULL: none */
} Kind;

static const Kind kinds[] = {
	{"/found", GC_HTTP_ANSWERED, false, "\"status\": 200, \"body\": \"{}\""},
	{"/taken", GC_HTTP_ANSWERED, true, "\"status\": 202, \"body\": \"[1, 2, 3]\""},
	{"/refused", GC_HTTP_ANSWERED, true, "\"status\": 400"},
	{"/failed", GC_HTTP_ANSWERED, false, "\"status\": 503, \"body\": \"down\""},
	{"/dropped", GC_HTTP_LOST, true, "\"drop\": \"before\""},
	{"/cut", GC_HTTP_LOST, false,
	 "\"status\": 200, \"body\": \"0123456789abcdef\", \"truncate\": 5"},
	{"/big", GC_HTTP_TOO_BIG, false, NULL}, /* its fault is made below */
	{"/stalled", GC_HTTP_LOST, true, "\"stall\": true"},
	{"/slow", GC_HTTP_LOST, false,
	 "\"status\": 200, \"body\": \"0123456789abcdef\", \"bytes_per_second\": 10"},
	{"/nobody-listens", GC_HTTP_NOT_SENT, false, NULL},
};

static const char *base_url;
static int ended[lengthof(kinds)];
static int interrupted = 0;
static int no_descriptor = 0;
static bool starved; /* this round began without a descriptor to open */

/* ---- one exchange ---- */

static GcHttpExchange *
start(const char *method, const char *url, const char *body)
{
	const char *headers[] = {"Authorization: Bearer none", "Content-Type: application/json",
							 "Expect:", NULL};
	GcHttpRequest request = {.method = method,
							 .url = url,
							 .headers = headers,
							 .body = body,
							 .body_len = body ? strlen(body) : 0,
							 .connect_timeout = 5000,
							 .request_timeout = strstr(url, "/s") ? 20 : 10000,
							 .max_reply = 1000};

	return gc_http_start(&request);
}

static GcHttpExchange *
start_kind(const Kind *kind, int round)
{
	static char *body = NULL;

	if (body == NULL)
	{
		body = memset(malloc(300001), 'x', 300000);
		body[300000] = '\0';
	}
	if (kind->outcome == GC_HTTP_NOT_SENT)
		return start("GET", "http://127.0.0.1:1/nobody-listens", NULL);
	return start(kind->has_body ? "POST" : "GET", psprintf("%s%s", base_url, kind->path),
				 kind->has_body ? body + (round % 3 == 0 ? 0 : 299000) : NULL);
}

static void
check_end(const GcHttpExchange *exchange, const Kind *kind)
{
	size_t len;
	GcHttpOutcome outcome = gc_http_outcome(exchange);

	if (starved && outcome == GC_HTTP_NOT_SENT)
		no_descriptor += kind->outcome != outcome;
	else if (outcome != kind->outcome) /* or so slow a machine that it did not get that far */
		shim_check(outcome == GC_HTTP_NOT_SENT && gc_http_is_timeout(exchange) &&
				   kind->path[1] == 's');
	shim_check(gc_http_body(exchange, &len)[len] == '\0');
	shim_check(outcome == GC_HTTP_ANSWERED || gc_http_error(exchange)[0] != '\0');
	(void) gc_http_header(exchange, "ININ-Correlation-Id");
}

/* ---- rounds ---- */

static void
run_round(void *arg)
{
	int round = *(int *) arg;
	int count = 1 + round % MAX_IN_ROUND;
	GcHttpExchange *exchanges[MAX_IN_ROUND];
	const Kind *which[MAX_IN_ROUND];

	for (int i = 0; i < count; i++)
	{
		which[i] = &kinds[(round / MAX_IN_ROUND + i * 3) % lengthof(kinds)];
		exchanges[i] = start_kind(which[i], round);
	}
	for (int i = 0; i < count; i++)
	{
		while (gc_http_outcome(exchanges[i]) == GC_HTTP_PENDING)
			gc_loop_wait(0, GC_WAIT_HTTP);
		check_end(exchanges[i], which[i]);
		ended[which[i] - kinds]++;
		if (round % 4 == 1)
			gc_http_free(exchanges[i]);
		if (round % 7 == 3)
			return; /* the others may still be in flight */
	}
}

static void
run_rounds(int from, int to)
{
	for (int round = from; round < to; round++)
	{
		server_waits_left = round % 5 == 2 ? round % 9 : -1;
		starved = round % 11 == 6;
		server_fds_left = starved ? 0 : INT_MAX / 2;
		if (!shim_try(run_round, &round))
			interrupted++;
		server_waits_left = -1;
		server_fds_left = INT_MAX / 2;
		if (round % 50 == 49)
			gc_http_close_idle();
	}
	gc_http_close_idle();
}

/* ---- before and after ---- */

/* Tells the simulator what to do to which path. */
static void
set_faults(void *arg)
{
	StringInfoData faults;
	GcHttpExchange *exchange;

	initStringInfo(&faults);
	appendStringInfoString(&faults, "[{\"path\": \"/big\", \"status\": 200, \"body\": \"");
	for (int i = 0; i < 2000; i++)
		appendStringInfo(&faults, "%04d ", i);
	appendStringInfoString(&faults, "\"}");
	for (int i = 0; i < lengthof(kinds); i++)
		if (kinds[i].fault)
			appendStringInfo(&faults, ", {\"path\": \"%s\", %s}", kinds[i].path,
							 kinds[i].fault);
	appendStringInfoChar(&faults, ']');
	exchange = start("POST", psprintf("%s/_sim/faults", base_url), faults.data);
	while (gc_http_outcome(exchange) == GC_HTTP_PENDING)
		gc_loop_wait(0, GC_WAIT_HTTP);
	shim_check(gc_http_outcome(exchange) == GC_HTTP_ANSWERED &&
			   gc_http_status(exchange) == 200);
}

static int
count_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int count = 0;

	shim_check(dir != NULL);
	while (readdir(dir) != NULL)
		count++;
	closedir(dir);
	return count;
}

int
main(int argc, char **argv)
{
	int descriptors;
	size_t bytes;
	int total = 0;

	shim_check(argc == 2);
	base_url = argv[1];
	curl_global_init(CURL_GLOBAL_DEFAULT);
	shim_check(shim_try(set_faults, NULL));
	/* The first rounds set up what is kept for good: the epoll, the timer, a body to send. */
	run_rounds(0, 50);
	descriptors = count_descriptors();
	bytes = __sanitizer_get_current_allocated_bytes();
	run_rounds(50, ROUNDS);
	for (int i = 0; i < lengthof(kinds); i++)
	{
		shim_check(ended[i] > 0);
		total += ended[i];
	}
	shim_check(interrupted > 0 && no_descriptor > 0);
	shim_check(__sanitizer_get_current_allocated_bytes() == bytes);
	shim_check(count_descriptors() == descriptors && server_fds_open == 0);
	printf("%d exchanges ended, %d rounds were interrupted, %d found no descriptor\n", total,
		   interrupted, no_descriptor);
	curl_global_cleanup();
	return 0;
}
