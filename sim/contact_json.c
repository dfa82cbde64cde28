/*
 * contact_json.c
 *	  Contacts as the platform shows them.
 */
#include "contact_json.h"

const char *const attr_names[ATTR_COUNT] = {
	[ATTR_PHONE_NUMBER_STATUS] = "phoneNumberStatus",
	[ATTR_CONTACTABLE_STATUS] = "contactableStatus",
	[ATTR_LATEST_WHATSAPP_EVALUATIONS] = "latestWhatsAppEvaluations",
	[ATTR_RETENTION_TYPE] = "retentionType",
	[ATTR_RETENTION_DAYS] = "retentionDays",
	[ATTR_DATE_EXPIRATION] = "dateExpiration",
	[ATTR_CALL_RECORDS] = "callRecords",
	[ATTR_LATEST_SMS_EVALUATIONS] = "latestSmsEvaluations",
	[ATTR_LATEST_EMAIL_EVALUATIONS] = "latestEmailEvaluations",
	[ATTR_CONTACT_COLUMN_TIME_ZONES] = "contactColumnTimeZones",
};

static void
put_data(Buf *out, const Columns *columns, const Contact *contact)
{
	Span cells[MAX_COLUMNS];
	char before = '{';

	contact_cells(contact, cells);
	buf_puts(out, ",\"data\":");
	for (int i = 0; i < contact->ncells; i++)
	{
		if (cells[i].p == NULL)
			continue;
		buf_putc(out, before);
		buf_put_string(out, columns->name[i].p, columns->name[i].n);
		buf_putc(out, ':');
		buf_put_string(out, cells[i].p, cells[i].n);
		before = ',';
	}
	buf_puts(out, before == '{' ? "{}" : "}");
}

/* Every phone column is callable until something says otherwise. */
static void
put_phone_status(Buf *out, const Columns *columns)
{
	char before = '{';

	buf_puts(out, ",\"phoneNumberStatus\":");
	for (int i = 0; i < columns->n; i++)
	{
		if (!columns->phone[i])
			continue;
		buf_putc(out, before);
		buf_put_string(out, columns->name[i].p, columns->name[i].n);
		buf_puts(out, ":{\"callable\":true}");
		before = ',';
	}
	buf_puts(out, before == '{' ? "{}" : "}");
}

static void
put_attrs(Buf *out, const List *list, const Contact *contact)
{
	for (int i = 0; i < ATTR_COUNT; i++)
	{
		const Span *value = contact->attrs ? &contact->attrs->value[i] : NULL;

		if (value && value->p)
		{
			buf_puts(out, ",\"");
			buf_puts(out, attr_names[i]);
			buf_puts(out, "\":");
			buf_put(out, value->p, value->n);
		}
		else if (i == ATTR_PHONE_NUMBER_STATUS)
			put_phone_status(out, list->columns);
	}
}

void
contact_put_self_uri(Buf *out, const List *list, Span id)
{
	buf_puts(out, "\"/api/v2/outbound/contactlists/");
	buf_put_uri(out, list->id, strlen(list->id));
	buf_puts(out, "/contacts/");
	buf_put_uri(out, id.p, id.n);
	buf_putc(out, '"');
}

static void
put_members(Buf *out, const List *list, const Contact *contact)
{
	Span id = contact_id(contact);
	char created[TIME_SIZE];

	buf_puts(out, "\"id\":");
	buf_put_string(out, id.p, id.n);
	buf_puts(out, ",\"contactListId\":");
	buf_put_string(out, list->id, strlen(list->id));
	put_data(out, list->columns, contact);
	buf_puts(out, contact->callable ? ",\"callable\":true" : ",\"callable\":false");
	put_attrs(out, list, contact);
	if (contact->created_us > 0)
	{
		sim_format_time(contact->created_us, created);
		buf_puts(out, ",\"dateCreated\":\"");
		buf_puts(out, created);
		buf_putc(out, '"');
	}
	if (contact->priority >= 0)
		buf_puts(out, contact->priority ? ",\"configurationOverrides\":{\"priority\":true}"
										: ",\"configurationOverrides\":{\"priority\":false}");
	buf_puts(out, ",\"selfUri\":");
	contact_put_self_uri(out, list, id);
}

void
contact_put_json(Buf *out, const List *list, const Contact *contact)
{
	buf_putc(out, '{');
	put_members(out, list, contact);
	buf_putc(out, '}');
}

void
contact_put_raw(Buf *out, const List *list, const Contact *contact)
{
	buf_putc(out, '{');
	put_members(out, list, contact);
	buf_puts(out, contact->in_use ? ",\"inUse\":true" : ",\"inUse\":false");
	if (contact->do_not_queue >= 0)
		buf_puts(out,
				 contact->do_not_queue ? ",\"doNotQueue\":true" : ",\"doNotQueue\":false");
	buf_puts(out, ",\"queueMoves\":");
	buf_put_int(out, contact->queue_moves);
	buf_putc(out, '}');
}
