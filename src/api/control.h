/*
 * api/control.h
 *	  Calls with small answers: run one and read it as a JSON tree.
 *
 * For control replies, not for pages of contacts.  jansson and the server both
 * define a function json_object(); our calls would reach the server's, so
 * files that include this one only read trees, and include no
 * utils/builtins.h.
 */
#ifndef GC_API_CONTROL_H
#define GC_API_CONTROL_H

#include "postgres.h"

#include <jansson.h>

#include "api/request.h"

/* Runs a call to its end; throws "message" (what could not be done) if it failed. */
extern GcCall *gc_control_run(GcCalls *calls, const GcCallSpec *spec, const char *message);

/* An ended call's answer as a tree that is freed with the call; throws if it is not JSON. */
extern json_t *gc_control_json(GcCall *call, const char *message);

#endif /* GC_API_CONTROL_H */
