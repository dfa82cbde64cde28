/*
 * fuzz/lists.c
 *	  Contact lists as the platform describes them: pages of them, and one.
 *
 * What the tested code calls in the place of api/request.c: every call ends at
 * once, with the input for its answer.
 */
#include "postgres.h"

#include <jansson.h>

#include "shim.h"

#include "api/contact_lists.h"
#include "utils/memutils.h"
#include "utils/varlena.h"

/* A count of pages is the sender's to choose; after these, calls fail. */
#define MAX_CALLS 5

static const uint8 *answer;
static size_t answer_size;
static int calls_made;

struct GcCall
{
	MemoryContext cxt;
	const GcFailure *failure;
};

GcCalls *
gc_calls_open(GcConnection *conn, GcStat *stat)
{
	return NULL;
}

void
gc_calls_close(GcCalls *calls)
{
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
	return call;
}

void
gc_call_wait(GcCall *call)
{
}

const GcFailure *
gc_call_failure(const GcCall *call)
{
	return call->failure;
}

const char *
gc_call_reply(const GcCall *call, size_t *len)
{
	*len = answer_size;
	return (const char *) answer;
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

/* Only for the hint's sake. */
int
varstr_levenshtein_less_equal(const char *source, int slen, const char *target, int tlen,
							  int ins_c, int del_c, int sub_c, int max_d, bool trusted)
{
	return (source[slen] == '\0') + (target[tlen] == '\0');
}

/* A list that was taken is whole. */
static void
check_list(const GcList *list)
{
	shim_check(list->id && list->name && list->size >= -1);
	for (int i = 0; i < list->column_count; i++)
		shim_check(strlen(list->columns[i]) <= answer_size);
	shim_check(list->columns[list->column_count] == NULL);
}

static void
read_all(void *arg)
{
	GcConnection conn = {.cxt = CurrentMemoryContext};
	GcStat stat = {0};
	ListCell *lc;

	foreach (lc, gc_list_all(&conn, &stat, arg))
		check_list(lfirst(lc));
}

static void
read_by_name(void *arg)
{
	GcConnection conn = {.cxt = CurrentMemoryContext};
	GcStat stat = {0};
	GcList *list = gc_list_get(&conn, &stat, NULL, arg);

	check_list(list);
	shim_check(strcmp(list->name, arg) == 0 && gc_list_known(&conn, NULL, arg) == list);
}

static void
read_by_id(void *arg)
{
	GcConnection conn = {.cxt = CurrentMemoryContext};
	GcStat stat = {0};

	check_list(gc_list_get(&conn, &stat, arg, NULL));
}

int
LLVMFuzzerTestOneInput(const uint8 *data, size_t size)
{
	void (*const runs[])(void *) = {read_all, read_by_name, read_by_id};
	static char name[] = "Leads";

	answer = data;
	answer_size = size;
	for (int i = 0; i < lengthof(runs); i++)
	{
		calls_made = 0;
		if (!shim_try(runs[i], name))
			shim_check(shim_error.sqlstate != ERRCODE_INTERNAL_ERROR);
	}
	return 0;
}
