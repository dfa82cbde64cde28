/*
 * api/criteria.c
 *	  Conditions of a search of contacts, as the platform's JSON has them.
 */
#include "postgres.h"

#include "api/criteria.h"
#include "base/json.h"

/* What surrounds the clauses. */
#define OPENING "{\"filterType\":\"AND\",\"clauses\":["
#define CLOSING "]}"

static const char *const operator_names[] = {
	[GC_OPERATOR_EQUALS] = "EQUALS",
	[GC_OPERATOR_IN] = "IN",
	[GC_OPERATOR_BEGINS_WITH] = "BEGINS_WITH",
	[GC_OPERATOR_ENDS_WITH] = "ENDS_WITH",
	[GC_OPERATOR_CONTAINS] = "CONTAINS",
	[GC_OPERATOR_LESS_THAN] = "LESS_THAN",
	[GC_OPERATOR_LESS_THAN_EQUALS] = "LESS_THAN_EQUALS",
	[GC_OPERATOR_GREATER_THAN] = "GREATER_THAN",
	[GC_OPERATOR_GREATER_THAN_EQUALS] = "GREATER_THAN_EQUALS",
	[GC_OPERATOR_BEFORE] = "BEFORE",
	[GC_OPERATOR_AFTER] = "AFTER",
};

static void
add_string(StringInfo buf, const char *value)
{
	appendStringInfoChar(buf, '"');
	gc_json_escape(buf, value, strlen(value));
	appendStringInfoChar(buf, '"');
}

void
gc_criteria_begin(GcCriteria *criteria)
{
	memset(criteria, 0, sizeof(GcCriteria));
	initStringInfo(&criteria->text);
	appendStringInfoString(&criteria->text, OPENING);
}

void
gc_criteria_clause(GcCriteria *criteria)
{
	if (criteria->predicates > 0)
		appendStringInfoString(&criteria->text, "]}");
	criteria->predicates = 0;
}

void
gc_criteria_predicate(GcCriteria *criteria, const char *column, bool numeric, GcOperator op,
					  bool inverted, char *const *values, int value_count)
{
	StringInfo buf = &criteria->text;

	if (criteria->predicates++ > 0)
		appendStringInfoChar(buf, ',');
	else
		appendStringInfo(buf, "%s{\"filterType\":\"OR\",\"predicates\":[",
						 criteria->clauses++ > 0 ? "," : "");
	appendStringInfoString(buf, "{\"column\":");
	add_string(buf, column);
	appendStringInfo(buf, ",\"columnType\":\"%s\",\"operator\":\"%s\"",
					 numeric ? "numeric" : "alphabetic", operator_names[op]);
	if (inverted)
		appendStringInfoString(buf, ",\"inverted\":true");
	if (op == GC_OPERATOR_IN)
	{
		appendStringInfoString(buf, ",\"range\":{\"inSet\":[");
		for (int i = 0; i < value_count; i++)
		{
			if (i > 0)
				appendStringInfoChar(buf, ',');
			add_string(buf, values[i]);
		}
		appendStringInfoString(buf, "]}}");
		return;
	}
	appendStringInfoString(buf, ",\"value\":");
	add_string(buf, values[0]);
	appendStringInfoChar(buf, '}');
}

const char *
gc_criteria_end(GcCriteria *criteria)
{
	gc_criteria_clause(criteria);
	if (criteria->clauses == 0)
		return NULL;
	appendStringInfoString(&criteria->text, CLOSING);
	return criteria->text.data;
}

char *
gc_criteria_both(const char *one, const char *other)
{
	return psprintf("%.*s,%s", (int) (strlen(one) - strlen(CLOSING)), one,
					other + strlen(OPENING));
}

void
gc_criteria_sort(StringInfo sorts, const char *column, bool descending, bool numeric)
{
	appendStringInfoString(sorts, sorts->len > 0 ? ",{\"fieldName\":" : "{\"fieldName\":");
	add_string(sorts, column);
	appendStringInfo(sorts, ",\"direction\":\"%s\",\"numeric\":%s}",
					 descending ? "DESC" : "ASC", numeric ? "true" : "false");
}
