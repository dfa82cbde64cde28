/*
 * fdw/source.c
 *	  Which way of reading a scan takes.
 */
#include "postgres.h"

#include "api/dnc_lists.h"
#include "api/pager.h"
#include "base/option.h"
#include "fdw/source.h"

bool
gc_source_search_can(const GcRelation *rel, Bitmapset *columns, const char **why)
{
	for (int i = 0; i < rel->column_count; i++)
	{
		const GcColumn *column = &rel->columns[i];

		if (column->attnum == 0 || !bms_is_member(column->attnum, columns) ||
			column->attribute == NULL || !gc_attribute_is_export_only(column->attribute))
			continue;
		*why = psprintf("Column \"%s\" (attribute %s) is given by an export alone.",
						column->name, column->attribute->name);
		return false;
	}
	return true;
}

static void
cannot(const GcRelation *rel, const char *method, const char *why, const char *from)
{
	ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					errmsg("foreign table \"%s\" cannot be read by %s", rel->name, method),
					errdetail_internal("%s", why),
					errhint("Leave the column out of %s, or set the option \"scan_method\" to "
							"\"auto\".",
							from)));
}

/* The planner may choose, and there is nothing to choose. */
static void
cannot_either(const GcRelation *rel, const char *why_search, const char *why_export,
			  const char *from)
{
	ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					errmsg("foreign table \"%s\" can be read neither by search nor by export",
						   rel->name),
					errdetail_internal("%s %s", why_search, why_export),
					errhint("Leave one of the columns out of %s.", from)));
}

bool
gc_source_allows(const GcRelation *rel, GcScanMethod method)
{
	const char *wanted = gc_option_string(rel->options, rel->server_options, "scan_method");

	/* The option is about contacts: all else has one way alone. */
	if (!rel->resource->has_list)
		return method == GC_SCAN_SEARCH;
	return strcmp(wanted, "auto") == 0 ||
		   strcmp(wanted, method == GC_SCAN_IDS ? "ids" : "search") == 0;
}

/* The columns that name contacts, for a message; NULL: there is none. */
static const char *
naming_columns(const GcRelation *rel)
{
	const char *id = rel->id ? rel->columns[rel->id - 1].name : NULL;
	const char *key = rel->key ? rel->columns[rel->key - 1].name : NULL;

	if (id && key)
		return psprintf("\"%s\" or \"%s\"", id, key);
	return id || key ? psprintf("\"%s\"", id ? id : key) : NULL;
}

void
gc_source_not_named(const GcRelation *rel)
{
	const char *columns = naming_columns(rel);

	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("foreign table \"%s\" cannot be read by %s", rel->name, "ids"),
			 columns ? errdetail("The query does not name contacts by %s.", columns)
					 : errdetail("It has neither a column for the attribute \"%s\" nor a %s.",
								 "id", "key"),
			 columns ? errhint("Compare it by = or IN with values or with columns of other "
							   "tables, or set the option \"scan_method\" to \"auto\".")
					 : errhint("Set the option \"scan_method\" to \"auto\".")));
}

void
gc_source_ways(const GcRelation *rel, Bitmapset *columns, const char *from, bool *search,
			   bool *export)
{
	const char *method = gc_option_string(rel->options, rel->server_options, "scan_method");
	bool is_forced = strcmp(method, "auto") != 0;
	bool has_export = rel->resource->has_list || rel->resource->has_dnc_list;
	const char *why_search = NULL;
	const char *why_export = NULL;

	/* What belongs to no contact list has one way alone. */
	*export = has_export &&
			  (rel->resource->has_dnc_list || !is_forced || strcmp(method, "export") == 0);
	*search = !rel->resource->has_dnc_list && !(is_forced && *export);
	if (*search)
		*search = gc_source_search_can(rel, columns, &why_search);
	if (*export)
		*export = gc_source_export_can(rel, columns, &why_export);
	if (*search || *export)
		return;
	if (why_search && why_export)
		cannot_either(rel, why_search, why_export, from);
	cannot(rel, is_forced && !rel->resource->has_dnc_list ? method : "export",
		   why_search ? why_search : why_export, from);
}

void
gc_source_connect(GcSourceRequest *request, Oid user_id)
{
	GcRelation *rel = request->rel;

	request->conn = gc_connection_get(user_id, rel->server_id);
	if (rel->resource->has_list)
	{
		GcTime since = gc_clock_now();

		request->list =
			gc_list_get(request->conn, request->stat, rel->list_id, rel->list_name);
		if (gc_relation_lacks(rel, request->list))
			request->list = gc_list_grown(request->conn, request->stat, request->list, since);
		gc_relation_check(rel, request->list);
	}
	if (rel->resource->has_dnc_list)
		request->dnc_list_id =
			rel->dnc_list_id
				? rel->dnc_list_id
				: gc_dnc_list_get(request->conn, request->stat, NULL, rel->dnc_list_name)->id;
}

void
gc_source_tell_lag(const GcRelation *rel, GcTime until)
{
	ereport(DEBUG1,
			(errmsg_internal("waiting up to %.3f s until %s shows what was written (read_lag)",
							 Max(until - gc_clock_now(), 0) / 1e6, rel->label)));
}

static void
forget_list(void *list)
{
	gc_list_forget(list);
}

int64
gc_source_count(const GcSourceRequest *request, const char *criteria)
{
	GcPager *pager =
		gc_pager_open(gc_calls_open(request->conn, request->stat), request->rel->resource,
					  request->list ? request->list->id : NULL, 1, 1, request->rel->label);
	GcJson *row;

	gc_pager_filter(pager, criteria);
	if (request->list)
		gc_pager_on_missing(pager, forget_list, request->list);
	(void) gc_pager_next(pager, true, &row);
	return gc_pager_total(pager);
}
