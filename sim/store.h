/*
 * store.h
 *	  Contact lists and contacts, in memory.
 *
 * Knows nothing of HTTP, JSON text or the platform's rules: what is given is
 * kept.  Contacts stand in order of arrival and are found by id through a
 * hash table.  Every function wants the lock, but for columns_* and
 * contact_build/contact_free on what is not stored yet.
 */
#ifndef SIM_STORE_H
#define SIM_STORE_H

#include <jansson.h>
#include <stdbool.h>

#include "util.h"

#define MAX_COLUMNS 50
#define NO_CELL		UINT16_MAX

/* The columns of a list: fixed for its life, so readable without the lock. */
typedef struct Columns
{
	_Atomic int refs;
	int n;
	int zip; /* -1 = none */
	Span name[MAX_COLUMNS];
	bool phone[MAX_COLUMNS];
} Columns;

/* Attributes kept as JSON text, beside callable. */
typedef enum Attr
{
	ATTR_PHONE_NUMBER_STATUS,
	ATTR_CONTACTABLE_STATUS,
	ATTR_LATEST_WHATSAPP_EVALUATIONS,
	ATTR_RETENTION_TYPE,
	ATTR_RETENTION_DAYS,
	ATTR_DATE_EXPIRATION,
	ATTR_WRITABLE, /* those above may be posted */
	ATTR_CALL_RECORDS = ATTR_WRITABLE,
	ATTR_LATEST_SMS_EVALUATIONS,
	ATTR_LATEST_EMAIL_EVALUATIONS,
	ATTR_CONTACT_COLUMN_TIME_ZONES,
	ATTR_COUNT
} Attr;

typedef struct Attrs
{
	Span value[ATTR_COUNT];
} Attrs;

/* One allocation: the header, the lengths, then id and cells end to end. */
typedef struct Contact
{
	int64_t arrived_us;
	int64_t created_us; /* as it is shown; 0 = not at all */
	uint64_t serial;	/* by arrival, never given again */
	Attrs *attrs;		/* NULL = none */
	uint32_t hash;
	uint32_t place; /* in the order of arrival */
	bool callable;
	bool in_use;		  /* held by the dialler */
	int8_t priority;	  /* -1 = never given */
	int8_t do_not_queue;  /* of the last POST: -1 = not given */
	uint32_t queue_moves; /* POSTs that let it change its place to be dialled */
	uint16_t id_len;
	uint16_t ncells;
	uint16_t cell_len[]; /* NO_CELL = absent */
} Contact;

/* A conflict that writes meet until it ends; see locks.h. */
typedef struct Lock
{
	int conflict; /* 0 = none, else see conflicts.h */
	int64_t words;
	int64_t times;	  /* writes that are still to meet it; -1 = all */
	int64_t until_us; /* 0 = no end */
} Lock;

typedef struct Lag Lag;

typedef struct List
{
	struct List *next;
	char *id;
	char *name;
	int version;
	int64_t created_us;
	int64_t modified_us;
	int64_t ready_us;	   /* answers 404 before … */
	int64_t contacts_us;   /* … and for its contacts, before that */
	json_t *body;		   /* the attributes that callers set */
	json_t *import_status; /* NULL = nothing was ever imported */
	json_t *schema;		   /* as a list with a status has it; NULL = made of the columns */
	json_t *was;		   /* what reading it shows until "was_us", whole; or NULL */
	int64_t was_us;
	int64_t answers_us;	   /* a list with a status does not answer before, … */
	int64_t processing_us; /* … and is PROCESSING before */
	const char *status;	   /* that a test set; NULL = the list's own */
	int64_t status_reads;  /* how often that is still read; -1 = any number */
	Lock lock;
	Columns *columns;

	Contact **order; /* by arrival; NULL where one was deleted */
	uint32_t norder;
	uint32_t order_cap;
	uint32_t ncontacts;
	Contact **slots; /* by hash, linear probing */
	uint32_t nslots; /* a power of two */

	int64_t clear_us;			 /* when a clear takes effect; 0 = none asked */
	uint32_t clear_below;		 /* places that it empties */
	uint64_t changes;			 /* counts every change, so answers can be kept */
	int64_t accepted;			 /* contacts taken in --discard */
	int64_t clear_accepted;		 /* of them, those that go with a clear */
	uint64_t arrivals;			 /* contacts that ever came */
	Lag *lag;					 /* lag.c's */
	struct SearchCache *cache;	 /* search.c's */
	struct Generated *generated; /* generate.c's */
} List;

extern Columns *columns_create(const json_t *names, const json_t *phone_columns,
							   const char *zip);
extern Columns *columns_share(Columns *columns);
extern void columns_release(Columns *columns);
extern int columns_find(const Columns *columns, Span name, int hint); /* -1 = none */

extern List *store_lists(void);
extern int store_count(void);
extern List *store_find(Span id);
extern List *store_find_name(const char *name);
extern List *store_add(const char *id, json_t *body, Columns *columns); /* takes both */
extern void store_remove(List *list);

/* Takes the columns, of which the first are those there were. */
extern void store_add_columns(List *list, Columns *columns);
extern void store_reset(void);

extern Contact *contact_build(Span id, const Span *cells, int ncells);
extern void contact_free(Contact *contact);
extern Span contact_id(const Contact *contact);
extern void contact_cells(const Contact *contact, Span *cells); /* ncells of them */
extern void contact_set_attr(Contact *contact, Attr attr,
							 Span value); /* copies; p NULL clears */

/* What stays when a newer version takes its place: all but the cells. */
extern void contact_inherit(Contact *contact, const Contact *old);

extern Contact *list_contact(List *list, Span id); /* NULL = none */
extern void list_insert(List *list, Contact *contact);
extern void list_replace(List *list, Contact *old, Contact *contact); /* takes old */
extern void list_delete(List *list, Contact *contact);
extern void list_clear(List *list, int64_t at_us);
extern void list_settle(List *list);  /* carries out a clear that is due */
extern void list_compact(List *list); /* then order has no gaps */

#endif
