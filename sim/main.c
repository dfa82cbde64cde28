/*
 * main.c
 *	  The command line: starts the simulator and waits to be told to end.
 */
#include <getopt.h>
#include <locale.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "auth.h"
#include "bulk_run.h"
#include "collections.h"
#include "exports.h"
#include "faults.h"
#include "journal.h"
#include "lists.h"
#include "record.h"
#include "server.h"
#include "state.h"
#include "switches.h"
#include "things.h"
#include "uploads.h"

typedef struct Options
{
	Ports ports;
	TlsFiles tls;
	const char *seed_lists;
	const char *journal;
} Options;

static const char usage[] =
	"usage: gc_sim --port N [--tls CERT KEY [--client-ca FILE]]\n"
	"              [--storage-port N] [--requests-per-minute N] [--limit-scope "
	"token|client|org]\n"
	"              [--latency MS] [--discard]\n"
	"              [--client ID SECRET]... [--set SWITCH=VALUE]... [--seed-lists FILE]\n"
	"              [--journal FILE]\n"
	"--port 0 takes a free port; the address is printed once it is open.\n";

static void
fail(const char *why)
{
	fprintf(stderr, "gc_sim: %s\n%s", why, usage);
	exit(2);
}

static void
set_switch(const char *name, const char *value)
{
	char *why;

	if (!switch_set(name, value, &why))
		fail(why);
}

static void
set_assignment(char *text)
{
	char *equals = strchr(text, '=');

	if (equals == NULL)
		fail("--set wants SWITCH=VALUE");
	*equals = '\0';
	set_switch(text, equals + 1);
}

static bool
is_port(int port)
{
	return port >= 0 && port <= 65535;
}

/* The second word of an option that takes two. */
static char *
second_word(int argc, char **argv)
{
	if (optind >= argc)
		fail("--tls and --client take two values");
	return argv[optind++];
}

static void
read_options(int argc, char **argv, Options *options)
{
	static const struct option known[] = {
		{"port", required_argument, NULL, 'p'},
		{"storage-port", required_argument, NULL, 'o'},
		{"tls", required_argument, NULL, 't'},
		{"client-ca", required_argument, NULL, 'a'},
		{"requests-per-minute", required_argument, NULL, 'r'},
		{"limit-scope", required_argument, NULL, 's'},
		{"latency", required_argument, NULL, 'l'},
		{"discard", no_argument, NULL, 'd'},
		{"client", required_argument, NULL, 'c'},
		{"set", required_argument, NULL, 'w'},
		{"seed-lists", required_argument, NULL, 'f'},
		{"journal", required_argument, NULL, 'j'},
		{NULL, 0, NULL, 0}};
	int c;

	while ((c = getopt_long(argc, argv, "", known, NULL)) != -1)
		switch (c)
		{
			case 'p':
				options->ports.api = atoi(optarg);
				break;
			case 'o':
				options->ports.storage = atoi(optarg);
				break;
			case 't':
				options->tls.cert = optarg;
				options->tls.key = second_word(argc, argv);
				break;
			case 'a':
				options->tls.client_ca = optarg;
				break;
			case 'r':
				set_switch("requests_per_minute", optarg);
				break;
			case 's':
				set_switch("limit_scope", optarg);
				break;
			case 'l':
				set_switch("latency_ms", optarg);
				break;
			case 'd':
				set_switch("discard", "on");
				break;
			case 'c':
				auth_add_client(optarg, second_word(argc, argv));
				break;
			case 'w':
				set_assignment(optarg);
				break;
			case 'f':
				options->seed_lists = optarg;
				break;
			case 'j':
				options->journal = optarg;
				break;
			default:
				fail("unknown option");
		}
	if (options->tls.client_ca && !options->tls.cert)
		fail("--client-ca goes with --tls");
	if (!is_port(options->ports.api) || !is_port(options->ports.storage) || optind < argc)
		fail(options->ports.api < 0 ? "--port is required" : "too many words");
}

static void
seed_list(const json_t *json)
{
	Request *req = request_create("/_sim/lists");

	buf_put_json(&req->body, json);
	lists_seed(req);
	if (req->reply.status != 200)
	{
		fprintf(stderr, "gc_sim: a list to seed is refused: %.*s\n", (int) req->reply.body.len,
				req->reply.body.data);
		exit(2);
	}
	request_free(req);
}

static void
seed_lists(const char *path)
{
	json_t *lists = json_load_file(path, 0, NULL);
	size_t i;
	json_t *list;

	if (!json_is_array(lists))
		fail("--seed-lists wants a file with a JSON array");
	json_array_foreach(lists, i, list) seed_list(list);
	json_decref(lists);
}

static void
free_all(void)
{
	imports_reset();
	uploads_reset();
	runs_reset();
	exports_reset();
	things_reset();
	collections_reset();
	store_reset();
	faults_clear();
	record_reset();
	auth_reset();
}

int
main(int argc, char **argv)
{
	Options options = {.ports = {.api = -1}};
	sigset_t signals;
	const char *scheme;
	int which;

	/* Bodies come and go: their memory is kept, not given back each time. */
	mallopt(M_MMAP_THRESHOLD, 64 * 1024 * 1024);
	mallopt(M_TRIM_THRESHOLD, 256 * 1024 * 1024);
	setlocale(LC_CTYPE, "C.UTF-8");
	switches_init();
	auth_add_client("id", "secret");
	read_options(argc, argv, &options);
	switches_keep();
	if (options.seed_lists)
		seed_lists(options.seed_lists);
	if (options.journal)
		journal_open(options.journal, seed_list);

	/* Blocked before there are threads, so that only sigwait gets them. */
	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	pthread_sigmask(SIG_BLOCK, &signals, NULL);
	signal(SIGPIPE, SIG_IGN);
	if (!server_start(&options.ports, &options.tls))
	{
		fprintf(stderr, "gc_sim: cannot listen on port %d or %d\n", options.ports.api,
				options.ports.storage);
		return 1;
	}
	scheme = options.tls.cert ? "https" : "http";
	exports_set_storage(scheme, options.ports.storage);
	printf("gc_sim storage at %s://127.0.0.1:%d\n", scheme, options.ports.storage);
	printf("gc_sim listening on %s://127.0.0.1:%d\n", scheme, options.ports.api);
	fflush(stdout);
	sigwait(&signals, &which);
	server_stop();
	journal_close();
	free_all();
	return 0;
}
