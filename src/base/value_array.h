/*
 * base/value_array.h
 *	  Arrays to and from JSON text, for base/value.c alone.
 */
#ifndef GC_BASE_VALUE_ARRAY_H
#define GC_BASE_VALUE_ARRAY_H

#include "base/value.h"

/* Appends an array as JSON, UTF-8: numbers and booleans bare, the rest as strings. */
extern void gc_value_array_text(GcValueType *vt, Datum value, StringInfo buf);

/* Reads a JSON array; nested ones must be of one length. */
extern Datum gc_value_array_parse(GcValueType *vt, char *cell, int len);

#endif /* GC_BASE_VALUE_ARRAY_H */
