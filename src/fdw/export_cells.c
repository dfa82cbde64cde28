/*
 * fdw/export_cells.c
 *	  Which cells of an export's record make up which column of a table.
 */
#include "postgres.h"

#include "fdw/export_cells.h"

#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/json.h"

#define ID_HEADER		"inin-outbound-id"
#define BYTE_ORDER_MARK "\xef\xbb\xbf"

/* A member of an object, and the cell that has it. */
typedef struct Member
{
	const char *name;
	int cell;
	bool flag;
} Member;

/* An object of a map. */
typedef struct Entry
{
	const char *key; /* as JSON has it, quotes included */
	Member members[GC_EXPORT_MEMBERS];
	int member_count;
	const char *beside;
} Entry;

/* One column of the table. */
typedef struct Source
{
	int cell; /* -1: none */
	bool flag;
	Entry *entries; /* of a map; NULL: it is none */
	int entry_count;
} Source;

struct GcExportCells
{
	int id;			 /* -1: none that may be shown */
	Source *sources; /* by attnum - 1 */
};

/* What goes on while the headers are looked through. */
typedef struct Search
{
	char **headers;
	int count;
	const char *missing; /* the first that was not there */
} Search;

static int
find_header(Search *search, const char *name)
{
	for (int i = 0; i < search->count; i++)
		if (search->headers[i] && strcmp(search->headers[i], name) == 0)
			return i;
	if (search->missing == NULL)
		search->missing = name;
	return -1;
}

/* The export of a DNC list is not known by its headers, but by where its columns are. */
static int
at_position(Search *search, int position)
{
	if (position > search->count && search->missing == NULL)
		search->missing = psprintf("%d", position);
	return position - 1;
}

/* The name of a header; "%" is the column. */
static char *
header_name(const char *pattern, const char *column)
{
	const char *place = strchr(pattern, '%');

	if (place == NULL)
		return pstrdup(pattern);
	return psprintf("%.*s%s%s", (int) (place - pattern), pattern, column, place + 1);
}

static const char *
json_string(const char *utf8)
{
	StringInfoData json;

	initStringInfo(&json);
	escape_json(&json, utf8);
	return json.data;
}

static void
add_member(Search *search, Entry *entry, const GcExportMember *member, const char *column)
{
	Member *added = &entry->members[entry->member_count++];

	added->name = json_string(member->name);
	added->cell = find_header(search, header_name(member->header, column));
	added->flag = member->flag;
}

static void
find_map(Search *search, Source *source, const GcExportMap *map, const GcList *list)
{
	source->entries = palloc0(sizeof(Entry) * (list->column_count + 1));
	for (int i = 0; i < list->column_count; i++)
	{
		Entry *entry = &source->entries[source->entry_count];
		const char *column = list->columns[i];
		bool zip = map->zip.name && list->zip_column && strcmp(column, list->zip_column) == 0;

		if (!list->is_phone[i] && !zip)
			continue;
		entry->key = json_string(column);
		entry->beside = zip ? map->zip_beside : map->beside;
		if (zip)
			add_member(search, entry, &map->zip, column);
		for (int m = 0; !zip && m < GC_EXPORT_MEMBERS && map->members[m].name; m++)
			add_member(search, entry, &map->members[m], column);
		source->entry_count++;
	}
}

static void
find_source(Search *search, Source *source, const GcColumn *column, const GcList *list)
{
	const GcAttribute *attribute = column->attribute;

	source->cell = -1;
	if (column->field)
		source->cell = find_header(search, column->field);
	else if (attribute->export_map)
		find_map(search, source, attribute->export_map, list);
	else if (attribute->by_export.position > 0)
		source->cell = at_position(search, attribute->by_export.position);
	else if (attribute->by_export.header)
	{
		source->cell = find_header(
			search, header_name(attribute->by_export.header, column->attribute_column));
		source->flag = attribute->by_export.flag;
	}
}

/* The first header comes with a byte order mark, or quotes, or both, that are none of it. */
static void
clean_first(char **headers)
{
	char *name = headers[0];
	size_t len;

	if (name == NULL)
		return;
	if (strncmp(name, BYTE_ORDER_MARK, strlen(BYTE_ORDER_MARK)) == 0)
		name += strlen(BYTE_ORDER_MARK);
	name += strspn(name, "\"");
	len = strlen(name);
	while (len > 0 && name[len - 1] == '"')
		name[--len] = '\0';
	headers[0] = name;
}

static const char *
find_twice(char **headers, int count)
{
	for (int i = 0; i < count; i++)
		for (int j = 0; headers[i] && j < i; j++)
			if (headers[j] && strcmp(headers[i], headers[j]) == 0)
				return headers[i];
	return NULL;
}

static const char *
display(const char *header)
{
	return gc_value_display(header, NAMEDATALEN * 2);
}

GcExportCells *
gc_export_cells_find(const GcRelation *rel, const GcList *list, Bitmapset *wanted,
					 char **headers, int count, const char **problem, const char **hint)
{
	GcExportCells *map = palloc0(sizeof(GcExportCells));
	Search search = {headers, count, NULL};
	const char *twice;

	*hint = NULL;
	clean_first(headers);
	twice = find_twice(headers, count);
	if (twice)
	{
		*problem = psprintf("Its export has two columns \"%s\".", display(twice));
		return NULL;
	}
	/* A DNC list's entry is what it is known by. */
	map->id = list ? find_header(&search, ID_HEADER) : at_position(&search, 1);
	map->sources = palloc0(sizeof(Source) * Max(rel->column_count, 1));
	for (int i = 0; i < rel->column_count; i++)
	{
		const GcColumn *column = &rel->columns[i];

		map->sources[i].cell = -1;
		if (column->attnum != 0 && bms_is_member(column->attnum, wanted))
			find_source(&search, &map->sources[i], column, list);
	}
	if (search.missing == NULL)
		return map;
	*problem = psprintf("Its export has no column \"%s\".", display(search.missing));
	*hint = list
				? "Leave out of the query what needs it, or set the option \"scan_method\" to "
				  "\"search\"."
				: "Leave out of the query what needs it.";
	return NULL;
}

/* A flag in the words that JSON and boolean's output use; NULL: it is none. */
static const char *
flag_word(const char *cell)
{
	bool flag;

	if (!parse_bool(cell, &flag))
		return NULL;
	return flag ? "true" : "false";
}

static bool
is_empty(const char *cell)
{
	return cell == NULL || *cell == '\0';
}

/* Appends an entry if one of its members is known; a flag that is none stays text. */
static void
append_entry(StringInfo json, const Entry *entry, char **cells)
{
	bool begun = false;

	for (int i = 0; i < entry->member_count; i++)
	{
		const Member *member = &entry->members[i];
		const char *cell = cells[member->cell];
		const char *word = NULL;

		if (is_empty(cell))
			continue;
		if (begun)
			appendStringInfoChar(json, ',');
		else
			appendStringInfo(json, "%s%s:{", json->len > 1 ? "," : "", entry->key);
		begun = true;
		appendStringInfo(json, "%s:", member->name);
		if (member->flag)
			word = flag_word(cell);
		if (word)
			appendStringInfoString(json, word);
		else
			escape_json(json, cell);
	}
	if (begun)
		appendStringInfo(json, "%s%s}", entry->beside ? "," : "",
						 entry->beside ? entry->beside : "");
}

static char *
put_together(const Source *source, char **cells)
{
	StringInfoData json;

	initStringInfo(&json);
	appendStringInfoChar(&json, '{');
	for (int i = 0; i < source->entry_count; i++)
		append_entry(&json, &source->entries[i], cells);
	if (json.len == 1)
		return NULL;
	appendStringInfoChar(&json, '}');
	return json.data;
}

char *
gc_export_cells_get(const GcExportCells *map, int column, char **cells)
{
	const Source *source = &map->sources[column];
	char *cell;

	if (source->entries)
		return put_together(source, cells);
	if (source->cell < 0 || is_empty(cells[source->cell]))
		return NULL;
	cell = cells[source->cell];
	if (source->flag && flag_word(cell))
		return pstrdup(flag_word(cell));
	return cell;
}

const char *
gc_export_cells_id(const GcExportCells *map, char **cells)
{
	return map->id < 0 ? NULL : cells[map->id];
}
