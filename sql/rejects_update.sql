\set ECHO none
\getenv srcdir PG_ABS_SRCDIR
\set setup :srcdir '/sql/include/setup.sql'
\i :setup
--
-- UPDATE and DELETE with rows that cannot be written: 'stop' names them, 'reject' goes on without (DESIGN 3, 4.3, F3)
--
CALL sim.list('leads', '{crm_id,note,zip,phone}', '{phone}', '{"automaticTimeZoneMapping": true, "zipCodeColumnName": "zip"}');
CALL sim.list('others', '{crm_id,note,zip,phone}', '{phone}', '{"automaticTimeZoneMapping": true, "zipCodeColumnName": "zip"}');
-- One request at a time, so that their number is always the same.
ALTER SERVER genesys OPTIONS (ADD max_in_flight '1');
CREATE FOREIGN TABLE gc.leads (crm_id text, n int OPTIONS (field 'note'), postcode text OPTIONS (field 'zip'),
                               callable boolean OPTIONS (attribute 'callable'), created timestamptz OPTIONS (attribute 'date_created'))
  SERVER genesys OPTIONS (object 'contacts', verification 'relaxed', list_id 'leads', key 'crm_id');
CREATE FOREIGN TABLE gc.others (crm_id text, n int OPTIONS (field 'note'), postcode text OPTIONS (field 'zip'))
  SERVER genesys OPTIONS (object 'contacts', verification 'relaxed', list_id 'others', key 'crm_id', on_error 'reject');
CREATE VIEW sim.rejects AS
  SELECT list_id, key, row_data - 'created' AS row_data, code, reason, field, correlation_id IS NOT NULL AS answered FROM gc_fdw.rejected_rows ORDER BY id;
CREATE VIEW sim.last AS
  SELECT operation, status, total, accepted, in_doubt, rejected FROM gc_fdw.audit_log WHERE status = 'completed' ORDER BY id DESC LIMIT 1;
CREATE VIEW sim.writes AS
  SELECT method, rows, status - status % 100 AS status FROM sim.requests()
  WHERE method IN ('PUT', 'DELETE') OR (method = 'POST' AND path LIKE '%/contacts') ORDER BY seq;
INSERT INTO gc.leads SELECT 'L-' || g, g, '10115' FROM generate_series(1, 1000) g;
INSERT INTO gc.others SELECT 'M-' || g, g, '10115' FROM generate_series(1, 20) g;

--
-- 'stop': the error names the contact, of a batch, too; those before it are changed
--
CALL sim.forget();
CALL sim.try($$UPDATE gc.leads SET postcode = CASE n WHEN 700 THEN 'nowhere' ELSE '10117' END$$);
SELECT count(*) AS posts, count(*) FILTER (WHERE status = 400) AS refused FROM sim.writes;
SELECT count(*), max(substr(id, 3)::int) FROM sim.contacts('leads') WHERE data->>'zip' = '10117';
-- By itself, too.
CALL sim.try($$UPDATE gc.leads SET postcode = 'nowhere' WHERE crm_id = 'L-1'$$);
CALL sim.try($$UPDATE gc.leads SET postcode = 'nowhere' WHERE crm_id = 'L-1' RETURNING crm_id, created IS NULL$$);
-- What is wrong with all of them is not looked for; a refusal that does not come again is none.
CALL sim.faults('[{"method": "POST", "path": "*/contacts", "status": 400, "body": "<html>Bad Request</html>"}]');
CALL sim.try($$UPDATE gc.leads SET postcode = '10119' WHERE n < 20$$);
CALL sim.faults('[{"method": "POST", "path": "*/contacts", "nth": 1, "status": 400, "body_json": {"code": "bad.request", "message": "No.", "status": 400}}]');
CALL sim.try($$UPDATE gc.leads SET postcode = '10119' WHERE n < 20$$);
CALL sim.faults('[]');

--
-- 'reject': they are in rejected_rows, whole, and the others are changed
--
-- (Who aborts takes ids when he comes to it, so hints differ.)
\set VERBOSITY terse
ALTER FOREIGN TABLE gc.leads OPTIONS (ADD on_error 'reject');
UPDATE gc.leads SET n = n + 5000, postcode = CASE WHEN n IN (2, 4) THEN 'nowhere' ELSE '10121' END, callable = n <> 4 WHERE n <= 5;
SELECT * FROM sim.rejects \gx
SELECT id, data->>'note' AS note, data->>'zip' AS zip FROM sim.contacts('leads') WHERE length(id) = 3 AND id <= 'L-5' ORDER BY id;
TABLE sim.last;
-- What was wrong is put right, and the changes are made again.
UPDATE gc.leads l SET n = r.n, postcode = '10123' FROM gc_fdw.rejected_rows j, jsonb_populate_record(NULL::gc.leads, j.row_data) r
WHERE l.crm_id = r.crm_id;
SELECT id, data->>'note' AS note, data->>'zip' AS zip FROM sim.contacts('leads') WHERE id IN ('L-2', 'L-4');
UPDATE gc.leads SET n = n - 5000 WHERE n > 5000;
DELETE FROM gc_fdw.rejected_rows;

-- Row counts are of the others; a bad one takes a dozen requests, as in an INSERT (sql/bisect.sql).
CREATE PROCEDURE sim.update(bad text, changes text DEFAULT $$postcode = CASE WHEN %s THEN 'nowhere' ELSE '10115' END$$, cond text DEFAULT 'true') LANGUAGE plpgsql AS $$
DECLARE
  n bigint;
  w record;
BEGIN
  CALL sim.forget();
  EXECUTE 'UPDATE gc.leads SET ' || format(changes, bad) || ' WHERE ' || cond;
  GET DIAGNOSTICS n = ROW_COUNT;
  SELECT count(*) AS writes, count(*) FILTER (WHERE status = 400) AS refused, sum(rows) FILTER (WHERE status = 200) AS accepted INTO w FROM sim.writes;
  RAISE INFO '% rows, % writes, % refused, % accepted', n, w.writes, w.refused, w.accepted;
END $$;
CALL sim.update('false');
CALL sim.update('n = 1');
CALL sim.update('n = 500');
CALL sim.update('n = 1000');
CALL sim.update('n IN (500, 501)');
CALL sim.update('n % 10 = 7');
CALL sim.update('true');
SELECT code, count(*), count(DISTINCT key), count(*) FILTER (WHERE reason LIKE '%Not sent by itself%') AS untried FROM gc_fdw.rejected_rows GROUP BY code;
DELETE FROM gc_fdw.rejected_rows;
-- One by itself.
CALL sim.update('true', cond => $$crm_id = 'L-1'$$);
-- What is read again first.
ALTER FOREIGN TABLE gc.leads OPTIONS (ADD update_freshness '0');
CALL sim.update('n = 3', cond => 'n < 120');
CALL sim.update('true', cond => $$crm_id = 'L-1'$$);
SELECT key, row_data, code, field FROM sim.rejects;
DELETE FROM gc_fdw.rejected_rows;
ALTER FOREIGN TABLE gc.leads OPTIONS (DROP update_freshness);

--
-- What our own checks refuse
--
ALTER FOREIGN TABLE gc.leads OPTIONS (SET verification 'strict'), ALTER n SET NOT NULL, ADD phone text;
CALL sim.update('n % 3 = 0', $$n = CASE WHEN %s THEN NULL ELSE n END, phone = CASE WHEN n = 4 THEN repeat('4', 513) END$$, 'n < 8');
SELECT key, left(row_data::text, 90) AS row_data, code, reason, field FROM sim.rejects;
DELETE FROM gc_fdw.rejected_rows;
ALTER FOREIGN TABLE gc.leads OPTIONS (SET verification 'relaxed');
-- Too large for one request, once it is merged.
CREATE FOREIGN TABLE gc.wide (crm_id text, statuses jsonb OPTIONS (attribute 'contactable_status'))
  SERVER genesys OPTIONS (object 'contacts', list_id 'leads', key 'crm_id', on_error 'reject');
UPDATE gc.wide SET statuses = (SELECT jsonb_object_agg(format('%s-%s', repeat('medium', 20), i), '{"contactable": false}'::jsonb)
                               FROM generate_series(1, CASE crm_id WHEN 'L-8' THEN 4000 ELSE 2 END) i)
WHERE crm_id IN ('L-8', 'L-9');
UPDATE gc.wide SET statuses = (SELECT jsonb_object_agg(format('%s-%s', repeat('medium', 20), i), '{"contactable": false}'::jsonb)
                               FROM generate_series(1, 4000) i) WHERE crm_id = 'L-8' RETURNING crm_id;
DO $$ DECLARE n bigint; id text; BEGIN
  EXECUTE $u$UPDATE gc.wide SET statuses = (SELECT jsonb_object_agg(format('%s-%s', repeat('medium', 20), i), '{"contactable": false}'::jsonb)
                                            FROM generate_series(1, CASE crm_id WHEN 'L-8' THEN 4000 ELSE 2 END) i)
             WHERE crm_id IN ('L-8', 'L-9') RETURNING crm_id$u$ INTO id;
  GET DIAGNOSTICS n = ROW_COUNT; RAISE INFO '% row, %', n, id;
END $$;
SELECT key, code, octet_length(row_data::text) > 600000 AS whole FROM sim.rejects;
SELECT id, length(contact->>'contactableStatus') > 100 AS set FROM sim.contacts('leads') WHERE id IN ('L-8', 'L-9');
DELETE FROM gc_fdw.rejected_rows;

--
-- Contacts that are deleted between the read and the write (DESIGN 3)
--
-- Read again by id, of several and by itself; made anew by the POST, the same.
ALTER FOREIGN TABLE gc.leads OPTIONS (ADD update_freshness '0');
CALL sim.faults('[{"path": "*/contacts/bulk", "echo_less": 1}]');
CALL sim.update('false', cond => $$crm_id IN ('L-10', 'L-11')$$);
CALL sim.faults('[{"method": "GET", "path": "*/contacts/L-10", "nth": 2, "status": 404, "body_json": {"code": "resource.not.found"}}]');
CALL sim.update('false', cond => $$crm_id = 'L-10'$$);
ALTER FOREIGN TABLE gc.leads OPTIONS (DROP update_freshness);
CALL sim.touch('leads', 'L-12', '{"dateCreated": "2024-02-29T12:00:00.000Z"}');
CALL sim.touch('leads', 'L-10', '{"dateCreated": "2024-02-29T12:00:00.000Z"}');
CALL sim.faults('[{"method": "POST", "path": "*/contacts", "calls_before": [{"path": "/_sim/contacts", "body": {"listId": "leads", "id": "L-12", "deleted": true}}]}]');
CALL sim.update('false', cond => $$crm_id IN ('L-11', 'L-12')$$);
CALL sim.faults('[{"method": "POST", "path": "*/contacts", "calls_before": [{"path": "/_sim/contacts", "body": {"listId": "leads", "id": "L-10", "deleted": true}}]}]');
CALL sim.update('false', cond => $$crm_id = 'L-10'$$);
SELECT key, row_data, code, reason, answered FROM sim.rejects;
TABLE sim.last;
DELETE FROM gc_fdw.rejected_rows;

--
-- Echoes that are odd
--
-- An opt-out that did not take, a contact that did not become callable, one that is left out.
CALL sim.faults('[{"method": "POST", "path": "*/contacts", "echo_patch": {"callable": true}}]');
CALL sim.update('n = 13', 'callable = NOT %s', $$crm_id IN ('L-13', 'L-14')$$);
CALL sim.faults('[{"method": "POST", "path": "*/contacts", "effect": true, "status": 200, "body_json": [{"id": "L-13", "callable": false, "data": {}}]}]');
CALL sim.update('true', 'callable = %s', $$crm_id = 'L-13'$$);
CALL sim.faults('[{"method": "POST", "path": "*/contacts", "echo_less": 1}]');
CALL sim.update('false', cond => $$crm_id IN ('L-13', 'L-14', 'L-15')$$);
SELECT key, code, reason, answered FROM sim.rejects;
TABLE sim.last;
DELETE FROM gc_fdw.rejected_rows;
-- An answer about others, or none at all, is an error: it does not say which row it means.
\set VERBOSITY default
CALL sim.faults('[{"method": "POST", "path": "*/contacts", "echo_patch": {"id": "L-8"}}]');
CALL sim.try($$UPDATE gc.leads SET n = 1 WHERE crm_id IN ('L-13', 'L-14')$$);
CALL sim.faults('[{"method": "POST", "path": "*/contacts", "effect": true, "status": 200, "body_json": {"no": "contact"}}]');
CALL sim.try($$UPDATE gc.leads SET n = 13 WHERE crm_id = 'L-13'$$);
CALL sim.faults('[]');
\set VERBOSITY terse
UPDATE gc.leads SET n = substr(crm_id, 3)::int WHERE crm_id IN ('L-8', 'L-13', 'L-14');
-- A platform that leaves bad rows out, or contacts of the dialler's, instead of refusing the batch.
CALL sim.set('{"bad_rows": "skip"}');
CALL sim.update('n IN (3, 5)', cond => 'n < 8');
INSERT INTO gc.leads (crm_id, n, postcode) VALUES ('N-1', -1, '10115'), ('N-2', -2, 'nowhere'), ('N-3', -3, '10115');
SELECT key, row_data, code FROM sim.rejects;
SELECT id FROM sim.contacts('leads') WHERE id LIKE 'N-%';
CALL sim.set('{"bad_rows": "refuse", "in_use_writes": "skip"}');
DELETE FROM gc_fdw.rejected_rows;
CALL sim.touch('leads', 'L-5', '{"inUse": true}');
CALL sim.update('false', cond => 'n BETWEEN 1 AND 7');
SELECT key, code FROM sim.rejects;
CALL sim.set('{"in_use_writes": "take"}');
CALL sim.update('n = 6', cond => 'n BETWEEN 1 AND 7');
-- One that is refused for the dialler's sake keeps the statement waiting, and fails it in the end: it is no bad row.
CALL sim.set('{"in_use_writes": "409"}');
ALTER SERVER genesys OPTIONS (SET retry_timeout '300ms');
\set VERBOSITY default
CALL sim.try($$UPDATE gc.leads SET postcode = CASE n WHEN 2 THEN 'nowhere' ELSE '10115' END WHERE n BETWEEN 1 AND 7$$);
\set VERBOSITY terse
ALTER SERVER genesys OPTIONS (SET retry_timeout '5s');
CALL sim.touch('leads', 'L-5', '{"inUse": false}');
DELETE FROM gc_fdw.rejected_rows;

--
-- Who looks at the rows; max_rejects; ROLLBACK; several lists
--
EXPLAIN (COSTS OFF) UPDATE gc.others SET postcode = 'nowhere' RETURNING crm_id;
UPDATE gc.others SET postcode = CASE WHEN n % 2 = 0 THEN 'nowhere' ELSE '10117' END WHERE n < 5 RETURNING crm_id, postcode;
DO $$ DECLARE n bigint; id text; BEGIN
  EXECUTE $u$UPDATE gc.others SET postcode = CASE WHEN n = 2 THEN 'nowhere' ELSE '10117' END WHERE n BETWEEN 2 AND 3 RETURNING crm_id$u$ INTO id;
  GET DIAGNOSTICS n = ROW_COUNT; RAISE INFO '% row, %', n, id;
END $$;
WITH u AS (UPDATE gc.others SET postcode = CASE WHEN n = 2 THEN 'nowhere' ELSE '10119' END WHERE n < 5 RETURNING crm_id) SELECT count(*) FROM u;
CREATE FUNCTION sim.tell() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE INFO '% % %', tg_when, tg_op, old.crm_id; RETURN old; END $$;
CREATE TRIGGER t AFTER UPDATE OR DELETE ON gc.others FOR EACH ROW EXECUTE FUNCTION sim.tell();
DO $$ DECLARE done bigint; BEGIN
  UPDATE gc.others SET postcode = CASE WHEN n = 2 THEN 'nowhere' ELSE '10121' END WHERE n < 4;
  GET DIAGNOSTICS done = ROW_COUNT; RAISE INFO '% rows', done;
END $$;
DROP TRIGGER t ON gc.others;
DELETE FROM gc_fdw.rejected_rows;
ALTER FOREIGN TABLE gc.others OPTIONS (ADD max_rejects '3');
\set VERBOSITY default
CALL sim.try($$UPDATE gc.others SET postcode = CASE WHEN n IN (2, 4, 6, 8) THEN 'nowhere' ELSE '10123' END$$);
SELECT key FROM sim.rejects;
SELECT count(*), max(substr(id, 3)::int) FROM sim.contacts('others') WHERE data->>'zip' = '10123';
\set VERBOSITY terse
SET client_min_messages = error;
BEGIN;
UPDATE gc.others SET postcode = CASE WHEN n = 9 THEN 'nowhere' ELSE '10125' END;
ROLLBACK;
RESET client_min_messages;
SELECT key FROM sim.rejects;
DELETE FROM gc_fdw.rejected_rows;
-- A batch whose answer was lost and that is then refused.
CALL sim.faults('[{"method": "POST", "path": "*/contacts", "nth": 1, "drop": "after"}]');
CALL sim.update('n IN (3, 4)', cond => 'n BETWEEN 1 AND 20');
TABLE sim.last;
CALL sim.faults('[{"method": "POST", "path": "*/contacts", "nth": 1, "drop": "after"}, {"method": "POST", "path": "*/contacts", "nth": 4, "status": 403}]');
\set VERBOSITY default
CALL sim.try($$UPDATE gc.leads SET postcode = CASE n WHEN 20 THEN 'nowhere' ELSE '10115' END WHERE n BETWEEN 1 AND 20$$);
\set VERBOSITY terse
CALL sim.faults('[]');
DELETE FROM gc_fdw.rejected_rows;
-- Of a table that would have bulk jobs, rows go one by one.
ALTER FOREIGN TABLE gc.others OPTIONS (ADD direct_modify 'true', ADD exact_filters 'true');
EXPLAIN (COSTS OFF) UPDATE gc.others SET postcode = '10115' WHERE postcode = '10117';
ALTER FOREIGN TABLE gc.others OPTIONS (SET on_error 'stop');
EXPLAIN (COSTS OFF) UPDATE gc.others SET postcode = '10115' WHERE postcode = '10117';
ALTER FOREIGN TABLE gc.others OPTIONS (SET on_error 'reject', DROP direct_modify, DROP exact_filters, DROP max_rejects);

--
-- DELETE: contacts that a campaign uses
--
CREATE PROCEDURE sim.delete(cond text, used int[]) LANGUAGE plpgsql AS $$
DECLARE
  n bigint;
BEGIN
  FOREACH n IN ARRAY used LOOP CALL sim.touch('leads', 'L-' || n, '{"inUse": true}'); END LOOP;
  EXECUTE 'DELETE FROM gc.leads WHERE ' || cond;
  GET DIAGNOSTICS n = ROW_COUNT;
  RAISE INFO '% rows', n;
END $$;
CALL sim.delete('n > 800', '{830,901,1000}');
SELECT * FROM sim.rejects \gx
TABLE sim.last;
SELECT count(*) FILTER (WHERE id ~ '^L-(8[0-9][1-9]|8[1-9]0|9..|1000)$') AS left, string_agg(id, ' ') FILTER (WHERE (contact->>'inUse')::boolean) AS used FROM sim.contacts('leads');
DELETE FROM gc_fdw.rejected_rows;
-- One by itself is read, so that its row is whole; one that is gone by then is no row.
CALL sim.forget();
CALL sim.delete($$crm_id = 'L-830'$$, '{}');
SELECT method, status FROM sim.requests() WHERE path ~ '/contacts/L-830' ORDER BY seq;
SELECT key, row_data, code, reason, answered FROM sim.rejects;
CALL sim.faults('[{"method": "GET", "path": "*/contacts/L-830", "nth": 2, "status": 404, "body_json": {"code": "resource.not.found", "status": 404}}]');
CALL sim.delete($$crm_id = 'L-830'$$, '{}');
TABLE sim.last;
-- A look-up afterwards that fails leaves it in doubt.
CALL sim.faults('[{"method": "GET", "path": "*/contacts/L-830", "nth": 2, "status": 403, "body_json": {"code": "missing.permissions", "status": 403}}]');
\set VERBOSITY default
CALL sim.try($$DELETE FROM gc.leads WHERE crm_id = 'L-830'$$);
CALL sim.faults('[{"method": "DELETE", "nth": 1, "drop": "after"}]');
\set VERBOSITY terse
CALL sim.delete($$crm_id = 'L-830'$$, '{}');
TABLE sim.last;
CALL sim.faults('[]');
DELETE FROM gc_fdw.rejected_rows;
-- RETURNING and AFTER ROW triggers see those that are gone.
EXPLAIN (COSTS OFF) DELETE FROM gc.leads WHERE n > 800 RETURNING crm_id;
INSERT INTO gc.leads (crm_id, n) VALUES ('L-801', 801), ('L-802', 802);
DELETE FROM gc.leads WHERE n > 800 RETURNING crm_id, n;
CREATE TRIGGER t AFTER DELETE ON gc.leads FOR EACH ROW EXECUTE FUNCTION sim.tell();
INSERT INTO gc.leads (crm_id, n) VALUES ('L-801', 801), ('L-802', 802);
CALL sim.delete('n > 800', '{}');
DROP TRIGGER t ON gc.leads;
WITH d AS (DELETE FROM gc.leads WHERE n > 799 RETURNING crm_id) SELECT count(*) FROM d;
DELETE FROM gc_fdw.rejected_rows;
-- One too many; what is left of others is said at the end under 'stop'.
ALTER FOREIGN TABLE gc.leads OPTIONS (ADD max_rejects '2');
\set VERBOSITY default
CALL sim.try($$DELETE FROM gc.leads WHERE n > 795$$);
SELECT key FROM sim.rejects;
SELECT count(*) FROM sim.contacts('leads') WHERE id ~ '^L-79[6-9]$';
ALTER FOREIGN TABLE gc.leads OPTIONS (DROP max_rejects, SET on_error 'stop');
CALL sim.try($$DELETE FROM gc.leads WHERE n > 795$$);
-- A large one is looked over at its end: by a page or an export, and what that has by id.
\set VERBOSITY terse
CALL sim.list('many', '{crm_id,name,phone}');
CREATE FOREIGN TABLE gc.many (crm_id text, name text, phone text) SERVER genesys OPTIONS (object 'contacts', list_name 'many', key 'crm_id', on_error 'reject');
INSERT INTO gc.many SELECT 'M-' || g, CASE WHEN g % 100 = 0 THEN 'kept' ELSE 'x' END, '+1' FROM generate_series(1, 3030) g;
ALTER FOREIGN TABLE gc.many OPTIONS (ADD scan_method 'search');
CALL sim.touch('many', 'M-7', '{"inUse": true}');
CALL sim.touch('many', 'M-2999', '{"inUse": true}');
SET client_min_messages = warning;
SELECT sim.analyzed($$DELETE FROM gc.many WHERE name = 'x'$$) LIMIT 7;
RESET client_min_messages;
SELECT key, row_data, code, answered FROM sim.rejects WHERE list_id = 'many';
TABLE sim.last;
INSERT INTO gc.many SELECT 'N-' || g, 'kept', '+1' FROM generate_series(1, 200) g;
INSERT INTO gc.many SELECT 'M-' || g, 'x', '+1' FROM generate_series(1, 3030) g WHERE g % 100 <> 0 AND g NOT IN (7, 2999);
DO $$ DECLARE n bigint; BEGIN DELETE FROM gc.many WHERE name = 'x'; GET DIAGNOSTICS n = ROW_COUNT; RAISE INFO '% rows', n; END $$;
TABLE sim.last;
ALTER FOREIGN TABLE gc.many OPTIONS (ADD max_rejects '1');
INSERT INTO gc.many SELECT 'M-' || g, 'x', '+1' FROM generate_series(1, 3030) g WHERE g % 100 <> 0 AND g NOT IN (7, 2999);
\set VERBOSITY default
CALL sim.try($$DELETE FROM gc.many WHERE name = 'x'$$);
SELECT count(*), string_agg(id, ' ') FILTER (WHERE data->>'name' = 'x') AS held FROM sim.contacts('many');
