/*
 * api/resource.c
 *	  The registry of what the API offers as tables.
 */
#include "postgres.h"

#include "api/resource.h"

const GcResource *const gc_resources[] = {&gc_contacts,	   &gc_contact_lists, &gc_campaigns,
										  &gc_dnc_lists,   &gc_dnc_entries,	  &gc_events,
										  &gc_import_jobs, &gc_entities,	  NULL};

char *
gc_resource_names(void)
{
	StringInfoData names;

	initStringInfo(&names);
	for (int i = 0; gc_resources[i]; i++)
		appendStringInfo(&names, "%s\"%s\"", i > 0 ? ", " : "", gc_resources[i]->object);
	return names.data;
}

const GcResource *
gc_resource_by_name(const char *object)
{
	GcNearest nearest;

	gc_nearest_init(&nearest, object);
	for (int i = 0; gc_resources[i]; i++)
	{
		if (strcmp(gc_resources[i]->object, object) == 0)
			return gc_resources[i];
		gc_nearest_offer(&nearest, gc_resources[i]->object);
	}
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					errmsg("invalid value for option \"%s\": \"%s\"", "object", object),
					nearest.best ? errhint("Perhaps you meant \"%s\".", nearest.best)
								 : errhint("Objects are %s.", gc_resource_names())));
}

/* Does the option's value name this attribute? */
static bool
attribute_matches(const GcAttribute *attribute, const char *value, const char **column)
{
	size_t len = strlen(attribute->name);

	*column = NULL;
	if (!attribute->per_column)
		return strcmp(attribute->name, value) == 0;
	if (strncmp(attribute->name, value, len) != 0 || value[len] != ':' ||
		value[len + 1] == '\0')
		return false;
	*column = value + len + 1;
	return true;
}

/* The attribute of that name of one resource. */
static const GcAttribute *
find_attribute(const GcResource *resource, const char *name, const char **column,
			   GcNearest *nearest)
{
	for (int i = 0; i < resource->attribute_count; i++)
	{
		const GcAttribute *attribute = &resource->attributes[i];

		if (attribute_matches(attribute, name, column))
			return attribute;
		gc_nearest_offer(nearest, attribute->per_column
									  ? psprintf("%s:<column>", attribute->name)
									  : attribute->name);
	}
	return NULL;
}

const GcAttribute *
gc_resource_find(const GcResource *resource, const char *name, const char **column,
				 GcNearest *nearest)
{
	const GcAttribute *found = NULL;

	gc_nearest_init(nearest, name);
	if (resource)
		return find_attribute(resource, name, column, nearest);
	for (int i = 0; gc_resources[i] && found == NULL; i++)
	{
		GcNearest others = *nearest;

		/* Whose it is meant to be is not known: most likely a contact's. */
		found = find_attribute(gc_resources[i], name, column,
							   gc_resources[i] == &gc_contacts ? nearest : &others);
	}
	return found;
}

const GcAttribute *
gc_resource_attribute(const GcResource *resource, const char *value, const char **column)
{
	GcNearest nearest;
	const GcAttribute *attribute = gc_resource_find(resource, value, column, &nearest);

	if (attribute)
		return attribute;
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					errmsg("invalid value for option \"%s\": \"%s\"", "attribute", value),
					nearest.best ? errhint("Perhaps you meant \"%s\".", nearest.best) : 0));
}
