/*
 * fdw/statement.c
 *	  What all scans and writes of one statement share.
 */
#include "postgres.h"

#include "fdw/statement.h"

#include "lib/ilist.h"

typedef struct Statement
{
	dlist_node node; /* in statements */
	EState *estate;
	int64 spent;
	MemoryContextCallback on_reset;
} Statement;

static dlist_head statements = DLIST_STATIC_INIT(statements);

static void
statement_reset(void *arg)
{
	dlist_delete(&((Statement *) arg)->node);
}

int64 *
gc_statement_spent(EState *estate)
{
	Statement *statement;
	dlist_iter iter;

	dlist_foreach (iter, &statements)
	{
		statement = dlist_container(Statement, node, iter.cur);
		if (statement->estate == estate)
			return &statement->spent;
	}
	statement = MemoryContextAllocZero(estate->es_query_cxt, sizeof(Statement));
	statement->estate = estate;
	statement->on_reset.func = statement_reset;
	statement->on_reset.arg = statement;
	MemoryContextRegisterResetCallback(estate->es_query_cxt, &statement->on_reset);
	dlist_push_tail(&statements, &statement->node);
	return &statement->spent;
}
