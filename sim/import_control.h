/*
 * import_control.h
 *	  Imports as tests see and steer them.
 *
 * All want the lock.
 */
#ifndef SIM_IMPORT_CONTROL_H
#define SIM_IMPORT_CONTROL_H

#include "imports.h"

extern const char *import_state_name(const Import *import); /* queued, inProgress, … */
extern json_t *imports_show(const char *list_id);			/* of that list; NULL = all */

extern void control_imports(Request *req);	   /* GET /_sim/imports */
extern void control_set_imports(Request *req); /* POST /_sim/imports */

#endif
