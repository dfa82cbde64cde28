/*
 * fdw/changed.c
 *	  Which columns an UPDATE changes: those that it names, and those that a trigger does.
 */
#include "postgres.h"

#include "fdw/changed.h"

#include "access/sysattr.h"
#include "utils/datum.h"
#include "utils/rel.h"

GcChanged
gc_changed_columns(EState *estate, ResultRelInfo *rri, const GcRelation *rel)
{
	Bitmapset *updated =
		bms_union(ExecGetUpdatedCols(rri, estate), ExecGetExtraUpdatedCols(rri, estate));
	GcChanged changed = {.named = NULL};

	for (int i = 0; i < rel->column_count; i++)
		if (bms_is_member(i + 1 - FirstLowInvalidHeapAttributeNumber, updated))
			changed.named = bms_add_member(changed.named, i + 1);
	changed.compares = rri->ri_TrigDesc && rri->ri_TrigDesc->trig_update_before_row;
	return changed;
}

void
gc_changed_begin_row(const GcChanged *changed, ResultRelInfo *rri, TupleTableSlot *slot)
{
	slot_getallattrs(slot);
	if (changed->compares)
		slot_getallattrs(rri->ri_oldTupleSlot);
}

/* Did a trigger change the column? */
static bool
differs(ResultRelInfo *rri, TupleTableSlot *slot, int i)
{
	TupleTableSlot *old = rri->ri_oldTupleSlot;
	Form_pg_attribute att = TupleDescAttr(slot->tts_tupleDescriptor, i);

	if (slot->tts_isnull[i] || old->tts_isnull[i])
		return slot->tts_isnull[i] != old->tts_isnull[i];
	return !datum_image_eq(slot->tts_values[i], old->tts_values[i], att->attbyval,
						   att->attlen);
}

bool
gc_changed_has(const GcChanged *changed, ResultRelInfo *rri, TupleTableSlot *slot, int i)
{
	return bms_is_member(i + 1, changed->named) ||
		   (changed->compares && differs(rri, slot, i));
}
