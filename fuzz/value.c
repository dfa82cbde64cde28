/*
 * fuzz/value.c
 *	  Cells that are decoded: texts, arrays, and what is shown in messages.
 */
#include "postgres.h"

#include "shim.h"

#include "base/value.h"
#include "base/value_array.h"
#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "utils/array.h"
#include "utils/builtins.h"

typedef struct Input
{
	const uint8 *data;
	size_t size;
} Input;

/* In the place of the server's: the dimensions have to say how many elements there are. */
ArrayType *
construct_md_array(Datum *elems, bool *nulls, int ndims, int *dims, int *lbs, Oid elmtype,
				   int elmlen, bool elmbyval, char elmalign)
{
	int count = 1;

	shim_check(ndims > 0 && ndims <= MAXDIM);
	for (int i = 0; i < ndims; i++)
	{
		shim_check(dims[i] > 0 && lbs[i] == 1);
		count *= dims[i];
	}
	for (int i = 0; i < count; i++)
		shim_check(nulls[i] || VARSIZE_ANY(DatumGetPointer(elems[i])) >= VARHDRSZ);
	return palloc0(sizeof(ArrayType));
}

ArrayType *
construct_empty_array(Oid elmtype)
{
	return palloc0(sizeof(ArrayType));
}

static void
parse_array(void *arg)
{
	Input *input = arg;
	GcValueType element = {.type = TEXTOID, .typmod = -1, .kind = GC_VALUE_TEXT, .typlen = -1};
	GcValueType vt = {.kind = GC_VALUE_ARRAY, .element = &element};
	char *cell = pnstrdup((const char *) input->data, input->size);

	(void) gc_value_parse(&vt, cell, strlen(cell));
}

/* A string's content is text, in one of two ways. */
static void
parse_text(void *arg)
{
	Input *input = arg;
	GcValueType vt = {.type = TEXTOID, .typmod = -1, .kind = GC_VALUE_TEXT, .typlen = -1};
	GcSpan span = {.p = (const char *) input->data,
				   .len = input->size,
				   .type = '"',
				   .escaped = memchr(input->data, '\\', input->size) != NULL};
	int len;
	char *cell = gc_value_span_text(&span, &len);
	text *value;

	if (cell == NULL)
		return;
	value = (text *) DatumGetPointer(gc_value_parse(&vt, cell, len));
	shim_check(VARSIZE_ANY_EXHDR(value) == len && memcmp(VARDATA_ANY(value), cell, len) == 0);
	shim_check(pg_encoding_verifymbstr(PG_UTF8, cell, len) == len);
}

/* Valid, short enough, on one line, and as much of it as there is room for. */
static void
show(void *arg)
{
	Input *input = arg;
	char *in = pnstrdup((const char *) input->data, input->size);
	int max = input->size % 40 + 1;
	char *shown = gc_value_display(in, max);
	int len = strlen(shown);

	shim_check(pg_encoding_verifymbstr(PG_UTF8, shown, len) == len);
	for (int i = 0; i < len; i++)
		shim_check((unsigned char) shown[i] >= 0x20);
	shim_check(len <= strlen(in) && len <= max * MAX_MULTIBYTE_CHAR_LEN);
	if (pg_encoding_verifymbstr(PG_UTF8, in, strlen(in)) == strlen(in))
		for (int i = 0; i < len; i++)
			shim_check(shown[i] == in[i] || (unsigned char) in[i] < 0x20);
}

int
LLVMFuzzerTestOneInput(const uint8 *data, size_t size)
{
	Input input = {data, size};

	(void) shim_try(parse_array, &input);
	(void) shim_try(parse_text, &input);
	shim_check(shim_try(show, &input));
	return 0;
}
