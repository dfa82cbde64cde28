/*
 * store_contacts.c
 *	  The contacts of a list: packed, in order, and found by id.
 */
#include <stdlib.h>
#include <string.h>

#include "journal.h"
#include "lag.h"

static uint32_t
hash_id(Span id)
{
	uint64_t h = 0xcbf29ce484222325u;

	for (size_t i = 0; i < id.n; i++)
		h = (h ^ (unsigned char) id.p[i]) * 0x100000001b3u;
	return (uint32_t) (h ^ h >> 32);
}

Contact *
contact_build(Span id, const Span *cells, int ncells)
{
	size_t size = sizeof(Contact) + sizeof(uint16_t) * (size_t) ncells + id.n;
	Contact *contact;
	char *out;

	for (int i = 0; i < ncells; i++)
		size += cells[i].p ? cells[i].n : 0;
	contact = sim_alloc(size);
	contact->hash = hash_id(id);
	contact->callable = true;
	contact->priority = contact->do_not_queue = -1;
	contact->id_len = (uint16_t) id.n;
	contact->ncells = (uint16_t) ncells;
	out = (char *) (contact->cell_len + ncells);
	memcpy(out, id.p, id.n);
	out += id.n;
	for (int i = 0; i < ncells; i++)
	{
		contact->cell_len[i] = cells[i].p ? (uint16_t) cells[i].n : NO_CELL;
		if (cells[i].p)
		{
			memcpy(out, cells[i].p, cells[i].n);
			out += cells[i].n;
		}
	}
	return contact;
}

static void
attrs_free(Attrs *attrs)
{
	if (attrs)
		for (int i = 0; i < ATTR_COUNT; i++)
			free(attrs->value[i].p);
	free(attrs);
}

void
contact_free(Contact *contact)
{
	attrs_free(contact->attrs);
	free(contact);
}

Span
contact_id(const Contact *contact)
{
	return (Span){(char *) (contact->cell_len + contact->ncells), contact->id_len};
}

void
contact_cells(const Contact *contact, Span *cells)
{
	char *p = (char *) (contact->cell_len + contact->ncells) + contact->id_len;

	for (int i = 0; i < contact->ncells; i++)
	{
		uint16_t len = contact->cell_len[i];

		cells[i] = len == NO_CELL ? (Span){NULL, 0} : (Span){p, len};
		if (len != NO_CELL)
			p += len;
	}
}

void
contact_set_attr(Contact *contact, Attr attr, Span value)
{
	Span *place;

	if (contact->attrs == NULL)
	{
		if (value.p == NULL)
			return;
		contact->attrs = sim_alloc(sizeof(Attrs));
	}
	place = &contact->attrs->value[attr];
	free(place->p);
	*place = (Span){value.p ? sim_strndup(value.p, value.n) : NULL, value.n};
}

void
contact_inherit(Contact *contact, const Contact *old)
{
	contact->arrived_us = old->arrived_us;
	contact->created_us = old->created_us;
	contact->serial = old->serial;
	contact->callable = old->callable;
	contact->in_use = old->in_use;
	contact->priority = old->priority;
	contact->do_not_queue = old->do_not_queue;
	contact->queue_moves = old->queue_moves;
	for (int i = 0; old->attrs && i < ATTR_COUNT; i++)
		contact_set_attr(contact, i, old->attrs->value[i]);
}

/* The slot that holds the id, or the empty one where it would go. */
static uint32_t
find_slot(const List *list, Span id, uint32_t hash)
{
	uint32_t i = hash & (list->nslots - 1);

	for (; list->slots[i]; i = (i + 1) & (list->nslots - 1))
	{
		Contact *contact = list->slots[i];

		if (contact->hash == hash && contact->id_len == id.n &&
			memcmp(contact_id(contact).p, id.p, id.n) == 0)
			break;
	}
	return i;
}

Contact *
list_contact(List *list, Span id)
{
	if (list->nslots == 0)
		return NULL;
	return list->slots[find_slot(list, id, hash_id(id))];
}

static void
grow_slots(List *list)
{
	uint32_t old_n = list->nslots;
	Contact **old = list->slots;

	if (list->ncontacts * 2 < old_n)
		return;
	list->nslots = old_n ? old_n * 2 : 64;
	list->slots = sim_alloc(sizeof(Contact *) * list->nslots);
	for (uint32_t i = 0; i < old_n; i++)
		if (old[i])
			list->slots[find_slot(list, contact_id(old[i]), old[i]->hash)] = old[i];
	free(old);
}

void
list_insert(List *list, Contact *contact)
{
	grow_slots(list);
	if (list->norder == list->order_cap)
	{
		list->order_cap = list->order_cap ? list->order_cap * 2 : 64;
		list->order = sim_realloc(list->order, sizeof(Contact *) * list->order_cap);
	}
	contact->arrived_us = contact->created_us = sim_now_us();
	contact->serial = ++list->arrivals;
	contact->place = list->norder;
	list->order[list->norder++] = contact;
	list->slots[find_slot(list, contact_id(contact), contact->hash)] = contact;
	list->ncontacts++;
	list->changes++;
}

void
list_replace(List *list, Contact *old, Contact *contact)
{
	uint32_t slot = find_slot(list, contact_id(old), old->hash);

	contact->place = old->place;
	list->order[contact->place] = contact;
	list->slots[slot] = contact;
	list->changes++;
	lag_keep(list, old, sim_now_us());
}

/* Empties the slot and moves up what had been pushed past it. */
static void
empty_slot(List *list, uint32_t hole)
{
	uint32_t mask = list->nslots - 1;
	uint32_t i = hole;

	for (;;)
	{
		uint32_t home;

		i = (i + 1) & mask;
		if (list->slots[i] == NULL)
			break;
		home = list->slots[i]->hash & mask;
		if (((i - home) & mask) < ((i - hole) & mask))
			continue; /* its home lies past the hole */
		list->slots[hole] = list->slots[i];
		hole = i;
	}
	list->slots[hole] = NULL;
}

static void
take_away(List *list, Contact *contact, int64_t at_us)
{
	journal_gone(list, contact);
	empty_slot(list, find_slot(list, contact_id(contact), contact->hash));
	list->order[contact->place] = NULL;
	list->ncontacts--;
	list->changes++;
	lag_keep(list, contact, at_us);
}

void
list_delete(List *list, Contact *contact)
{
	take_away(list, contact, sim_now_us());
}

void
list_compact(List *list)
{
	uint32_t n = 0;

	if (list->norder == list->ncontacts)
		return;
	for (uint32_t i = 0; i < list->norder; i++)
	{
		Contact *contact = list->order[i];

		if (i == list->clear_below)
			list->clear_below = n;
		if (contact == NULL)
			continue;
		contact->place = n;
		list->order[n++] = contact;
	}
	if (list->clear_below > n)
		list->clear_below = n;
	list->norder = n;
	list->changes++; /* places have moved */
}

/* All that is there now goes away at that time; 0 means at once. */
void
list_clear(List *list, int64_t at_us)
{
	list->clear_us = at_us ? at_us : sim_now_us();
	list->clear_below = list->norder;
	list->clear_accepted = list->accepted;
	list_settle(list);
}

void
list_settle(List *list)
{
	uint32_t below = list->clear_below;
	int64_t at_us = list->clear_us;

	if (at_us == 0 || at_us > sim_now_us())
		return;
	list->clear_us = 0;
	list->accepted -= list->clear_accepted;
	for (uint32_t i = 0; i < below; i++)
		if (list->order[i])
			take_away(list, list->order[i], at_us);
	list_compact(list);
}
