/*
 * fuzz/page.c
 *	  A page of a search: its envelope, and members picked out of its entities.
 *
 * Where jansson can read the page, it has to be read the same.
 */
#include "postgres.h"

#include "oracle.h"
#include "shim.h"

#include "api/page.h"
#include "base/json_pick.h"

/* As a table over contacts asks for them; the last is asked for by no table. */
static const char *const paths[][3] = {
	{"id"},
	{"data"},
	{"data", "Name"},
	{"callRecords", "Phone", "lastAttempt"},
	{"data", "e\xcc\x81\n"},
	{""},
};

static json_t *
follow(json_t *entity, const char *const *path)
{
	for (int i = 0; i < 3 && path[i]; i++)
		entity = json_object_get(entity, path[i]);
	return entity;
}

static void
compare_slot(const GcSpan *slot, json_t *expected)
{
	char *raw;
	json_t *value;

	shim_check((slot->p != NULL) == (expected != NULL));
	if (expected == NULL)
		return;
	raw = slot->type == '"' ? psprintf("\"%s\"", pnstrdup(slot->p, slot->len))
							: pnstrdup(slot->p, slot->len);
	value = json_loads(raw, JSON_DECODE_ANY, NULL);
	shim_check(json_equal(value, expected));
	json_decref(value);
}

static void
read_entities(GcPage *page, json_t *entities)
{
	GcPick *pick = gc_pick_create();
	GcSpan slots[lengthof(paths) + 1];
	int count = 0;

	for (int i = 0; i < lengthof(paths); i++)
		gc_pick_add(pick, paths[i], paths[i][1] == NULL ? 1 : paths[i][2] == NULL ? 2 : 3, i);
	gc_pick_add(pick, NULL, 0, lengthof(paths));
	while (gc_json_element(&page->entities))
	{
		json_t *entity = json_array_get(entities, count++);

		if (!gc_pick_object(pick, &page->entities, slots, lengthof(slots)))
		{
			shim_check(!json_is_object(entity));
			return;
		}
		for (int i = 0; entity && i < lengthof(paths); i++)
			compare_slot(&slots[i], follow(entity, paths[i]));
		if (entity)
			compare_slot(&slots[lengthof(paths)], entity);
	}
	shim_check(count == page->count && page->entities.error == NULL);
}

static void
compare_count(int64 count, json_t *expected)
{
	json_int_t value = json_integer_value(expected);

	/* "-0" is none to us, and the same number to jansson. */
	if (json_is_integer(expected) && value > 0 && value <= 1000000000)
		shim_check(count == value);
	else
		shim_check(count == -1 || (count == 0 && value == 0));
}

typedef struct Input
{
	const uint8 *data;
	size_t size;
} Input;

static void
run(void *arg)
{
	Input *input = arg;
	json_error_t error;
	json_t *tree = oracle_load(input->data, input->size, JSON_REJECT_DUPLICATES, &error);
	json_t *entities = json_object_get(tree, "entities");
	GcPage page;
	const char *problem = gc_page_read(&page, (const char *) input->data, input->size);

	/* The plainest way to write a name is the only one that an envelope is read in. */
	if (tree && problem == NULL && json_is_array(entities))
	{
		shim_check(page.count == json_array_size(entities));
		if (memchr(input->data, '\\', input->size) == NULL)
		{
			compare_count(page.total, json_object_get(tree, "total"));
			compare_count(page.page_count, json_object_get(tree, "pageCount"));
			compare_count(page.page_size, json_object_get(tree, "pageSize"));
		}
	}
	if (problem == NULL)
		read_entities(&page, entities);
	else
		shim_check(tree == NULL || !json_is_array(entities) ||
				   memchr(input->data, '\\', input->size) || strstr(problem, "deep"));
	json_decref(tree);
}

int
LLVMFuzzerTestOneInput(const uint8 *data, size_t size)
{
	shim_check(shim_try(run, &(Input){data, size}));
	return 0;
}
