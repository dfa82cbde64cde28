/*
 * util.c
 *	  Memory that never fails, clocks, random bytes and ids.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "util.h"

static void *
check_alloc(void *p)
{
	if (p == NULL)
	{
		fprintf(stderr, "gc_sim: out of memory\n");
		abort();
	}
	return p;
}

void *
sim_alloc(size_t size)
{
	return check_alloc(calloc(1, size ? size : 1));
}

void *
sim_realloc(void *old, size_t size)
{
	return check_alloc(realloc(old, size ? size : 1));
}

char *
sim_strndup(const char *text, size_t len)
{
	char *copy = check_alloc(malloc(len + 1));

	memcpy(copy, text, len);
	copy[len] = '\0';
	return copy;
}

char *
sim_strdup(const char *text)
{
	return sim_strndup(text, strlen(text));
}

char *
sim_printf(const char *fmt, ...)
{
	va_list args;
	char *text = NULL;

	va_start(args, fmt);
	if (vasprintf(&text, fmt, args) < 0)
		text = NULL;
	va_end(args);
	return check_alloc(text);
}

int64_t
sim_now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t) now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* Cached by second: a page of contacts asks a hundred times for much the same. */
void
sim_format_time(int64_t us, char out[TIME_SIZE])
{
	static __thread time_t cached = -1;
	static __thread char text[TIME_SIZE];
	time_t second = us / 1000000;
	int ms = us / 1000 % 1000;

	if (second != cached)
	{
		struct tm tm;

		gmtime_r(&second, &tm);
		strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S.000Z", &tm);
		cached = second;
	}
	memcpy(out, text, TIME_SIZE);
	out[20] = '0' + ms / 100;
	out[21] = '0' + ms / 10 % 10;
	out[22] = '0' + ms % 10;
}

void
sim_random(void *out, size_t len)
{
	if (getrandom(out, len, 0) != (ssize_t) len)
	{
		fprintf(stderr, "gc_sim: no random bytes\n");
		abort();
	}
}

uint64_t
sim_mix(uint64_t *state)
{
	uint64_t z = (*state += 0x9e3779b97f4a7c15u);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

/* Unique, not secret: a seeded counter mixed well will do. */
static uint64_t
next_word(void)
{
	static __thread uint64_t state;

	if (state == 0)
		sim_random(&state, sizeof(state));
	return sim_mix(&state);
}

void
sim_uuid(char out[UUID_SIZE])
{
	static const char hex[] = "0123456789abcdef";
	uint64_t word[2] = {next_word(), next_word()};
	char *p = out;

	for (int i = 0; i < 32; i++)
	{
		int digit = word[i / 16] >> (i % 16 * 4) & 15;

		if (i == 8 || i == 12 || i == 16 || i == 20)
			*p++ = '-';
		if (i == 12)
			digit = 4;
		else if (i == 16)
			digit = 8 | (digit & 3);
		*p++ = hex[digit];
	}
	*p = '\0';
}
