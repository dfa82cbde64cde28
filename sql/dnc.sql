\set ECHO none
\getenv srcdir PG_ABS_SRCDIR
\set setup :srcdir '/sql/include/setup.sql'
\i :setup
--
-- Do-not-call lists: provisioned, changed, deleted; their entries added, removed, given other dates
--
SET TimeZone = 'UTC';
SET DateStyle = 'ISO, YMD';
CALL sim.set('{"record_bodies": "on", "export_ms": 0}');
-- What changed something: the call, its body, and what it answered.
CREATE FUNCTION sim.writes(OUT call text, OUT body text) RETURNS SETOF record LANGUAGE sql AS $$
  SELECT sim.plain(method || ' ' || regexp_replace(path, '^/api/v2/outbound', '') || coalesce('?' || query, '')), r.body
  FROM sim.requests() r
  WHERE r.method <> 'GET' AND r.path LIKE '/api/%' AND r.path NOT LIKE '%/export' ORDER BY seq
$$;
IMPORT FOREIGN SCHEMA outbound LIMIT TO (dnc_lists, campaigns) FROM SERVER genesys INTO gc;

--
-- Lists
--
-- A list is provisioned; what only the platform knows comes back.
INSERT INTO gc.dnc_lists (name, source_type, contact_method) VALUES ('Robinson', 'rds', 'Phone')
  RETURNING id IS NOT NULL AS id, name, version, source_type, contact_method, size, division IS NOT NULL AS division;
-- A3: once more it is the same one, whatever a default adds; another one of that name is refused.
INSERT INTO gc.dnc_lists (name, source_type, contact_method) VALUES ('Robinson', 'rds', 'Phone') RETURNING version;
CALL sim.try($$INSERT INTO gc.dnc_lists (name, source_type, contact_method) VALUES ('Robinson', 'rds', 'Email')$$);
SELECT method, path, count(*) FROM sim.requests() WHERE path LIKE '%/dnclists%' GROUP BY 1, 2 ORDER BY 1, 2;
-- The other kinds
INSERT INTO gc.dnc_lists (name, source_type, contact_method, custom_exclusion_column, dnc_codes, login_id, license_id) VALUES
  ('Mails', 'rds', 'Email', NULL, NULL, NULL, NULL), ('Chats', 'rds', 'WhatsApp', NULL, NULL, NULL, NULL),
  ('All', 'rds', 'Any', NULL, NULL, NULL, NULL), ('Accounts', 'rds_custom', 'Any', 'ACCOUNT', NULL, NULL, NULL),
  ('Registry', 'dnc.com', 'Phone', NULL, '{B,P}', 'me', NULL), ('Gryphon', 'gryphon', 'Phone', NULL, NULL, NULL, 'licence');
SELECT name, source_type, contact_method, size, custom_exclusion_column, dnc_codes, login_id, license_id FROM gc.dnc_lists ORDER BY name;
-- What it needs is said before any request; what its source needs, by the platform.
CALL sim.forget();
CALL sim.try($$INSERT INTO gc.dnc_lists (name) VALUES ('x')$$);
CALL sim.try($$INSERT INTO gc.dnc_lists (source_type) VALUES ('rds')$$);
CALL sim.try($$INSERT INTO gc.dnc_lists (name, size) VALUES ('x', 1)$$);
CALL sim.try($$INSERT INTO gc.dnc_lists (name, source_type) VALUES ('x', 'elsewhere')$$);
CALL sim.try($$INSERT INTO gc.dnc_lists (name, source_type) VALUES ('Robinson', 'RDS')$$);
SELECT count(*) FROM sim.requests();
CALL sim.try($$INSERT INTO gc.dnc_lists (name, source_type) VALUES ('x', 'rds_custom')$$);
-- I3: a change carries the version that it read.
CALL sim.forget();
UPDATE gc.dnc_lists SET name = 'Robinson 2', contact_method = 'Phone' WHERE name = 'Robinson' RETURNING name, version;
SELECT call, body::jsonb->>'version' AS version, body::jsonb->>'name' AS name FROM sim.writes();
-- What is fixed may be set to what it is.
UPDATE gc.dnc_lists SET name = 'Robinson', source_type = 'rds' WHERE name = 'Robinson 2' RETURNING name, version;
CALL sim.try($$UPDATE gc.dnc_lists SET source_type = 'gryphon' WHERE name = 'Robinson'$$);
CALL sim.try($$UPDATE gc.dnc_lists SET version = 7 WHERE name = 'Robinson'$$);
CALL sim.try($$UPDATE gc.dnc_lists SET name = 'Mails' WHERE name = 'Robinson'$$);
-- K4: a version that is no longer the newest is read again, three times at most.
CALL sim.forget();
CALL sim.faults('[{"method": "PUT", "path": "/dnclists/", "status": 409, "times": 2, "body_json": {"status": 409, "code": "invalid.update.wrong.version", "message": "No."}}]');
UPDATE gc.dnc_lists SET name = 'Robinson 3' WHERE name = 'Robinson' RETURNING name;
SELECT method, status, count(*) FROM sim.requests() WHERE path LIKE '/api/%/dnclists/%' GROUP BY 1, 2 ORDER BY 1, 2;
CALL sim.faults('[{"method": "PUT", "path": "/dnclists/", "status": 409, "times": 3, "body_json": {"status": 409, "code": "invalid.update.wrong.version", "message": "No."}}]');
CALL sim.try($$UPDATE gc.dnc_lists SET name = 'Robinson' WHERE name = 'Robinson 3'$$);
CALL sim.faults('[]');
UPDATE gc.dnc_lists SET name = 'Robinson' WHERE name = 'Robinson 3';

--
-- Entries; one call at a time, so that their order is known
--
ALTER SERVER genesys OPTIONS (ADD max_in_flight '1');
CREATE FOREIGN TABLE gc.robinson (entry text, expires_at timestamptz) SERVER genesys OPTIONS (object 'dnc_entries', dnc_list_name 'Robinson');
CALL sim.forget();
-- What expires at one moment goes in one call; RETURNING and the count are those of the statement.
INSERT INTO gc.robinson VALUES ('+4930001', NULL), ('+4930002', '2031-01-01 00:00+00'), ('+4930003', NULL), ('+4930004', '2031-01-01 01:00+01')
  RETURNING *;
SELECT * FROM sim.writes() ORDER BY body;
SELECT * FROM gc.robinson ORDER BY entry;
-- Twice is once.  Of two dates for one entry the last one holds, and it is sent last.
CALL sim.forget();
DO $$
DECLARE n bigint;
BEGIN
  INSERT INTO gc.robinson VALUES ('+4930001', NULL), ('+4930001', NULL), ('+4930006', '2032-01-01'), ('+4930005', '2031-01-01'), ('+4930005', '2032-01-01');
  GET DIAGNOSTICS n = ROW_COUNT;
  RAISE INFO '% rows', n;
END $$;
SELECT body FROM sim.writes() WHERE body LIKE '%0005%';
SELECT * FROM gc.robinson ORDER BY entry;
-- An entry expires at a minute.
CALL sim.try($$INSERT INTO gc.robinson VALUES ('+4930007', '2031-01-01 00:00:30+00')$$);
ALTER FOREIGN TABLE gc.robinson OPTIONS (ADD verification 'relaxed');
INSERT INTO gc.robinson VALUES ('+4930007', '2031-01-01 00:00:30+00'), ('+4930008', 'infinity') RETURNING *;
ALTER FOREIGN TABLE gc.robinson OPTIONS (DROP verification);
SELECT * FROM gc.robinson WHERE entry >= '+4930007' ORDER BY entry;
-- What is no entry
CALL sim.forget();
CALL sim.try($$INSERT INTO gc.robinson VALUES (NULL)$$);
CALL sim.try($$INSERT INTO gc.robinson VALUES ('')$$);
CALL sim.try($$INSERT INTO gc.robinson VALUES ('+4930009', '-infinity')$$);
SELECT count(*) FROM sim.writes();
-- I4: DELETE removes what it has read, and nothing else, so that its count is true.
CALL sim.forget();
DELETE FROM gc.robinson WHERE entry IN ('+4930007', '+4930008', '+49 not there') RETURNING *;
DO $$
DECLARE n bigint;
BEGIN
  DELETE FROM gc.robinson WHERE entry = '+49 not there';
  GET DIAGNOSTICS n = ROW_COUNT;
  RAISE INFO '% rows', n;
END $$;
SELECT call, body FROM sim.writes();
-- UPDATE: another date is added again; none at all, after it was removed, for whether the platform
-- takes a date away from an entry that is added without one is not published.
CALL sim.forget();
UPDATE gc.robinson SET expires_at = expires_at + interval '1 year' WHERE expires_at IS NOT NULL RETURNING *;
SELECT call, body FROM sim.writes() ORDER BY body;
CALL sim.forget();
CALL sim.set('{"dnc_undated_add": "keep"}');
UPDATE gc.robinson SET expires_at = NULL WHERE entry = '+4930002' RETURNING *;
SELECT call, body FROM sim.writes();
SELECT * FROM gc.robinson ORDER BY entry;
CALL sim.set('{"dnc_undated_add": "clear"}');
CALL sim.try($$UPDATE gc.robinson SET entry = '+4930999' WHERE entry = '+4930001'$$);
-- A join that gives a row twice changes it once.
UPDATE gc.robinson r SET expires_at = '2040-01-01' FROM (VALUES ('+4930001'), ('+4930001')) v(e) WHERE r.entry = v.e RETURNING r.entry;
ALTER SERVER genesys OPTIONS (DROP max_in_flight);
-- B1: a thousand a call at most, and no more bytes than a call takes.
CALL sim.forget();
INSERT INTO gc.robinson SELECT '+1' || lpad(n::text, 6, '0') FROM generate_series(1, 2500) n;
SELECT rows, count(*) FROM sim.requests() WHERE method = 'PATCH' GROUP BY 1 ORDER BY 1;
ALTER FOREIGN TABLE gc.robinson OPTIONS (ADD batch_bytes '4kB', ADD buffer_memory '64kB');
CALL sim.forget();
COPY gc.robinson FROM PROGRAM 'seq -f "+2%06.0f	\N" 1 1000';
SELECT count(*) > 2 AS several, sum(rows), max(length(body)) < 4096 AS small FROM sim.requests() WHERE method = 'PATCH';
-- Many dates at once
CALL sim.forget();
INSERT INTO gc.robinson SELECT '+3' || lpad(n::text, 6, '0'), timestamptz '2030-01-01 UTC' + n % 40 * interval '1 day' FROM generate_series(1, 400) n;
SELECT sum(rows) FROM sim.requests() WHERE method = 'PATCH';
SELECT count(*), count(DISTINCT expires_at), bool_and(expires_at = timestamptz '2030-01-01 UTC' + substr(entry, 3)::int % 40 * interval '1 day')
FROM gc.robinson WHERE entry LIKE '+3%';
ALTER FOREIGN TABLE gc.robinson OPTIONS (DROP batch_bytes, DROP buffer_memory);
-- B2: what is too large is sent in halves.
CALL sim.forget();
CALL sim.faults('[{"method": "PATCH", "path": "/phonenumbers", "times": 3, "status": 413, "body_json": {"status": 413, "code": "request.entity.too.large", "message": "No."}}]');
ALTER SERVER genesys OPTIONS (ADD max_in_flight '1');
DELETE FROM gc.robinson WHERE entry LIKE '+2%';
SELECT status, rows, count(*) FROM sim.requests() WHERE method = 'PATCH' GROUP BY 1, 2 ORDER BY 1, 2;
SELECT count(*) FROM gc.robinson WHERE entry LIKE '+2%';
ALTER SERVER genesys OPTIONS (DROP max_in_flight);
-- A lost answer is asked for again: what is added twice is there once.
CALL sim.faults('[{"method": "PATCH", "path": "/phonenumbers", "nth": 1, "drop": "after"}]');
CALL sim.forget();
DELETE FROM gc.robinson WHERE entry LIKE '+3%';
SELECT count(*) > 1 AS again FROM sim.requests() WHERE method = 'PATCH';
CALL sim.faults('[]');
SELECT count(*) FROM gc.robinson;

-- What fails tells how far it came, and what a rollback cannot undo.
CALL sim.faults('[{"method": "PATCH", "path": "/phonenumbers", "nth": 2, "times": 9, "status": 400, "body_json": {"status": 400, "code": "constraint.validation", "message": "No."}}]');
ALTER SERVER genesys OPTIONS (ADD max_in_flight '1');
CALL sim.try($$INSERT INTO gc.robinson SELECT '+4' || n FROM generate_series(1001, 4500) n$$);
CALL sim.faults('[]');
BEGIN;
INSERT INTO gc.robinson VALUES ('+5001'), ('+5002');
ROLLBACK;
SELECT count(*) FROM gc.robinson WHERE entry LIKE '+500%';
-- What contact_audit has of entries that begin so; rows of what is rolled back come a moment later.
CREATE FUNCTION sim.audited(entries text, expected int) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
  until timestamptz := clock_timestamp() + '20s';
BEGIN
  LOOP
    EXIT WHEN (SELECT count(*) FROM gc_fdw.contact_audit a WHERE starts_with(contact_id, entries)) >= expected OR clock_timestamp() > until;
    PERFORM pg_sleep(0.01);
  END LOOP;
  RETURN QUERY SELECT concat_ws(' ', contact_id, old_value, '->', new_value) FROM gc_fdw.contact_audit
    WHERE starts_with(contact_id, entries) ORDER BY contact_id, confirmed_at;
END $$;
-- An entry that has been taken out to lose its date, and could not be put back
INSERT INTO gc.robinson VALUES ('+6001', '2031-01-01');
CALL sim.faults('[{"method": "PATCH", "path": "/phonenumbers", "nth": 2, "times": 9, "status": 400, "body_json": {"status": 400, "code": "constraint.validation", "message": "No."}}]');
CALL sim.try($$UPDATE gc.robinson SET expires_at = NULL WHERE entry = '+6001'$$);
CALL sim.faults('[]');
-- What it was is in contact_audit; t/001_cancel.pl has the same, cancelled in between.
SELECT sim.audited('+600', 2);
ALTER SERVER genesys OPTIONS (DROP max_in_flight);
CALL sim.set('{"dnc_records_max": 3000}');
CALL sim.try($$INSERT INTO gc.robinson SELECT '+7' || n FROM generate_series(1, 1000) n$$);
CALL sim.set('{"dnc_records_max": 1000000}');
-- The audit has a row for each statement.
SELECT operation, status, total, accepted, in_doubt, list_id = (SELECT id FROM gc.dnc_lists WHERE name = 'Robinson') AS list
FROM gc_fdw.audit_log WHERE operation <> 'TRUNCATE' AND total BETWEEN 2500 AND 3500 ORDER BY id;

--
-- The other kinds of lists have calls of their own
--
CREATE FOREIGN TABLE gc.mails (entry text, expires_at timestamptz) SERVER genesys OPTIONS (object 'dnc_entries', dnc_list_name 'Mails');
CREATE FOREIGN TABLE gc.chats (until timestamptz OPTIONS (field 'expires_at'), entry text) SERVER genesys OPTIONS (object 'dnc_entries', dnc_list_name 'Chats');
CREATE FOREIGN TABLE gc.everything (entry text) SERVER genesys OPTIONS (object 'dnc_entries', dnc_list_name 'All');
CREATE FOREIGN TABLE gc.accounts (entry text, expires_at timestamptz) SERVER genesys OPTIONS (object 'dnc_entries', dnc_list_name 'Accounts');
CALL sim.forget();
INSERT INTO gc.mails VALUES ('a@b.example', '2031-01-01');
INSERT INTO gc.chats (entry) VALUES ('+4917');
INSERT INTO gc.everything VALUES ('+4918'), ('c@d.example');
INSERT INTO gc.accounts VALUES ('7 "ü" \'), ('8');
DELETE FROM gc.mails;
DELETE FROM gc.chats;
DELETE FROM gc.everything WHERE entry LIKE '%@%';
DELETE FROM gc.accounts WHERE entry = '8';
SELECT call, body FROM sim.writes() ORDER BY call COLLATE "C", body COLLATE "C";
SELECT * FROM gc.accounts;
SELECT * FROM gc.everything;
-- A source elsewhere is asked for nothing.
CREATE FOREIGN TABLE gc.registry (entry text) SERVER genesys OPTIONS (object 'dnc_entries', dnc_list_name 'Registry', truncatable 'true');
CREATE FOREIGN TABLE gc.gryphon (entry text) SERVER genesys OPTIONS (object 'dnc_entries', dnc_list_name 'Gryphon');
CALL sim.forget();
CALL sim.try($$INSERT INTO gc.registry VALUES ('+1')$$);
CALL sim.try($$DELETE FROM gc.gryphon$$);
CALL sim.try($$TRUNCATE gc.registry$$);
SELECT count(*) FROM sim.writes();
-- One that only the platform knows to be so
CALL sim.faults('[{"method": "PATCH", "path": "/phonenumbers", "status": 400, "body_json": {"status": 400, "code": "dnc.source.operation.not.supported", "message": "No."}}]');
CALL sim.try($$INSERT INTO gc.robinson VALUES ('+1')$$);
CALL sim.faults('[]');

--
-- Nobody wipes a list who has not said so for its own table
--
CALL sim.try($$TRUNCATE gc.robinson$$);
ALTER SERVER genesys OPTIONS (ADD truncatable 'true');
CALL sim.try($$TRUNCATE gc.robinson$$);
ALTER FOREIGN TABLE gc.robinson OPTIONS (ADD truncatable 'true');
ALTER FOREIGN TABLE gc.everything OPTIONS (ADD truncatable 'true');
CALL sim.forget();
-- All tables are looked at before any list is wiped.
CALL sim.try($$TRUNCATE gc.robinson, gc.mails$$);
SELECT count(*) FROM sim.writes();
BEGIN;
TRUNCATE gc.robinson, gc.everything;
ROLLBACK;
SELECT call, body FROM sim.writes();
SELECT count(*) FROM gc.robinson;
SELECT operation, status FROM gc_fdw.audit_log WHERE operation = 'TRUNCATE' ORDER BY id;
EXPLAIN (COSTS OFF) DELETE FROM gc.robinson WHERE entry = '+1';
SELECT line FROM sim.analyzed($$INSERT INTO gc.robinson SELECT '+8' || n FROM generate_series(1, 1500) n$$) AS line WHERE line ~ 'Remote|Batch|Requests';
ALTER FOREIGN TABLE gc.robinson OPTIONS (ADD updatable 'false');
CALL sim.try($$INSERT INTO gc.robinson VALUES ('+1')$$);
ALTER FOREIGN TABLE gc.robinson OPTIONS (DROP updatable);
-- WITH CHECK OPTION, triggers and a view see the row.
CREATE VIEW gc.permanent AS SELECT entry, expires_at FROM gc.robinson WHERE expires_at IS NULL WITH CHECK OPTION;
CALL sim.try($$INSERT INTO gc.permanent VALUES ('+9001', '2031-01-01')$$);
INSERT INTO gc.permanent VALUES ('+9002');
SELECT entry FROM gc.permanent WHERE entry LIKE '+900%';

--
-- J5: what has not the form of an entry would be taken, and bar nobody: it is refused, as a contact's cell is
--
INSERT INTO gc.dnc_lists (name, source_type, contact_method, custom_exclusion_column) VALUES
  ('f phones', 'rds', 'Phone', NULL), ('f mails', 'rds', 'Email', NULL), ('f chats', 'rds', 'WhatsApp', NULL),
  ('f both', 'rds', 'Any', NULL), ('f codes', 'rds_custom', 'Any', 'ACCOUNT'), ('f numbers', 'rds_custom', 'Phone', 'ACCOUNT');
-- IMPORT gives the format to lists of one kind.
IMPORT FOREIGN SCHEMA outbound LIMIT TO (f_phones, f_mails, f_chats, f_both, f_codes, f_numbers) FROM SERVER genesys INTO gc;
SELECT attrelid::regclass, attname, attfdwoptions FROM pg_attribute WHERE attrelid::regclass::text LIKE 'gc.f\_%' AND attnum > 0 ORDER BY attrelid::regclass::text COLLATE "C", attnum;
CALL sim.forget();
-- The error names the list, and never the value; what the statement had before is not sent either.
CALL sim.try($$INSERT INTO gc.f_phones VALUES ('4155550102')$$);
CALL sim.try($$INSERT INTO gc.f_phones VALUES ('+14155550101', NULL), ('+14155550102', '2031-01-01'), ('(415) 555-0103', NULL), ('+14155550104', NULL)$$);
CALL sim.try($$INSERT INTO gc.f_mails VALUES ('ana@localhost')$$);
CALL sim.try($$INSERT INTO gc.f_chats VALUES ('+1 415 555 0102')$$);
COPY gc.f_phones (entry) FROM PROGRAM 'echo +14155550101; echo 004155550102';
\echo :SQLSTATE
SET gc_fdw.show_values = on;
CALL sim.try($$INSERT INTO gc.f_phones VALUES ('4155550102')$$);
RESET gc_fdw.show_values;
-- Of whatever form, no entry is empty ...
CALL sim.try($$INSERT INTO gc.f_phones VALUES ('')$$);
SELECT count(*) FROM sim.writes();
-- What went before, a batch or more, is counted.
ALTER FOREIGN TABLE gc.f_phones OPTIONS (ADD batch_size '2');
ALTER SERVER genesys OPTIONS (ADD max_in_flight '1');
CALL sim.try($$INSERT INTO gc.f_phones VALUES ('+14155550101'), ('+14155550102'), ('+14155550103'), ('+14155550104'), ('+14155550105'), ('415')$$);
SELECT entry FROM gc.f_phones ORDER BY entry;
ALTER SERVER genesys OPTIONS (DROP max_in_flight);
ALTER FOREIGN TABLE gc.f_phones OPTIONS (DROP batch_size);
-- What is well formed is taken, and where nothing says how it has to look, anything is.
INSERT INTO gc.f_phones VALUES ('+14155550101') RETURNING *;
INSERT INTO gc.f_mails VALUES ('ana@example.com') RETURNING entry;
INSERT INTO gc.f_chats VALUES ('+4915112345678') RETURNING entry;
INSERT INTO gc.f_both VALUES ('+4918'), ('c@d.example'), ('x');
INSERT INTO gc.f_codes VALUES ('7');
INSERT INTO gc.f_numbers VALUES ('7');
-- relaxed leaves it to the platform.
ALTER FOREIGN TABLE gc.f_phones OPTIONS (ADD verification 'relaxed');
INSERT INTO gc.f_phones VALUES ('4155550102'), ('4155550103');
ALTER FOREIGN TABLE gc.f_phones OPTIONS (DROP verification);
-- What is there is read, dated and taken out, whatever its form.
UPDATE gc.f_phones SET expires_at = '2031-01-01' WHERE entry = '4155550102' RETURNING *;
DELETE FROM gc.f_phones WHERE entry = '4155550102' RETURNING *;
SELECT entry FROM gc.f_phones WHERE entry NOT LIKE '+%';
-- By the option, under another name, and of another type; and nothing else of such a table has a format.
ALTER FOREIGN TABLE gc.robinson ALTER entry OPTIONS (ADD format 'e164');
CALL sim.try($$INSERT INTO gc.robinson VALUES ('415')$$);
-- ... or becomes another one.
CALL sim.try($$UPDATE gc.robinson SET entry = '415' WHERE entry = '+9002'$$);
ALTER FOREIGN TABLE gc.robinson ALTER entry OPTIONS (DROP format);
CREATE FOREIGN TABLE gc.renamed (number bigint OPTIONS (field 'entry', format 'e164')) SERVER genesys OPTIONS (object 'dnc_entries', dnc_list_name 'f phones');
CALL sim.try($$INSERT INTO gc.renamed VALUES (4155550102)$$);
ALTER FOREIGN TABLE gc.f_phones ALTER expires_at OPTIONS (ADD format 'e164');
CALL sim.try($$SELECT * FROM gc.f_phones$$);
DELETE FROM gc.dnc_lists WHERE name LIKE 'f %';

--
-- A list that is used stays
--
SELECT sim.make('campaigns', jsonb_build_array(jsonb_build_object('id', 'c-1', 'name', 'Spring', 'dncLists', jsonb_build_array(jsonb_build_object('id', id)))))
FROM gc.dnc_lists WHERE name = 'Robinson';
CALL sim.try($$DELETE FROM gc.dnc_lists WHERE name = 'Robinson'$$);
SELECT sim.control('POST', 'importstatus', jsonb_build_object('dncListId', id, 'state', 'IN_PROGRESS')::text) IS NOT NULL FROM gc.dnc_lists WHERE name = 'Mails';
ALTER SERVER genesys OPTIONS (SET retry_timeout '0');
CALL sim.try($$DELETE FROM gc.dnc_lists WHERE name = 'Mails'$$);
ALTER SERVER genesys OPTIONS (SET retry_timeout '5s');
DELETE FROM gc.dnc_lists WHERE name IN ('Chats', 'Registry', 'Gryphon') RETURNING name;
SELECT name FROM gc.dnc_lists ORDER BY name;
CALL sim.try($$INSERT INTO gc.chats (entry) VALUES ('+1')$$);
