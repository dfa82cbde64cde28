/*
 * fdw/source.c
 *	  Which way of reading a scan takes.
 */
#include "postgres.h"

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
cannot(const GcRelation *rel, const char *method, const char *why)
{
	ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					errmsg("foreign table \"%s\" cannot be read by %s", rel->name, method),
					errdetail_internal("%s", why),
					errhint("Leave the column out of the query, or set the option "
							"\"scan_method\" to \"auto\".")));
}

void
gc_source_ways(const GcRelation *rel, Bitmapset *columns, bool *search, bool *export)
{
	const char *method = gc_option_string(rel->options, rel->server_options, "scan_method");
	bool is_forced = strcmp(method, "auto") != 0;
	bool has_export = rel->resource->has_list || rel->resource->has_dnc_list;
	const char *why = NULL;

	/* What belongs to no contact list has one way alone. */
	*export = has_export &&
			  (rel->resource->has_dnc_list || !is_forced || strcmp(method, "export") == 0);
	*search = !rel->resource->has_dnc_list && !(is_forced && *export);
	if (*search)
		*search = gc_source_search_can(rel, columns, &why);
	if (*export)
		*export = gc_source_export_can(rel, columns, &why);
	if (!*search && !*export)
		cannot(rel, is_forced && !rel->resource->has_dnc_list ? method : "export", why);
}
