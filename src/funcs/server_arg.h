/*
 * funcs/server_arg.h
 *	  The server that a function is about.
 */
#ifndef GC_FUNCS_SERVER_ARG_H
#define GC_FUNCS_SERVER_ARG_H

#include "postgres.h"

#include "foreign/foreign.h"

/*
 * The server of that name; NULL: the only one of gc_fdw's in the database.  Throws if it is
 * another wrapper's, if the caller may not use it, or if there is not exactly one.
 */
extern ForeignServer *gc_server_arg(const char *name);

/* Has the database just one? */
extern bool gc_server_is_only(void);

#endif /* GC_FUNCS_SERVER_ARG_H */
