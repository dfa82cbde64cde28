/*
 * api/dialect.c
 *	  Which dialect a server speaks.
 */
#include "postgres.h"

#include "api/dialect.h"

const GcDialect *
gc_dialect(List *server_options)
{
	return &gc_dialect_platform;
}

const GcImportWay *
gc_dialect_way(const GcDialect *dialect, const char *method)
{
	for (const GcImportWay *way = dialect->ways; way->method; way++)
		if (strcmp(way->method, method) == 0)
			return way;
	return NULL;
}
