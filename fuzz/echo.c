/*
 * fuzz/echo.c
 *	  The echo of a POST of contacts, and the opt-outs that it has to show.
 */
#include "postgres.h"

#include "oracle.h"
#include "shim.h"

#include "api/contacts.h"
#include "api/optout.h"
#include "base/value.h"

typedef struct Input
{
	const uint8 *data;
	size_t size;
	int visited;
} Input;

/* What is asked for only if it is there, decoded as the caller does. */
static void
visit(void *arg, const GcContactEcho *echo)
{
	Input *input = arg;
	const GcSpan *spans[] = {&echo->id, &echo->callable, &echo->phone_number_status,
							 &echo->contactable_status};

	input->visited++;
	for (int i = 0; i < lengthof(spans); i++)
	{
		int len;
		char *cell;

		if (spans[i]->p == NULL)
			continue;
		shim_check((const uint8 *) spans[i]->p >= input->data &&
				   (const uint8 *) spans[i]->p + spans[i]->len <= input->data + input->size);
		cell = gc_value_span_text(spans[i], &len);
		if (cell)
			shim_check(cell[len] == '\0');
	}
}

/* Whatever opt-outs a status has, a contact with that status shows them. */
static void
check_optout(const char *status)
{
	bool valid;
	char *parts = gc_optout_parts(status, &valid);

	shim_check(valid || parts == NULL);
	if (parts)
		shim_check(gc_optout_shown(parts, status, strlen(status)) &&
				   !gc_optout_shown(parts, NULL, 0));
}

static void
run(void *arg)
{
	Input *input = arg;
	const char *bytes = (const char *) input->data;
	json_error_t error;
	json_t *tree = oracle_load(input->data, input->size, 0, &error);
	bool valid = json_is_array(tree);
	int64 objects = gc_json_count_objects(bytes, input->size);
	int64 count;

	json_decref(tree); /* before anything throws */
	check_optout(pnstrdup(bytes, input->size));
	count = gc_contacts_walk_echo(bytes, input->size, visit, input);
	shim_check(count == -1 || (count == input->visited && count == objects));
	if (valid && objects >= 0)
		shim_check(count == objects);
}

int
LLVMFuzzerTestOneInput(const uint8 *data, size_t size)
{
	Input input = {data, size};

	/* Cells that no text can hold are refused. */
	(void) shim_try(run, &input);
	return 0;
}
