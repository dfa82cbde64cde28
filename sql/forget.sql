\set ECHO none
\getenv srcdir PG_ABS_SRCDIR
\set setup :srcdir '/sql/include/setup.sql'
\i :setup
--
-- Erasure: forget_contact(), of the lists and of all that is kept here (issue 7, compliance)
--
CALL sim.list('leads', '{crm_id,note,phone}');
CALL sim.list('others', '{crm_id,note,phone}');
CREATE FOREIGN TABLE gc.leads (crm_id text, note text, phone text, callable boolean OPTIONS (attribute 'callable'))
  SERVER genesys OPTIONS (object 'contacts', list_id 'leads', key 'crm_id');
CREATE FOREIGN TABLE gc.others (crm_id text, note text, phone text) SERVER genesys OPTIONS (object 'contacts', list_id 'others', key 'crm_id');
ALTER SERVER genesys OPTIONS (ADD max_in_flight '1', ADD upload_method 'presigned');
CREATE FUNCTION sim.await(import bigint, OUT state text, OUT total bigint, OUT accepted bigint, OUT skipped bigint, OUT reason text) LANGUAGE sql AS $$
  SELECT i.state, i.rows_total, i.rows_accepted, i.rows_skipped, i.failure_reason FROM gc_fdw.await_import(import, '1min') i
$$;
-- The parts that are kept, and whether they are what they say.
CREATE VIEW sim.parts AS
  SELECT p.import_id, p.part, p.state, p.method, p.rows, c.bytes = p.bytes AS bytes, c.sha256 = p.sha256 AS sha256, p.skips,
         c.payload LIKE '%F-7"%' OR c.payload LIKE '%F-7,%' AS has_it
  FROM gc_fdw.import_parts p LEFT JOIN LATERAL (
    SELECT sum(length(payload)) AS bytes, sha256(string_agg(payload, '' ORDER BY chunk)) AS sha256,
           string_agg(convert_from(payload, 'UTF8'), '' ORDER BY chunk) AS payload
    FROM gc_fdw.import_chunks c WHERE c.import_id = p.import_id AND c.part = p.part) c ON true
  ORDER BY 1, 2;

--
-- The lists
--
INSERT INTO gc.leads (crm_id, note, phone) VALUES ('F-7', 'a', '+14155550101'), ('F-70', 'b', '+14155550102');
INSERT INTO gc.others (crm_id, note) VALUES ('F-7', 'c');
CALL sim.forget();
SELECT * FROM gc_fdw.forget_contact('F-7') ORDER BY relation COLLATE "C";
SELECT request, rows, status FROM sim.traffic();
SELECT operation, list_id, status, total, accepted, in_doubt, rejected FROM gc_fdw.audit_log ORDER BY id DESC LIMIT 1;
SELECT id FROM sim.contacts('leads');
-- Again: it is not there.
SELECT * FROM gc_fdw.forget_contact('F-7') ORDER BY relation COLLATE "C";

--
-- Staged rows: contacts, and files
--
SELECT gc_fdw.pause('gc.leads');
SELECT gc_fdw.submit_import('gc.leads', $$ SELECT 'F-' || g AS crm_id, 'note ' || g AS note, NULL AS phone, g > 3 AS callable FROM generate_series(1, 2500) g $$,
  method => 'contacts', options => '{"part_rows": 1000}') AS lines \gset
SELECT gc_fdw.submit_import('gc.leads', $$ SELECT 'F-' || g AS crm_id, 'F-7' || CASE g WHEN 7 THEN E', "it"\nx' ELSE 'x' END AS note, '' AS phone FROM generate_series(1, 30) g $$,
  method => 'upload') AS file \gset
SELECT gc_fdw.submit_import('gc.leads', $$ SELECT 'F-7' AS crm_id, 'alone' AS note $$, method => 'contacts') AS alone \gset
SELECT state, rows_total FROM gc_fdw.imports ORDER BY id;
SELECT * FROM gc_fdw.forget_contact('F-7') WHERE rows > 0;
SELECT import_id = :lines AS lines, import_id = :file AS file, part, state, method, rows, bytes, sha256, has_it FROM sim.parts;
SELECT state, rows_total FROM gc_fdw.imports ORDER BY id;
SELECT gc_fdw.unpause('gc.leads');
SELECT * FROM sim.await(:lines);
SELECT * FROM sim.await(:file);
SELECT * FROM sim.await(:alone);
SELECT count(*), count(*) FILTER (WHERE id = 'F-7') AS is_there, max(data->>'note') FROM sim.contacts('leads');
-- Under dialect "jobs" files go without their header, but lie here with it.
ALTER SERVER genesys OPTIONS (SET dialect 'jobs');
SELECT gc_fdw.pause('gc.leads');
SELECT gc_fdw.submit_import('gc.leads', $$ SELECT 'F-' || g AS crm_id, 'job' AS note, '' AS phone FROM generate_series(7, 9) g $$, method => 'upload') AS file \gset
SELECT * FROM gc_fdw.forget_contact('F-7') WHERE rows > 0;
SELECT part, state, method, rows, bytes, sha256, has_it FROM sim.parts WHERE import_id = :file;
SELECT gc_fdw.unpause('gc.leads');
SELECT * FROM sim.await(:file);
SELECT count(*) FILTER (WHERE id = 'F-7') AS is_there, count(*) FILTER (WHERE data->>'note' = 'job') AS there FROM sim.contacts('leads');
ALTER SERVER genesys OPTIONS (SET dialect :'dialect');

--
-- Rows that are skipped, since their contacts are there, stay with their contacts
--
ALTER SERVER genesys OPTIONS (SET max_retries '0');
INSERT INTO gc.others (crm_id, note) SELECT 'F-' || g, 'theirs' FROM generate_series(1006, 1010, 2) g;
CALL sim.faults('[{"path": "*/others/contacts", "method": "POST", "status": 503, "times": 1000}]');
SELECT gc_fdw.submit_import('gc.others', $$ SELECT 'F-' || g AS crm_id, 'ours' AS note FROM generate_series(1, 1016) g $$, 'ignore',
  method => 'contacts', options => '{"part_rows": 1000}') AS ignoring \gset
-- Waits until an import is paused.
CREATE PROCEDURE sim.paused(import bigint) LANGUAGE plpgsql AS $$
BEGIN
  FOR i IN 1 .. 3000 LOOP
    EXIT WHEN (SELECT state FROM gc_fdw.imports WHERE id = import) = 'paused';
    COMMIT;
    PERFORM pg_sleep(0.01);
  END LOOP;
END $$;
CALL sim.paused(:ignoring);
CALL sim.faults('[]');
SELECT part, state, rows, skips FROM sim.parts WHERE import_id = :ignoring;
SELECT relation, rows FROM gc_fdw.forget_contact('F-1007') WHERE rows > 0;
SELECT relation, rows FROM gc_fdw.forget_contact('F-1008') WHERE rows > 0 ORDER BY relation;
-- One in a part that may be with the platform: it says so, and how to go on.
SELECT relation, rows FROM gc_fdw.forget_contact('F-2') WHERE rows > 0 OR rows IS NULL;
SELECT part, state, rows, skips, bytes, sha256 FROM sim.parts WHERE import_id = :ignoring;
SELECT gc_fdw.resume_imports(:ignoring);
SELECT * FROM sim.await(:ignoring);
SELECT string_agg(id || ' ' || (data->>'note'), ', ' ORDER BY substr(id, 3)::int) FROM sim.contacts('others') WHERE substr(id, 3)::int NOT BETWEEN 4 AND 1000;
SELECT relation, rows FROM gc_fdw.forget_contact('F-2') WHERE rows > 0 OR rows IS NULL;

--
-- What is over, and history
--
SELECT count(*) FROM gc_fdw.sent_contacts WHERE contact_id = 'F-3';
CALL sim.faults('[{"path": "*/others/contacts", "method": "POST", "status": 503, "times": 1000}]');
SELECT gc_fdw.submit_import('gc.others', $$ SELECT 'F-3' AS crm_id, 'again' AS note $$, method => 'contacts') AS cancelled \gset
CALL sim.paused(:cancelled);
SELECT gc_fdw.cancel_import(:cancelled);
CALL sim.faults('[]');
SELECT gc_fdw.submit_import('gc.others', $$ SELECT 'F-3' AS crm_id, 'again' AS note $$, 'error', method => 'contacts') AS erring \gset
SELECT state, reason FROM sim.await(:erring);
ALTER FOREIGN TABLE gc.others OPTIONS (ADD on_error 'reject');
INSERT INTO gc.others (crm_id, note) VALUES ('F-3', repeat('x', 600));
SELECT key, code FROM gc_fdw.rejected_rows;
SELECT relation, rows FROM gc_fdw.forget_contact('F-3') WHERE rows > 0 ORDER BY relation COLLATE "C";
SELECT state, rows_total, regexp_replace(failure_reason, '\n.*', '') AS failure_reason FROM gc_fdw.imports WHERE id IN (:cancelled, :erring) ORDER BY id;
SELECT (SELECT count(*) FROM gc_fdw.sent_contacts WHERE contact_id = 'F-3') AS sent, (SELECT count(*) FROM gc_fdw.rejected_rows) AS rejected,
       (SELECT count(*) FROM gc_fdw.import_chunks WHERE position('F-3"'::bytea IN payload) > 0) AS staged;
-- The proof of an opt-out stays.
UPDATE gc.leads SET callable = false WHERE crm_id = 'F-20';
SELECT relation, rows FROM gc_fdw.forget_contact('F-20') WHERE rows > 0 ORDER BY relation COLLATE "C";
SELECT list_id, contact_id, change, new_value FROM gc_fdw.contact_audit WHERE contact_id = 'F-20';

--
-- Failures: the other lists are seen to all the same
--
INSERT INTO gc.others (crm_id, note) VALUES ('F-30', 'x');
INSERT INTO gc.leads (crm_id, note) VALUES ('F-30', 'x');
CALL sim.faults('[{"path": "*/leads/contacts/F-30", "method": "DELETE", "status": 403, "body_json": {"status": 403, "code": "missing.permissions", "message": "No."}}]');
SELECT relation, rows FROM gc_fdw.forget_contact('F-30') WHERE relation LIKE 'contact list%' ORDER BY relation;
SELECT operation, status, total, accepted, in_doubt, rejected FROM gc_fdw.audit_log ORDER BY id DESC LIMIT 1;
CALL sim.faults('[]');
SELECT relation, rows FROM gc_fdw.forget_contact('F-30') WHERE relation LIKE 'contact list%' ORDER BY relation;
-- The dialler holds it: refused, then passed over (G4).
INSERT INTO gc.leads (crm_id, note) VALUES ('F-30', 'x');
CALL sim.faults('[{"path": "*/leads/contacts/F-30", "method": "DELETE", "status": 400, "times": 1, "body_json": {"status": 400, "code": "contact.in.use", "message": "The contact is in use."}},
  {"path": "*/leads/contacts/F-30", "method": "DELETE", "status": 200, "times": 1, "body": ""}]');
CALL sim.forget();
SELECT relation, rows FROM gc_fdw.forget_contact('F-30') WHERE relation LIKE 'contact list%' ORDER BY relation;
SELECT request, status FROM sim.traffic() WHERE request LIKE '%/leads/%';
CALL sim.faults('[]');
-- For longer than retry_timeout.
ALTER SERVER genesys OPTIONS (SET retry_timeout '600ms');
INSERT INTO gc.leads (crm_id, note) VALUES ('F-30', 'x');
CALL sim.faults('[{"path": "*/leads/contacts/F-30", "method": "DELETE", "status": 400, "body_json": {"status": 400, "code": "contact.in.use", "message": "The contact is in use."}}]');
SELECT relation, rows FROM gc_fdw.forget_contact('F-30') WHERE relation LIKE 'contact list%' ORDER BY relation;
CALL sim.faults('[]');

--
-- Of several servers, just that one's
--
CREATE SERVER second FOREIGN DATA WRAPPER gc_fdw OPTIONS (api_url 'http://127.0.0.1:1', login_url 'http://127.0.0.1:1');
INSERT INTO gc_fdw.sent_contacts SELECT l, 'F-40', '', now(), 'import', 1 FROM unnest('{leads,elsewhere}'::text[]) l;
SELECT relation, rows FROM gc_fdw.forget_contact('F-40', 'genesys') WHERE rows > 0;
DROP SERVER second;
SELECT relation, rows FROM gc_fdw.forget_contact('F-40') WHERE rows > 0;

--
-- What has failed without a write is in doubt of nothing, and what became of a lost answer is known
--
INSERT INTO gc.leads (crm_id, note) VALUES ('F-50', 'x');
CALL sim.faults('[{"path": "*/leads/contacts/F-50", "method": "GET", "body_kind": "html"}]');
SELECT relation, rows FROM gc_fdw.forget_contact('F-50') WHERE relation = 'contact list "leads"';
SELECT total, accepted, rejected, in_doubt FROM gc_fdw.audit_log WHERE operation = 'FORGET' ORDER BY id DESC LIMIT 1;
-- It was sent, and nobody can look.
CALL sim.faults('[{"path": "*/leads/contacts/F-50", "method": "GET", "nth": 2, "status": 403, "body_json": {"status": 403, "code": "missing.permissions", "message": "No."}}]');
SELECT relation, rows FROM gc_fdw.forget_contact('F-50') WHERE relation = 'contact list "leads"';
SELECT total, accepted, rejected, in_doubt FROM gc_fdw.audit_log WHERE operation = 'FORGET' ORDER BY id DESC LIMIT 1;
ALTER SERVER genesys OPTIONS (SET retry_timeout '5s', SET max_retries '2');
INSERT INTO gc.leads (crm_id, note) VALUES ('F-50', 'x');
CALL sim.faults('[{"path": "*/leads/contacts/F-50", "method": "DELETE", "nth": 1, "drop": "after"}]');
SELECT relation, rows FROM gc_fdw.forget_contact('F-50') WHERE relation = 'contact list "leads"';
SELECT total, accepted, rejected, in_doubt FROM gc_fdw.audit_log WHERE operation = 'FORGET' ORDER BY id DESC LIMIT 1;
CALL sim.faults('[]');

--
-- Rows of this very transaction that wait for its COMMIT would bring it back
--
ALTER FOREIGN TABLE gc.leads OPTIONS (ADD deliver 'commit');
BEGIN;
INSERT INTO gc.leads (crm_id, note) VALUES ('F-60', 'x');
CALL sim.try($$ SELECT * FROM gc_fdw.forget_contact('F-60') $$);
CALL sim.try($$ SELECT * FROM gc_fdw.quarantine('F-60') $$);
COMMIT;
ALTER FOREIGN TABLE gc.leads OPTIONS (DROP deliver);
SELECT relation, rows FROM gc_fdw.forget_contact('F-60') WHERE rows > 0;

--
-- Rights, and arguments, before any request
--
CALL sim.forget();
CALL sim.try($$ SELECT * FROM gc_fdw.forget_contact(NULL) $$);
CALL sim.try($$ SELECT * FROM gc_fdw.forget_contact('') $$);
CALL sim.try($$ SELECT * FROM gc_fdw.forget_contact('F-1', 'nowhere') $$);
BEGIN READ ONLY;
SELECT * FROM gc_fdw.forget_contact('F-1');
ROLLBACK;
BEGIN READ ONLY;
SELECT * FROM gc_fdw.quarantine('F-1');
ROLLBACK;
CREATE ROLE gc_other;
GRANT USAGE ON SCHEMA gc_fdw TO gc_other;
SET ROLE gc_other;
SELECT * FROM gc_fdw.forget_contact('F-1');
RESET ROLE;
GRANT EXECUTE ON FUNCTION gc_fdw.forget_contact(text, name) TO gc_other;
SET ROLE gc_other;
SELECT * FROM gc_fdw.forget_contact('F-1');
RESET ROLE;
DROP OWNED BY gc_other;
DROP ROLE gc_other;
SELECT count(*) FROM sim.traffic();
