/*
 * fdw/returning.c
 *	  What a row looks like after its INSERT, as far as that is known at once.
 */
#include "postgres.h"

#include "fdw/returning.h"

#include "nodes/bitmapset.h"
#include "optimizer/optimizer.h"

static bool
column_known(const GcColumn *column)
{
	if (column->attnum == 0 || column->field)
		return true;
	switch (column->attribute->role)
	{
		case GC_ROLE_ID:
		case GC_ROLE_LIST_ID:
		case GC_ROLE_LIST_NAME:
			return true;
		default:
			return false;
	}
}

/* Is each of these columns known without asking?  0 among them is the whole row. */
static bool
all_known(GcRelation *rel, Bitmapset *attnums)
{
	for (int i = 0; i < rel->column_count; i++)
		if ((bms_is_member(0, attnums) || bms_is_member(i + 1, attnums)) &&
			!column_known(&rel->columns[i]))
			return false;
	return true;
}

/* The target's columns in a RETURNING list; 0 for the whole row. */
static Bitmapset *
returned_columns(List *returning)
{
	List *vars =
		pull_var_clause((Node *) returning, PVC_RECURSE_AGGREGATES | PVC_RECURSE_WINDOWFUNCS |
												PVC_RECURSE_PLACEHOLDERS);
	Bitmapset *columns = NULL;
	ListCell *lc;

	foreach (lc, vars)
	{
		Var *var = lfirst_node(Var, lc);

		if (var->varattno >= 0)
			columns = bms_add_member(columns, var->varattno);
	}
	return columns;
}

bool
gc_returning_asks(GcRelation *rel, List *returning)
{
	return returning != NIL && !all_known(rel, returned_columns(returning));
}

/* Does the value read as NULL, since its cell is empty? */
static bool
reads_as_null(GcColumn *column, Datum value)
{
	int len;

	if (column->type.kind != GC_VALUE_TEXT && column->type.kind != GC_VALUE_OTHER)
		return false;
	(void) gc_value_text(&column->type, value, &len);
	return len == 0;
}

void
gc_returning_show(GcRelation *rel, const GcList *list, TupleTableSlot *slot, const char *id,
				  Datum *values, bool *nulls)
{
	for (int i = 0; i < rel->column_count; i++)
	{
		GcColumn *column = &rel->columns[i];
		const char *known = NULL;

		/* What the row gives: of other attributes only a view's CHECK OPTION looks at it. */
		values[i] = slot->tts_values[i];
		nulls[i] = slot->tts_isnull[i];
		if (column->attnum == 0)
			continue;
		if (column->field)
			nulls[i] = nulls[i] || reads_as_null(column, values[i]);
		else if (column->attribute->role == GC_ROLE_ID)
			known = id;
		else
			known = gc_relation_constant(column, list);
		if (known)
		{
			values[i] = gc_value_parse(&column->type, pstrdup(known), strlen(known));
			nulls[i] = false;
		}
	}
}
