/*
 * rows.h
 *	  Contacts as callers send them: read from JSON and checked.
 *
 * A batch points into the body it was read from, which is changed by it.
 * Needs no lock: the columns of a list are fixed for its life.
 */
#ifndef SIM_ROWS_H
#define SIM_ROWS_H

#include "request.h"
#include "store.h"

#define MAX_BATCH 1000

typedef struct Row
{
	Span id;				  /* p NULL = not given */
	int8_t callable;		  /* -1 = not given */
	Span attr[ATTR_WRITABLE]; /* JSON text; p NULL = not given */
} Row;

/* The first thing found wrong; code NULL = nothing. */
typedef struct Problem
{
	const char *code;
	char *message;
	Span field;
	Span contact_id;
} Problem;

typedef struct Batch
{
	const char *list_id;
	const Columns *columns;
	Row *rows;
	Span *cells; /* columns->n of them a row */
	int n;
	int room;
	int64_t seen; /* more than n when there are too many */
	Problem problem;
} Batch;

/*
 * Reads an array of contacts, or one; false, with an error as the reply, when
 * any of it is refused.  Either way batch_free follows.
 */
extern bool batch_read(Batch *batch, Request *req, const char *list_id,
					   const Columns *columns);
extern bool batch_read_one(Batch *batch, Request *req, const char *list_id,
						   const Columns *columns);
extern void batch_free(Batch *batch);

/* The rules for one id, one zip code; bytes of the first 512 characters of a cell. */
extern bool contact_id_is_good(Span id);
extern bool zip_is_good(Span zip);
extern size_t cell_within_limit(Span text);

#endif
