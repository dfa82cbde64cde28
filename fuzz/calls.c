/*
 * fuzz/calls.c
 *	  API calls that end at once, answered by an input, in the place of api/request.c.
 */
#include "postgres.h"

#include "base/option.h"
#include "calls.h"
#include "shim.h"

#include "utils/memutils.h"

/* A count of pages is the sender's to choose; after so many calls, they fail. */
#define MAX_CALLS 20

static const uint8 *answers;
static size_t answers_size;
static int calls_made;

struct GcCall
{
	MemoryContext cxt;
	const GcFailure *failure;
	char *answer;
	size_t size;
	bool asked; /* whether it has ended */
};

void
calls_answer(const uint8 *data, size_t size)
{
	answers = data;
	answers_size = size;
	calls_made = 0;
}

/* The next answer, in memory of just its size; the last one goes for all that follow. */
static void
take_answer(GcCall *call)
{
	const uint8 *end = memchr(answers, CALLS_SEPARATOR, answers_size);

	call->size = end ? end - answers : answers_size;
	call->answer = memcpy(MemoryContextAlloc(call->cxt, call->size), answers, call->size);
	if (end)
	{
		answers_size -= call->size + 1;
		answers = end + 1;
	}
}

GcCalls *
gc_calls_open(GcConnection *conn, GcStat *stat)
{
	return NULL;
}

void
gc_calls_close(GcCalls *calls)
{
}

int64
gc_calls_allowance(const GcCalls *calls)
{
	return MAX_CALLS - calls_made;
}

void
gc_calls_refuse(const GcCalls *calls, int64 needed, const char *what)
{
	shim_check(needed > MAX_CALLS - calls_made);
	ereport(ERROR, (errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED), errmsg("%s", what)));
	pg_unreachable();
}

GcCall *
gc_call_start(GcCalls *calls, const GcCallSpec *spec)
{
	static const GcFailure too_many = {.status = 500};
	MemoryContext cxt =
		AllocSetContextCreate(CurrentMemoryContext, "call", ALLOCSET_SMALL_SIZES);
	GcCall *call = MemoryContextAllocZero(cxt, sizeof(GcCall));

	call->cxt = cxt;
	call->failure = ++calls_made > MAX_CALLS ? &too_many : NULL;
	take_answer(call);
	return call;
}

/* Who does not wait has to come again. */
void
gc_call_wait(GcCall *call)
{
}

bool
gc_call_try(GcCall *call, bool wait)
{
	bool ended = wait || call->asked;

	call->asked = true;
	return ended;
}

const GcFailure *
gc_call_failure(const GcCall *call)
{
	return call->failure;
}

const char *
gc_call_reply(const GcCall *call, size_t *len)
{
	*len = call->size;
	return call->answer;
}

/* Servers here have no options but the defaults. */
const char *
gc_option_string(List *options, List *fallback, const char *name)
{
	return "platform";
}

TimestampTz
gc_call_answer_time(const GcCall *call)
{
	return DT_NOBEGIN;
}

MemoryContext
gc_call_context(const GcCall *call)
{
	return call->cxt;
}

void
gc_call_free(GcCall *call)
{
	MemoryContextDelete(call->cxt);
}

void
gc_call_throw(const GcCall *call, const char *message, const char *counts)
{
	ereport(ERROR, (errcode(ERRCODE_FDW_ERROR), errmsg("%s", message)));
	pg_unreachable();
}

void
gc_call_throw_reply(const GcCall *call, const char *problem, const char *message,
					const char *counts)
{
	ereport(ERROR,
			(errcode(ERRCODE_FDW_ERROR), errmsg("%s", message), errdetail("%s", problem)));
	pg_unreachable();
}
