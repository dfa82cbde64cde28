/*
 * base/value.h
 *	  PostgreSQL values to and from the text of a cell, in one canonical form.
 *
 * A cell is a string in UTF-8 whatever the column's type and the database's
 * encoding.  Its form depends on no session setting: timestamps are UTC with
 * "Z", dates ISO, booleans true/false, numbers as numeric prints them, floats
 * in their shortest exact form, arrays and jsonb as JSON.
 */
#ifndef GC_BASE_VALUE_H
#define GC_BASE_VALUE_H

#include "postgres.h"

#include "base/json.h"

#include "datatype/timestamp.h"
#include "fmgr.h"

/* The GUC gc_fdw.show_values: whether messages may show a cell. */
extern bool gc_show_values;

/* Of a value that it lets a message show. */
#define GC_SHOWN_MAX_CHARS 100

typedef enum GcValueKind
{
	GC_VALUE_TEXT, /* text, varchar, bpchar: bytes as they are */
	GC_VALUE_BOOL,
	GC_VALUE_INT, /* int2, int4, int8 */
	GC_VALUE_FLOAT4,
	GC_VALUE_FLOAT8,
	GC_VALUE_DATE,
	GC_VALUE_TIMESTAMP,
	GC_VALUE_TIMESTAMPTZ,
	GC_VALUE_JSONB,
	GC_VALUE_ARRAY, /* of any of these */
	GC_VALUE_OTHER, /* numeric, uuid, json, …: the type's own text, under fixed settings */
} GcValueKind;

typedef struct GcValueType
{
	Oid type; /* as declared, maybe a domain */
	int32 typmod;
	GcValueKind kind; /* of the base type */
	bool is_domain;
	bool settings; /* GC_VALUE_OTHER: its text depends on DateStyle and the like */
	FmgrInfo input;
	Oid input_param;
	FmgrInfo output;
	struct GcValueType *element; /* GC_VALUE_ARRAY */
	int16 typlen;				 /* of the base type, as are the next two */
	bool typbyval;
	char typalign;
} GcValueType;

/* Fills "vt" for a type; what it holds lives in "cxt". */
extern void gc_value_type_init(GcValueType *vt, Oid type, int32 typmod, MemoryContext cxt);

/*
 * The canonical text of a value, in UTF-8, not zero-terminated.  It points
 * into the value, or is allocated in the current context: valid until either
 * goes.  Throws for text that UTF-8 cannot say.
 */
extern const char *gc_value_text(GcValueType *vt, Datum value, int *len);

/*
 * The value that a cell's text stands for.  "cell" is UTF-8, zero-terminated,
 * not empty; the result is allocated in the current context.  Throws errors of
 * class 22, whose messages may hold the cell: the caller rewords them.
 */
extern Datum gc_value_parse(GcValueType *vt, char *cell, int len);

/*
 * The text of a JSON value: a string's decoded content, anything else as it
 * stands; zero-terminated UTF-8 in the current context.  NULL for null, an
 * absent or an empty one.  Throws for what no text can hold.
 */
extern char *gc_value_span_text(const GcSpan *span, int *len);

/* The same of a string that is words for people, or a name: NULL for anything else, and for what no text can hold. */
extern char *gc_value_span_words(const GcSpan *span);

/* The moment that ASCII text tells, as a cell's does or a Date header; false: it tells none. */
extern bool gc_value_moment(const char *ascii, TimestampTz *moment);

/* UTF-8 to the database's encoding; may return "cell" itself. */
extern char *gc_value_from_utf8(char *cell, int len);

/* The same, a copy; NULL if it has characters that are none there.  Never throws. */
extern char *gc_value_fitting(const char *utf8);

/*
 * UTF-8 for a message: in the database's encoding, control characters out,
 * characters that cannot be shown as "?", cut to the bytes that "max_chars" take
 * at most.  Never throws.
 */
extern char *gc_value_display(const char *utf8, int max_chars);

/* An identifier or option from the catalogs as UTF-8; in the current context. */
extern char *gc_value_to_utf8(const char *name);

#endif /* GC_BASE_VALUE_H */
