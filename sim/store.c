/*
 * store.c
 *	  Contact lists: their columns, and the chain of lists.
 */
#include <stdlib.h>
#include <string.h>

#include "generate.h"
#include "lag.h"
#include "search.h"
#include "store.h"

static List *lists; /* newest last */

static void
add_phone_columns(Columns *columns, const json_t *phone_columns)
{
	size_t i;
	json_t *item;

	json_array_foreach(phone_columns, i, item)
	{
		json_t *name = json_object_get(item, "columnName");
		Span span = {(char *) json_string_value(name), json_string_length(name)};
		int column = span.p ? columns_find(columns, span, 0) : -1;

		if (column >= 0)
			columns->phone[column] = true;
	}
}

Columns *
columns_create(const json_t *names, const json_t *phone_columns, const char *zip)
{
	Columns *columns = sim_alloc(sizeof(Columns));

	columns->refs = 1;
	columns->n = (int) json_array_size(names);
	for (int i = 0; i < columns->n; i++)
	{
		json_t *name = json_array_get(names, (size_t) i);
		size_t len = json_string_length(name);

		columns->name[i] = (Span){sim_strndup(json_string_value(name), len), len};
	}
	add_phone_columns(columns, phone_columns);
	columns->zip = -1;
	if (zip)
		columns->zip = columns_find(columns, (Span){(char *) zip, strlen(zip)}, 0);
	return columns;
}

Columns *
columns_share(Columns *columns)
{
	columns->refs++;
	return columns;
}

void
columns_release(Columns *columns)
{
	if (--columns->refs > 0)
		return;
	for (int i = 0; i < columns->n; i++)
		free(columns->name[i].p);
	free(columns);
}

/* Callers name the columns in order, mostly, so the hint is mostly right. */
int
columns_find(const Columns *columns, Span name, int hint)
{
	for (int i = 0; i < columns->n; i++, hint++)
	{
		const Span *one;

		if (hint >= columns->n)
			hint = 0;
		one = &columns->name[hint];
		if (one->n == name.n && memcmp(one->p, name.p, name.n) == 0)
			return hint;
	}
	return -1;
}

List *
store_lists(void)
{
	return lists;
}

int
store_count(void)
{
	int n = 0;

	for (List *list = lists; list; list = list->next)
		n++;
	return n;
}

List *
store_find(Span id)
{
	for (List *list = lists; list; list = list->next)
		if (strlen(list->id) == id.n && memcmp(list->id, id.p, id.n) == 0)
		{
			list_settle(list);
			return list;
		}
	return NULL;
}

List *
store_find_name(const char *name)
{
	List *list = lists;

	while (list && strcmp(list->name, name) != 0)
		list = list->next;
	return list;
}

List *
store_add(const char *id, json_t *body, Columns *columns)
{
	List *list = sim_alloc(sizeof(List));
	List **link = &lists;

	list->id = sim_strdup(id);
	list->name = sim_strdup(json_string_value(json_object_get(body, "name")));
	list->version = 1;
	list->created_us = list->modified_us = sim_now_us();
	list->body = body;
	list->columns = columns;
	while (*link)
		link = &(*link)->next;
	*link = list;
	return list;
}

/* What is made of the contacts, or was once one of them. */
static void
forget_derived(List *list)
{
	search_forget(list->cache);
	lag_free(list->lag);
	generated_free(list->generated);
	list->cache = NULL;
	list->lag = NULL;
	list->generated = NULL;
}

/* What is kept of the contacts is made anew: of the cells of the new columns there are none. */
void
store_add_columns(List *list, Columns *columns)
{
	columns_release(list->columns);
	list->columns = columns;
	list_compact(list);
	for (uint32_t i = 0; i < list->ncontacts; i++)
	{
		Span cells[MAX_COLUMNS] = {{NULL, 0}};
		Contact *old = list->order[i];
		Contact *contact;

		contact_cells(old, cells);
		contact = contact_build(contact_id(old), cells, columns->n);
		contact_inherit(contact, old);
		list_replace(list, old, contact);
	}
	forget_derived(list);
}

void
store_remove(List *list)
{
	List **link = &lists;

	while (*link != list)
		link = &(*link)->next;
	*link = list->next;
	list_clear(list, 0);
	forget_derived(list);
	columns_release(list->columns);
	json_decref(list->body);
	json_decref(list->import_status);
	json_decref(list->schema);
	json_decref(list->was);
	free(list->order);
	free(list->slots);
	free(list->name);
	free(list->id);
	free(list);
}

void
store_reset(void)
{
	while (lists)
		store_remove(lists);
}
