/*
 * fdw/import_fields.h
 *	  A staged file without its header, and the fields that its list has by now.
 */
#ifndef GC_FDW_IMPORT_FIELDS_H
#define GC_FDW_IMPORT_FIELDS_H

#include "postgres.h"

#include "fdw/import_parts.h"

/*
 * So many fields the list has got behind those of the part's file.  Throws if the file's cells
 * would not be in the columns that they are meant for, or a field must have a value that they lack.
 */
extern int gc_import_fields_added(const GcImportRun *run, const GcPart *part,
								  const GcList *now);

#endif /* GC_FDW_IMPORT_FIELDS_H */
