// The official SDK, pointed at the simulator by its gateway setting: creates a
// list, posts, searches, pages, reads by id and exports, reads campaigns, DNC
// lists, events and jobs, uploads, edits, removes and clears, and checks each answer.
//
// Environment: GC_SIM_URL, GC_NODE_MODULES (the directory with node_modules), and
// GC_API_URL if calls other than the login go elsewhere (a proxy).

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';

const require = createRequire(`${process.env.GC_NODE_MODULES}/`);
const platformClient = require('purecloud-platform-client-v2');
const gateway = (url) => ({ host: url.hostname, protocol: 'http', port: Number(url.port) });
const sim = new URL(process.env.GC_SIM_URL);
const api = new URL(process.env.GC_API_URL ?? process.env.GC_SIM_URL);

const client = platformClient.ApiClient.instance;
client.config.live_reload_config = false;
client.setGateway(gateway(sim));
const outbound = new platformClient.OutboundApi();

let passed = 0;
let failed = 0;

async function test(name, body) {
  try {
    await body();
    passed++;
    console.log(`ok: ${name}`);
  } catch (error) {
    failed++;
    console.log(`FAILED: ${name}: ${error.stack ?? JSON.stringify(error)}`);
  }
}

// The platform's refusal of a call, as the SDK hands it over: status, headers, body.
async function refusal(call) {
  client.setReturnExtendedResponses(true);
  try {
    await call();
  } catch (error) {
    if (error.status === undefined) throw error;
    return error;
  } finally {
    client.setReturnExtendedResponses(false);
  }
  return assert.fail('the call was accepted');
}

// Reads may lag writes: asks again until the check holds, for fifteen seconds.
async function eventually(check) {
  const end = Date.now() + 15000;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (Date.now() > end) throw error;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
}

const columnNames = ['CRM_Lead_ID', 'FirstName', 'LastName', 'Phone', 'Email', 'Balance', 'LastOrder', 'Note'];
let list;

const awkward = [
  'O\'Brien, "Pat"\r\n\tsecond line \\ end',
  '👩‍👩‍👧‍👦 🇺🇦 👍🏽 e\u0301 \u200f\u05e9\u05dc\u05d5\u05dd 王',
  '</script>&amp;\u2028\u2029\u0001\u007f',
  '',
];
const contact = (id, note) => ({
  id,
  contactListId: list.id,
  data: {
    CRM_Lead_ID: id, FirstName: 'Zoë', LastName: 'Πapadopoulou', Phone: '+302101234567', Email: `${id}@example.com`,
    Balance: '12.50', LastOrder: '2026-03-01T12:34:56Z', Note: note,
  },
});
const search = (body) => outbound.postOutboundContactlistContactsSearch(list.id, { pageNumber: 1, pageSize: 100, ...body });
const where = (column, operator, value) => ({
  criteria: { filterType: 'AND', clauses: [{ filterType: 'AND', predicates: [{ column, columnType: 'alphabetic', operator, value }] }] },
});

await test('a wrong secret is refused', async () => {
  const error = await refusal(() => client.loginClientCredentialsGrant('id', 'wrong'));
  assert.ok([400, 401].includes(error.status), `status ${error.status}`);
});

await test('client credentials give a token', async () => {
  const auth = await client.loginClientCredentialsGrant('id', 'secret');
  assert.ok(auth.accessToken);
  assert.ok(auth.tokenExpiryTime > Date.now());
});

client.setGateway(gateway(api));

await test('a list is created', async () => {
  list = await outbound.postOutboundContactlists({
    name: 'SDK contract',
    columnNames,
    phoneColumns: [{ columnName: 'Phone', type: 'cell' }],
    emailColumns: [{ columnName: 'Email', type: 'personal' }],
    columnDataTypeSpecifications: [
      { columnName: 'Balance', columnDataType: 'NUMERIC' },
      { columnName: 'LastOrder', columnDataType: 'TIMESTAMP' },
    ],
  });
  assert.match(list.id, /^[0-9a-f-]{36}$/);
  assert.equal(list.version, 1);
  assert.deepEqual(list.columnNames, columnNames);
  assert.ok(!Number.isNaN(Date.parse(list.dateCreated)));
});

await test('a second list of that name is refused', async () => {
  const error = await refusal(() => outbound.postOutboundContactlists({
    name: 'SDK contract', columnNames, phoneColumns: [{ columnName: 'Phone', type: 'cell' }] }));
  assert.equal(error.body.code, 'duplicate.name');
});

await test('the list is found by name and by id', async () => {
  const page = await outbound.getOutboundContactlists({ name: 'SDK contract', filterType: 'Equals' });
  assert.deepEqual(page.entities.map((l) => l.id), [list.id]);
  assert.equal(page.total, 1);
  assert.equal(page.pageNumber, 1);
  const again = await outbound.getOutboundContactlist(list.id, { includeSize: true });
  assert.equal(again.name, 'SDK contract');
  assert.equal(again.size, 0);
});

await test('contacts are posted and echoed', async () => {
  const sent = awkward.map((note, i) => contact(`sdk-${i}`, note));
  const echo = await outbound.postOutboundContactlistContacts(list.id, sent);
  assert.equal(echo.length, sent.length);
  const byId = Object.fromEntries(echo.map((c) => [c.id, c]));
  for (const c of sent) {
    assert.deepEqual(byId[c.id].data, c.data);
    assert.equal(byId[c.id].callable, true);
  }
});

await test('a contact without an id gets one', async () => {
  const { id, ...rest } = contact('without', 'no id');
  const [echo] = await outbound.postOutboundContactlistContacts(list.id, [rest]);
  assert.ok(echo.id);
  await outbound.deleteOutboundContactlistContact(list.id, echo.id);
});

await test('a contact that exists is updated, and an opt-out stays', async () => {
  await outbound.postOutboundContactlistContacts(list.id, [{ ...contact('sdk-0', 'first'), callable: false }]);
  const [echo] = await outbound.postOutboundContactlistContacts(list.id, [contact('sdk-0', awkward[0])]);
  assert.equal(echo.callable, false);
});

await test('a contact is read by id', async () => {
  await eventually(async () => {
    const one = await outbound.getOutboundContactlistContact(list.id, 'sdk-1');
    assert.equal(one.id, 'sdk-1');
    assert.equal(one.data.Note, awkward[1]);
  });
});

await test('fifty contacts are read by id at once, absent ones left out', async () => {
  await eventually(async () => {
    const found = await outbound.postOutboundContactlistContactsBulk(list.id, ['sdk-2', 'absent', 'sdk-0']);
    assert.deepEqual(found.map((c) => c.id).sort(), ['sdk-0', 'sdk-2']);
    assert.equal(found.find((c) => c.id === 'sdk-2').data.Note, awkward[2]);
  });
  const error = await refusal(() => outbound.postOutboundContactlistContactsBulk(list.id, Array.from({ length: 51 }, (_, i) => `x${i}`)));
  assert.equal(error.status, 400);
});

await test('a search without a filter counts all', async () => {
  await eventually(async () => {
    const page = await search({});
    assert.equal(page.contactsCount, awkward.length);
    assert.deepEqual(page.entities.map((c) => c.id).sort(), ['sdk-0', 'sdk-1', 'sdk-2', 'sdk-3']);
  });
});

await test('a search with a filter finds what it should', async () => {
  await eventually(async () => {
    assert.deepEqual((await search(where('Note', 'EQUALS', awkward[1]))).entities.map((c) => c.id), ['sdk-1']);
    assert.deepEqual((await search(where('Email', 'BEGINS_WITH', 'sdk-3@'))).entities.map((c) => c.id), ['sdk-3']);
  });
});

await test('pages do not overlap and leave nothing out', async () => {
  const more = Array.from({ length: 250 }, (_, i) => contact(`page-${String(i).padStart(3, '0')}`, `n${i}`));
  await outbound.postOutboundContactlistContacts(list.id, more);
  await eventually(async () => {
    const ids = [];
    for (let pageNumber = 1; ; pageNumber++) {
      const page = await search({ pageNumber, ...where('CRM_Lead_ID', 'BEGINS_WITH', 'page-'), contactSorts: [{ fieldName: 'CRM_Lead_ID', direction: 'DESC', numeric: false }] });
      ids.push(...page.entities.map((c) => c.id));
      assert.equal(page.total, 250);
      assert.equal(page.pageCount, 3);
      if (pageNumber >= page.pageCount) break;
    }
    assert.deepEqual(ids, more.map((c) => c.id).reverse());
  });
});

await test('PUT replaces the data of a contact', async () => {
  const c = contact('sdk-3', 'put');
  const echo = await outbound.putOutboundContactlistContact(list.id, 'sdk-3', { ...c, callable: false });
  assert.equal(echo.data.Note, 'put');
  assert.equal(echo.callable, false);
});

await test('a deleted contact is gone', async () => {
  await outbound.deleteOutboundContactlistContact(list.id, 'sdk-3');
  await eventually(async () => {
    const error = await refusal(() => outbound.getOutboundContactlistContact(list.id, 'sdk-3'));
    assert.equal(error.status, 404);
  });
});

await test('refusals carry status, code and correlation id', async () => {
  let error = await refusal(() => outbound.postOutboundContactlistContacts(list.id, Array.from({ length: 1001 }, (_, i) => ({ id: `t${i}`, contactListId: list.id, data: {} }))));
  assert.equal(error.status, 400);
  assert.equal(error.body.code, 'too.many.contacts.added');
  assert.ok(error.headers['inin-correlation-id']);
  error = await refusal(() => outbound.postOutboundContactlistContacts(list.id, [{ id: 'u', contactListId: list.id, data: { Nope: 'x' } }]));
  assert.equal(error.body.code, 'invalid.contact.columns');
  error = await refusal(() => outbound.postOutboundContactlistContacts('00000000-0000-0000-0000-000000000000', [contact('u', '')]));
  assert.equal(error.status, 404);
});

await test('replies carry the three rate headers', async () => {
  client.setReturnExtendedResponses(true);
  const { headers } = await outbound.getOutboundContactlist(list.id);
  client.setReturnExtendedResponses(false);
  for (const name of ['inin-ratelimit-count', 'inin-ratelimit-allowed', 'inin-ratelimit-reset']) {
    assert.match(String(headers[name]), /^[0-9]+$/, name);
  }
});

// What only the platform makes is made by the simulator's control paths.
async function seed(path, body) {
  const reply = await fetch(new URL(`/_sim/${path}`, sim), { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) });
  assert.equal(reply.status, 200, path);
  return reply.json();
}

// The file behind an export's uri, as its rows; downloads are no part of the description.
async function download(uri) {
  const reply = await fetch(new URL(uri, sim), { headers: { Authorization: `Bearer ${client.authData.accessToken}` } });
  assert.equal(reply.status, 200);
  assert.notEqual(new URL(reply.url).origin, sim.origin);
  return (await reply.text()).split('\r\n').slice(0, -1);
}

await test('a list is exported, some of it and all', async () => {
  const error = await refusal(() => outbound.getOutboundContactlistExport(list.id));
  assert.equal(error.body.code, 'no.available.list.export.uri');
  for (const [body, rows] of [[{ contactIds: ['sdk-1'] }, 1], [where('CRM_Lead_ID', 'BEGINS_WITH', 'page-'), 250], [undefined, 253]]) {
    const since = Date.now();
    const begun = await outbound.postOutboundContactlistExport(list.id, { body });
    assert.ok(begun.id);
    const ready = await eventually(async () => {
      const found = await outbound.getOutboundContactlistExport(list.id);
      assert.ok(Date.parse(found.exportTimestamp) >= since);
      return found;
    });
    assert.equal((await download(ready.uri)).filter((row) => /^(sdk|page)-[0-9]+,/.test(row)).length, rows);
  }
});

await test('the status of an import is read', async () => {
  await seed('importstatus', { listId: list.id, state: 'IN_PROGRESS', totalRecords: 4, completedRecords: 1, percentComplete: 25, failureReason: '' });
  assert.equal((await outbound.getOutboundContactlistImportstatus(list.id)).state, 'IN_PROGRESS');
  const page = await outbound.getOutboundContactlistsDivisionviews({ includeImportStatus: true, includeSize: true, name: 'SDK' });
  assert.equal(page.entities[0].importStatus.percentComplete, 25);
  assert.equal(page.entities[0].size, 253);
  await seed('importstatus', { listId: list.id, state: null, percentComplete: 100 });
  assert.equal((await outbound.getOutboundContactlistImportstatus(list.id)).state ?? null, null);
});

await test('a saved filter is made, previewed, and searched by', async () => {
  const body = { name: 'SDK filter', contactList: { id: list.id }, ...where('Note', 'EQUALS', awkward[1]).criteria };
  const filter = await outbound.postOutboundContactlistfilters(body);
  assert.equal((await outbound.getOutboundContactlistfilters({ contactListId: list.id })).entities[0].id, filter.id);
  assert.equal((await outbound.postOutboundContactlistfiltersPreview(body)).filteredContacts, 1);
  assert.deepEqual((await search({ contactListFilterId: filter.id })).entities.map((c) => c.id), ['sdk-1']);
});

await test('campaigns, their progress and stats are read', async () => {
  const { id } = await seed('campaigns', {
    name: 'SDK campaign', contactList: { id: list.id }, dncLists: [{ id: 'sdk-dnc' }], campaignStatus: 'on',
    phoneColumns: [{ columnName: 'Phone', type: 'cell' }], progress: { numberOfContactsCalled: 2, percentage: 50 },
    stats: { contactRate: { attempts: 4, connects: 1, connectRatio: 0.25 } },
  });
  const page = await outbound.getOutboundCampaigns({ contactListId: list.id });
  assert.deepEqual(page.entities.map((c) => c.id), [id]);
  assert.equal((await outbound.getOutboundCampaign(id)).campaignStatus, 'on');
  assert.equal((await outbound.getOutboundCampaignProgress(id)).percentage, 50);
  assert.equal((await outbound.postOutboundCampaignsProgress([id]))[0].numberOfContactsCalled, 2);
  assert.equal((await outbound.getOutboundCampaignStats(id)).contactRate.connectRatio, 0.25);
  assert.equal((await outbound.getOutboundCampaignsDivisionviews({ name: 'SDK' })).entities[0].name, 'SDK campaign');
});

await test('DNC lists are read, written and exported', async () => {
  await seed('dnclists', { id: 'sdk-dnc', name: 'SDK DNC', entries: ['+4930111'], importStatus: { percentComplete: 100 } });
  await outbound.postOutboundDnclistPhonenumbers('sdk-dnc', ['+4930222', '+4930333'], { expirationDateTime: '2035-01-01T00:00Z' });
  await outbound.patchOutboundDnclistPhonenumbers('sdk-dnc', { action: 'Remove', phoneNumbers: ['+4930111'] });
  const page = await outbound.getOutboundDnclists({ includeSize: true, includeImportStatus: true, dncSourceType: 'rds' });
  assert.equal(page.entities[0].size, 2);
  assert.equal((await outbound.getOutboundDnclist('sdk-dnc', { includeSize: true })).size, 2);
  assert.equal((await outbound.getOutboundDnclistImportstatus('sdk-dnc')).percentComplete, 100);
  await outbound.postOutboundDnclistExport('sdk-dnc');
  const { uri } = await eventually(() => outbound.getOutboundDnclistExport('sdk-dnc'));
  const rows = (await download(uri)).slice(1).map((row) => row.split(','));
  assert.deepEqual(rows.map((row) => [row[0], row[2]]), [['+4930222', '2035-01-01T00:00Z'], ['+4930333', '2035-01-01T00:00Z']]);
});

await test('events are read', async () => {
  await seed('events', { code: 'IMPORT_INVALID_DATA', message: 'no number', listId: list.id, contactId: 'sdk-1', correlationId: 'c' });
  const page = await outbound.getOutboundEvents({ category: 'IMPORT_ERROR', level: 'ERROR', sortBy: 'timestamp', sortOrder: 'descending' });
  assert.equal(page.entities[0].eventMessage.code, 'IMPORT_INVALID_DATA');
  assert.equal((await outbound.getOutboundEvent(page.entities[0].id)).errorEntity.id, list.id);
});

await test('bulk jobs are read', async () => {
  await seed('bulkjobs', { id: 'sdk-job', listId: list.id, type: 'BulkDelete', state: 'Complete', totalRecords: 3, completedRecords: 3, percentComplete: 100 });
  const jobs = await outbound.getOutboundContactlistContactsBulkJobs(list.id);
  assert.equal(jobs.entities[0].state, 'Complete');
  assert.equal((await outbound.getOutboundContactlistContactsBulkJob(list.id, 'sdk-job')).completedRecords, 3);
});

// A job that was submitted, once it has ended.
const ended = (job) => eventually(async () => {
  const now = await outbound.getOutboundContactlistContactsBulkJob(list.id, job.id);
  assert.notEqual(now.state, 'InProgress');
  return now;
});
const ids = async (body) => (await search(body)).entities.map((c) => c.id).sort();

await test('contacts are edited in bulk, by criteria and by ids, and nothing else of them', async () => {
  const contactPatch = { contactListId: list.id, data: { Note: 'bulk' }, callable: false };
  const job = await outbound.postOutboundContactlistContactsBulkUpdate(list.id, { ...where('CRM_Lead_ID', 'BEGINS_WITH', 'page-00'), contact: contactPatch });
  assert.equal(job.type, 'BulkEdit');
  const done = await ended(job);
  assert.deepEqual([done.state, done.totalRecords, done.completedRecords, done.percentComplete], ['Complete', 10, 10, 100]);
  const one = await outbound.getOutboundContactlistContact(list.id, 'page-009');
  assert.deepEqual([one.data.Note, one.data.Phone, one.callable], ['bulk', '+302101234567', false]);
  assert.equal((await download(job.downloadURI)).filter((row) => /,n[0-9]+,/.test(row)).length, 10);
  const some = await outbound.postOutboundContactlistContactsBulkUpdate(list.id, { contactIds: ['page-100', 'absent'], contact: contactPatch, generateDownloadURI: false });
  assert.equal(some.downloadURI, undefined);
  assert.equal((await ended(some)).completedRecords, 1);
  const jobs = await outbound.getOutboundContactlistContactsBulkJobs(list.id);
  assert.deepEqual(jobs.entities.slice(0, 2).map((j) => j.id), [some.id, job.id]);
});

await test('a bulk edit of too many ids is refused', async () => {
  const contactIds = Array.from({ length: 1001 }, (_, i) => `x${i}`);
  const error = await refusal(() => outbound.postOutboundContactlistContactsBulkUpdate(list.id, { contactIds, contact: { contactListId: list.id, data: {} } }));
  assert.equal(error.status, 400);
});

await test('contacts are removed in bulk, but for those in use', async () => {
  await seed('contacts', { listId: list.id, id: 'page-011', inUse: true });
  const job = await outbound.postOutboundContactlistContactsBulkRemove(list.id, where('CRM_Lead_ID', 'BEGINS_WITH', 'page-01'));
  assert.equal(job.type, 'BulkDelete');
  const done = await ended(job);
  assert.deepEqual([done.state, done.totalRecords, done.completedRecords], ['Complete', 10, 9]);
  await eventually(async () => assert.deepEqual(await ids(where('CRM_Lead_ID', 'BEGINS_WITH', 'page-01')), ['page-011']));
});

await test('contacts are deleted by ids, but for those in use', async () => {
  await outbound.deleteOutboundContactlistContacts(list.id, ['page-011', 'page-020', 'page-021', 'absent']);
  await eventually(async () => assert.deepEqual(await ids(where('CRM_Lead_ID', 'BEGINS_WITH', 'page-02')), Array.from({ length: 8 }, (_, i) => `page-02${i + 2}`)));
  let error = await refusal(() => outbound.deleteOutboundContactlistContact(list.id, 'page-011'));
  assert.deepEqual([error.status, error.body.code], [400, 'contact.in.use']);
  error = await refusal(() => outbound.putOutboundContactlistContact(list.id, 'page-020', contact('page-020', 'gone')));
  assert.deepEqual([error.status, error.body.code], [400, 'contact.does.not.exist']);
});

await test('statuses are merged, and retention stays', async () => {
  await outbound.postOutboundContactlistContacts(list.id, [{
    ...contact('status', ''), phoneNumberStatus: { Phone: { callable: false } }, contactableStatus: { Email: { contactable: false } }, retentionType: 'DAYS', retentionDays: 3,
  }], { priority: true, doNotQueue: true });
  const one = await outbound.putOutboundContactlistContact(list.id, 'status', { ...contact('status', ''), contactableStatus: { Voice: { columnStatus: { Phone: { contactable: false } } } } });
  assert.equal(one.phoneNumberStatus.Phone.callable, false);
  assert.deepEqual(one.contactableStatus, { Email: { contactable: false }, Voice: { columnStatus: { Phone: { contactable: false } } } });
  assert.equal(one.retentionDays ?? 3, 3);
  const [again] = await outbound.postOutboundContactlistContacts(list.id, [contact('status', '')], { clearSystemData: true });
  assert.equal(again.phoneNumberStatus.Phone.callable, true);
});

await test('a list that dials takes no writes', async () => {
  await seed('set', { campaign_on: 'lock' });
  const error = await refusal(() => outbound.postOutboundContactlistContacts(list.id, [contact('dialled', '')]));
  assert.equal(error.status, 409);
  await seed('set', { campaign_on: 'free' });
});

// Sends a file where the platform said; the storage is no part of the description.
async function put(ticket, file) {
  const reply = await fetch(ticket.url, { method: 'PUT', headers: ticket.headers, body: file });
  assert.equal(reply.status, 200);
}

await test('a file is sent to a signed address, and its import told of', async () => {
  const request = { contentType: 'text/csv', id: list.id, contactIdName: 'CRM_Lead_ID' };
  const ticket = await outbound.postOutboundContactlistsUploads(request);
  assert.ok(ticket.uploadKey);
  const row = (id) => `${id},Zoë,${'x'.repeat(id === 'file-2' ? 513 : 9)}\r\n`;
  await put(ticket, `CRM_Lead_ID,FirstName,Note\r\n${row('file-1')}${row('file-2')}${row('file-3')}`);
  const done = await eventually(async () => {
    const status = await outbound.getOutboundContactlistImportstatus(list.id);
    assert.equal(status.state ?? null, null);
    return status;
  });
  assert.deepEqual([done.totalRecords, done.percentComplete], [3, 100]);
  await eventually(async () => assert.deepEqual(await ids(where('CRM_Lead_ID', 'BEGINS_WITH', 'file-')), ['file-1', 'file-3']));
  assert.equal((await outbound.getOutboundContactlist(list.id, { includeImportStatus: true })).importStatus.percentComplete, 100);
  const { entities } = await outbound.getOutboundEvents({ category: 'IMPORT_ERROR', sortBy: 'timestamp', sortOrder: 'descending' });
  assert.deepEqual([entities[0].eventMessage.code, entities[0].relatedEntity.id], ['IMPORT_DATUM_EXCEEDS_LENGTH_LIMIT', 'file-2']);
  const error = await refusal(() => outbound.postOutboundContactlistsUploads({ ...request, signedUrlTimeoutSeconds: 604801 }));
  assert.deepEqual([error.status, error.body.code], [400, 'invalid.value']);
});

await test('an import fails, and says why; the list stays while there is one', async () => {
  const ticket = await outbound.postOutboundContactlistsUploads({ contentType: 'text/csv', id: list.id });
  await put(ticket, 'NoSuchColumn\r\nx\r\n');
  await eventually(async () => {
    const status = await outbound.getOutboundContactlistImportstatus(list.id);
    assert.deepEqual([status.state, status.failureReason], ['FAILED', 'IMPORT_COLUMNS_DO_NOT_EXIST_ON_LIST']);
  });
  await seed('imports', { listId: list.id, totalRecords: 2, hold: 50 });
  assert.equal((await outbound.getOutboundContactlistImportstatus(list.id)).percentComplete, 50);
  const error = await refusal(() => outbound.deleteOutboundContactlist(list.id));
  assert.deepEqual([error.status, error.body.code], [400, 'contact.list.import.in.progress']);
  await seed('imports', { state: 'completed' });
});

await test('a campaign is bound, started, stopped and recycled', async () => {
  const { id } = await seed('campaigns', { name: 'SDK restart', campaignStatus: 'complete', phoneColumns: [{ columnName: 'Phone', type: 'cell' }], contactList: { id: 'none' } });
  const campaign = await outbound.getOutboundCampaign(id);
  const bound = await outbound.putOutboundCampaign(id, { ...campaign, contactList: { id: list.id }, campaignStatus: 'on' });
  assert.deepEqual([bound.contactList.id, bound.campaignStatus], [list.id, 'on']);
  const error = await refusal(() => outbound.putOutboundCampaign(id, campaign));
  assert.deepEqual([error.status, error.body.code], [409, 'invalid.update.wrong.version']);
  await outbound.postOutboundCampaignStop(id);
  assert.equal((await outbound.getOutboundCampaign(id)).campaignStatus, 'off');
  await outbound.postOutboundCampaignStart(id);
  await outbound.deleteOutboundCampaignProgress(id);
  assert.equal((await refusal(() => outbound.deleteOutboundCampaignProgress(id))).body.code, 'too.many.recycles');
});

await test('a list is cleared, after a while', async () => {
  await seed('set', { clear_ms: 300 });
  await outbound.postOutboundContactlistClear(list.id);
  assert.ok((await search({})).contactsCount > 0);
  await eventually(async () => assert.equal((await search({})).contactsCount, 0));
  await seed('set', { clear_ms: 0 });
});

console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
