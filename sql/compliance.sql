\set ECHO none
\getenv srcdir PG_ABS_SRCDIR
\set setup :srcdir '/sql/include/setup.sql'
\i :setup
--
-- "Take me off your list": quarantine(), and contact_audit, contact by contact (SCENARIOS H1, H4)
--
CALL sim.list('leads', '{crm_id,note,phone}');
CALL sim.list('others', '{crm_id,note,phone}');
CALL sim.list('thirds', '{crm_id,note,phone}');
CREATE FOREIGN TABLE gc.leads (crm_id text, note text, phone text, callable boolean OPTIONS (attribute 'callable'),
  statuses jsonb OPTIONS (attribute 'phone_number_status'))
  SERVER genesys OPTIONS (object 'contacts', list_id 'leads', key 'crm_id');
CREATE FOREIGN TABLE gc.others (contact_id text OPTIONS (attribute 'id'), crm_id text, note text, phone text, callable boolean OPTIONS (attribute 'callable'))
  SERVER genesys OPTIONS (object 'contacts', list_id 'others', key 'crm_id');
ALTER SERVER genesys OPTIONS (ADD max_in_flight '1');

-- The rows since it was last asked for.  What a rollback leaves is written by a worker: a moment later.
CREATE TABLE sim.seen AS SELECT 0::bigint AS id;
CREATE FUNCTION sim.changes(expected bigint, OUT list text, OUT contact text, OUT change text, OUT was text, OUT new text, OUT by_role name, OUT answered boolean)
RETURNS SETOF record LANGUAGE plpgsql AS $$
DECLARE
  until timestamptz := clock_timestamp() + '20s';
BEGIN
  LOOP
    EXIT WHEN (SELECT count(*) FROM gc_fdw.contact_audit a, sim.seen s WHERE a.id > s.id) >= expected OR clock_timestamp() > until;
    PERFORM pg_sleep(0.01);
  END LOOP;
  RETURN QUERY SELECT a.list_id, a.contact_id, a.change, a.old_value, a.new_value, a.by_role, a.correlation_id IS NOT NULL
    FROM gc_fdw.contact_audit a, sim.seen s WHERE a.id > s.id ORDER BY a.id;
  UPDATE sim.seen SET id = (SELECT max(a.id) FROM gc_fdw.contact_audit a);
END $$;

--
-- contact_audit
--
-- What a load says of being callable, and nothing else.
INSERT INTO gc.leads (crm_id, note, phone, callable, statuses) VALUES
  ('A-1', 'a', '+14155550101', NULL, NULL), ('A-2', 'b', '+14155550102', false, NULL), ('A-3', 'c', '+14155550103', true, NULL),
  ('A-4', 'd', '+14155550104', NULL, '{"phone": {"callable": false}}');
SELECT * FROM sim.changes(2);
-- An UPDATE knows what was there before.
UPDATE gc.leads SET callable = false WHERE crm_id = 'A-1';
UPDATE gc.leads SET callable = true WHERE crm_id = 'A-2';
UPDATE gc.leads SET note = 'x' WHERE crm_id = 'A-1';
SELECT * FROM sim.changes(2);
UPDATE gc.leads SET statuses = '{"phone": {"callable": false}}' WHERE crm_id = 'A-1';
SELECT * FROM sim.changes(1);
-- It is confirmed, so it outlives the rollback of a transaction or a savepoint.
BEGIN;
UPDATE gc.leads SET callable = false WHERE crm_id = 'A-2';
SAVEPOINT s;
UPDATE gc.leads SET callable = false WHERE crm_id = 'A-3';
ROLLBACK TO s;
COMMIT;
SELECT * FROM sim.changes(2);
SET client_min_messages = error;
BEGIN;
UPDATE gc.leads SET callable = true WHERE crm_id IN ('A-2', 'A-3');
ROLLBACK;
RESET client_min_messages;
SELECT * FROM sim.changes(2);
-- An opt-out that the platform did not take is an error, and no change.
CALL sim.faults('[{"method": "POST", "path": "*/contacts", "echo_patch": {"callable": true}}]');
CALL sim.try($$ UPDATE gc.leads SET callable = false WHERE crm_id = 'A-3' $$);
CALL sim.faults('[]');
SELECT * FROM sim.changes(0);
-- Under deliver 'commit' it is there with the COMMIT.
ALTER FOREIGN TABLE gc.leads OPTIONS (ADD deliver 'commit');
BEGIN;
UPDATE gc.leads SET callable = false WHERE crm_id = 'A-3';
SELECT count(*) FROM sim.changes(0);
COMMIT;
SELECT * FROM sim.changes(1);
ALTER FOREIGN TABLE gc.leads OPTIONS (DROP deliver);
-- More than memory is kept for: by a worker, whatever becomes of the transaction.
SET client_min_messages = error;
BEGIN;
INSERT INTO gc.others (crm_id, note, phone, callable) SELECT 'B-' || g, 'n', '+1415555' || 1000 + g, false FROM generate_series(1, 3000) g;
ROLLBACK;
RESET client_min_messages;
SELECT list, change, was, new, count(*), count(DISTINCT contact) FROM sim.changes(3000) GROUP BY 1, 2, 3, 4;
-- The worker goes away between two statements, or a savepoint takes the stream: another one goes on.
BEGIN;
INSERT INTO gc.others (crm_id, note, phone, callable) SELECT 'W-' || g, 'n', '+1415555' || 1000 + g, false FROM generate_series(1, 1000) g;
DO $$
DECLARE
  worker int;
BEGIN
  FOR i IN 1 .. 2000 LOOP
    -- It waits for more, and has committed what it was given: the first 64 kB.
    SELECT pid INTO worker FROM pg_stat_activity
    WHERE backend_type = 'gc_fdw worker' AND datname = current_database() AND wait_event = 'MessageQueueReceive';
    EXIT WHEN FOUND AND (SELECT count(*) FROM gc_fdw.contact_audit WHERE contact_id LIKE 'W-%') >= 530;
    PERFORM pg_stat_clear_snapshot(), pg_sleep(0.01);
  END LOOP;
  RAISE NOTICE 'ended: %', pg_terminate_backend(worker, 20000);
END $$;
INSERT INTO gc.others (crm_id, note, phone, callable) SELECT 'W-' || g, 'n', '+1415555' || 1000 + g, false FROM generate_series(1001, 2000) g;
COMMIT;
SELECT list, change, new, count(*), count(DISTINCT contact) FROM sim.changes(2000) GROUP BY 1, 2, 3;
-- An import that is cut off: what was confirmed of a part is not confirmed a second time.
\if :jobs
\set nth 41
\else
\set nth 3
\endif
CALL sim.faults(format('[{"path": "*/others/contacts", "method": "POST", "nth": %s, "times": 1000, "status": 503}]', :nth)::jsonb);
ALTER SERVER genesys OPTIONS (SET max_retries '0');
SELECT gc_fdw.submit_import('gc.others', $$ SELECT 'I-' || g AS crm_id, 'n' AS note, '+14155550100' AS phone, false AS callable FROM generate_series(1, 3000) g $$,
  method => 'contacts') AS import \gset
SELECT count(*) BETWEEN 1 AND 2999 AS some FROM sim.changes(1);
CALL sim.faults('[]');
DO $$ BEGIN
  FOR i IN 1 .. 3000 LOOP
    EXIT WHEN (SELECT state FROM gc_fdw.imports) = 'paused';
    PERFORM pg_sleep(0.01);
  END LOOP;
END $$;
SELECT gc_fdw.resume_imports(:import);
SELECT state, rows_accepted FROM gc_fdw.await_import(:import, '1min');
UPDATE sim.seen SET id = (SELECT min(a.id) - 1 FROM gc_fdw.contact_audit a WHERE a.contact_id LIKE 'I-%');
SELECT list, change, new, count(*), count(DISTINCT contact) FROM sim.changes(3000) GROUP BY 1, 2, 3;
ALTER SERVER genesys OPTIONS (SET max_retries '2');
-- A bulk job has no echo: its contacts are read again.
ALTER FOREIGN TABLE gc.others OPTIONS (ADD direct_modify 'true');
EXPLAIN (COSTS OFF, VERBOSE) UPDATE gc.others SET callable = true WHERE contact_id IN ('B-1', 'B-2', 'nobody');
UPDATE gc.others SET callable = true WHERE contact_id IN ('B-1', 'B-2', 'nobody');
SELECT * FROM sim.changes(2) ORDER BY contact;
ALTER FOREIGN TABLE gc.others OPTIONS (DROP direct_modify);
-- A role sees its own.
CREATE ROLE gc_other;
GRANT USAGE ON SCHEMA gc_fdw TO gc_other;
SET ROLE gc_other;
SELECT count(*) FROM gc_fdw.contact_audit;
RESET ROLE;
DROP OWNED BY gc_other;
DROP ROLE gc_other;

--
-- quarantine()
--
INSERT INTO gc.others (crm_id, note, phone) VALUES ('A-1', 'o', '+14155550101');
UPDATE gc.leads SET callable = true WHERE crm_id = 'A-1';
SELECT count(*) FROM sim.changes(1);
SELECT sim.make('dnclists', '[{"id": "d-1", "name": "Robinson"}, {"id": "d-2", "name": "Nobody''s"}, {"id": "d-3", "name": "External", "dncSourceType": "dnc.com"}]');
CREATE FOREIGN TABLE gc.robinson (entry text) SERVER genesys OPTIONS (object 'dnc_entries', dnc_list_id 'd-1');
SELECT sim.make('campaigns', '[{"id": "c-1", "name": "Spring", "contactList": {"id": "leads"}, "dncLists": [{"id": "d-1"}, {"id": "d-3"}]},
  {"id": "c-2", "name": "Summer", "contactList": {"id": "others"}, "dncLists": [{"id": "d-1"}]}]');
-- Entries of DNC lists, one by one.
CREATE FOREIGN TABLE gc.nobodys (entry text, expires_at timestamptz OPTIONS (attribute 'expires_at'))
  SERVER genesys OPTIONS (object 'dnc_entries', dnc_list_id 'd-2');
INSERT INTO gc.nobodys VALUES ('+14155550111', NULL), ('+14155550112', '2099-01-01 00:00+00');
DELETE FROM gc.nobodys WHERE entry = '+14155550111';
SELECT * FROM sim.changes(3) ORDER BY new;
CALL sim.forget();
SELECT object, name, contact_id, result, correlation_id IS NOT NULL AS answered FROM gc_fdw.quarantine(key => 'A-1') ORDER BY name;
SELECT request, rows, status FROM sim.traffic();
SELECT * FROM sim.changes(2);
SELECT id, data, contact->'callable' AS callable FROM sim.contacts('others') WHERE id = 'A-1';
-- Again: nothing is sent twice.
CALL sim.forget();
SELECT name, result FROM gc_fdw.quarantine(key => 'A-1') ORDER BY name;
SELECT count(*) FROM sim.traffic() WHERE request LIKE 'POST %/contacts%';
SELECT * FROM sim.changes(0);
-- A number, on the DNC lists that campaigns have.  What cannot be done of one keeps none of the others from it.
SELECT object, name, contact_id, regexp_replace(result, ':.*', '') AS result FROM gc_fdw.quarantine(number => '+14155550101') ORDER BY name;
SELECT * FROM sim.changes(1);
SELECT * FROM gc.robinson;
-- A rollback takes nothing back, and says of how many lists.
BEGIN;
SELECT count(*) FROM gc_fdw.quarantine('A-1', '+14155550107');
ROLLBACK;
SELECT * FROM sim.changes(1);
-- Lists that have no numbers are asked for nothing; one that is not to be seen is not passed over in silence.
SELECT sim.make('dnclists', '[{"id": "d-4", "name": "Addresses", "contactMethod": "Email"}, {"id": "d-5", "name": "Cells", "dncSourceType": "rds_custom", "customExclusionColumn": "x"},
  {"id": "d-6", "name": "WhatsApp", "contactMethod": "WhatsApp"}]');
SELECT sim.make('campaigns', '[{"id": "c-3", "name": "Autumn", "contactList": {"id": "leads"}, "dncLists": [{"id": "d-4"}, {"id": "d-5"}, {"id": "d-6"}, {"id": "d-unseen"}]}]');
CALL sim.faults('[{"path": "/d-1/", "method": "PATCH", "status": 400}]');
CALL sim.forget();
SELECT name, CASE name WHEN 'External' THEN 'failed' ELSE result END AS result FROM gc_fdw.quarantine(number => '+14155550102') ORDER BY name;
SELECT request, status FROM sim.traffic() WHERE request LIKE '%/d-%' ORDER BY 1;
CALL sim.faults('[]');
SELECT sim.control('POST', 'campaigns', '{"id": "c-3", "dncLists": []}') IS NOT NULL AS done;
-- Messaging campaigns have DNC lists, too: of SMS and WhatsApp, numbers; of e-mail, none.
SELECT sim.make('messagingcampaigns', '[{"id": "m-1", "name": "Texts", "contactList": {"id": "leads"}, "smsConfig": {}, "dncLists": [{"id": "d-2"}, {"id": "d-1"}]},
  {"id": "m-2", "name": "Mails", "contactList": {"id": "leads"}, "emailConfig": {}, "dncLists": [{"id": "d-4"}]}, {"id": "m-3", "name": "Chats", "whatsAppConfig": {}, "dncLists": [{"id": "d-6"}]}]');
CALL sim.forget();
SELECT name, CASE name WHEN 'External' THEN 'failed' ELSE result END AS result FROM gc_fdw.quarantine(number => '+14155550103') ORDER BY name;
SELECT request, status FROM sim.traffic();
SELECT entry FROM gc.nobodys ORDER BY 1;
-- Who may not see them has the rest done, and is told; as where there are none to be had.
CALL sim.set('{"client_permissions": {"id": ["outbound:campaign:view", "outbound:dncList:view", "outbound:dnc:edit"]}}');
SELECT name, CASE name WHEN 'External' THEN 'failed' ELSE result END AS result FROM gc_fdw.quarantine(number => '+14155550104') ORDER BY name;
CALL sim.set('{"client_permissions": {"id": null}}');
CALL sim.faults('[{"path": "/messagingcampaigns", "method": "GET", "status": 404, "body_json": {"status": 404, "code": "not.found", "message": "There is no such path."}}]');
SELECT name, CASE name WHEN 'External' THEN 'failed' ELSE result END AS result FROM gc_fdw.quarantine(number => '+14155550105') ORDER BY name;
-- Any other failure ends it before anything is written.
CALL sim.faults('[{"path": "/messagingcampaigns", "method": "GET", "status": 400, "body_json": {"status": 400, "code": "bad.request", "message": "No."}}]');
CALL sim.forget();
CALL sim.try($$ SELECT * FROM gc_fdw.quarantine(number => '+14155550106') $$);
SELECT count(*) FROM sim.traffic() WHERE request LIKE 'PATCH%';
CALL sim.faults('[]');
SELECT sim.control('POST', 'messagingcampaigns', jsonb_build_object('id', id, 'dncLists', '[]'::jsonb)::text) IS NOT NULL AS done FROM unnest('{m-1,m-2,m-3}'::text[]) id;
SELECT list, contact, new FROM sim.changes(8);
-- A list that does not answer as it should.
UPDATE gc.leads SET callable = true WHERE crm_id = 'A-1';
UPDATE gc.others SET callable = true WHERE crm_id = 'A-1';
CALL sim.faults('[{"path": "*/others/contacts", "method": "POST", "status": 403, "body_json": {"status": 403, "code": "missing.permissions", "message": "No."}}]');
SELECT name, result FROM gc_fdw.quarantine('A-1') ORDER BY name;
SELECT operation, status, total, accepted, rejected FROM gc_fdw.audit_log ORDER BY id DESC LIMIT 1;
CALL sim.faults('[]');
SELECT name, result FROM gc_fdw.quarantine('A-1') ORDER BY name;
-- The dialler holds the contact: it is waited out (G4).
UPDATE gc.leads SET callable = true WHERE crm_id = 'A-1';
CALL sim.faults('[{"path": "*/leads/contacts", "method": "POST", "status": 409, "times": 2, "body_json": {"status": 409, "code": "contact.in.use", "message": "The contact is being dialed."}}]');
SELECT name, result FROM gc_fdw.quarantine('A-1') ORDER BY name;
-- Arguments, before any request.
CALL sim.forget();
CALL sim.try($$ SELECT * FROM gc_fdw.quarantine() $$);
CALL sim.try($$ SELECT * FROM gc_fdw.quarantine('') $$);
CALL sim.try($$ SELECT * FROM gc_fdw.quarantine('..') $$);
CALL sim.try($$ SELECT * FROM gc_fdw.forget_contact('..') $$);
CALL sim.try($$ SELECT * FROM gc_fdw.quarantine(number => '0415 555') $$);
-- Where no campaign has a DNC list the number goes nowhere, and nobody is asked for one.
CALL sim.faults('[{"method": "GET", "path": "/outbound/campaigns", "body_json": {"entities": [], "pageCount": 0, "total": 0}}]');
CALL sim.forget();
SELECT object FROM gc_fdw.quarantine(number => '+14155550101');
SELECT method, path FROM sim.requests() WHERE path LIKE '/api/%';
CALL sim.faults('[]');
CALL sim.try($$ SELECT * FROM gc_fdw.quarantine('A-1', server => 'nowhere') $$);
CREATE SERVER second FOREIGN DATA WRAPPER gc_fdw OPTIONS (api_url 'http://127.0.0.1:1', login_url 'http://127.0.0.1:1');
CALL sim.try($$ SELECT * FROM gc_fdw.quarantine('A-1') $$);
SELECT name, result FROM gc_fdw.quarantine('A-1', server => 'genesys') ORDER BY name;
DROP SERVER second;
