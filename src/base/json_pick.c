/*
 * base/json_pick.c
 *	  Picks members out of JSON objects by path, many objects with one plan.
 */
#include "postgres.h"

#include "base/json_pick.h"

#define NO_SLOT (-1)

struct GcPick
{
	const char *name; /* of this member, decoded; NULL at the root */
	int name_len;
	int slot; /* where its value goes, or NO_SLOT */
	GcPick *children;
	GcPick *next;	  /* sibling */
	GcPick *expected; /* the child to try first: objects mostly repeat their order */
};

GcPick *
gc_pick_create(void)
{
	GcPick *pick = palloc0(sizeof(GcPick));

	pick->slot = NO_SLOT;
	return pick;
}

static GcPick *
child_named(GcPick *pick, const char *name)
{
	GcPick **link = &pick->children;
	int len = strlen(name);

	for (; *link; link = &(*link)->next)
		if ((*link)->name_len == len && memcmp((*link)->name, name, len) == 0)
			return *link;
	*link = gc_pick_create();
	(*link)->name = pstrdup(name);
	(*link)->name_len = len;
	return *link;
}

void
gc_pick_add(GcPick *pick, const char *const *names, int count, int slot)
{
	for (int i = 0; i < count; i++)
		pick = child_named(pick, names[i]);
	if (pick->slot != NO_SLOT)
		elog(ERROR, "two slots for one JSON member");
	pick->slot = slot;
}

static bool
name_matches(const GcPick *pick, const GcSpan *key)
{
	char decoded[1024];
	int len;

	if (!key->escaped)
		return pick->name_len == key->len && memcmp(pick->name, key->p, key->len) == 0;
	if (key->len > sizeof(decoded))
		return false;
	len = gc_json_unescape(key, decoded);
	return len == pick->name_len && memcmp(pick->name, decoded, len) == 0;
}

static GcPick *
find_child(GcPick *pick, const GcSpan *key)
{
	GcPick *child = pick->expected;

	if (child == NULL || !name_matches(child, key))
		for (child = pick->children; child; child = child->next)
			if (name_matches(child, key))
				break;
	if (child)
		pick->expected = child->next ? child->next : pick->children;
	return child;
}

/* Recursion is as deep as the plan, not as the document. */
static bool
walk(GcPick *pick, GcJson *json, GcSpan *slots)
{
	GcSpan key;

	if (!gc_json_enter(json, '{'))
		return false;
	while (gc_json_key(json, &key))
	{
		GcPick *child = find_child(pick, &key);
		const char *from;

		if (child == NULL || child->children == NULL || gc_json_peek(json) != '{')
		{
			if (!gc_json_value(json,
							   child && child->slot != NO_SLOT ? &slots[child->slot] : NULL))
				return false;
			continue;
		}
		(void) gc_json_peek(json);
		from = json->p;
		if (!walk(child, json, slots))
			return false;
		if (child->slot != NO_SLOT)
			slots[child->slot] = (GcSpan){.p = from, .len = json->p - from, .type = '{'};
	}
	return json->error == NULL;
}

bool
gc_pick_object(GcPick *pick, GcJson *json, GcSpan *slots, int slot_count)
{
	const char *from;

	memset(slots, 0, slot_count * sizeof(GcSpan));
	(void) gc_json_peek(json);
	from = json->p;
	if (!walk(pick, json, slots))
		return false;
	if (pick->slot != NO_SLOT)
		slots[pick->slot] = (GcSpan){.p = from, .len = json->p - from, .type = '{'};
	return true;
}

GcSpan
gc_pick_member(const GcSpan *object, const char *const *names, int count)
{
	GcPick *pick;
	GcSpan found = {0};
	GcJson json;

	if (object->p == NULL || object->type != '{')
		return found;
	pick = gc_pick_create();
	gc_pick_add(pick, names, count, 0);
	gc_json_init(&json, object->p, object->len);
	(void) gc_pick_object(pick, &json, &found, 1);
	return found;
}
