/*
 * bench/floor.c
 *	  The floor of the benchmarks: how fast one process with one kept connection
 *	  posts bodies that were rendered beforehand, by libcurl's simplest interface;
 *	  or gets what stands below a URL.
 *
 * usage: floor URL TOKEN FILE		(one body a line; with a URL that ends in "/",
 *									one name a line, which is asked for by a GET)
 *
 * Fails unless every answer is a 200.  curl(1) does the same, but opens a file
 * and parses a configuration for each request.
 */
#include <curl/curl.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static size_t
discard(char *data, size_t size, size_t n, void *arg)
{
	(void) data;
	*(size_t *) arg += size * n;
	return size * n;
}

static void
run(CURL *curl)
{
	CURLcode rc;
	long status = 0;

	rc = curl_easy_perform(curl);
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	if (rc != CURLE_OK || status != 200)
	{
		fprintf(stderr, "floor: %s, HTTP status %ld\n", curl_easy_strerror(rc), status);
		exit(1);
	}
}

static void
post(CURL *curl, const char *body, size_t length)
{
	curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t) length);
	curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
	run(curl);
}

static void
get(CURL *curl, const char *url, const char *name, size_t length)
{
	char whole[4096];

	snprintf(whole, sizeof(whole), "%s%.*s", url, (int) length, name);
	curl_easy_setopt(curl, CURLOPT_URL, whole);
	run(curl);
}

int
main(int argc, char **argv)
{
	struct curl_slist *headers = NULL;
	CURL *curl = curl_easy_init();
	char authorization[4096];
	struct stat st;
	size_t received = 0;
	const char *bodies, *end, *line, *next;
	int fd;

	if (argc != 4 || (fd = open(argv[3], O_RDONLY)) < 0 || fstat(fd, &st) < 0 ||
		st.st_size == 0)
	{
		fprintf(stderr, "usage: floor URL TOKEN FILE\n");
		return 2;
	}
	bodies = mmap(NULL, st.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
	if (bodies == MAP_FAILED)
		return 2;
	snprintf(authorization, sizeof(authorization), "Authorization: Bearer %s", argv[2]);
	headers = curl_slist_append(headers, authorization);
	headers = curl_slist_append(headers, "Content-Type: application/json");
	headers = curl_slist_append(headers, "Expect:");
	curl_easy_setopt(curl, CURLOPT_URL, argv[1]);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, discard);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, &received);

	end = bodies + st.st_size;
	for (line = bodies; line < end; line = next + 1)
	{
		next = memchr(line, '\n', end - line);
		if (!next)
			next = end;
		if (argv[1][strlen(argv[1]) - 1] == '/')
			get(curl, argv[1], line, next - line);
		else
			post(curl, line, next - line);
	}
	curl_easy_cleanup(curl);
	curl_slist_free_all(headers);
	printf("%zu\n", received);
	return 0;
}
