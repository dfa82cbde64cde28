/*
 * fuzz/edit.c
 *	  An object with some of its members changed, against jansson: they are as they are to be,
 *	  and all others as they were.
 */
#include "postgres.h"

#include "oracle.h"
#include "shim.h"

#include "base/json_edit.h"

/* No path begins another's. */
static const GcJsonChange changes[] = {
	{"a", "1"}, {"b/c", "\"x\""}, {"b/d", NULL}, {"e", NULL}, {"n/ame/deep", "[{}]"}};

typedef struct Input
{
	const uint8 *data;
	size_t size;
} Input;

/* The object below that has the member that a path ends in, and its name; made if "makes". */
static json_t *
parent_of(json_t *object, const char *path, bool makes, const char **name)
{
	char *step = pstrdup(path);
	char *slash;

	for (; (slash = strchr(step, '/')) != NULL; step = slash + 1)
	{
		json_t *next;

		*slash = '\0';
		next = json_object_get(object, step);
		if (makes && !json_is_object(next))
			json_object_set_new(object, step, json_object());
		object = json_object_get(object, step);
	}
	*name = step;
	return object;
}

static json_t *
edited_by_jansson(json_t *tree)
{
	json_t *object = json_deep_copy(tree);

	for (int i = 0; i < lengthof(changes); i++)
	{
		const char *name;
		json_t *parent = parent_of(object, changes[i].path, true, &name);

		if (changes[i].json)
			json_object_set_new(parent, name,
								json_loads(changes[i].json, JSON_DECODE_ANY, NULL));
		else
			json_object_del(parent, name);
	}
	return object;
}

static json_t *
load(const char *bytes, size_t len)
{
	json_error_t error;

	return oracle_load((const uint8 *) bytes, len, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES,
					   &error);
}

/* A member is there if it is for jansson, with the same value. */
static void
check_members(const GcSpan *object, json_t *tree)
{
	for (int i = 0; i < lengthof(changes); i++)
	{
		const char *name;
		json_t *expected =
			json_object_get(parent_of(tree, changes[i].path, false, &name), name);
		GcSpan member = gc_json_member(object, changes[i].path);
		StringInfoData json;
		json_t *found = NULL;

		shim_check((member.p != NULL) == (expected != NULL));
		if (member.p == NULL)
			continue;
		initStringInfo(&json);
		gc_json_append(&json, &member);
		found = load(json.data, json.len);
		shim_check(found && json_equal(found, expected));
		json_decref(found);
	}
}

static void
compare(const StringInfo out, const GcSpan *object, json_t *tree)
{
	json_t *expected = edited_by_jansson(tree);
	json_t *found = load(out->data, out->len);

	shim_check(found && json_equal(found, expected));
	json_decref(found);
	json_decref(expected);
	check_members(object, tree);
}

static void
run(void *arg)
{
	Input *input = arg;
	StringInfoData out;
	GcSpan object;
	GcJson json;
	json_t *tree;

	gc_json_init(&json, (const char *) input->data, input->size);
	if (!gc_json_value(&json, &object) || !gc_json_end(&json))
		return;
	for (int i = 0; i < lengthof(changes); i++)
		(void) gc_json_member(&object, changes[i].path);
	initStringInfo(&out);
	if (!gc_json_edit(&out, &object, changes, lengthof(changes)))
	{
		shim_check(object.type != '{');
		return;
	}
	shim_check(object.type == '{');
	gc_json_init(&json, out.data, out.len);
	shim_check(gc_json_value(&json, NULL) && gc_json_end(&json));
	tree = load((const char *) input->data, input->size);
	if (json_is_object(tree))
		compare(&out, &object, tree);
	json_decref(tree);
}

int
LLVMFuzzerTestOneInput(const uint8 *data, size_t size)
{
	shim_check(shim_try(run, &(Input){data, size}));
	return 0;
}
