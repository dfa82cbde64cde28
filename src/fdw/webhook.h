/*
 * fdw/webhook.h
 *	  An import's end is told to a webhook (SCENARIOS J4).
 *
 * A request of ours to a host that a superuser has allowed: signed, never redirected,
 * with nothing of the platform's credentials in it.
 */
#ifndef GC_FDW_WEBHOOK_H
#define GC_FDW_WEBHOOK_H

#include "postgres.h"

#include "net/connection.h"
#include "store/imports.h"

/* GUC gc_fdw.webhook_hosts: hosts that webhooks may go to, with commas between; "": none. */
extern char *gc_webhook_hosts;

/* Throws if an import may not have that webhook; "options" are those of submit_import. */
extern void gc_webhook_check(const char *url, const char *options);

/* Tells it; throws unless the answer is a success. */
extern void gc_webhook_send(GcConnection *conn, const GcImport *import);

#endif /* GC_FDW_WEBHOOK_H */
