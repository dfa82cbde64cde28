/*
 * api/control.c
 *	  Calls with small answers: run one and read it as a JSON tree.
 */
#include "postgres.h"

#include "api/control.h"

static void
release_json(void *arg)
{
	json_decref(arg);
}

json_t *
gc_control_json(GcCall *call, const char *message)
{
	MemoryContextCallback *callback =
		MemoryContextAlloc(gc_call_context(call), sizeof(MemoryContextCallback));
	size_t len;
	const char *bytes = gc_call_reply(call, &len);
	json_error_t error;
	json_t *json = json_loadb(bytes, len, 0, &error);

	if (json == NULL)
		gc_call_throw_reply(
			call, psprintf("The answer is not well-formed JSON (at byte %d).", error.position),
			message, NULL);
	callback->func = release_json;
	callback->arg = json;
	MemoryContextRegisterResetCallback(gc_call_context(call), callback);
	return json;
}

GcCall *
gc_control_run(GcCalls *calls, const GcCallSpec *spec, const char *message)
{
	GcCall *call = gc_call_start(calls, spec);

	gc_call_wait(call);
	if (gc_call_failure(call))
		gc_call_throw(call, message, NULL);
	return call;
}
