/*
 * fdw/explain.c
 *	  What EXPLAIN says of our nodes.
 */
#include "postgres.h"

#include "api/bulk_jobs.h"
#include "api/contacts.h"
#include "api/export.h"
#include "base/compat.h"
#include "base/value.h"
#include "fdw/explain.h"
#include "fdw/source.h"

/* The list's id where it is known; else its name in braces, since EXPLAIN asks nobody. */
static char *
list_part(GcRelation *rel, const char *list_id)
{
	if (list_id)
		return gc_value_display(list_id, NAMEDATALEN);
	if (rel->list_id || rel->dnc_list_id)
		return gc_value_display(rel->list_id ? rel->list_id : rel->dnc_list_id, NAMEDATALEN);
	return psprintf("{%s}", rel->list_label);
}

/* The remote call, with the list in its place if the resource belongs to one. */
static void
explain_call(ExplainState *es, const char *label, GcRelation *rel, const char *list_id,
			 const char *method, const char *endpoint)
{
	const char *part = rel->resource->has_dnc_list ? GC_DNC_LIST_ID : GC_LIST_ID;
	const char *place = strstr(endpoint, part);
	const char *call = endpoint;

	if (place)
		call = psprintf("%.*s%s%s", (int) (place - endpoint), endpoint,
						list_part(rel, list_id), place + strlen(part));
	ExplainPropertyText(label, psprintf("%s %s", method, call), es);
}

static void
explain_further_calls(ExplainState *es, const GcSourceRequest *request)
{
	const GcExpansion *expansions[GC_EXPANSIONS_MAX];
	int count = gc_relation_expansions(request->rel, request->columns, expansions);
	List *calls = NIL;

	for (int i = 0; i < count; i++)
		calls = lappend(calls, psprintf("%s %s (one for each %s)", expansions[i]->method,
										expansions[i]->endpoint, expansions[i]->each));
	if (calls)
		ExplainPropertyList("Further Calls", calls, es);
}

void
gc_explain_scan(ExplainState *es, const GcSourceRequest *request, const GcSourceOps *ops,
				const char *criteria)
{
	GcRelation *rel = request->rel;
	const char *list_id = request->list ? request->list->id : request->dnc_list_id;
	bool by_ids = ops == &gc_source_ids;

	if (ops == &gc_source_export)
	{
		ExplainPropertyText("Path", ops->name, es);
		explain_call(es, "Remote Call", rel, list_id, "POST",
					 rel->resource->has_dnc_list ? GC_DNC_EXPORT_ENDPOINT
												 : GC_EXPORT_ENDPOINT);
		if (criteria)
			ExplainPropertyText("Remote Filter", criteria, es);
		return;
	}
	ExplainPropertyText("Path",
						ops == &gc_source_search ? rel->resource->path_name : ops->name, es);
	if (by_ids)
		explain_call(es, "Remote Call", rel, list_id, request->id_is_array ? "POST" : "GET",
					 request->id_is_array ? GC_CONTACTS_BULK : GC_CONTACTS_ONE);
	if (!by_ids || request->id_is_key)
	{
		explain_call(es, by_ids ? "Remote Search" : "Remote Call", rel, list_id,
					 rel->resource->method, rel->resource->endpoint);
		if (criteria)
			ExplainPropertyText("Remote Filter", criteria, es);
		if (request->sorts)
			ExplainPropertyText("Remote Sort", request->sorts, es);
		ExplainPropertyInteger("Page Size", NULL, request->page_size, es);
	}
	if (ops != &gc_source_counter)
		explain_further_calls(es, request);
}

void
gc_explain_requests(ExplainState *es, int requests, double seconds)
{
	ExplainPropertyInteger("Expected Requests", NULL, requests, es);
	ExplainPropertyFloat("Expected Time", "s", seconds, 1, es);
}

void
gc_explain_modify(ExplainState *es, GcRelation *rel, const char *list_id, GcVerb verb,
				  int batch_rows)
{
	const char *method = verb == GC_VERB_DELETE ? "DELETE" : "POST";
	bool one = verb == GC_VERB_DELETE && batch_rows == 1;

	explain_call(es, "Remote Call", rel, list_id, method,
				 one ? GC_CONTACTS_ONE : GC_CONTACTS_ALL);
	if (verb == GC_VERB_DELETE && !one)
		explain_call(es, "Remote Call for One", rel, list_id, method, GC_CONTACTS_ONE);
	if (verb == GC_VERB_DELETE && batch_rows > 1)
		explain_call(es, "Remote Check", rel, list_id, "POST", GC_CONTACTS_BULK);
	if (verb == GC_VERB_UPDATE)
		explain_call(es, "Remote Fresh Read", rel, list_id, "POST", GC_CONTACTS_BULK);
	ExplainPropertyInteger("Batch Size", NULL, batch_rows, es);
}

void
gc_explain_duplicates(ExplainState *es, GcRelation *rel, const char *list_id, const char *mode,
					  bool single)
{
	ExplainPropertyText("On Duplicate", mode, es);
	explain_call(es, "Remote Look-up", rel, list_id, single ? "GET" : "POST",
				 single ? GC_CONTACTS_ONE : GC_CONTACTS_BULK);
}

void
gc_explain_direct(ExplainState *es, const GcSourceRequest *request, bool edit,
				  const char *criteria, const char *patch)
{
	explain_call(es, "Remote Job", request->rel, request->list ? request->list->id : NULL,
				 "POST", edit ? GC_BULK_EDIT : GC_BULK_REMOVE);
	if (criteria)
		ExplainPropertyText("Remote Filter", criteria, es);
	else if (request->id_is_array)
		ExplainPropertyInteger("Contacts per Job", NULL, GC_BULK_MAX_IDS, es);
	if (patch)
		ExplainPropertyText("Remote Change", patch, es);
}

void
gc_explain_stat(ExplainState *es, const GcStat *stat)
{
	ExplainPropertyInteger("Requests", NULL, stat->requests, es);
	ExplainPropertyInteger("Retries", NULL, stat->retries, es);
	ExplainPropertyInteger("Bytes Sent", NULL, stat->bytes_sent, es);
	ExplainPropertyInteger("Bytes Received", NULL, stat->bytes_received, es);
	if (es->timing && stat->export_age_us > 0)
		ExplainPropertyFloat("Export Age", "ms", stat->export_age_us / 1000.0, 3, es);
	if (es->timing)
		ExplainPropertyFloat("Wait Time", "ms", stat->wait_us / 1000.0, 3, es);
	if (es->timing && stat->lag_us > 0)
		ExplainPropertyFloat("Read Lag", "ms", stat->lag_us / 1000.0, 3, es);
}
