/*
 * base/value.c
 *	  PostgreSQL values to and from the text of a cell, in one canonical form.
 */
#include "postgres.h"

#include <math.h>

#include "base/compat.h"
#include "base/value.h"
#include "base/value_array.h"

#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "common/shortest_dec.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datetime.h"
#include "utils/guc.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"
#include "utils/typcache.h"

bool gc_show_values = false;

static GcValueKind
kind_of(Oid base)
{
	switch (base)
	{
		case TEXTOID:
		case VARCHAROID:
		case BPCHAROID:
			return GC_VALUE_TEXT;
		case BOOLOID:
			return GC_VALUE_BOOL;
		case INT2OID:
		case INT4OID:
		case INT8OID:
			return GC_VALUE_INT;
		case FLOAT4OID:
			return GC_VALUE_FLOAT4;
		case FLOAT8OID:
			return GC_VALUE_FLOAT8;
		case DATEOID:
			return GC_VALUE_DATE;
		case TIMESTAMPOID:
			return GC_VALUE_TIMESTAMP;
		case TIMESTAMPTZOID:
			return GC_VALUE_TIMESTAMPTZ;
		case JSONBOID:
			return GC_VALUE_JSONB;
		default:
			return OidIsValid(get_element_type(base)) ? GC_VALUE_ARRAY : GC_VALUE_OTHER;
	}
}

/* Types whose text no setting touches; anything unknown is taken to depend on one. */
static bool
depends_on_settings(Oid base)
{
	switch (base)
	{
		case NUMERICOID:
		case UUIDOID:
		case JSONOID:
		case NAMEOID:
		case INETOID:
		case CIDROID:
		case TIMEOID:
			return false;
		default:
			return get_typtype(base) != TYPTYPE_ENUM;
	}
}

void
gc_value_type_init(GcValueType *vt, Oid type, int32 typmod, MemoryContext cxt)
{
	int32 base_typmod = typmod;
	Oid base = getBaseTypeAndTypmod(type, &base_typmod);
	Oid function;
	bool is_varlena;

	vt->type = type;
	vt->typmod = base_typmod;
	vt->kind = kind_of(base);
	vt->is_domain = base != type;
	vt->settings = vt->kind == GC_VALUE_OTHER && depends_on_settings(base);
	vt->element = NULL;
	getTypeInputInfo(type, &function, &vt->input_param);
	fmgr_info_cxt(function, &vt->input, cxt);
	getTypeOutputInfo(base, &function, &is_varlena);
	fmgr_info_cxt(function, &vt->output, cxt);
	get_typlenbyvalalign(base, &vt->typlen, &vt->typbyval, &vt->typalign);
	if (vt->kind == GC_VALUE_ARRAY)
	{
		vt->element = MemoryContextAllocZero(cxt, sizeof(GcValueType));
		gc_value_type_init(vt->element, get_element_type(base), base_typmod, cxt);
	}
}

/* Runs an output function under settings that make its text canonical. */
static char *
output_with_settings(GcValueType *vt, Datum value)
{
	int nest = NewGUCNestLevel();
	char *cell;

	(void) set_config_option("datestyle", "ISO, YMD", PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
	(void) set_config_option("intervalstyle", "postgres", PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
	(void) set_config_option("timezone", "UTC", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE,
							 true, 0, false);
	(void) set_config_option("bytea_output", "hex", PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
	(void) set_config_option("extra_float_digits", "1", PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
	cell = OutputFunctionCall(&vt->output, value);
	AtEOXact_GUC(true, nest);
	return cell;
}

/* Timestamps as the platform writes them: 2026-01-31T09:05:00[.123456]Z. */
static char *
timestamp_text(Timestamp value, bool with_zone)
{
	char *buf = palloc(MAXDATELEN + 1);
	struct pg_tm tm;
	fsec_t fsec;

	if (TIMESTAMP_NOT_FINITE(value))
	{
		EncodeSpecialTimestamp(value, buf);
		return buf;
	}
	if (timestamp2tm(value, NULL, &tm, &fsec, NULL, NULL) != 0)
		ereport(ERROR, (errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
						errmsg("timestamp out of range")));
	EncodeDateTime(&tm, fsec, false, 0, NULL, USE_XSD_DATES, buf);
	if (with_zone)
	{
		/* A year before Christ carries its " BC" last, behind the zone. */
		char *era = strstr(buf, " BC");

		if (era)
			strcpy(era, "Z BC");
		else
			strcat(buf, "Z");
	}
	return buf;
}

static char *
date_text(DateADT value)
{
	char *buf = palloc(MAXDATELEN + 1);
	struct pg_tm tm;

	if (DATE_NOT_FINITE(value))
		EncodeSpecialDate(value, buf);
	else
	{
		j2date(value + POSTGRES_EPOCH_JDATE, &tm.tm_year, &tm.tm_mon, &tm.tm_mday);
		EncodeDateOnly(&tm, USE_ISO_DATES, buf);
	}
	return buf;
}

static char *
float_text(double value, bool single)
{
	char *buf = palloc(DOUBLE_SHORTEST_DECIMAL_LEN);

	if (isnan(value))
		strcpy(buf, "NaN");
	else if (isinf(value))
		strcpy(buf, value > 0 ? "Infinity" : "-Infinity");
	else if (single)
		float_to_shortest_decimal_buf((float) value, buf);
	else
		double_to_shortest_decimal_buf(value, buf);
	return buf;
}

static int64
int_value(GcValueType *vt, Datum value)
{
	return vt->typlen == 2	 ? DatumGetInt16(value)
		   : vt->typlen == 4 ? DatumGetInt32(value)
							 : DatumGetInt64(value);
}

/* The canonical text in the database's encoding, for all kinds but text. */
static char *
server_text(GcValueType *vt, Datum value)
{
	char *buf;

	switch (vt->kind)
	{
		case GC_VALUE_BOOL:
			return DatumGetBool(value) ? "true" : "false";
		case GC_VALUE_INT:
			buf = palloc(MAXINT8LEN + 1);
			pg_lltoa(int_value(vt, value), buf);
			return buf;
		case GC_VALUE_FLOAT4:
			return float_text(DatumGetFloat4(value), true);
		case GC_VALUE_FLOAT8:
			return float_text(DatumGetFloat8(value), false);
		case GC_VALUE_DATE:
			return date_text(DatumGetDateADT(value));
		case GC_VALUE_TIMESTAMP:
			return timestamp_text(DatumGetTimestamp(value), false);
		case GC_VALUE_TIMESTAMPTZ:
			return timestamp_text(DatumGetTimestampTz(value), true);
		case GC_VALUE_JSONB:
		{
			Jsonb *jb = DatumGetJsonbP(value);

			return JsonbToCString(NULL, &jb->root, VARSIZE(jb));
		}
		case GC_VALUE_OTHER:
			return vt->settings ? output_with_settings(vt, value)
								: OutputFunctionCall(&vt->output, value);
		case GC_VALUE_TEXT:
		case GC_VALUE_ARRAY:
			break;
	}
	elog(ERROR, "no server text for value kind %d", vt->kind);
}

const char *
gc_value_text(GcValueType *vt, Datum value, int *len)
{
	char *cell;

	if (vt->kind == GC_VALUE_ARRAY)
	{
		/* Its elements come back through here, so it is UTF-8 already. */
		StringInfoData buf;

		initStringInfo(&buf);
		gc_value_array_text(vt, value, &buf);
		*len = buf.len;
		return buf.data;
	}
	if (vt->kind == GC_VALUE_TEXT)
	{
		struct varlena *datum = PG_DETOAST_DATUM_PACKED(value);

		cell = VARDATA_ANY(datum);
		*len = VARSIZE_ANY_EXHDR(datum);
	}
	else
	{
		cell = server_text(vt, value);
		*len = strlen(cell);
	}
	if (GetDatabaseEncoding() != PG_UTF8)
	{
		char *utf8 = pg_server_to_any(cell, *len, PG_UTF8);

		if (utf8 != cell)
		{
			cell = utf8;
			*len = strlen(utf8);
		}
	}
	return cell;
}

char *
gc_value_from_utf8(char *cell, int len)
{
	if (GetDatabaseEncoding() == PG_UTF8)
	{
		pg_verify_mbstr(PG_UTF8, cell, len, false);
		return cell;
	}
	return pg_any_to_server(cell, len, PG_UTF8);
}

/*
 * Input functions of dates and times obey DateStyle and TimeZone; a cell does
 * not.  A timestamp without a zone is UTC.
 */
static Datum
parse_datetime(GcValueType *vt, char *cell)
{
	int saved_order = DateOrder;
	pg_tz *saved_zone = session_timezone;
	Datum result;

	DateOrder = DATEORDER_YMD;
	session_timezone = pg_tzset("GMT");
	PG_TRY();
	{
		result = InputFunctionCall(&vt->input, cell, vt->input_param, vt->typmod);
	}
	PG_FINALLY();
	{
		DateOrder = saved_order;
		session_timezone = saved_zone;
	}
	PG_END_TRY();
	return result;
}

Datum
gc_value_parse(GcValueType *vt, char *cell, int len)
{
	if (vt->kind == GC_VALUE_ARRAY)
	{
		Datum array = gc_value_array_parse(vt, cell, len);

		if (vt->is_domain)
			domain_check(array, false, vt->type, NULL, NULL);
		return array;
	}
	cell = gc_value_from_utf8(cell, len);
	switch (vt->kind)
	{
		case GC_VALUE_TEXT:
			if (!vt->is_domain && vt->typmod < 0)
				return PointerGetDatum(cstring_to_text(cell));
			break;
		case GC_VALUE_DATE:
		case GC_VALUE_TIMESTAMP:
		case GC_VALUE_TIMESTAMPTZ:
			return parse_datetime(vt, cell);
		case GC_VALUE_OTHER:
			if (vt->settings)
				return parse_datetime(vt, cell);
			break;
		default:
			break;
	}
	return InputFunctionCall(&vt->input, cell, vt->input_param, vt->typmod);
}

bool
gc_value_moment(const char *ascii, TimestampTz *moment)
{
	MemoryContext caller_cxt = CurrentMemoryContext;
	GcValueType vt = {0};
	volatile bool valid = true;

	gc_value_type_init(&vt, TIMESTAMPTZOID, -1, caller_cxt);
	PG_TRY();
	{
		*moment = DatumGetTimestampTz(parse_datetime(&vt, pstrdup(ascii)));
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(caller_cxt);
		if (ERRCODE_TO_CATEGORY(geterrcode()) != ERRCODE_DATA_EXCEPTION)
			PG_RE_THROW();
		FlushErrorState();
		valid = false;
	}
	PG_END_TRY();
	return valid && !TIMESTAMP_NOT_FINITE(*moment);
}

char *
gc_value_span_text(const GcSpan *span, int *len)
{
	char *cell;

	if (span->p == NULL || span->type == 'n' || span->len == 0)
		return NULL;
	cell = palloc(span->len + 1);
	if (span->escaped)
	{
		*len = gc_json_unescape(span, cell);
		if (*len == -2)
			ereport(ERROR, (errcode(ERRCODE_UNTRANSLATABLE_CHARACTER),
							errmsg("the character with code zero cannot be stored as text")));
		if (*len < 0)
			ereport(ERROR, (errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
							errmsg("invalid escape sequence in a JSON string")));
	}
	else
	{
		memcpy(cell, span->p, span->len);
		*len = span->len;
	}
	cell[*len] = '\0';
	return cell;
}

char *
gc_value_span_words(const GcSpan *span)
{
	char *words;
	int len;

	if (span->p == NULL || span->type != '"' || span->len == 0)
		return NULL;
	words = palloc(span->len + 1);
	len = gc_json_unescape(span, words);
	if (len < 0)
		return NULL;
	words[len] = '\0';
	return words;
}

char *
gc_value_to_utf8(const char *name)
{
	char *utf8 = pg_server_to_any(name, strlen(name), PG_UTF8);

	return utf8 == name ? pstrdup(name) : utf8;
}

/* UTF-8 to the database's encoding, or NULL if some character does not exist there. */
static char *
convert_all(char *utf8)
{
	Oid function = FindDefaultConversionProc(PG_UTF8, GetDatabaseEncoding());
	int len = strlen(utf8);
	int room = len * MAX_CONVERSION_GROWTH + 1;
	char *result;

	if (!OidIsValid(function))
		return NULL;
	result = palloc0(room);
	if (pg_do_encoding_conversion_buf(function, PG_UTF8, GetDatabaseEncoding(),
									  (unsigned char *) utf8, len, (unsigned char *) result,
									  room, true) < len)
		return NULL;
	return result;
}

char *
gc_value_fitting(const char *utf8)
{
	char *copy = pstrdup(utf8);

	if (!pg_verify_mbstr(PG_UTF8, copy, strlen(copy), true))
		return NULL;
	if (GetDatabaseEncoding() == PG_UTF8 || GetDatabaseEncoding() == PG_SQL_ASCII)
		return copy;
	return convert_all(copy);
}

char *
gc_value_display(const char *utf8, int max_chars)
{
	/* Cut between two characters: half of one would make all of it invalid. */
	int len =
		pg_encoding_mbcliplen(PG_UTF8, utf8, strlen(utf8), max_chars * MAX_MULTIBYTE_CHAR_LEN);
	char *copy = pnstrdup(utf8, len);
	bool valid = pg_verify_mbstr(PG_UTF8, copy, strlen(copy), true);
	char *converted;

	for (char *p = copy; *p; p++)
		if ((unsigned char) *p < 0x20 || (!valid && IS_HIGHBIT_SET(*p)))
			*p = (unsigned char) *p < 0x20 ? ' ' : '?';
	if (GetDatabaseEncoding() == PG_UTF8)
		return copy;
	converted = convert_all(copy);
	if (converted)
		return converted;
	for (char *p = copy; *p; p++)
		if (IS_HIGHBIT_SET(*p))
			*p = '?';
	return copy;
}
