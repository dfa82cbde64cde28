/*
 * job_rows.h
 *	  Contacts as dialect "jobs" has them in JSON, made into rows of an import.
 *
 * The handlers' lock is not wanted: columns are fixed for the life of what is shared.
 */
#ifndef SIM_JOB_ROWS_H
#define SIM_JOB_ROWS_H

#include "request.h"
#include "store.h"

/*
 * Each takes what was sent, and gives rows as rows_of_json takes them; NULL, with an
 * error as the reply, when any of it is refused.
 */
extern json_t *job_rows_flat(Request *req, const Columns *columns, json_t *contacts);
extern json_t *job_rows_data(Request *req, const Columns *columns, json_t *contacts);
extern json_t *job_rows_typed(Request *req, const Columns *columns, const json_t *emails,
							  json_t *contacts);

/* An id that is twice in the rows, where that is a conflict; then 409 is the reply. */
extern bool job_rows_have_twice(Request *req, const json_t *rows);

#endif
