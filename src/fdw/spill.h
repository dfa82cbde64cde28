/*
 * fdw/spill.h
 *	  Rows of open batches that memory has no room for, in a temporary file.
 *
 * A statement that writes many lists has more open batches than buffer_memory holds.
 * Were they sent as they are, each would be a request of a few rows; so what they hold
 * is written to a file, in pieces, and a list's pieces are sent as one batch once they
 * are a full one, or at the end.
 */
#ifndef GC_FDW_SPILL_H
#define GC_FDW_SPILL_H

#include "postgres.h"

#include "fdw/deliver_parts.h"

/* Writes the open batch of a target to the file; false if its rows cannot wait there. */
extern bool gc_spill_open_batch(GcTarget *target);

/* Sends all that a target has there, and its open batch. */
extern void gc_spill_send(GcTarget *target);

/* Nothing is there any more: the file goes. */
extern void gc_spill_end(GcWriter *writer);

#endif /* GC_FDW_SPILL_H */
