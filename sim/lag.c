/*
 * lag.c
 *	  What reads that lag behind writes still show.
 */
#include <stdlib.h>
#include <string.h>

#include "lag.h"
#include "switches.h"

/* A version that was, until then. */
typedef struct Past
{
	Contact *old;
	int64_t until_us;
} Past;

struct Lag
{
	Past *past; /* by time; those before first are freed */
	size_t first;
	size_t n;
	size_t room;
	Contact **shown; /* the last answer, where it was not the list itself */
};

static int64_t
lag_us(void)
{
	return sw_number(SW_READ_LAG_MS) * 1000;
}

/* Frees what no read can show any more. */
static void
forget(Lag *lag, int64_t since)
{
	while (lag->first < lag->n && lag->past[lag->first].until_us <= since)
		contact_free(lag->past[lag->first++].old);
	if (lag->first < lag->n / 2)
		return;
	lag->n -= lag->first;
	if (lag->n > 0)
		memmove(lag->past, lag->past + lag->first, sizeof(Past) * lag->n);
	lag->first = 0;
}

void
lag_keep(List *list, Contact *old, int64_t at_us)
{
	int64_t now = sim_now_us();
	Lag *lag = list->lag;

	if (lag)
		forget(lag, now - lag_us());
	if (at_us <= now - lag_us())
	{
		contact_free(old);
		return;
	}
	if (lag == NULL)
		lag = list->lag = sim_alloc(sizeof(Lag));
	if (lag->n == lag->room)
	{
		lag->room = lag->room ? lag->room * 2 : 64;
		lag->past = sim_realloc(lag->past, sizeof(Past) * lag->room);
	}
	/* No two at the same time, so that it tells their order. */
	if (lag->n > lag->first && at_us <= lag->past[lag->n - 1].until_us)
		at_us = lag->past[lag->n - 1].until_us + 1;
	lag->past[lag->n++] = (Past){old, at_us};
}

void
lag_free(Lag *lag)
{
	if (lag == NULL)
		return;
	forget(lag, INT64_MAX);
	free(lag->past);
	free(lag->shown);
	free(lag);
}

static int
compare_past(const void *left, const void *right)
{
	const Past *a = left;
	const Past *b = right;

	if (a->old->serial != b->old->serial)
		return a->old->serial < b->old->serial ? -1 : 1;
	return (a->until_us > b->until_us) - (a->until_us < b->until_us);
}

/*
 * Of each contact that has changed since, the version that was there at that
 * time, in order of arrival; to free.
 */
static Past *
versions_of(const Lag *lag, size_t *n)
{
	size_t count = lag->n - lag->first;
	Past *all = sim_alloc(sizeof(Past) * (count + 1));

	memcpy(all, lag->past + lag->first, sizeof(Past) * count);
	qsort(all, count, sizeof(Past), compare_past);
	*n = 0;
	for (size_t i = 0; i < count; i++)
		if (*n == 0 || all[*n - 1].old->serial != all[i].old->serial)
			all[(*n)++] = all[i];
	return all;
}

/* Merges the contacts there are with what some of them were, and with those that are gone. */
static int64_t
merge(List *list, const Past *past, size_t npast, int64_t since)
{
	Contact **out = sim_alloc(sizeof(Contact *) * (list->ncontacts + npast + 1));
	int64_t n = 0;
	size_t p = 0;

	for (uint32_t i = 0; i <= list->ncontacts; i++)
	{
		Contact *now = i < list->ncontacts ? list->order[i] : NULL;

		for (; p < npast && (!now || past[p].old->serial < now->serial); p++)
			if (past[p].old->arrived_us <= since)
				out[n++] = past[p].old;
		if (now == NULL || now->arrived_us > since)
			continue;
		if (p < npast && past[p].old->serial == now->serial)
			now = past[p++].old;
		out[n++] = now;
	}
	free(list->lag->shown);
	list->lag->shown = out;
	return n;
}

int64_t
lag_shown(List *list, Contact ***shown)
{
	int64_t since = sim_now_us() - lag_us();
	int64_t n;
	size_t npast;
	Past *past;

	list_compact(list);
	*shown = list->order;
	if (list->lag)
		forget(list->lag, since);
	if (list->lag == NULL || list->lag->n == list->lag->first)
	{
		for (n = list->ncontacts; n > 0 && lag_us() > 0; n--)
			if (list->order[n - 1]->arrived_us <= since)
				break;
		return n;
	}
	past = versions_of(list->lag, &npast);
	n = merge(list, past, npast, since);
	free(past);
	*shown = list->lag->shown;
	return n;
}
