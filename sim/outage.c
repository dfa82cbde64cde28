/*
 * outage.c
 *	  The platform is gone for a while: connections break, and none is taken.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "errors.h"
#include "exchange.h"
#include "outage.h"
#include "things.h"

typedef struct Joined
{
	struct Joined *next;
	unsigned connection;
	int fd;
} Joined;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static Joined *joined;
static _Atomic int64_t until_us;

void
outage_join(unsigned connection, int fd)
{
	Joined *one = sim_alloc(sizeof(Joined));

	one->connection = connection;
	one->fd = fd;
	pthread_mutex_lock(&lock);
	one->next = joined;
	joined = one;
	pthread_mutex_unlock(&lock);
}

void
outage_leave(unsigned connection)
{
	Joined **link = &joined;
	Joined *gone;

	pthread_mutex_lock(&lock);
	while (*link && (*link)->connection != connection)
		link = &(*link)->next;
	if ((gone = *link) != NULL)
		*link = gone->next;
	pthread_mutex_unlock(&lock);
	free(gone);
}

bool
outage_is_on(void)
{
	return sim_now_us() < until_us;
}

/* {"ms": 500}; the connection that asks stays, unless it is a fault that does. */
void
control_outage(Request *req)
{
	json_t *body = thing_body(req);
	json_t *ms = json_object_get(body, "ms");
	json_int_t n = 0;

	if (body && !json_is_integer(ms))
		reply_error(req, 400, "bad.request", "ms is a number.");
	else if (body)
	{
		until_us = sim_now_us() + json_integer_value(ms) * 1000;
		pthread_mutex_lock(&lock);
		for (Joined *one = joined; one; one = one->next)
			if (one->connection != req->connection)
			{
				connection_reset(one->fd);
				n++;
			}
		pthread_mutex_unlock(&lock);
		reply_json(req, 200, json_pack("{s:I}", "connections", n));
	}
	json_decref(body);
}
