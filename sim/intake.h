/*
 * intake.h
 *	  The body of an upload on its way in, too large to keep.
 *
 * The file goes to a stream as its bytes come; with --discard only its lines are
 * counted.  Knows nothing of HTTP: the server takes the multipart apart.  Each
 * belongs to one request, so none of it wants the lock.
 */
#ifndef SIM_INTAKE_H
#define SIM_INTAKE_H

#include <stdbool.h>

#include "buf.h"
#include "stream.h"

#define MAX_FIELDS 16

typedef struct Field
{
	char *name;
	Buf value; /* ends with a NUL that does not count */
} Field;

typedef struct Intake
{
	bool parts;		/* a form: fields and a file, not the file alone */
	bool malformed; /* no form, or one that breaks off */
	bool failed;	/* there was no room for the file */
	bool has_file;
	Field fields[MAX_FIELDS];
	int nfields;
	Stream *file; /* NULL with --discard */
	uint64_t bytes;
	int64_t lines;
	char sha256[65]; /* "" = not taken */
	struct IntakeState *state;
} Intake;

extern Intake *intake_create(bool parts);
extern void intake_field(Intake *intake, const char *name, const char *bytes, size_t n,
						 bool begins);
extern void intake_file(Intake *intake, const char *bytes, size_t n);
extern void intake_end(Intake *intake); /* all of it is there */
extern void intake_free(Intake *intake);

extern const char *intake_value(const Intake *intake, const char *name); /* NULL = none */

#endif
