/*
 * api/entity_members.c
 *	  What a thing of the API has, as JSON: its id, its name, and its members, changed or not.
 */
#include "postgres.h"

#include "api/entity_parts.h"
#include "base/value.h"

GcSpan
gc_entity_span(const char *object)
{
	return (GcSpan){.p = object, .len = strlen(object), .type = '{'};
}

char *
gc_entity_label(const GcEntityKind *kind, const char *name)
{
	return name ? psprintf("%s \"%s\"", kind->label, gc_value_display(name, NAMEDATALEN))
				: pstrdup(kind->label);
}

char *
gc_entity_text(const GcSpan *object, const char *path)
{
	GcSpan span = path ? gc_json_member(object, path) : (GcSpan){0};
	int len;

	return span.p ? gc_value_span_text(&span, &len) : NULL;
}

char *
gc_entity_name(const GcEntityKind *kind, const GcSpan *object)
{
	return gc_entity_text(object, kind->name_of ? kind->name_of : kind->natural_key);
}

char *
gc_entity_id(const GcEntityKind *kind, const GcSpan *object)
{
	return gc_entity_text(object, kind->id_field ? kind->id_field : "id");
}

/* A reference is written as a whole: the name beside its id would be the old one's. */
static GcJsonChange
as_written(const GcJsonChange *change)
{
	int len = strlen(change->path) - strlen("/id");

	if (len <= 0 || strcmp(change->path + len, "/id") != 0)
		return *change;
	return (GcJsonChange){.path = pnstrdup(change->path, len),
						  .json = change->json ? psprintf("{\"id\":%s}", change->json) : NULL};
}

char *
gc_entity_edited(const GcEntityKind *kind, const GcSpan *object, const GcEntityChange *changes,
				 int count)
{
	GcJsonChange *members = NULL;
	StringInfoData out;
	int room = count + 1;
	int n = 0;

	for (const char *const *name = kind->shown; name && *name; name++)
		room++;
	members = palloc(sizeof(GcJsonChange) * room);
	for (int i = 0; i < count; i++)
		members[n++] = as_written(&changes[i].member);
	for (const char *const *name = kind->shown; name && *name; name++)
		members[n++] = (GcJsonChange){.path = *name};
	initStringInfo(&out);
	if (!gc_json_edit(&out, object, members, n))
		elog(ERROR, "could not edit a JSON object");
	return out.data;
}

char *
gc_entity_with_shown(const GcEntityKind *kind, const char *answer, const GcSpan *read)
{
	GcSpan object = gc_entity_span(answer);
	StringInfoData out;

	for (const char *const *name = kind->shown; name && *name; name++)
	{
		GcSpan was = gc_json_member(read, *name);
		GcSpan is = gc_json_member(&object, *name);
		StringInfoData json;
		GcJsonChange change = {.path = *name};

		if (was.p == NULL || is.p)
			continue;
		initStringInfo(&json);
		gc_json_append(&json, &was);
		change.json = json.data;
		initStringInfo(&out);
		if (!gc_json_edit(&out, &object, &change, 1))
			elog(ERROR, "could not edit a JSON object");
		object = gc_entity_span(out.data);
	}
	return pnstrdup(object.p, object.len);
}

static GcSpan
value_of(const char *json)
{
	GcSpan span = {0};
	GcJson cursor;

	gc_json_init(&cursor, json ? json : "null", json ? strlen(json) : 4);
	(void) gc_json_value(&cursor, &span);
	return span;
}

bool
gc_entity_has(const GcEntityKind *kind, const GcSpan *object, const GcEntityChange *change)
{
	GcSpan has = gc_json_member(object, change->member.path);
	GcSpan wants = value_of(change->member.json);

	return kind->same ? kind->same(change, &has, &wants) : gc_json_same(&has, &wants);
}
