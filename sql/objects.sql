\set ECHO none
\getenv srcdir PG_ABS_SRCDIR
\set setup :srcdir '/sql/include/setup.sql'
\i :setup
--
-- Objects other than contacts: what there is of each, and what it costs to see it
--
-- What was asked: the rows are those of the answer or, of a progress, the ids that it was asked for.
CREATE FUNCTION sim.asked(OUT request text, OUT query text, OUT rows int) RETURNS SETOF record LANGUAGE sql AS $$
  SELECT method || ' ' || path, query, rows FROM sim.requests() WHERE path LIKE '/api/%' ORDER BY seq
$$;
SET TimeZone = 'UTC';
SET DateStyle = 'ISO, YMD';

IMPORT FOREIGN SCHEMA outbound LIMIT TO (campaigns, dnc_lists, events, import_jobs) FROM SERVER genesys INTO gc;
-- An organisation that has nothing
SELECT * FROM gc.campaigns;
SELECT * FROM gc.dnc_lists;
SELECT * FROM gc.events;
SELECT * FROM gc.import_jobs;

--
-- campaigns
--
CALL sim.list('leads', '{id,phone}');
SELECT sim.make('campaigns', '[
  {"id": "c-1", "name": "Spring", "campaignStatus": "on", "dialingMode": "predictive", "contactList": {"id": "leads"},
   "dncLists": [{"id": "d-1", "name": "x"}, {"name": "no id"}, {"id": "d\"2"}], "alwaysRunning": true,
   "progress": {"percentage": 40, "numberOfContactsCalled": 400, "totalNumberOfContacts": 1000}},
  {"id": "c-2", "name": "Summer", "dncLists": [], "progress": {"percentage": 100, "totalNumberOfContacts": 5000000000}},
  {"id": "c-3", "name": "Herbst ä", "campaignStatus": "forced_off"}]');
CALL sim.forget();
-- The listing alone has all but the progress.
SELECT id, name, version, campaign_status, dialing_mode, contact_list_id, dnc_list_ids, always_running,
       date_modified > now() - interval '1 hour' AS date_modified
FROM gc.campaigns ORDER BY id;
SELECT count(id) FROM gc.campaigns;
SELECT * FROM sim.asked();
-- A column of the progress takes one more request a page, wherever it stands in the query.
CALL sim.forget();
SELECT id, progress_percent, contacts_called, contacts_total FROM gc.campaigns ORDER BY id;
SELECT * FROM sim.asked();
SELECT name FROM gc.campaigns WHERE progress_percent = 100;
SELECT count(c) FROM gc.campaigns c WHERE c IS NOT NULL;
SELECT request, count(*) FROM sim.asked() GROUP BY 1 ORDER BY 1;
EXPLAIN (COSTS OFF) SELECT id FROM gc.campaigns;
EXPLAIN (COSTS OFF) SELECT id FROM gc.campaigns WHERE contacts_total > 1;
-- Pages, and pages of another size
SELECT sim.make('campaigns', (SELECT jsonb_agg(jsonb_build_object('id', 'p-' || g, 'name', 'page ' || g,
  'progress', jsonb_build_object('percentage', g % 100))) FROM generate_series(1, 202) g));
CALL sim.forget();
SELECT count(*), count(DISTINCT id), sum(progress_percent), bool_and(progress_percent = substr(id, 3)::int % 100)
FROM gc.campaigns WHERE id LIKE 'p-%';
SELECT request, count(*), sum(rows) AS rows FROM sim.asked() GROUP BY 1 ORDER BY 1;
ALTER FOREIGN TABLE gc.campaigns OPTIONS (ADD fetch_size '30');
CALL sim.forget();
SELECT count(*), sum(progress_percent) FROM gc.campaigns WHERE id LIKE 'p-%';
SELECT request, count(*), max(rows) AS rows FROM sim.asked() GROUP BY 1 ORDER BY 1;
-- What would take too many requests is refused after the first page: 7 pages, 7 more calls.
SET gc_fdw.max_requests = 13;
SELECT id, progress_percent FROM gc.campaigns;
SET gc_fdw.max_requests = 14;
SELECT count(*) FROM (SELECT id, progress_percent FROM gc.campaigns OFFSET 0) s;
RESET gc_fdw.max_requests;
-- U7: a LIMIT costs what it reads.
CALL sim.forget();
SELECT count(progress_percent) FROM (SELECT * FROM gc.campaigns LIMIT 1) s;
SELECT request FROM sim.asked();
ALTER FOREIGN TABLE gc.campaigns OPTIONS (DROP fetch_size);
-- Read again for each row of another table
SET enable_hashjoin = off; SET enable_mergejoin = off; SET enable_material = off;
SELECT v, c.progress_percent FROM (VALUES ('p-7'), ('p-77'), ('none')) v(v) LEFT JOIN gc.campaigns c ON c.id = v ORDER BY 1;
RESET enable_hashjoin; RESET enable_mergejoin; RESET enable_material;
-- A call that fails, or answers something else, names what could not be read.
CALL sim.faults('[{"method": "POST", "path": "/campaigns/progress", "status": 403, "body_json": {"status": 403, "code": "missing.permissions", "message": "No."}}]');
CALL sim.try('SELECT progress_percent FROM gc.campaigns');
SELECT count(*) FROM gc.campaigns;
CALL sim.faults('[{"method": "POST", "path": "/campaigns/progress", "body": "{}"}]');
CALL sim.try('SELECT progress_percent FROM gc.campaigns');
CALL sim.faults('[{"method": "POST", "path": "/campaigns/progress", "body": "[]"}]');
SELECT count(*), count(progress_percent) FROM gc.campaigns;
CALL sim.faults('[]');

--
-- dnc_lists
--
SELECT sim.make('dnclists', '[
  {"id": "d-1", "name": "Robinson", "entries": ["+1", "+2", "+3"]},
  {"id": "d-2", "name": "Mails", "contactMethod": "Email", "dncSourceType": "rds_custom", "importStatus": {"state": "IN_PROGRESS", "percentComplete": 3}}]');
CALL sim.forget();
SELECT * FROM gc.dnc_lists ORDER BY id;
SELECT * FROM sim.asked();

--
-- dnc_entries: an export of one DNC list
--
SELECT sim.make('dnclists', '[{"id": "d/3", "name": "Not \"ever\", ü", "entries": ["+4930,1", "line\nbreak", "ü \"x\"",
  {"entry": "+2", "expiration": "2026-03-04T05:06Z"}, {"entry": "a@b.example", "expiration": "2027-01-01T00:00Z"}]},
  {"id": "d-4", "name": "Nobody"}]');
CREATE FOREIGN TABLE gc.never (entry text, expires_at timestamptz) SERVER genesys OPTIONS (object 'dnc_entries', dnc_list_name 'Not "ever", ü');
CREATE FOREIGN TABLE gc.nobody (until timestamptz OPTIONS (field 'expires_at'), entry text) SERVER genesys OPTIONS (object 'dnc_entries', dnc_list_id 'd-4');
CREATE FOREIGN TABLE gc.robinson (entry text) SERVER genesys OPTIONS (object 'dnc_entries', dnc_list_id 'd-1');
CALL sim.forget();
SELECT * FROM gc.never ORDER BY entry COLLATE "C";
SELECT DISTINCT request, query FROM sim.asked() WHERE request NOT LIKE '%downloads%' ORDER BY 1;
SELECT * FROM gc.nobody;
SELECT count(*) FROM gc.robinson;
SELECT n.entry, r.entry AS too FROM gc.never n JOIN gc.robinson r USING (entry);
SELECT entry FROM gc.robinson ORDER BY entry LIMIT 1;
EXPLAIN (COSTS OFF) SELECT * FROM gc.never WHERE expires_at < now();
EXPLAIN (COSTS OFF) SELECT * FROM gc.robinson;
-- By name, the list's id is known once it has been asked for.
SELECT line FROM sim.analyzed('SELECT count(*) FROM gc.never') AS line WHERE line LIKE '%Remote Call%';
-- Which of them is not there
CREATE FOREIGN TABLE gc.gone (entry text) SERVER genesys OPTIONS (object 'dnc_entries', dnc_list_name 'robinson');
SELECT * FROM gc.gone;
\echo :SQLSTATE
CREATE FOREIGN TABLE gc.gone2 (entry text) SERVER genesys OPTIONS (object 'dnc_entries', dnc_list_id 'd-9');
CALL sim.try('SELECT * FROM gc.gone2');
-- An entry is personal data: none stands in an error.
CREATE FOREIGN TABLE gc.odd (entry int) SERVER genesys OPTIONS (object 'dnc_entries', dnc_list_id 'd/3');
CALL sim.try('SELECT * FROM gc.odd');
-- One that is not ready in time, and one that is another file
CALL sim.set('{"export_ms": 60000}');
ALTER FOREIGN TABLE gc.robinson OPTIONS (ADD ready_timeout '200ms');
CALL sim.try('SELECT * FROM gc.robinson');
CALL sim.set('{"export_ms": 0}');
CALL sim.faults('[{"path": "/downloads", "status": 200, "body": "Entry\\r\\n+1\\r\\n"}]');
ALTER FOREIGN TABLE gc.robinson OPTIONS (DROP ready_timeout);
CALL sim.try('SELECT * FROM gc.never');
CALL sim.faults('[]');
-- What is refused
CREATE FOREIGN TABLE gc.bad0 (entry text) SERVER genesys OPTIONS (object 'dnc_entries');
\echo :SQLSTATE
CREATE FOREIGN TABLE gc.bad0 (entry text) SERVER genesys OPTIONS (object 'dnc_entries', list_id 'leads');
CREATE FOREIGN TABLE gc.bad0 (entry text) SERVER genesys OPTIONS (object 'dnc_lists', dnc_list_id 'd-1');
\echo :SQLSTATE
CREATE FOREIGN TABLE gc.bad0 (entry text) SERVER genesys OPTIONS (object 'dnc_entries', dnc_list_id 'd-1', dnc_list_name 'Robinson');
SELECT count(name) FROM gc.dnc_lists;

--
-- events
--
SELECT sim.make('events', '[
  {"id": "e-1", "timestamp": "2026-01-02T03:04:05.678Z", "level": "ERROR", "category": "IMPORT_ERROR", "code": "IMPORT_INVALID_DATA",
   "message": "row 7", "listId": "leads", "contactId": "L-7/é", "correlationId": "corr-1"},
  {"id": "e-2", "timestamp": "2026-01-02T03:05:00Z", "level": "WARNING", "category": "CAMPAIGN", "code": "CAMPAIGN_THROTTLED",
   "errorEntity": {"id": "c-1", "name": "Spring", "selfUri": "/api/v2/outbound/campaigns/c-1"},
   "relatedEntity": {"id": "leads", "selfUri": "/api/v2/outbound/contactlists/leads"}},
  {"id": "e-3", "timestamp": "2026-01-02T03:06:00Z", "level": "INFO", "category": "DNC_LIST"}]');
CALL sim.forget();
SELECT id, "time", level, category, code, message, list_id, contact_id, correlation_id FROM gc.events ORDER BY "time";
SELECT * FROM sim.asked();
SELECT raw->'eventMessage' AS message, raw->'relatedEntity' AS entity FROM gc.events WHERE category = 'CAMPAIGN';
SELECT sim.make('events', (SELECT jsonb_agg(jsonb_build_object('id', 'm-' || g, 'category', 'CONTACT', 'listId', 'leads')) FROM generate_series(1, 247) g));
SELECT count(*), count(DISTINCT id), count(list_id) FROM gc.events;

--
-- import_jobs: the lists' own status, and a request a list for its bulk jobs
--
CALL sim.list('old', '{id,phone}');
CALL sim.list('a/b ü', '{id,phone}');
SELECT sim.make('importstatus', '[
  {"listId": "leads", "state": "IN_PROGRESS", "totalRecords": 1000, "completedRecords": 250, "percentComplete": 25},
  {"listId": "old", "state": "FAILED", "totalRecords": 10, "completedRecords": 4, "percentComplete": 40, "failureReason": "CONTACT_COLUMNS_LIMIT_EXCEEDED"},
  {"listId": "a/b ü", "totalRecords": 5, "completedRecords": 5, "percentComplete": 100}]');
SELECT sim.make('bulkjobs', '[
  {"listId": "leads", "id": "j-1", "type": "BulkEdit", "state": "InProgress", "totalRecords": 80, "completedRecords": 20, "percentComplete": 25},
  {"listId": "leads", "id": "j-2", "type": "BulkDelete", "state": "Failed", "failureReason": {"message": "no such filter", "code": "not.found"}},
  {"listId": "old", "id": "j-3", "type": "BulkDelete", "state": "Complete", "totalRecords": 5000000000, "completedRecords": 5000000000, "percentComplete": 100}]');
CALL sim.forget();
SELECT list_id, list_name, job_id, kind, state, total, completed, failed, percent, failure_reason,
       seen_at BETWEEN now() - interval '1 minute' AND clock_timestamp() AS seen_at
FROM gc.import_jobs ORDER BY list_id, job_id NULLS FIRST;
SELECT request, count(*) FROM sim.asked() GROUP BY 1 ORDER BY 1;
SELECT query FROM sim.asked() WHERE query IS NOT NULL;
EXPLAIN (COSTS OFF) SELECT * FROM gc.import_jobs;
-- Where nothing was imported yet there is a status, but no import.
SELECT sim.make('importstatus', '[{"listId": "leads", "totalRecords": 0, "completedRecords": 0, "percentComplete": 0}]');
SELECT job_id, kind FROM gc.import_jobs WHERE list_name = 'leads' ORDER BY 1;
-- What words are new is shown as it comes.
SELECT sim.make('bulkjobs', '[{"listId": "old", "id": "j-4", "type": "BulkMove", "state": "Paused", "failureReason": "none"}]');
SELECT kind, state, failure_reason FROM gc.import_jobs WHERE job_id = 'j-4';
-- A list that has gone meanwhile has no jobs; any other failure is one.
CALL sim.faults('[{"method": "GET", "path": "/contactlists/leads/contacts/bulk/jobs", "status": 404, "body_json": {"status": 404, "code": "contact.list.not.found", "message": "Gone."}}]');
SELECT job_id FROM gc.import_jobs ORDER BY 1;
CALL sim.faults('[{"method": "GET", "path": "/contactlists/leads/contacts/bulk/jobs", "status": 403, "body_json": {"status": 403, "code": "missing.permissions", "message": "No."}}]');
CALL sim.try('SELECT * FROM gc.import_jobs');
CALL sim.faults('[{"method": "GET", "path": "/contactlists/leads/contacts/bulk/jobs", "body": "[]"}]');
CALL sim.try('SELECT * FROM gc.import_jobs');
CALL sim.faults('[]');
-- Over many lists: max_in_flight at once, no more; a LIMIT costs what it reads.
SELECT sim.make('lists', (SELECT jsonb_agg(jsonb_build_object('id', 'many ' || g, 'name', 'many ' || g, 'columnNames', '["id", "phone"]'::jsonb,
  'phoneColumns', '[{"columnName": "phone", "type": "cell"}]'::jsonb)) FROM generate_series(1, 120) g));
ALTER FOREIGN TABLE gc.import_jobs OPTIONS (ADD fetch_size '40');
CALL sim.set('{"latency_ms": 5}');
CALL sim.faults('[{"path": "*/contactlists", "delay_ms": 50}]');
CALL sim.forget();
SELECT count(*) FROM gc.import_jobs;
SELECT count(*) AS requests, count(DISTINCT path) AS paths, max(in_flight) AS in_flight FROM sim.requests() WHERE path LIKE '/api/%';
ALTER FOREIGN TABLE gc.import_jobs OPTIONS (DROP fetch_size);
CALL sim.faults('[]');
CALL sim.forget();
SELECT job_id FROM gc.import_jobs WHERE job_id IS NOT NULL LIMIT 1;
SELECT count(*) <= 4 AS few FROM sim.asked();
SET gc_fdw.max_requests = 100;
SELECT list_id FROM gc.import_jobs;
RESET gc_fdw.max_requests;
-- The number of lists moved meanwhile; one that is on two pages by then shows its jobs once.
SELECT format('CALL sim.faults(%L)', jsonb_build_array(jsonb_build_object('path', '/outbound/contactlists', 'nth', 102, 'body_json',
  jsonb_build_object('entities', (SELECT jsonb_agg(jsonb_build_object('id', 'leads', 'name', 'leads')) FROM generate_series(1, 24)), 'total', 124)))) \gexec
SELECT count(*), count(DISTINCT job_id) FROM gc.import_jobs;
-- What is no list is no row either.
CALL sim.faults('[{"path": "/outbound/contactlists", "nth": 1, "body_json": {"entities": [{"id": 7}], "total": 1}}]');
CALL sim.try('SELECT * FROM gc.import_jobs');
CALL sim.faults('[{"path": "/outbound/campaigns", "nth": 1, "body_json": {"entities": [{}, 7], "total": 2}}]');
CALL sim.try('SELECT progress_percent FROM gc.campaigns');
CALL sim.faults('[]');

--
-- What the platform filters by: the conditions that its listings take, and those of other tables' values
--
CREATE PROCEDURE sim.ask(asks text) LANGUAGE plpgsql AS $$
DECLARE n bigint; a record;
BEGIN
  CALL sim.forget();
  EXECUTE format('SELECT count(*) FROM (%s OFFSET 0) q', asks) INTO n;
  RAISE INFO '% rows', n;
  FOR a IN SELECT replace(request, '/api/v2/outbound', '') AS request,
             regexp_replace(r.query, '^pageSize=\d+&pageNumber=\d+&?|(allowEmptyResult|includeSize|includeImportStatus)=true&?|sort\w+=\w+&?|(&id=many%20\d+){99}', '', 'g') AS query,
             sum(rows) AS rows, count(*) FROM sim.asked() r GROUP BY 1, 2 ORDER BY 1, 2 LOOP
    RAISE INFO '  %x %: % (% rows)', a.count, a.request, a.query, a.rows;
  END LOOP;
END $$;
CREATE FOREIGN TABLE gc.lists (id text, name text) SERVER genesys OPTIONS (object 'contact_lists');
CREATE COLLATION gc.nocase (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
-- import_jobs: only the lists that are wanted
CALL sim.ask($$SELECT * FROM gc.import_jobs WHERE list_id = 'leads'$$);
CALL sim.ask($$SELECT * FROM gc.import_jobs WHERE list_id IN ('leads', 'a/b ü', 'leads', 'none', NULL)$$);
CALL sim.ask($$SELECT * FROM gc.import_jobs WHERE list_id = 'leads' OR list_id = 'old'$$);
CALL sim.ask($$SELECT * FROM gc.import_jobs WHERE list_id = ANY (ARRAY(SELECT id FROM gc.lists WHERE name = 'old'))$$);
CALL sim.ask($$SELECT * FROM gc.import_jobs WHERE list_id = (SELECT 'old')$$);
CALL sim.ask($$SELECT * FROM gc.import_jobs WHERE list_name = 'leads' AND kind = 'import'$$);
CALL sim.ask($$SELECT * FROM (VALUES ('leads'), ('none'), (NULL)) v(v) JOIN gc.import_jobs ON list_id = v$$);
CALL sim.ask($$SELECT * FROM (VALUES ('leads'), ('old')) v(v), LATERAL (SELECT * FROM gc.import_jobs WHERE list_id = v) j$$);
CALL sim.ask($$SELECT * FROM gc.import_jobs WHERE list_id = NULL$$);
CALL sim.ask($$SELECT * FROM gc.import_jobs WHERE list_id = ANY ('{}')$$);
SET plan_cache_mode = force_generic_plan;
PREPARE jobs(text) AS SELECT job_id FROM gc.import_jobs WHERE list_id = $1 ORDER BY 1;
CALL sim.forget();
EXECUTE jobs('old');
EXECUTE jobs(NULL);
SELECT query FROM sim.asked() WHERE query IS NOT NULL;
EXPLAIN (COSTS OFF) EXECUTE jobs('old');
RESET plan_cache_mode;
EXPLAIN (COSTS OFF) SELECT * FROM gc.import_jobs WHERE list_id IN ('leads', 'a/b ü');
-- contact_lists: by id, by name or a part of it; of two conditions on one column the platform gets one
CALL sim.ask($$SELECT * FROM gc.lists WHERE id = 'leads'$$);
CALL sim.ask($$SELECT * FROM gc.lists WHERE id IN ('leads', 'old') AND name = 'old'$$);
CALL sim.ask($$SELECT * FROM gc.lists WHERE name = 'LEADS'$$);
CALL sim.ask($$SELECT * FROM gc.lists WHERE name LIKE 'many 11%'$$);
CALL sim.ask($$SELECT * FROM gc.lists WHERE name LIKE '%ds'$$);
CALL sim.ask($$SELECT * FROM gc.lists WHERE name LIKE '%/b%'$$);
CALL sim.ask($$SELECT * FROM gc.lists WHERE name ^@ 'le' AND name LIKE '%s'$$);
CALL sim.ask($$SELECT * FROM gc.lists WHERE name IN ('old', 'old')$$);
-- More than a hundred ids
CALL sim.ask($$SELECT * FROM gc.lists WHERE id = ANY (ARRAY(SELECT 'many ' || g FROM generate_series(1, 100) g))$$);
CALL sim.ask($$SELECT * FROM gc.lists WHERE id = ANY (ARRAY(SELECT 'many ' || g FROM generate_series(1, 101) g))$$);
-- What would lose rows, or be refused, stays here: names that are not equal, two names, blanks at an end, nothing
CALL sim.ask($$SELECT * FROM gc.lists WHERE name <> 'old' AND id > 'm' AND id LIKE 'old%'$$);
CALL sim.ask($$SELECT * FROM gc.lists WHERE name IN ('old', 'leads')$$);
CALL sim.ask($$SELECT * FROM gc.lists WHERE name = 'old ' OR name = ''$$);
CALL sim.ask($$SELECT * FROM gc.lists WHERE name = '' AND id = ''$$);
CALL sim.ask($$SELECT * FROM gc.lists WHERE name LIKE 'many 1_ ' OR id = 'old'$$);
-- Nor does an address hold every value, or all of a hundred.
CALL sim.ask($$SELECT * FROM gc.lists WHERE name = repeat('x', 10000)$$);
CALL sim.ask($$SELECT * FROM gc.lists WHERE name LIKE repeat('ü', 2000) || '%' AND id = 'old'$$);
CALL sim.ask($$SELECT * FROM gc.lists WHERE id = ANY (ARRAY(SELECT repeat('x', 80) || g FROM generate_series(1, 100) g) || 'old'::text)$$);
-- The planner's question, with use_remote_estimate, is filtered, too.
ALTER FOREIGN TABLE gc.lists OPTIONS (ADD use_remote_estimate 'on');
CALL sim.ask($$SELECT * FROM gc.lists WHERE name LIKE 'many 11%'$$);
ALTER FOREIGN TABLE gc.lists OPTIONS (DROP use_remote_estimate);
CREATE FOREIGN TABLE gc.lists_cut (id varchar(8), name text COLLATE gc.nocase) SERVER genesys OPTIONS (object 'contact_lists');
CALL sim.ask($$SELECT * FROM gc.lists_cut WHERE id = 'many 120' AND name = 'MANY 120'$$);
-- campaigns
CALL sim.ask($$SELECT id, name FROM gc.campaigns WHERE contact_list_id = 'leads'$$);
CALL sim.ask($$SELECT * FROM gc.campaigns WHERE id IN ('c-1', 'c-2') AND progress_percent > 0$$);
CALL sim.ask($$SELECT id FROM gc.campaigns WHERE name = 'Herbst ä'$$);
CALL sim.ask($$SELECT id FROM gc.campaigns WHERE contact_list_id IN ('leads', 'old')$$);
CALL sim.ask($$SELECT id FROM gc.campaigns WHERE contact_list_id = 'leads' OR name = 'Summer'$$);
-- dnc_lists
CALL sim.ask($$SELECT * FROM gc.dnc_lists WHERE source_type = 'rds_custom'$$);
CALL sim.ask($$SELECT * FROM gc.dnc_lists WHERE source_type = 'RDS' OR name = 'x'$$);
CALL sim.ask($$SELECT * FROM gc.dnc_lists WHERE name LIKE 'Rob%' AND source_type = 'rds'$$);
-- events: the platform's words, and no others
CALL sim.ask($$SELECT * FROM gc.events WHERE category = 'IMPORT_ERROR' AND level = 'ERROR'$$);
CALL sim.ask($$SELECT * FROM gc.events WHERE category = 'CAMPAIGN'$$);
CALL sim.ask($$SELECT id FROM gc.events WHERE level = 'error' AND category = 'SOMETHING_NEW'$$);
CALL sim.ask($$SELECT id FROM gc.events WHERE category IN ('CAMPAIGN', 'DNC_LIST')$$);

--
-- What is refused
--
INSERT INTO gc.campaigns (id) VALUES ('x');
\echo :SQLSTATE
UPDATE gc.events SET level = 'INFO';
DELETE FROM gc.campaigns;
INSERT INTO gc.import_jobs (list_id) VALUES ('x');
-- Columns go by their names, and have to be of the object.
CREATE FOREIGN TABLE gc.some (status text OPTIONS (field 'campaign_status'), id text) SERVER genesys OPTIONS (object 'campaigns');
SELECT * FROM gc.some WHERE id LIKE 'c-%' ORDER BY id;
CREATE FOREIGN TABLE gc.bad (id text, prgress_percent int) SERVER genesys OPTIONS (object 'campaigns');
SELECT * FROM gc.bad;
\echo :SQLSTATE
CREATE FOREIGN TABLE gc.bad2 (id text, campaign_status text) SERVER genesys OPTIONS (object 'events');
SELECT * FROM gc.bad2;
CREATE FOREIGN TABLE gc.bad3 (id text) SERVER genesys OPTIONS (object 'campaign');
CREATE FOREIGN TABLE gc.bad3 (id text) SERVER genesys OPTIONS (object 'something else');
CREATE FOREIGN TABLE gc.bad3 (id text) SERVER genesys OPTIONS (object 'events', list_id 'leads');
CREATE FOREIGN TABLE gc.bad3 (id text) SERVER genesys;
-- A value that is not of the column's type names the entity.
CREATE FOREIGN TABLE gc.bad4 (id text, name int) SERVER genesys OPTIONS (object 'campaigns');
CALL sim.try('SELECT name FROM gc.bad4 WHERE id = ''c-1''');
