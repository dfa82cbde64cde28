/*
 * fuzz/shim.c
 *	  What the tested code needs of the server: memory, errors, encodings, lists.
 */
#include "postgres.h"

#include <stdio.h>
#include <stdlib.h>

#include "shim.h"

#include "common/string.h"
#include "lib/ilist.h"
#include "mb/pg_wchar.h"
#include "nodes/memnodes.h"
#include "nodes/pg_list.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/sampling.h"
#include "utils/timestamp.h"

/* A context: the server's struct, for its links and callbacks, and what is allocated in it. */
typedef struct ShimContext
{
	MemoryContextData data;
	dlist_head chunks;
} ShimContext;

typedef struct ShimChunk
{
	dlist_node node; /* in its context */
	Size size;
	Size unused; /* so that what follows is aligned to 16 */
} ShimChunk;

static ShimContext top = {.chunks = DLIST_STATIC_INIT(top.chunks)};

MemoryContext TopMemoryContext = &top.data;
MemoryContext CurrentMemoryContext = &top.data;

void
shim_fail(const char *file, int line, const char *condition)
{
	fprintf(stderr, "%s:%d: not so: %s\n", file, line, condition);
	abort();
}

/* ---- memory ---- */

static void *
check_allocated(void *block)
{
	if (block == NULL)
		abort();
	return block;
}

void *
MemoryContextAlloc(MemoryContext context, Size size)
{
	ShimChunk *chunk;

	if (!AllocSizeIsValid(size))
		elog(ERROR, "invalid memory alloc request size %zu", size);
	chunk = check_allocated(malloc(sizeof(ShimChunk) + size));
	chunk->size = size;
	dlist_push_tail(&((ShimContext *) context)->chunks, &chunk->node);
	return chunk + 1;
}

void *
MemoryContextAllocZero(MemoryContext context, Size size)
{
	return memset(MemoryContextAlloc(context, size), 0, size);
}

void *
MemoryContextAllocZeroAligned(MemoryContext context, Size size)
{
	return MemoryContextAllocZero(context, size);
}

char *
MemoryContextStrdup(MemoryContext context, const char *string)
{
	return memcpy(MemoryContextAlloc(context, strlen(string) + 1), string, strlen(string) + 1);
}

void *
palloc(Size size)
{
	return MemoryContextAlloc(CurrentMemoryContext, size);
}

void *
palloc0(Size size)
{
	return MemoryContextAllocZero(CurrentMemoryContext, size);
}

char *
pstrdup(const char *in)
{
	return MemoryContextStrdup(CurrentMemoryContext, in);
}

char *
pnstrdup(const char *in, Size len)
{
	char *copy;

	len = strnlen(in, len);
	copy = memcpy(palloc(len + 1), in, len);
	copy[len] = '\0';
	return copy;
}

void *
repalloc(void *pointer, Size size)
{
	ShimChunk *chunk = (ShimChunk *) pointer - 1;
	void *grown = palloc(size);

	/* Always moved, into the context of the moment: nothing here depends on the old one. */
	memcpy(grown, pointer, Min(size, chunk->size));
	pfree(pointer);
	return grown;
}

void
pfree(void *pointer)
{
	ShimChunk *chunk = (ShimChunk *) pointer - 1;

	dlist_delete(&chunk->node);
	free(chunk);
}

MemoryContext
AllocSetContextCreateInternal(MemoryContext parent, const char *name, Size minContextSize,
							  Size initBlockSize, Size maxBlockSize)
{
	ShimContext *context = check_allocated(calloc(1, sizeof(ShimContext)));

	context->data.name = name;
	context->data.parent = parent;
	context->data.nextchild = parent->firstchild;
	parent->firstchild = &context->data;
	dlist_init(&context->chunks);
	return &context->data;
}

void
MemoryContextRegisterResetCallback(MemoryContext context, MemoryContextCallback *cb)
{
	cb->next = context->reset_cbs;
	context->reset_cbs = cb;
}

void
MemoryContextReset(MemoryContext context)
{
	ShimContext *shim = (ShimContext *) context;

	while (context->firstchild)
		MemoryContextDelete(context->firstchild);
	while (context->reset_cbs)
	{
		MemoryContextCallback *callback = context->reset_cbs;

		context->reset_cbs = callback->next;
		callback->func(callback->arg);
	}
	while (!dlist_is_empty(&shim->chunks))
		free(dlist_container(ShimChunk, node, dlist_pop_head_node(&shim->chunks)));
}

void
MemoryContextDelete(MemoryContext context)
{
	MemoryContext *link = &context->parent->firstchild;

	MemoryContextReset(context);
	while (*link != context)
		link = &(*link)->nextchild;
	*link = context->nextchild;
	free(context);
}

/* ---- errors ---- */

ShimError shim_error;
sigjmp_buf *PG_exception_stack = NULL;
ErrorContextCallback *error_context_stack = NULL;

static bool
error_start(int elevel)
{
	shim_error.sqlstate = ERRCODE_INTERNAL_ERROR;
	shim_error.message[0] = '\0';
	return elevel >= ERROR;
}

bool
errstart(int elevel, const char *domain)
{
	return error_start(elevel);
}

bool
errstart_cold(int elevel, const char *domain)
{
	return error_start(elevel);
}

void
errfinish(const char *filename, int lineno, const char *funcname)
{
	pg_re_throw();
}

void
pg_re_throw(void)
{
	shim_check(PG_exception_stack != NULL);
	siglongjmp(*PG_exception_stack, 1);
}

int
errcode(int sqlerrcode)
{
	shim_error.sqlstate = sqlerrcode;
	return 0;
}

/* All parts of a message alike: formatted, so that each argument is read to its end. */
static void
add_words(const char *fmt, va_list args)
{
	size_t len = strlen(shim_error.message);
	size_t room = sizeof(shim_error.message) - len;

	if (vsnprintf(shim_error.message + len, room, fmt, args) < room - 2)
		strcat(shim_error.message, "\n");
}

#define SHIM_WORDS(function)                                                                  \
	int function(const char *fmt, ...)                                                        \
	{                                                                                         \
		va_list args;                                                                         \
		va_start(args, fmt);                                                                  \
		add_words(fmt, args);                                                                 \
		va_end(args);                                                                         \
		return 0;                                                                             \
	}

SHIM_WORDS(errmsg)
SHIM_WORDS(errmsg_internal)
SHIM_WORDS(errdetail)
SHIM_WORDS(errdetail_internal)
SHIM_WORDS(errhint)
SHIM_WORDS(errcontext_msg)

int
set_errcontext_domain(const char *domain)
{
	return 0;
}

bool
shim_try(void (*run)(void *arg), void *arg)
{
	MemoryContext context =
		AllocSetContextCreate(TopMemoryContext, "one input", ALLOCSET_DEFAULT_SIZES);
	sigjmp_buf here;
	volatile bool done = false;

	CurrentMemoryContext = context;
	if (sigsetjmp(here, 0) == 0)
	{
		PG_exception_stack = &here;
		run(arg);
		done = true;
	}
	PG_exception_stack = NULL;
	CurrentMemoryContext = TopMemoryContext;
	MemoryContextDelete(context);
	return done;
}

/* ---- encodings: the database's is UTF-8 ---- */

int
GetDatabaseEncoding(void)
{
	return PG_UTF8;
}

char *
pg_server_to_any(const char *s, int len, int encoding)
{
	return unconstify(char *, s);
}

char *
pg_any_to_server(const char *s, int len, int encoding)
{
	return unconstify(char *, s);
}

bool
pg_verify_mbstr(int encoding, const char *mbstr, int len, bool noError)
{
	bool valid = pg_encoding_verifymbstr(encoding, mbstr, len) == len;

	if (!valid && !noError)
		ereport(ERROR, (errcode(ERRCODE_CHARACTER_NOT_IN_REPERTOIRE),
						errmsg("invalid byte sequence for encoding")));
	return valid;
}

int
pg_encoding_mbcliplen(int encoding, const char *mbstr, int len, int limit)
{
	int clipped = 0;

	while (clipped < len && mbstr[clipped] != '\0')
	{
		int width = pg_encoding_mblen(encoding, mbstr + clipped);

		if (clipped + width > limit)
			break;
		clipped += width;
	}
	return clipped;
}

/* ---- lists and texts ---- */

List *
lappend(List *list, void *datum)
{
	if (list == NULL)
	{
		list = palloc0(sizeof(List));
		list->type = T_List;
	}
	list->elements = list->length == 0
						 ? palloc(sizeof(ListCell))
						 : repalloc(list->elements, (list->length + 1) * sizeof(ListCell));
	list->elements[list->length++].ptr_value = datum;
	return list;
}

text *
cstring_to_text(const char *s)
{
	int len = strlen(s);
	text *result = palloc(len + VARHDRSZ);

	SET_VARSIZE(result, len + VARHDRSZ);
	memcpy(VARDATA(result), s, len);
	return result;
}

/* ---- chance takes every other page, as long as enough are left ---- */

BlockNumber
BlockSampler_Init(BlockSampler sampler, BlockNumber blocks, int wanted, uint32 seed)
{
	*sampler = (BlockSamplerData){.N = blocks, .n = wanted};
	return Min(blocks, wanted);
}

bool
BlockSampler_HasMore(BlockSampler sampler)
{
	return sampler->t < sampler->N && sampler->m < sampler->n;
}

BlockNumber
BlockSampler_Next(BlockSampler sampler)
{
	if (sampler->N - sampler->t > sampler->n - sampler->m)
		sampler->t++;
	sampler->m++;
	return sampler->t++;
}

/* ---- time stands still ---- */

TimestampTz
GetCurrentTimestamp(void)
{
	return 0;
}

const char *
timestamptz_to_str(TimestampTz t)
{
	return "2000-01-01 00:00:00+00";
}

/* As deep as it likes: an overrun of the stack is a finding. */
void
check_stack_depth(void)
{
}
