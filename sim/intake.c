/*
 * intake.c
 *	  The body of an upload on its way in, too large to keep.
 */
#include <gnutls/crypto.h>
#include <stdlib.h>

#include "intake.h"
#include "switches.h"

#define PIECE	  (256 * 1024)
#define MAX_FIELD (64 * 1024)

/* What is done with by the end. */
typedef struct IntakeState
{
	bool counts; /* lines, and nothing else */
	bool hashes;
	bool open; /* the last line has no end yet */
	gnutls_hash_hd_t hash;
	Buf pending; /* not yet in the stream */
} IntakeState;

Intake *
intake_create(bool parts)
{
	Intake *intake = sim_alloc(sizeof(Intake));
	IntakeState *state = intake->state = sim_alloc(sizeof(IntakeState));

	intake->parts = parts;
	state->counts = sw_is(SW_DISCARD, "on");
	state->hashes =
		sw_is(SW_RECORD_DIGEST, "on") || (sw_is(SW_RECORD_DIGEST, "auto") && !state->counts);
	if (state->hashes)
		state->hashes = gnutls_hash_init(&state->hash, GNUTLS_DIG_SHA256) == 0;
	if (!state->counts && (intake->file = stream_create()) == NULL)
		intake->failed = true;
	return intake;
}

/* A field may come in pieces; what is too much of it is left out. */
void
intake_field(Intake *intake, const char *name, const char *bytes, size_t n, bool begins)
{
	Field *field;

	if (begins && intake->nfields < MAX_FIELDS)
		intake->fields[intake->nfields++].name = sim_strdup(name);
	if (intake->nfields == 0)
		return;
	field = &intake->fields[intake->nfields - 1];
	if (strcmp(field->name, name) != 0 || field->value.len + n > MAX_FIELD)
		return;
	buf_put(&field->value, bytes, n);
	buf_putc(&field->value, '\0');
	field->value.len--;
}

static void
write_out(Intake *intake)
{
	if (!intake->failed && !stream_append(intake->file, &intake->state->pending))
		intake->failed = true;
	intake->state->pending.len = 0;
}

static void
count_lines(Intake *intake, const char *bytes, size_t n)
{
	const char *end = bytes + n;

	for (const char *p = bytes; (p = memchr(p, '\n', (size_t) (end - p))) != NULL; p++)
		intake->lines++;
	intake->state->open = end[-1] != '\n';
}

void
intake_file(Intake *intake, const char *bytes, size_t n)
{
	IntakeState *state = intake->state;

	intake->has_file = true;
	intake->bytes += n;
	if (n == 0)
		return;
	if (state->hashes)
		gnutls_hash(state->hash, bytes, n);
	if (state->counts)
	{
		count_lines(intake, bytes, n);
		return;
	}
	if (intake->failed)
		return;
	buf_put(&state->pending, bytes, n);
	if (state->pending.len >= PIECE)
		write_out(intake);
}

void
intake_end(Intake *intake)
{
	IntakeState *state = intake->state;
	unsigned char digest[32];

	if (state->pending.len > 0)
		write_out(intake);
	intake->lines += state->open;
	state->open = false;
	if (!state->hashes)
		return;
	state->hashes = false;
	gnutls_hash_deinit(state->hash, digest);
	for (int i = 0; i < 32; i++)
		snprintf(intake->sha256 + i * 2, 3, "%02x", digest[i]);
}

void
intake_free(Intake *intake)
{
	if (intake == NULL)
		return;
	if (intake->state->hashes)
		gnutls_hash_deinit(intake->state->hash, NULL);
	for (int i = 0; i < intake->nfields; i++)
	{
		free(intake->fields[i].name);
		buf_free(&intake->fields[i].value);
	}
	buf_free(&intake->state->pending);
	free(intake->state);
	stream_release(intake->file);
	free(intake);
}

const char *
intake_value(const Intake *intake, const char *name)
{
	for (int i = 0; i < intake->nfields; i++)
		if (strcmp(intake->fields[i].name, name) == 0)
			return intake->fields[i].value.data;
	return NULL;
}
