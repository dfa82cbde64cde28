/*
 * store/import_held.h
 *	  Which imports wait because somebody has paused their list or server.
 */
#ifndef GC_STORE_IMPORT_HELD_H
#define GC_STORE_IMPORT_HELD_H

/* Of an import q, in SQL; the view imports says it the same way. */
#define GC_IMPORT_IS_HELD                                                                     \
	"EXISTS (SELECT FROM gc_fdw.import_pauses h WHERE h.list_id = q.list_id OR "              \
	" h.list_id IS NULL AND h.server = q.server AND (h.list_name IS NULL OR "                 \
	"  pg_catalog.lower(h.list_name) = pg_catalog.lower(q.list_name)))"

#endif /* GC_STORE_IMPORT_HELD_H */
