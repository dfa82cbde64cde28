/*
 * fdw/verb.c
 *	  INSERT, UPDATE and DELETE as calls: what differs between them.
 */
#include "postgres.h"

#include "fdw/verb.h"

/* Ids go in the query of a DELETE, and 8 kB of a request line is what every proxy takes. */
#define QUERY_MAX_BYTES 6000

static const GcVerbInfo verbs[] = {
	[GC_VERB_INSERT] = {"INSERT", GC_CONTACTS_MAX_ROWS, GC_CONTACTS_MAX_BYTES, "[,]"},
	[GC_VERB_UPDATE] = {"UPDATE", GC_CONTACTS_MAX_ROWS, GC_CONTACTS_MAX_BYTES, "[,]"},
	[GC_VERB_DELETE] = {"DELETE", GC_CONTACTS_MAX_DELETE, QUERY_MAX_BYTES, "?&"},
};

const GcVerbInfo *
gc_verb(GcVerb verb)
{
	return &verbs[verb];
}

const char *
gc_verb_failed(GcVerb verb, int64 rows, const char *label)
{
	switch (verb)
	{
		case GC_VERB_INSERT:
			return psprintf(ngettext("could not insert " INT64_FORMAT " contact into %s",
									 "could not insert " INT64_FORMAT " contacts into %s",
									 rows),
							rows, label);
		case GC_VERB_UPDATE:
			return psprintf(ngettext("could not update " INT64_FORMAT " contact of %s",
									 "could not update " INT64_FORMAT " contacts of %s", rows),
							rows, label);
		case GC_VERB_DELETE:
			break;
	}
	return psprintf(ngettext("could not delete " INT64_FORMAT " contact from %s",
							 "could not delete " INT64_FORMAT " contacts from %s", rows),
					rows, label);
}

static void
delete_call(const GcList *list, const char *path, GcBatch *batch, GcCallSpec *spec)
{
	spec->method = "DELETE";
	spec->may_be_empty = true;
	spec->endpoint = batch->rows == 1 ? GC_CONTACTS_ONE : GC_CONTACTS_ALL;
	spec->path = batch->rows == 1 ? gc_contacts_one_path(list->id, gc_batch_id(batch, 0))
								  : psprintf("%s%s", path, batch->body.data);
}

void
gc_verb_call(GcVerb verb, const GcList *list, const char *path, const GcContactsFlags *flags,
			 GcBatch *batch, GcCallSpec *spec)
{
	MemoryContext caller_cxt = MemoryContextSwitchTo(batch->rows_cxt);

	*spec = (GcCallSpec){
		.call_class = GC_CALL_IDEMPOTENT,
		.method = "POST",
		.path = path,
		.endpoint = GC_CONTACTS_ALL,
		/* Somebody may wait for a single row, and it is a bulk call all the same. */
		.rate = {.priority = batch->rows == 1, .bulk = true},
		/* It does not say which: halves find out, so that the others need not wait for it. */
		.in_use_ends = verb != GC_VERB_DELETE && batch->rows > 1};
	if (verb == GC_VERB_DELETE)
		delete_call(list, path, batch, spec);
	else
	{
		/* A single contact of an UPDATE, too: a PUT may reset what it leaves out. */
		spec->body = batch->body.data;
		spec->body_len = batch->body.len;
		if (flags->clear_system_data)
			spec->call_class = GC_CALL_UNSAFE;
	}
	MemoryContextSwitchTo(caller_cxt);
}
