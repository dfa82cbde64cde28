/*
 * api/dialect.c
 *	  Which dialect a server speaks.
 */
#include "postgres.h"

#include "api/dialect.h"
#include "api/resource.h"
#include "base/option.h"

static const GcDialect *const dialects[] = {&gc_dialect_platform, &gc_dialect_jobs};

const GcDialect *
gc_dialect(List *server_options)
{
	const char *name = gc_option_string(server_options, NIL, "dialect");

	for (int i = 0; i < lengthof(dialects); i++)
		if (strcmp(dialects[i]->name, name) == 0)
			return dialects[i];
	pg_unreachable();
}

const GcResource *
gc_dialect_resource(const GcDialect *dialect, const GcResource *resource)
{
	if (resource == &gc_contact_lists)
		return dialect->contact_lists;
	return resource == &gc_import_jobs ? dialect->import_jobs : resource;
}

const GcImportWay *
gc_dialect_way(const GcDialect *dialect, const char *method)
{
	for (const GcImportWay *way = dialect->ways; way->method; way++)
		if (strcmp(way->method, method) == 0)
			return way;
	return NULL;
}

char *
gc_dialect_methods(const GcDialect *dialect)
{
	StringInfoData names;

	initStringInfo(&names);
	appendStringInfoString(&names, "\"auto\"");
	for (const GcImportWay *way = dialect->ways; way->method; way++)
		appendStringInfo(&names, ", \"%s\"", way->method);
	return names.data;
}
