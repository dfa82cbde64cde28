/*
 * fdw/merge.c
 *	  A contact as it was read, with the changes of an UPDATE.
 */
#include "postgres.h"

#include "api/optout.h"
#include "base/json_pick.h"
#include "fdw/merge.h"

/* What is looked at in a contact. */
enum Member
{
	MEMBER_DATA,
	MEMBER_CREATED,
	MEMBER_CALLABLE,
	MEMBER_PHONE_STATUS,
	MEMBER_CONTACTABLE_STATUS,
};

static const char *const member_names[] = {"data", "dateCreated", "callable",
										   "phoneNumberStatus", "contactableStatus"};

struct GcMerger
{
	GcPick *pick;
	const char *list_id; /* as it stands in JSON */
};

GcMerger *
gc_merger_create(const GcList *list)
{
	GcMerger *merger = palloc(sizeof(GcMerger));
	StringInfoData list_id;

	merger->pick = gc_pick_create();
	for (int i = 0; i < lengthof(member_names); i++)
		gc_pick_add(merger->pick, &member_names[i], 1, i);
	initStringInfo(&list_id);
	gc_json_escape(&list_id, list->id, strlen(list->id));
	merger->list_id = list_id.data;
	return merger;
}

static bool
key_is(const GcSpan *key, const char *name)
{
	int len = strlen(name);
	char *decoded;

	if (!key->escaped)
		return key->len == len && memcmp(key->p, name, len) == 0;
	decoded = palloc(key->len + 1);
	return gc_json_unescape(key, decoded) == len && memcmp(decoded, name, len) == 0;
}

static bool
is_changed(const GcPatch *patch, const GcSpan *key)
{
	for (int i = 0; i < patch->field_count; i++)
		if (key_is(key, patch->fields[i]))
			return true;
	return false;
}

/* The cells: those that do not change as they came, then those that do. */
static const char *
merge_cells(StringInfo out, const GcSpan *data, const GcPatch *patch)
{
	GcJson json;
	GcSpan key;
	GcSpan value;

	appendStringInfoString(out, "\"data\":{");
	if (data->p)
	{
		gc_json_init(&json, data->p, data->len);
		if (!gc_json_enter(&json, '{'))
			return "Its data is not a JSON object.";
		while (gc_json_key(&json, &key) && gc_json_value(&json, &value))
		{
			/* A null is a cell that is not there. */
			if (value.type == 'n' || is_changed(patch, &key))
				continue;
			gc_json_append_comma(out);
			appendStringInfoChar(out, '"');
			appendBinaryStringInfo(out, key.p, key.len);
			appendStringInfoString(out, "\":");
			gc_json_append(out, &value);
		}
	}
	if (*patch->cells)
		gc_json_append_comma(out);
	appendStringInfo(out, "%s}", patch->cells);
	return NULL;
}

/* For the audit: what an opt-out was before; NULL: it was not there, or is none. */
static const char *
was(const char *sent, const GcSpan *read)
{
	return sent && read->type == '{' ? gc_optout_before(sent, read->p, read->len) : NULL;
}

const char *
gc_merge(GcMerger *merger, const char *id, const char *raw, int raw_len, const GcPatch *patch,
		 GcRow *row)
{
	GcSpan members[lengthof(member_names)];
	const GcSpan *created = &members[MEMBER_CREATED];
	const char *problem;
	StringInfoData out;
	GcJson json;

	gc_json_init(&json, raw, raw_len);
	if (!gc_pick_object(merger->pick, &json, members, lengthof(member_names)))
		return "It is not a JSON object.";
	initStringInfo(&out);
	appendStringInfoString(&out, "{\"id\":\"");
	gc_json_escape(&out, id, strlen(id));
	appendStringInfoString(&out, "\",");
	*row = patch->shown;
	row->id = id;
	row->noted = true;
	appendStringInfo(&out, "\"contactListId\":\"%s\",%s", merger->list_id, patch->attributes);
	problem = merge_cells(&out, &members[MEMBER_DATA], patch);
	if (problem)
		return problem;
	appendStringInfoChar(&out, '}');
	row->json = out.data;
	row->len = out.len;
	row->was_callable = members[MEMBER_CALLABLE].p ? members[MEMBER_CALLABLE].type : 0;
	row->was_phone_status = was(row->phone_number_status, &members[MEMBER_PHONE_STATUS]);
	row->was_contactable_status =
		was(row->contactable_status, &members[MEMBER_CONTACTABLE_STATUS]);
	row->created = created->type == '"' ? pnstrdup(created->p, created->len) : NULL;
	return NULL;
}
