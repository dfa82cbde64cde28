/*
 * fdw/source_ids.c
 *	  Rows of contacts that the query names, by their ids.
 *
 * Fifty a request, or one by itself, several requests at once, read in order.
 * Where the column is the key, contacts that were loaded elsewhere may carry it
 * under other ids: a search follows, and gives those that were not there yet
 * (by id shows what search does not show yet, after a write).  What was written
 * under another id a moment ago neither of them shows: while a key is missing and
 * this cluster may have written it within read_lag, the search is repeated.
 */
#include "postgres.h"

#include "api/contacts.h"
#include "base/option.h"
#include "base/seen.h"
#include "base/written.h"
#include "fdw/decode.h"
#include "fdw/source.h"

#include "utils/builtins.h"
#include "utils/memutils.h"

/* No cell holds more bytes (512 characters), so a longer text is nobody's id. */
#define ID_BYTES_MAX 2048

/* The first wait before a search is repeated, and the longest. */
#define LAG_FIRST_US (250 * INT64CONST(1000))
#define LAG_MOST_US	 (2 * USECS_PER_SEC)

/* A request in flight, and what it says. */
typedef struct Slot
{
	GcCall *call;
	MemoryContext cxt;
} Slot;

typedef struct IdsSource
{
	GcSource base;
	GcCalls *calls;
	GcDecoder *decoder;
	char **ids; /* without repetitions */
	int count;
	int next_start;		/* the next id to ask for */
	int next_read;		/* the first id of the request to be read next */
	Slot *ring;			/* max_in_flight of them */
	GcJson echo;		/* the answer at hand … */
	bool reading;		/* … is being read; */
	bool single;		/* it is one contact, no array */
	GcSeen *seen;		/* contacts that were given, where a search follows; else NULL */
	GcSource *search;	/* NULL: it is to be begun … */
	GcTime search_at;	/* … then */
	GcTime searched_at; /* when it began … */
	int64 pause_us;		/* … and how long to wait until the next one */
	GcSeen *asked;		/* the ids */
	GcSeen *found;		/* those of them that a row has as its key */
	int missing;		/* how many are not among these */
	MemoryContext cxt;
} IdsSource;

/* Without those that are there twice, or can be nobody's. */
static void
take_ids(IdsSource *source, const GcSourceRequest *request)
{
	source->asked = gc_seen_create(request->id_count);
	source->ids = palloc(sizeof(char *) * Max(request->id_count, 1));
	for (int i = 0; i < request->id_count; i++)
	{
		int len = strlen(request->ids[i]);

		if (len > 0 && len <= ID_BYTES_MAX &&
			!gc_seen_note(source->asked, request->ids[i], len))
			source->ids[source->count++] = request->ids[i];
	}
	source->missing = source->count;
}

static void
begin_search(IdsSource *source)
{
	MemoryContext caller_cxt = MemoryContextSwitchTo(source->cxt);

	source->search = gc_source_search.open(source->base.request);
	source->searched_at = gc_clock_now();
	MemoryContextSwitchTo(caller_cxt);
}

static GcSource *
ids_open(const GcSourceRequest *request)
{
	IdsSource *source = palloc0(sizeof(IdsSource));

	source->base.ops = &gc_source_ids;
	source->base.request = request;
	source->cxt = CurrentMemoryContext;
	source->decoder = gc_decoder_create(request->rel, request->list, request->columns);
	source->calls = gc_calls_open(request->conn, request->stat);
	source->ring = palloc0(sizeof(Slot) * request->conn->max_in_flight);
	for (int i = 0; i < request->conn->max_in_flight; i++)
		source->ring[i].cxt =
			AllocSetContextCreate(source->cxt, "gc_fdw look-up", ALLOCSET_SMALL_SIZES);
	take_ids(source, request);
	if (request->id_is_key)
	{
		source->seen = gc_seen_create(0);
		source->found = gc_seen_create(0);
		source->pause_us = LAG_FIRST_US;
	}
	return &source->base;
}

static Slot *
ring_slot(IdsSource *source, int first)
{
	return &source->ring[(first / GC_CONTACTS_MAX_IDS) %
						 source->base.request->conn->max_in_flight];
}

/* Asks for as many as may be in flight. */
static void
fetch_ahead(IdsSource *source)
{
	const GcSourceRequest *request = source->base.request;
	int most = request->conn->max_in_flight * GC_CONTACTS_MAX_IDS;

	while (source->next_start < source->count && source->next_start < source->next_read + most)
	{
		int first = source->next_start;
		int count = Min(GC_CONTACTS_MAX_IDS, source->count - first);
		Slot *slot = ring_slot(source, first);
		MemoryContext caller_cxt = MemoryContextSwitchTo(slot->cxt);
		GcCallSpec spec;

		gc_contacts_by_ids(request->list->id, source->ids + first, count, &spec);
		slot->call = gc_call_start(source->calls, &spec);
		MemoryContextSwitchTo(caller_cxt);
		source->next_start += count;
	}
}

static const char *
not_read(IdsSource *source)
{
	return psprintf("could not read %s", source->base.request->rel->label);
}

/* Begins to read the next answer, if there is one left. */
static GcNext
next_answer(IdsSource *source, bool wait)
{
	GcCall *call;
	const GcFailure *failure;
	const char *bytes;
	size_t len;

	fetch_ahead(source);
	if (source->next_read >= source->next_start)
		return GC_NEXT_END;
	call = ring_slot(source, source->next_read)->call;
	if (!gc_call_try(call, wait))
		return GC_NEXT_LATER;
	failure = gc_call_failure(call);
	source->single = source->count - source->next_read == 1;
	/* One contact that is not there is no error; a list that is not there is one. */
	if (failure && source->single && gc_contacts_is_missing(failure))
	{
		source->next_read++;
		return next_answer(source, wait);
	}
	if (failure && failure->status == 404)
		gc_list_forget(source->base.request->list);
	if (failure)
		gc_call_throw(call, not_read(source), NULL);
	bytes = gc_call_reply(call, &len);
	gc_json_init(&source->echo, bytes, len);
	source->reading = source->single || gc_json_enter(&source->echo, '[');
	if (!source->reading)
		gc_call_throw_reply(call, "The answer is no array of contacts.", not_read(source),
							NULL);
	return GC_NEXT_ROW;
}

/* Is there another contact in the answer at hand?  Ends with it, if not. */
static bool
more_in_answer(IdsSource *source)
{
	Slot *slot = ring_slot(source, source->next_read);
	bool more = source->single ? source->echo.error == NULL && !gc_json_end(&source->echo)
							   : gc_json_element(&source->echo);

	if (more)
		return true;
	if (source->echo.error)
		gc_call_throw_reply(slot->call,
							psprintf("The answer is malformed: %s.", source->echo.error),
							not_read(source), NULL);
	gc_call_free(slot->call);
	slot->call = NULL;
	MemoryContextReset(slot->cxt);
	source->reading = false;
	source->next_read += Min(GC_CONTACTS_MAX_IDS, source->count - source->next_read);
	return false;
}

/* Has the contact been given before?  Notes it. */
static bool
was_seen(IdsSource *source, const GcDecoder *decoder)
{
	GcSpan id = gc_decoder_id(decoder);

	return id.p != NULL && gc_seen_note(source->seen, id.p, id.len);
}

/* What a row has of what was asked for: its id, or its key; NULL: nothing. */
static const char *
asked_value(IdsSource *source, const Datum *values, const bool *nulls)
{
	const GcSourceRequest *request = source->base.request;
	int i = (request->id_is_key ? request->rel->key : request->rel->id) - 1;
	const char *value;

	if (nulls[i])
		return NULL;
	value = gc_value_to_utf8(TextDatumGetCString(values[i]));
	return gc_seen_has(source->asked, value, strlen(value)) ? value : NULL;
}

/* Notes which of the keys a row has. */
static void
note_key(IdsSource *source, const Datum *values, const bool *nulls)
{
	const char *key = asked_value(source, values, nulls);

	if (key && !gc_seen_note(source->found, key, strlen(key)))
		source->missing--;
}

/*
 * Is there to be another search, since a key may still be missing because searches
 * lag?  The last one is begun when all that was written before this scan shows.
 */
static bool
search_again(IdsSource *source)
{
	const GcSourceRequest *request = source->base.request;
	int lag_ms = gc_option_ms(request->rel->server_options, NIL, "read_lag");
	GcTime written;
	GcTime until;

	if (source->missing == 0 || lag_ms == 0)
		return false;
	written = gc_written_last(request->conn->api_url, request->list->id);
	until = Min(written, request->began) + lag_ms * INT64CONST(1000);
	if (written == 0 || source->searched_at >= until)
		return false;
	if (source->pause_us == LAG_FIRST_US)
		gc_source_tell_lag(request->rel, until);
	/* One that reads the whole list is worth it once. */
	source->search_at =
		request->criteria ? Min(gc_clock_now() + source->pause_us, until) : until;
	source->pause_us = Min(source->pause_us * 2, LAG_MOST_US);
	source->search = NULL;
	return true;
}

/* The next contact that only a search finds. */
static GcNext
next_found(IdsSource *source, bool wait, Datum *values, bool *nulls)
{
	do
	{
		GcNext next;

		if (source->search == NULL)
		{
			if (!gc_calls_sleep(source->calls, source->search_at, GC_WAIT_LAG, wait))
				return GC_NEXT_LATER;
			begin_search(source);
		}
		while ((next = source->search->ops->next(source->search, wait, values, nulls)) ==
			   GC_NEXT_ROW)
		{
			if (was_seen(source, gc_source_search_decoder(source->search)))
				continue;
			note_key(source, values, nulls);
			return GC_NEXT_ROW;
		}
		if (next == GC_NEXT_LATER)
			return GC_NEXT_LATER;
	} while (search_again(source));
	return GC_NEXT_END;
}

/* The next contact that an id was found for. */
static GcNext
next_by_id(IdsSource *source, bool wait, Datum *values, bool *nulls)
{
	do
	{
		GcNext next = source->reading ? GC_NEXT_ROW : next_answer(source, wait);

		if (next != GC_NEXT_ROW)
			return next;
	} while (!more_in_answer(source));
	if (!gc_decoder_row(source->decoder, &source->echo, values, nulls))
		gc_call_throw_reply(ring_slot(source, source->next_read)->call,
							"A contact is not a JSON object.", not_read(source), NULL);
	if (source->seen)
	{
		(void) was_seen(source, source->decoder);
		note_key(source, values, nulls);
	}
	return GC_NEXT_ROW;
}

/* The next contact, of whatever id. */
static GcNext
next_contact(IdsSource *source, bool wait, Datum *values, bool *nulls)
{
	GcNext next = next_by_id(source, wait, values, nulls);

	if (next != GC_NEXT_END || source->seen == NULL)
		return next;
	return next_found(source, wait, values, nulls);
}

static GcNext
ids_next(GcSource *base, bool wait, Datum *values, bool *nulls)
{
	IdsSource *source = (IdsSource *) base;
	GcNext next;

	do
	{
		next = next_contact(source, wait, values, nulls);
	} while (next == GC_NEXT_ROW && source->base.request->ids_checked &&
			 asked_value(source, values, nulls) == NULL);
	return next;
}

/* Once the answers by id are used up, it is the search's row. */
static void
ids_identify(GcSource *base, GcSourceRow *row)
{
	IdsSource *source = (IdsSource *) base;

	if (source->reading)
	{
		row->id = gc_decoder_id(source->decoder);
		row->raw = gc_decoder_raw(source->decoder);
		row->read_at = gc_call_sent_at(ring_slot(source, source->next_read)->call);
		row->lags = false;
	}
	else
		source->search->ops->identify(source->search, row);
}

static int64
ids_total(GcSource *base)
{
	return -1;
}

static void
ids_finish(GcSource *base)
{
	IdsSource *source = (IdsSource *) base;

	if (source->search)
		source->search->ops->finish(source->search);
}

const GcSourceOps gc_source_ids = {.name = "ids",
								   .open = ids_open,
								   .next = ids_next,
								   .identify = ids_identify,
								   .total = ids_total,
								   .finish = ids_finish};
