/*
 * util.h
 *	  Memory that never fails, clocks, random bytes and ids.
 *
 * Knows nothing of the simulator.  Running out of memory ends the program.
 */
#ifndef SIM_UTIL_H
#define SIM_UTIL_H

#include <stddef.h>
#include <stdint.h>

#define UUID_SIZE 37
#define TIME_SIZE 32

/* A piece of text that someone else owns; p is NULL where there is none. */
typedef struct Span
{
	char *p;
	size_t n;
} Span;

extern void *sim_alloc(size_t size); /* zeroed */
extern void *sim_realloc(void *old, size_t size);
extern char *sim_strdup(const char *text);
extern char *sim_strndup(const char *text, size_t len);
extern char *sim_printf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

extern int64_t sim_now_us(void);							  /* microseconds since 1970 */
extern void sim_format_time(int64_t us, char out[TIME_SIZE]); /* 2026-01-31T12:00:00.000Z */
extern void sim_uuid(char out[UUID_SIZE]);
extern uint64_t sim_mix(uint64_t *state);	   /* the next of a sequence, not for secrets */
extern void sim_random(void *out, size_t len); /* for secrets */

#endif
