/*
 * fuzz/lists.c
 *	  Contact lists as the platform describes them: pages of them, and one.
 */
#include "postgres.h"

#include "calls.h"
#include "shim.h"

#include "api/contact_lists.h"
#include "utils/varlena.h"

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
		shim_check(list->columns[i] != NULL);
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

	for (int i = 0; i < lengthof(runs); i++)
	{
		calls_answer(data, size);
		if (!shim_try(runs[i], name))
			shim_check(shim_error.sqlstate != ERRCODE_INTERNAL_ERROR);
	}
	return 0;
}
