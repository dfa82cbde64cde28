/*
 * journal.c
 *	  Lists and contacts in a file, as they change, so that they are there again after a kill.
 *
 * A line is one change, an object: a "list", a contact as control paths show it, or the
 * "gone" one of a list.  A kill leaves the system's buffers alone, so nothing is synced.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "buf.h"
#include "changes.h"
#include "contact_json.h"
#include "journal.h"

static int fd = -1;

static void
fail(const char *path, const char *why)
{
	fprintf(stderr, "gc_sim: journal %s: %s\n", path, why);
	exit(2);
}

/* ---- writing ---- */

static void
put_line(Buf *line)
{
	buf_putc(line, '\n');
	if (write(fd, line->data, line->len) != (ssize_t) line->len)
		fail("line", strerror(errno));
	buf_free(line);
}

void
journal_list(const List *list, const json_t *body)
{
	Buf line = {0};
	json_t *made;

	if (fd < 0)
		return;
	made = json_copy((json_t *) body);
	json_object_set_new(made, "id", json_string(list->id));
	buf_puts(&line, "{\"list\":");
	buf_put_json(&line, made);
	buf_putc(&line, '}');
	put_line(&line);
	json_decref(made);
}

void
journal_contact(const List *list, const Contact *contact)
{
	Buf line = {0};

	if (fd < 0)
		return;
	contact_put_raw(&line, list, contact);
	put_line(&line);
}

void
journal_gone(const List *list, const Contact *contact)
{
	Span id = contact_id(contact);
	Buf line = {0};

	if (fd < 0)
		return;
	buf_puts(&line, "{\"contactListId\":");
	buf_put_string(&line, list->id, strlen(list->id));
	buf_puts(&line, ",\"gone\":");
	buf_put_string(&line, id.p, id.n);
	buf_putc(&line, '}');
	put_line(&line);
}

void
journal_reset(void)
{
	if (fd >= 0 && ftruncate(fd, 0) != 0)
		fail("reset", strerror(errno));
}

/* What is freed after that is not gone. */
void
journal_close(void)
{
	if (fd >= 0)
		close(fd);
	fd = -1;
}

/* ---- reading ---- */

static Span
member(const json_t *change, const char *name)
{
	const json_t *value = json_object_get(change, name);

	return (Span){(char *) json_string_value(value), json_string_length(value)};
}

static void
keep_contact(List *list, json_t *change)
{
	static const char *const derived[] = {"contactListId", "configurationOverrides", "selfUri",
										  "doNotQueue", "queueMoves"};
	Span cells[MAX_COLUMNS] = {{NULL, 0}};
	Contact *contact = list_contact(list, member(change, "id"));

	if (contact == NULL)
	{
		contact = contact_build(member(change, "id"), cells, list->columns->n);
		list_insert(list, contact);
	}
	for (size_t i = 0; i < sizeof(derived) / sizeof(*derived); i++)
		json_object_del(change, derived[i]);
	if (!contact_set_members(list, &contact, change))
		fail("read", "a contact is not as it was");
}

static void
make_change(json_t *change, void (*make_list)(const json_t *body))
{
	const json_t *made = json_object_get(change, "list");
	List *list = made ? NULL : store_find(member(change, "contactListId"));
	Contact *gone;

	if (made)
		make_list(made);
	else if (list && json_object_get(change, "gone") == NULL)
		keep_contact(list, change);
	else if (list && (gone = list_contact(list, member(change, "gone"))) != NULL)
		list_delete(list, gone);
}

/* A last line without an end was being written, and nobody has been told of it. */
static void
read_all(FILE *file, const char *path, void (*make_list)(const json_t *body))
{
	char *line = NULL;
	size_t room = 0;
	ssize_t len;
	off_t whole = 0;

	while ((len = getline(&line, &room, file)) > 0 && line[len - 1] == '\n')
	{
		json_t *change = json_loadb(line, (size_t) len, 0, NULL);

		if (!json_is_object(change))
			fail(path, "a line is no object");
		make_change(change, make_list);
		json_decref(change);
		whole += len;
	}
	free(line);
	if (truncate(path, whole) != 0)
		fail(path, strerror(errno));
}

void
journal_open(const char *path, void (*make_list)(const json_t *body))
{
	FILE *file = fopen(path, "r");

	if (file)
	{
		read_all(file, path, make_list);
		fclose(file);
	}
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (fd < 0)
		fail(path, strerror(errno));
}
