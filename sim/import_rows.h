/*
 * import_rows.h
 *	  The rows of an import: read one by one, checked, stored.
 *
 * They come from a file, with a header or without, or from JSON; or they are only
 * counted.  All but the rows_of functions want the lock.
 */
#ifndef SIM_IMPORT_ROWS_H
#define SIM_IMPORT_ROWS_H

#include "store.h"
#include "stream.h"

typedef struct Rows Rows;

/* What happens to a row whose contact is there. */
typedef enum OnDuplicate
{
	DUPLICATE_UPDATE,
	DUPLICATE_IGNORE,
	DUPLICATE_ERROR
} OnDuplicate;

typedef struct RowsOptions
{
	const char *id_name; /* the column of the contact ids; NULL = they are made */
	bool header;		 /* else id_name comes first, then the list's columns */
	bool clear_system_data;
	bool verifies;		/* phone numbers and email addresses */
	const char *broken; /* why the file cannot be read at all; NULL = it can */
	OnDuplicate on_duplicate;
} RowsOptions;

/* Why a row, or a whole file, is refused; the message is to free. */
typedef struct RowError
{
	const char *code; /* NULL = it is not */
	char *message;
	char *field; /* to free; NULL = none */
	char *id;	 /* likewise */
	bool fatal;	 /* the import ends with it */
} RowError;

extern Rows *rows_of_file(Stream *file, const RowsOptions *options); /* shares it */

/* Takes an array of {"id", "callable", "cells": {"<column>": "text"}}, each may be absent. */
extern Rows *rows_of_json(json_t *contacts, const RowsOptions *options);

/* Rows that are only counted; those that are stored count as the list's. */
extern Rows *rows_of_nothing(bool stored);

extern void rows_begin(Rows *rows, const List *list, RowError *error); /* reads the header */
extern void rows_take(Rows *rows, List *list, RowError *error);		   /* one row */
extern int64_t rows_take_many(Rows *rows, List *list, int64_t n); /* how many needed no look */
extern void rows_free(Rows *rows);								  /* NULL is fine */
extern void row_error_free(RowError *error);

#endif
