/*
 * fdw/merge.c
 *	  A contact as it was read, with the changes of an UPDATE.
 */
#include "postgres.h"

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
	MEMBER_FIRST_KEPT,
};

static const char *const member_names[] = {
	"data", "dateCreated", "callable", "phoneNumberStatus", "contactableStatus",
	/* Those that a PUT might take away by leaving them out. */
	"retentionType", "retentionDays", "dateExpiration", "latestWhatsAppEvaluations"};

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

static void
add_extra(StringInfo out, enum Member member, const GcSpan *value)
{
	appendStringInfo(out, "\"%s\":", member_names[member]);
	gc_json_append(out, value);
	appendStringInfoChar(out, ',');
}

static bool
says_false(const GcSpan *value)
{
	for (const char *p = value->p; p && p + 5 <= value->p + value->len; p++)
		if (memcmp(p, "false", 5) == 0)
			return true;
	return false;
}

/*
 * What a PUT says besides, as it was read: whether it keeps what it leaves out
 * is not published, and an opt-out must not get lost.
 */
static const char *
extra(const GcSpan *members, const GcPatch *patch)
{
	StringInfoData out;

	initStringInfo(&out);
	if (!patch->sets_callable && members[MEMBER_CALLABLE].type == 'f')
		add_extra(&out, MEMBER_CALLABLE, &members[MEMBER_CALLABLE]);
	if (!patch->sets_phone_status && says_false(&members[MEMBER_PHONE_STATUS]))
		add_extra(&out, MEMBER_PHONE_STATUS, &members[MEMBER_PHONE_STATUS]);
	if (!patch->sets_contactable_status && says_false(&members[MEMBER_CONTACTABLE_STATUS]))
		add_extra(&out, MEMBER_CONTACTABLE_STATUS, &members[MEMBER_CONTACTABLE_STATUS]);
	for (int i = MEMBER_FIRST_KEPT; i < lengthof(member_names); i++)
		if (members[i].p && members[i].type != 'n')
			add_extra(&out, i, &members[i]);
	return out.data;
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
	row->rest = out.len;
	appendStringInfo(&out, "\"contactListId\":\"%s\",%s", merger->list_id, patch->attributes);
	problem = merge_cells(&out, &members[MEMBER_DATA], patch);
	if (problem)
		return problem;
	appendStringInfoChar(&out, '}');
	row->json = out.data;
	row->len = out.len;
	row->extra = extra(members, patch);
	row->created = created->type == '"' ? pnstrdup(created->p, created->len) : NULL;
	return NULL;
}
