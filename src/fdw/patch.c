/*
 * fdw/patch.c
 *	  What an UPDATE changes of a contact, in JSON.
 */
#include "postgres.h"

#include "fdw/encode_parts.h"

static const GcProblem *
patch_cell(GcEncoder *encoder, GcMember *member, TupleTableSlot *slot, GcPatch *patch)
{
	int index = member->column->attnum - 1;

	patch->fields[patch->field_count++] = member->column->field;
	if (!slot->tts_isnull[index])
		return gc_encode_cell(encoder, member, slot->tts_values[index]);
	return gc_encode_empty_cell(encoder, member);
}

static const GcProblem *
patch_attribute(GcEncoder *encoder, GcColumn *column, TupleTableSlot *slot, GcPatch *patch)
{
	int index = column->attnum - 1;
	GcAttributeRole role = column->attribute->role;
	bool phones =
		role == GC_ROLE_STATUS && strcmp(column->attribute->path, "phoneNumberStatus") == 0;

	if (slot->tts_isnull[index] && (role == GC_ROLE_LIST_ID || role == GC_ROLE_LIST_NAME))
		return NULL;
	if (slot->tts_isnull[index] && role != GC_ROLE_PLAIN)
		return gc_encode_column_problem(encoder, column, ERRCODE_NOT_NULL_VIOLATION,
										"must not be set to NULL", NULL);
	patch->sets_callable |= role == GC_ROLE_CALLABLE;
	patch->sets_phone_status |= phones;
	patch->sets_contactable_status |= role == GC_ROLE_STATUS && !phones;
	return gc_encode_attribute(encoder, column, slot->tts_values[index], &patch->shown);
}

/* A contact's id is what it is known by, here and to whoever dialled it. */
static const GcProblem *
id_problem(GcEncoder *encoder, const GcColumn *column)
{
	return gc_encode_column_problem(encoder, column, ERRCODE_FEATURE_NOT_SUPPORTED,
									"is the contact's id and cannot be changed",
									"Delete the contact and insert another one.");
}

static const GcProblem *
encode_patch(GcEncoder *encoder, const GcEncodeTask *task)
{
	const bool *changed = task->changed;
	const GcProblem *bad = NULL;

	for (int i = 0; i < encoder->attribute_count && bad == NULL; i++)
	{
		GcColumn *column = encoder->attributes[i];

		if (!changed[column->attnum - 1])
			continue;
		bad = column->attribute->role == GC_ROLE_ID
				  ? id_problem(encoder, column)
				  : patch_attribute(encoder, column, task->slot, task->patch);
	}
	for (int i = 0; i < encoder->data_count && bad == NULL; i++)
	{
		GcMember *member = &encoder->data[i];

		if (!changed[member->column->attnum - 1])
			continue;
		bad = member->column->attnum == encoder->rel->key
				  ? id_problem(encoder, member->column)
				  : patch_cell(encoder, member, task->slot, task->patch);
	}
	return bad;
}

const GcProblem *
gc_encoder_patch(GcEncoder *encoder, TupleTableSlot *slot, const bool *changed, const char *id,
				 GcPatch *patch)
{
	StringInfo cells = &encoder->data_body;
	const GcProblem *bad;

	memset(patch, 0, sizeof(*patch));
	patch->fields = palloc(sizeof(char *) * Max(encoder->data_count, 1));
	strlcpy(encoder->id, id, sizeof(encoder->id));
	resetStringInfo(&encoder->body);
	resetStringInfo(cells);
	bad = gc_encode_run(
		encoder, &(GcEncodeTask){
					 .slot = slot, .changed = changed, .patch = patch, .run = encode_patch});
	if (bad)
		return bad;
	patch->attributes = pnstrdup(encoder->body.data, encoder->body.len);
	patch->cells = pnstrdup(cells->data, Max(cells->len - 1, 0)); /* the last comma */
	return NULL;
}
