/*
 * routes.h
 *	  What is answered: each method and path, what it asks of the client, and
 *	  its handler.
 */
#ifndef SIM_ROUTES_H
#define SIM_ROUTES_H

#include "request.h"

typedef struct Route
{
	const char *method;
	const char *pattern;	 /* a star stands for one part */
	const char *permissions; /* see permissions.h */
	void (*handler)(Request *req);
	unsigned flags;
} Route;

#define LOCKS 1u  /* takes the lock itself */
#define BULK  2u  /* takes many contacts: has a limit of its own */
#define LARGE 4u  /* takes larger bodies */
#define FORM  8u  /* takes a form with a file */
#define JOBS  16u /* of dialect "jobs" only */

/* Each ends with one that has no method. */
extern const Route platform_routes[];
extern const Route upload_routes[]; /* on a host of its own, apps.{region} */
extern const Route control_routes[];

#endif
