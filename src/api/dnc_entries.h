/*
 * api/dnc_entries.h
 *	  What a do-not-call list holds: added, removed, and wiped.
 */
#ifndef GC_API_DNC_ENTRIES_H
#define GC_API_DNC_ENTRIES_H

#include "postgres.h"

#include "api/dnc_lists.h"
#include "api/request.h"

/* That a call takes at most; ours, since the platform publishes none. */
#define GC_DNC_MAX_ENTRIES 1000

/* A list's entries are of one kind, each with calls of its own. */
typedef enum GcDncKind
{
	GC_DNC_PHONES,
	GC_DNC_EMAILS,
	GC_DNC_WHATSAPP,
	GC_DNC_CUSTOM, /* cells of a column of contacts */
	GC_DNC_KINDS
} GcDncKind;

/* Throws 0A000 if the platform keeps no entries of the list: its source is elsewhere. */
extern void gc_dnc_check_source(const GcDncList *list);

/* Which kind an entry (UTF-8; NULL: any) of the list is. */
extern GcDncKind gc_dnc_kind(const GcDncList *list, const char *entry);

/* Their format, as the column option of that name has it; NULL: they have none, or several. */
extern const char *gc_dnc_format(const GcDncList *list);

/* Entries that are added or removed by one call. */
typedef struct GcDncPatch
{
	const GcDncList *list;
	GcDncKind kind;
	bool remove;
	const char *entries; /* JSON strings with commas between, at least one */
	const char *until;	 /* when they expire, as the platform writes it; NULL: never */
	int rows;			 /* how many they are */
	int64 *in_doubt;	 /* of GcCallSpec; NULL: not counted */
} GcDncPatch;

/* Room that the body takes beside the entries. */
#define GC_DNC_BODY_EXTRA 128

/* The call; its strings are allocated in the current context. */
extern void gc_dnc_patch_spec(const GcDncPatch *patch, GcCallSpec *spec);

/* Starts it; its strings live in the current context until it is freed. */
extern GcCall *gc_dnc_patch_start(GcCalls *calls, const GcDncPatch *patch);

/* Starts the removal of all entries of a kind. */
extern GcCall *gc_dnc_wipe_start(GcCalls *calls, const GcDncList *list, GcDncKind kind,
								 int64 *in_doubt);

/* Throws the failure of a call on a list's entries. */
extern _Noreturn void gc_dnc_throw(const GcCall *call, const char *message,
								   const char *counts);

#endif /* GC_API_DNC_ENTRIES_H */
