/*
 * routes.c
 *	  What is answered: each method and path, what it asks of the client, and
 *	  its handler.
 *
 * The permissions are those of the API's description (x-permissions) and, for
 * what it leaves out, of the platform's documents; those of dialect "jobs" and
 * of the classic upload are ours.
 */
#include "routes.h"
#include "bulk_jobs.h"
#include "bulk_run.h"
#include "campaign_writes.h"
#include "campaigns.h"
#include "collections.h"
#include "contacts.h"
#include "control.h"
#include "divisions.h"
#include "dnc_writes.h"
#include "dnclists.h"
#include "events.h"
#include "exports.h"
#include "filters.h"
#include "import_control.h"
#include "imports.h"
#include "job_lists.h"
#include "jobs.h"
#include "list_export.h"
#include "lists.h"
#include "locks.h"
#include "messaging.h"
#include "outage.h"
#include "search.h"
#include "uploads.h"

/* SMS, e-mail, WhatsApp: any of them. */
#define MESSAGING_VIEW                                                                        \
	"outbound:messagingCampaign:view | outbound:emailCampaign:view | "                        \
	"outbound:whatsAppCampaign:view"

const Route platform_routes[] = {
	{"GET", "api/v2/outbound/contactlists", "outbound:contactList:view", lists_get, 0},
	{"POST", "api/v2/outbound/contactlists", "outbound:contactList:add", lists_post, 0},
	{"DELETE", "api/v2/outbound/contactlists", "outbound:contactList:delete", lists_delete, 0},
	{"GET", "api/v2/outbound/contactlists/divisionviews", "outbound:contactList:search",
	 list_views_get, 0},
	{"POST", "api/v2/outbound/contactlists/uploads", "outbound:contactList:upload",
	 upload_sign, 0},
	{"GET", "api/v2/outbound/contactlists/*", "outbound:contactList:view", list_get, 0},
	{"PUT", "api/v2/outbound/contactlists/*", "outbound:contactList:edit", list_put, 0},
	{"DELETE", "api/v2/outbound/contactlists/*", "outbound:contactList:delete",
	 list_delete_one, 0},
	{"POST", "api/v2/outbound/contactlists/*/clear", "outbound:contact:delete",
	 list_clear_contacts, 0},
	{"POST", "api/v2/outbound/contactlists/*/contacts", "outbound:contact:add", contacts_post,
	 LOCKS | BULK},
	{"DELETE", "api/v2/outbound/contactlists/*/contacts", "outbound:contact:delete",
	 contacts_delete, LOCKS},
	{"POST", "api/v2/outbound/contactlists/*/contacts/search", "outbound:contact:view",
	 contacts_search, LOCKS},
	{"POST", "api/v2/outbound/contactlists/*/contacts/bulk", "outbound:contact:view",
	 contacts_read, LOCKS | BULK},
	{"POST", "api/v2/outbound/contactlists/*/contacts/import", "outbound:contact:add",
	 jobs_import, LOCKS | BULK | LARGE | JOBS},
	{"GET", "api/v2/outbound/contactlists/*/contacts/import", "outbound:contactList:view",
	 jobs_queue, JOBS},
	{"GET", "api/v2/outbound/contactlists/*/contacts/import/*", "outbound:contactList:view",
	 jobs_queue_one, JOBS},
	{"GET", "api/v2/outbound/contactlists/*/contacts/*", "outbound:contact:view", contact_get,
	 LOCKS},
	{"PUT", "api/v2/outbound/contactlists/*/contacts/*", "outbound:contact:edit", contact_put,
	 LOCKS},
	{"DELETE", "api/v2/outbound/contactlists/*/contacts/*", "outbound:contact:delete",
	 contact_delete, LOCKS},
	{"GET", "api/v2/outbound/contactlists/divisionviews/*", "outbound:contactList:search",
	 list_view_get, 0},
	{"POST", "api/v2/outbound/contactlists/*/export",
	 "outbound:contact:view & outbound:contactList:view", list_export_post, 0},
	{"GET", "api/v2/outbound/contactlists/*/export",
	 "outbound:contact:view & outbound:contactList:view", list_export_get, 0},
	{"GET", "api/v2/outbound/contactlists/*/importstatus", "outbound:contactList:view",
	 list_import_status, 0},
	{"POST", "api/v2/outbound/contactlists/*/contacts/bulk/update", "outbound:contact:edit",
	 bulk_update, BULK},
	{"POST", "api/v2/outbound/contactlists/*/contacts/bulk/remove", "outbound:contact:delete",
	 bulk_remove, BULK},
	{"GET", "api/v2/outbound/contactlists/*/contacts/bulk/jobs", "outbound:contactList:view",
	 bulk_jobs_get, 0},
	{"GET", "api/v2/outbound/contactlists/*/contacts/bulk/jobs/*", "outbound:contactList:view",
	 bulk_job_get, 0},
	{"POST", "api/v2/outbound/lists", "outbound:contactList:add", job_lists_post, JOBS},
	{"GET", "api/v2/outbound/lists/*", "outbound:contactList:view", job_list_get, JOBS},
	{"PUT", "api/v2/outbound/lists/*", "outbound:contactList:edit", job_list_put, JOBS},
	{"POST", "api/v2/outbound/lists/*/contacts/bulk", "outbound:contact:add", jobs_append,
	 LOCKS | BULK | LARGE | JOBS},
	{"POST", "api/v2/outbound/lists/*/contacts/upload", "outbound:contact:add", jobs_upload,
	 LOCKS | BULK | FORM | JOBS},
	{"GET", "api/v2/outbound/jobs/*", "outbound:contactList:view", job_get, JOBS},
	{"GET", "api/v2/downloads/*", NULL, download_get, 0},
	{"GET", "api/v2/outbound/contactlistfilters", "outbound:contactListFilter:view",
	 filters_get, 0},
	{"POST", "api/v2/outbound/contactlistfilters", "outbound:contactListFilter:add",
	 filters_post, 0},
	{"POST", "api/v2/outbound/contactlistfilters/preview", "outbound:contact:view",
	 filter_preview, 0},
	{"GET", "api/v2/outbound/contactlistfilters/*", "outbound:contactListFilter:view",
	 filter_get, 0},
	{"PUT", "api/v2/outbound/contactlistfilters/*", "outbound:contactListFilter:edit",
	 filter_put, 0},
	{"DELETE", "api/v2/outbound/contactlistfilters/*", "outbound:contactListFilter:delete",
	 filter_delete, 0},
	{"GET", "api/v2/outbound/campaigns", "outbound:campaign:view", campaigns_get, 0},
	{"POST", "api/v2/outbound/campaigns/progress", "outbound:campaign:view",
	 campaigns_progress, 0},
	{"GET", "api/v2/outbound/campaigns/divisionviews", "outbound:campaign:search",
	 campaign_views_get, 0},
	{"GET", "api/v2/outbound/campaigns/divisionviews/*", "outbound:campaign:search",
	 campaign_view_get, 0},
	{"GET", "api/v2/outbound/campaigns/*", "outbound:campaign:view", campaign_get, 0},
	{"PUT", "api/v2/outbound/campaigns/*", "outbound:campaign:edit", campaign_put, 0},
	{"PATCH", "api/v2/outbound/campaigns/*", "outbound:campaign:edit", campaign_patch, 0},
	{"POST", "api/v2/outbound/campaigns/*", "outbound:campaign:edit", campaign_post, JOBS},
	{"POST", "api/v2/outbound/campaigns/*/start", "outbound:campaign:start", campaign_start,
	 0},
	{"POST", "api/v2/outbound/campaigns/*/stop", "outbound:campaign:stop", campaign_stop, 0},
	{"DELETE", "api/v2/outbound/campaigns/*/progress",
	 "outbound:campaign:edit | outbound:campaign:recycle", campaign_recycle, 0},
	{"GET", "api/v2/outbound/campaigns/*/progress", "outbound:campaign:view",
	 campaign_progress, 0},
	{"GET", "api/v2/outbound/campaigns/*/stats", "outbound:campaign:view", campaign_stats, 0},
	{"GET", "api/v2/outbound/messagingcampaigns", MESSAGING_VIEW, messaging_get, 0},
	{"GET", "api/v2/authorization/divisions", NULL, divisions_get, 0},
	{"GET", "api/v2/outbound/dnclists", "outbound:dncList:view", dnc_lists_get, 0},
	{"POST", "api/v2/outbound/dnclists", "outbound:dncList:add", dnc_lists_post, 0},
	{"GET", "api/v2/outbound/dnclists/*", "outbound:dncList:view", dnc_list_get, 0},
	{"PUT", "api/v2/outbound/dnclists/*", "outbound:dncList:edit", dnc_list_put, 0},
	{"DELETE", "api/v2/outbound/dnclists/*", "outbound:dncList:delete", dnc_list_delete, 0},
	{"GET", "api/v2/outbound/dnclists/*/importstatus", "outbound:dncList:view",
	 dnc_import_status, 0},
	{"POST", "api/v2/outbound/dnclists/*/export", "outbound:dnc:view & outbound:dncList:view",
	 dnc_export_post, 0},
	{"GET", "api/v2/outbound/dnclists/*/export", "outbound:dnc:view & outbound:dncList:view",
	 dnc_export_get, 0},
	{"POST", "api/v2/outbound/dnclists/*/phonenumbers", "outbound:dnc:add", dnc_add, 0},
	{"PATCH", "api/v2/outbound/dnclists/*/phonenumbers", "outbound:dnc:edit", dnc_patch, 0},
	{"DELETE", "api/v2/outbound/dnclists/*/phonenumbers", "outbound:dnc:delete", dnc_wipe, 0},
	{"POST", "api/v2/outbound/dnclists/*/emailaddresses", "outbound:dnc:add", dnc_add, 0},
	{"PATCH", "api/v2/outbound/dnclists/*/emailaddresses", "outbound:dnc:edit", dnc_patch, 0},
	{"DELETE", "api/v2/outbound/dnclists/*/emailaddresses", "outbound:dnc:delete", dnc_wipe,
	 0},
	{"PATCH", "api/v2/outbound/dnclists/*/whatsappnumbers", "outbound:dnc:edit", dnc_patch, 0},
	{"DELETE", "api/v2/outbound/dnclists/*/whatsappnumbers", "outbound:dnc:delete", dnc_wipe,
	 0},
	{"PATCH", "api/v2/outbound/dnclists/*/customexclusioncolumns", "outbound:dnc:edit",
	 dnc_patch, 0},
	{"DELETE", "api/v2/outbound/dnclists/*/customexclusioncolumns", "outbound:dnc:delete",
	 dnc_wipe, 0},
	{"GET", "api/v2/routing/wrapupcodes", "routing:wrapupCode:view", collection_get, 0},
	{"POST", "api/v2/routing/wrapupcodes", "routing:wrapupCode:add", collection_post, 0},
	{"GET", "api/v2/routing/wrapupcodes/*", "routing:wrapupCode:view", collection_get_one, 0},
	{"PUT", "api/v2/routing/wrapupcodes/*", "routing:wrapupCode:edit", collection_update, 0},
	{"DELETE", "api/v2/routing/wrapupcodes/*", "routing:wrapupCode:delete", collection_delete,
	 0},
	{"GET", "api/v2/workforcemanagement/managementunits", "wfm:managementUnit:view",
	 collection_get, 0},
	{"POST", "api/v2/workforcemanagement/managementunits", "wfm:managementUnit:add",
	 collection_post, 0},
	{"GET", "api/v2/workforcemanagement/managementunits/*", "wfm:managementUnit:view",
	 collection_get_one, 0},
	{"PATCH", "api/v2/workforcemanagement/managementunits/*", "wfm:managementUnit:edit",
	 collection_update, 0},
	{"DELETE", "api/v2/workforcemanagement/managementunits/*", "wfm:managementUnit:delete",
	 collection_delete, 0},
	{"GET", "api/v2/workforcemanagement/businessunits/*/staffinggroups",
	 "wfm:staffingGroup:view", collection_get, 0},
	{"POST", "api/v2/workforcemanagement/businessunits/*/staffinggroups",
	 "wfm:staffingGroup:add", collection_post, 0},
	{"GET", "api/v2/workforcemanagement/businessunits/*/staffinggroups/*",
	 "wfm:staffingGroup:view", collection_get_one, 0},
	{"PATCH", "api/v2/workforcemanagement/businessunits/*/staffinggroups/*",
	 "wfm:staffingGroup:edit", collection_update, 0},
	{"DELETE", "api/v2/workforcemanagement/businessunits/*/staffinggroups/*",
	 "wfm:staffingGroup:delete", collection_delete, 0},
	{"GET", "api/v2/wfm/users/groups", "wfm:staffingGroup:view", collection_get, JOBS},
	{"PUT", "api/v2/wfm/users/groups/*", "wfm:staffingGroup:edit", collection_update, JOBS},
	{"GET", "api/v2/wfm/schedules", "wfm:schedule:view", collection_get, JOBS},
	{"POST", "api/v2/wfm/schedules", "wfm:schedule:add", collection_post, JOBS},
	{"PUT", "api/v2/wfm/schedules/*", "wfm:schedule:edit", collection_update, JOBS},
	{"GET", "api/v2/outbound/events", "outbound:eventLog:view", events_get, 0},
	{"GET", "api/v2/outbound/events/*", "outbound:eventLog:view", event_get, 0},
	{NULL, NULL, NULL, NULL, 0},
};

const Route upload_routes[] = {
	{"POST", "uploads/v2/contactlist", "outbound:contact:add", upload_classic, LOCKS | FORM},
	{NULL, NULL, NULL, NULL, 0},
};

const Route control_routes[] = {
	{"POST", "_sim/reset", NULL, control_reset, 0},
	{"POST", "_sim/set", NULL, control_set, 0},
	{"POST", "_sim/faults", NULL, control_set_faults, 0},
	{"GET", "_sim/faults", NULL, control_faults, 0},
	{"GET", "_sim/requests", NULL, control_requests, 0},
	{"DELETE", "_sim/requests", NULL, control_clear_requests, 0},
	{"GET", "_sim/state", NULL, control_state, 0},
	{"POST", "_sim/lists", NULL, lists_seed, 0},
	{"GET", "_sim/lists", NULL, control_lists, 0},
	{"GET", "_sim/contacts", NULL, control_contacts, 0},
	{"POST", "_sim/contacts", NULL, control_set_contact, 0},
	{"GET", "_sim/checksum", NULL, control_checksum, 0},
	{"POST", "_sim/locks", NULL, locks_seed, 0},
	{"POST", "_sim/outage", NULL, control_outage, 0},
	{"POST", "_sim/liststatus", NULL, job_list_seed_status, 0},
	{"POST", "_sim/campaigns", NULL, campaigns_seed, 0},
	{"POST", "_sim/messagingcampaigns", NULL, messaging_seed, 0},
	{"POST", "_sim/divisions", NULL, divisions_seed, 0},
	{"POST", "_sim/dnclists", NULL, dnc_lists_seed, 0},
	{"POST", "_sim/entities", NULL, collections_seed, 0},
	{"POST", "_sim/events", NULL, events_seed, 0},
	{"POST", "_sim/bulkjobs", NULL, bulk_jobs_seed, 0},
	{"POST", "_sim/importstatus", NULL, import_status_seed, 0},
	{"GET", "_sim/imports", NULL, control_imports, 0},
	{"POST", "_sim/imports", NULL, control_set_imports, 0},
	{NULL, NULL, NULL, NULL, 0},
};
