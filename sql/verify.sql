\set ECHO none
\getenv srcdir PG_ABS_SRCDIR
\set setup :srcdir '/sql/include/setup.sql'
\i :setup
--
-- verification: what is checked of a row before it is sent (J5, B6, F3)
--
CALL sim.list('leads', '{crm_id,first_name,phone,email,zip,code}', '{phone}',
  '{"emailColumns": [{"columnName": "email", "type": "personal"}], "automaticTimeZoneMapping": true, "zipCodeColumnName": "zip",
    "columnDataTypeSpecifications": [{"columnName": "code", "columnDataType": "TEXT", "maxLength": 4}]}');
CREATE FOREIGN TABLE gc.leads (
  crm_id text,
  first_name text NOT NULL DEFAULT 'x',
  phone text OPTIONS (format 'e164'),
  email text OPTIONS (format 'email'),
  zip text,
  code text
) SERVER genesys OPTIONS (object 'contacts', list_name 'leads', key 'crm_id');
INSERT INTO gc.leads (crm_id) VALUES ('warm');
CALL sim.forget();

-- J5: E.164. The error names list, contact and column, and never the value.
INSERT INTO gc.leads (crm_id, phone) VALUES ('P-1', '+14155550101'), ('P-2', '(415) 555-0102');
\echo :SQLSTATE
-- Nothing was sent, nor was a batch that stood behind.
SELECT * FROM sim.traffic();
-- The value is for superusers to see.
SET gc_fdw.show_values = on;
INSERT INTO gc.leads (crm_id, phone) VALUES ('P-2', '(415) 555-0102');
INSERT INTO gc.leads (crm_id, phone) VALUES ('P-2', repeat('+1415', 120));
RESET gc_fdw.show_values;
-- What is one, and what is none: 2 to 15 digits behind a plus sign, the first no zero.
CREATE FUNCTION sim.takes(wanted text, value text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('INSERT INTO gc.leads (crm_id, %I) VALUES (''taken'', $1)', wanted) USING value;
  RETURN true;
EXCEPTION WHEN invalid_parameter_value THEN
  RETURN false;
END $$;
SELECT v, sim.takes('phone', v)
FROM unnest('{+12,+1,+,+14155550101,+123456789012345,+1234567890123456,+0123456,14155550101,++1415555,+1415 555,+1415555x,tel:+1415555," +14155550101",+١٢٣٤٥٦٧}'::text[]) v;
-- An empty cell has every format: NULL and '' clear.
INSERT INTO gc.leads (crm_id, phone, email, zip) VALUES ('E-1', NULL, NULL, NULL), ('E-2', '', '', '');

-- J5: an email address that is plausible: one, without a name, of a domain with a dot.
SELECT v, sim.takes('email', v)
FROM unnest('{ana@example.com,o''brien+lists@mail.example.co.uk,ana..b.@example.jp,üna@exämple.de,a@b.c,ana@localhost,ana@.com,ana@example.,ana@exa..mple.com,ana@-example.com,ana@example-.com,ana@ex_ample.com,@example.com,ana,ana@b@c.com,"ana@example.com ",Ana <ana@example.com>,"ana@x.com,bob@x.com",ana@x.com;bob@x.com,a b@example.com,mailto:ana@example.com}'::text[]) v;
SELECT sim.takes('email', repeat('l', 64) || '@' || repeat('d', 63) || '.com') AS fits,
       sim.takes('email', repeat('l', 65) || '@example.com') AS local,
       sim.takes('email', 'l@' || repeat('d', 64) || '.com') AS label,
       sim.takes('email', 'l@' || repeat('d23456789.', 25) || 'com') AS "255 bytes";
INSERT INTO gc.leads (crm_id, email) VALUES ('M-1', 'ana@localhost');

-- The platform refuses a postal code of other than 5 or 9 digits, and a whole batch for it.
SELECT v, sim.takes('zip', v) FROM unnest('{94103,941031234,94103-1234,9410,941031,94103-,9410-31234,SW1A 1AA}'::text[]) v;
INSERT INTO gc.leads (crm_id, zip) VALUES ('Z-1', '9410');

-- B6: an empty cell is none, so a column that is NOT NULL is given neither NULL nor ''.
INSERT INTO gc.leads (crm_id, first_name) VALUES ('N-1', 'Ana'), ('N-2', NULL);
\echo :SQLSTATE
INSERT INTO gc.leads (crm_id, first_name) VALUES ('N-3', '');
\echo :SQLSTATE
INSERT INTO gc.leads (crm_id, first_name) VALUES ('N-4', ' ');
COPY gc.leads (crm_id, first_name) FROM stdin (FORMAT csv, FORCE_NOT_NULL (first_name));
N-5,""
\.
-- F3: a cell is as long as the list says, by characters; 512 where it says nothing.
INSERT INTO gc.leads (crm_id, code) VALUES ('C-1', 'äöü€');
INSERT INTO gc.leads (crm_id, code) VALUES ('C-2', 'äöü€x');
\echo :SQLSTATE
INSERT INTO gc.leads (crm_id, first_name) VALUES ('C-3', repeat('x', 513));
-- Never changed: what was taken is there as it was given.
SELECT id, data FROM sim.contacts('leads') WHERE id ~ '^[A-Z]-' ORDER BY id;

-- A bad row in the middle: what is on the wire is awaited, the rest is not sent.
ALTER SERVER genesys OPTIONS (ADD batch_size '2', ADD max_in_flight '1');
INSERT INTO gc.leads (crm_id, phone) VALUES ('W-1', '+4930123451'), ('W-2', '+4930123452'), ('W-3', '+4930123453'), ('W-4', '030'), ('W-5', '030');
SELECT id FROM sim.contacts('leads') WHERE id LIKE 'W-%';
ALTER SERVER genesys OPTIONS (DROP batch_size, DROP max_in_flight);

-- A key is checked like any column.
CREATE FOREIGN TABLE gc.by_mail (email text OPTIONS (format 'email'), code text, crm_id text)
  SERVER genesys OPTIONS (object 'contacts', list_name 'leads', key 'email');
INSERT INTO gc.by_mail VALUES ('ana@example.com', 'k');
INSERT INTO gc.by_mail VALUES ('ana', 'k');

--
-- verification 'relaxed': formats, NOT NULL, postal codes and the list's own lengths are left to the platform
--
ALTER SERVER genesys OPTIONS (ADD verification 'relaxed');
CALL sim.set('{"record_bodies": true}');
CALL sim.forget();
INSERT INTO gc.leads (crm_id, phone, email, code) VALUES ('R-1', '(415) 555-0102', 'ana', 'longer');
-- A NOT NULL column that is named and NULL is sent empty; one that is not named is not sent.
INSERT INTO gc.leads (crm_id, first_name) VALUES ('R-2', NULL);
ALTER FOREIGN TABLE gc.leads ALTER first_name DROP DEFAULT;
INSERT INTO gc.leads (crm_id, phone) VALUES ('R-3', '1');
SELECT c->'id' AS id, c->'data' AS data FROM sim.requests(), jsonb_array_elements(body::jsonb) c WHERE path LIKE '%/contacts';
CALL sim.set('{"record_bodies": false}');
-- Postal codes: the platform says so, of the contact; the one before it is there.
CALL sim.try($$ INSERT INTO gc.leads (crm_id, zip) VALUES ('R-4', '94103'), ('R-5', '9410') $$);
SELECT id FROM sim.contacts('leads') WHERE id IN ('R-4', 'R-5');
-- Never left to it: what it might cut, and what makes a contact's identity.
INSERT INTO gc.leads (crm_id, first_name) VALUES ('R-6', repeat('x', 513));
INSERT INTO gc.leads (crm_id) VALUES ('has space');
INSERT INTO gc.leads (crm_id) VALUES (NULL);
-- The table's option goes before the server's.
ALTER FOREIGN TABLE gc.leads OPTIONS (ADD verification 'strict');
INSERT INTO gc.leads (crm_id, first_name, phone) VALUES ('R-7', 'x', '1');
ALTER FOREIGN TABLE gc.leads OPTIONS (DROP verification);
ALTER SERVER genesys OPTIONS (DROP verification);

-- The options, checked where they are set.
ALTER FOREIGN TABLE gc.leads OPTIONS (ADD verification 'lax');
ALTER FOREIGN TABLE gc.leads ALTER phone OPTIONS (SET format 'E164');
ALTER FOREIGN TABLE gc.leads ALTER phone OPTIONS (ADD attribute 'id');
ALTER SERVER genesys OPTIONS (SET list_freshness 'soon');
ALTER FOREIGN TABLE gc.leads OPTIONS (ADD format 'e164');
CREATE FOREIGN TABLE gc.lists (name text OPTIONS (format 'email')) SERVER genesys OPTIONS (object 'contact_lists');
SELECT * FROM gc.lists;

-- Under a 51st column nothing is sent: neither list nor contact holds more than 50.
DO $$
DECLARE
  columns text[] := ARRAY(SELECT 'c' || n FROM generate_series(1, 50) n);
BEGIN
  CALL sim.list('wide', columns);
  EXECUTE 'CREATE FOREIGN TABLE gc.wide (' || (SELECT string_agg(format('c%s text', n), ', ') FROM generate_series(1, 51) n)
    || ') SERVER genesys OPTIONS (object ''contacts'', list_name ''wide'', key ''c1'')';
END $$;
INSERT INTO gc.wide (c1) VALUES ('x');
\echo :SQLSTATE
ALTER FOREIGN TABLE gc.wide DROP c51;
INSERT INTO gc.wide (c1) VALUES ('x');
