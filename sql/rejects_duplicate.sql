\set ECHO none
\getenv srcdir PG_ABS_SRCDIR
\set setup :srcdir '/sql/include/setup.sql'
\i :setup
--
-- on_duplicate 'error' with on_error 'reject': contacts that are there already are rejected, the others go on (DESIGN 3, K8)
--
CALL sim.list('leads', '{crm_id,note,phone}');
CALL sim.list('others', '{crm_id,note,phone}');
CREATE FOREIGN TABLE gc.leads (crm_id text, note text, callable boolean OPTIONS (attribute 'callable'), created timestamptz OPTIONS (attribute 'date_created'))
  SERVER genesys OPTIONS (object 'contacts', list_id 'leads', key 'crm_id', on_duplicate 'error', on_error 'reject');
CREATE FOREIGN TABLE gc.others (crm_id text, note text)
  SERVER genesys OPTIONS (object 'contacts', list_id 'others', key 'crm_id', on_duplicate 'error', on_error 'reject');
CREATE VIEW sim.rejects AS
  SELECT list_id, key, row_data, code, reason, field, correlation_id IS NULL AS unsent FROM gc_fdw.rejected_rows ORDER BY id;
CREATE VIEW sim.last AS
  SELECT operation, status, total, accepted, in_doubt, rejected FROM gc_fdw.audit_log ORDER BY id DESC LIMIT 1;
INSERT INTO gc.leads VALUES ('D-1', 'old'), ('D-2', 'old');

-- What is there stays as it is; of an id that comes twice the first row stands.
DO $$ DECLARE n bigint; BEGIN
  INSERT INTO gc.leads VALUES ('D-2', 'new', false), ('D-3', 'first', NULL), ('D-4', 'new', NULL), ('D-3', 'second', NULL), ('not good', 'new', NULL), ('D-3', 'third', NULL), ('D-1', 'new', NULL);
  GET DIAGNOSTICS n = ROW_COUNT; RAISE INFO '% rows', n;
END $$;
SELECT * FROM sim.rejects \gx
SELECT id, data->>'note' AS note, contact->'callable' AS callable FROM sim.contacts('leads') ORDER BY id;
TABLE sim.last;
-- The rows go in again by another way.
ALTER FOREIGN TABLE gc.leads OPTIONS (SET on_duplicate 'update');
INSERT INTO gc.leads SELECT (jsonb_populate_record(NULL::gc.leads, row_data)).* FROM gc_fdw.rejected_rows WHERE key = 'D-2';
ALTER FOREIGN TABLE gc.leads OPTIONS (SET on_duplicate 'error');
SELECT id, data->>'note' AS note, contact->'callable' AS callable FROM sim.contacts('leads') WHERE id = 'D-2';
DELETE FROM gc_fdw.rejected_rows;
-- COPY, whose own count cannot be corrected.
COPY gc.leads (crm_id, note) FROM stdin;
C-1	new
D-1	new
\.
-- ON CONFLICT DO NOTHING passes over them.
INSERT INTO gc.leads VALUES ('D-1', 'new') ON CONFLICT DO NOTHING;
-- One by one: RETURNING, AFTER triggers.
\set VERBOSITY terse
INSERT INTO gc.leads VALUES ('E-1', 'new'), ('D-1', 'new'), ('E-1', 'again') RETURNING crm_id, note;
CREATE FUNCTION sim.tell() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE INFO '% %', tg_when, new.crm_id; RETURN new; END $$;
CREATE TRIGGER t AFTER INSERT ON gc.leads FOR EACH ROW EXECUTE FUNCTION sim.tell();
INSERT INTO gc.leads VALUES ('E-2', 'new'), ('D-1', 'new');
DROP TRIGGER t ON gc.leads;
SELECT key, row_data->>'note' AS note, code, reason FROM sim.rejects;
DELETE FROM gc_fdw.rejected_rows;
-- Partitions over two lists.
CREATE TABLE gc.parted (crm_id text, note text) PARTITION BY LIST (note);
ALTER FOREIGN TABLE gc.leads DROP COLUMN callable, DROP COLUMN created;
ALTER TABLE gc.parted ATTACH PARTITION gc.leads FOR VALUES IN ('a');
ALTER TABLE gc.parted ATTACH PARTITION gc.others FOR VALUES IN ('b');
INSERT INTO gc.parted VALUES ('D-1', 'a'), ('D-1', 'b'), ('F-1', 'b'), ('D-1', 'b'), ('F-1', 'a');
SELECT list_id, key, code FROM sim.rejects;
ALTER TABLE gc.parted DETACH PARTITION gc.leads;
ALTER TABLE gc.parted DETACH PARTITION gc.others;
DELETE FROM gc_fdw.rejected_rows;
-- A contact that somebody else inserts between the look and the POST: its echo shows it (it has been updated by then).
CALL sim.faults('[{"path": "*/contacts", "echo_patch": {"dateCreated": "2020-01-01T00:00:00.000Z"}}]');
INSERT INTO gc.leads VALUES ('G-1', 'new');
INSERT INTO gc.leads VALUES ('G-2', 'new') RETURNING crm_id;
CALL sim.faults('[]');
SELECT key, code, reason, unsent FROM sim.rejects;
TABLE sim.last;
DELETE FROM gc_fdw.rejected_rows;
-- K1: an id that may be in one list of the organisation alone; what is refused says nothing of the others.
CALL sim.set('{"external_id_unique": "on"}');
ALTER FOREIGN TABLE gc.others OPTIONS (SET on_duplicate 'update');
INSERT INTO gc.others SELECT CASE WHEN g < 4 THEN 'D-' || g WHEN g = 19 THEN 'C-1' WHEN g = 20 THEN 'D-4' ELSE 'K-' || g END, 'new' FROM generate_series(1, 20) g;
SELECT key, code, reason, unsent FROM sim.rejects;
SELECT count(*) FROM sim.contacts('others') WHERE id LIKE 'K-%';
UPDATE gc.others SET note = 'newer' WHERE crm_id LIKE 'K-_';
DELETE FROM gc_fdw.rejected_rows;
CALL sim.set('{"external_id_unique": "off"}');
-- One too many: nothing has been sent.
\set VERBOSITY default
ALTER FOREIGN TABLE gc.leads OPTIONS (ADD max_rejects '1');
CALL sim.forget();
CALL sim.try($$INSERT INTO gc.leads VALUES ('D-1', 'new'), ('H-1', 'new'), ('D-2', 'new')$$);
SELECT count(*) FROM sim.requests() WHERE method = 'POST' AND path LIKE '%/contacts';
SELECT key FROM sim.rejects;
-- A row that an UPDATE moves here is not lost.
ALTER FOREIGN TABLE gc.leads OPTIONS (SET on_duplicate 'ignore');
ALTER TABLE gc.parted ATTACH PARTITION gc.leads FOR VALUES IN ('a');
CREATE TABLE gc.rest PARTITION OF gc.parted DEFAULT;
INSERT INTO gc.parted VALUES ('D-1', 'c');
\set VERBOSITY terse
UPDATE gc.parted SET note = 'a' WHERE note = 'c';
SELECT key, row_data, code FROM sim.rejects;
-- Under 'stop' the platform's own words name the contact.
CALL sim.set('{"external_id_unique": "on"}');
ALTER FOREIGN TABLE gc.others OPTIONS (SET on_error 'stop');
\set VERBOSITY default
CALL sim.try($$INSERT INTO gc.others VALUES ('K-1', 'new'), ('D-1', 'new')$$);
