/*
 * worker/launcher.h
 *	  Starts workers for imports that nobody else starts one for (DESIGN 4.6).
 */
#ifndef GC_WORKER_LAUNCHER_H
#define GC_WORKER_LAUNCHER_H

#include "postgres.h"

#include "utils/guc.h"

/* GUC gc_fdw.databases: a list of names. */
extern char *gc_launcher_databases;

/* Its check hook. */
extern bool gc_launcher_check_databases(char **newval, void **extra, GucSource source);

/* Registers the launcher; from _PG_init, while the server starts. */
extern void gc_launcher_init(void);

#endif /* GC_WORKER_LAUNCHER_H */
