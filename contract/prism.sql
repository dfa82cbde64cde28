-- contract/prism.sql: what the extension sends, by way of the proxy.
-- Variables: proxy, login (base URLs).

\set QUIET on
CREATE EXTENSION gc_fdw;
CREATE SERVER genesys FOREIGN DATA WRAPPER gc_fdw
  OPTIONS (api_url :'proxy', login_url :'login', requests_per_second '0', jitter '0');
CREATE USER MAPPING FOR CURRENT_USER SERVER genesys OPTIONS (client_id 'id', client_secret 'secret');
CREATE SCHEMA gc;
IMPORT FOREIGN SCHEMA outbound FROM SERVER genesys INTO gc OPTIONS (key 'CRM_Lead_ID', attributes 'all');
SELECT name, column_names FROM gc.contact_lists;

-- Awkward rows, made by the generator of the demo and by hand.
\i :source/bench/leads.sql
INSERT INTO gc.leads (crm_lead_id, first_name, last_name, phone, alt_phone, email, segment, state, balance, last_order, note, callable)
SELECT id, first_name, last_name, phone, alt_phone, email, segment, state, balance, last_order, note, NOT opted_out
FROM dw.make_leads(1, 2500);

INSERT INTO gc.leads (crm_lead_id, note, balance, last_order) VALUES
  ('AWK-1', E'quote " backslash \\ newline \n return \r tab \t bell \x07', 0.10, '2024-02-29 12:00+02'),
  ('AWK-2', '', -1e10, '1999-12-31 23:59:59.123456+00'),
  ('AWK-3', repeat('é', 512), NULL, NULL)
RETURNING crm_lead_id;

COPY gc.leads (crm_lead_id, first_name, note, callable) FROM STDIN;
COPY-1	Zoë	two\nlines	t
COPY-2	\N	👩‍👩‍👧‍👦	f
COPY-3	 	\\N	\N
\.

SELECT count(*) = 2506 AND count(l) = 2506 AS "all there" FROM gc.leads l;
SELECT callable, count(*) FROM gc.leads WHERE segment = 'VIP' GROUP BY 1 ORDER BY 1;
SELECT crm_lead_id, note FROM gc.leads WHERE crm_lead_id IN ('AWK-1', 'COPY-2') ORDER BY 1;
SELECT * FROM gc.leads WHERE state LIKE 'N%' AND balance > 100000 ORDER BY last_order LIMIT 3;
SELECT 1 / (count(*) = 2506)::int FROM gc.leads;

-- Counts, orders and limits that the platform is asked for.
CREATE FOREIGN TABLE gc.balances (name text OPTIONS (field 'FirstName'), balance numeric OPTIONS (field 'Balance') NOT NULL)
  SERVER genesys OPTIONS (object 'contacts', list_name 'Leads', exact_filters 'true');
SELECT (SELECT count(*) FROM gc.balances WHERE balance >= 0 AND balance < 1000) AS small,
       (SELECT count(*) FROM gc.balances WHERE balance > 10 OR name ^@ 'Z' OR balance <= -1) AS others;
SELECT balance FROM gc.balances WHERE balance > 0 ORDER BY balance DESC LIMIT 3;

-- What is there changes: one by itself, many, read again first, with every attribute; and goes.
UPDATE gc.leads SET callable = false, note = 'quarantined' WHERE crm_lead_id = 'COPY-1';
UPDATE gc.leads SET balance = balance + 0.01, callable = true WHERE segment = 'VIP';
ALTER FOREIGN TABLE gc.leads OPTIONS (ADD update_freshness '0');
UPDATE gc.leads SET note = NULL WHERE state = 'NY';
CREATE FOREIGN TABLE gc.statuses (crm_lead_id text OPTIONS (field 'CRM_Lead_ID'), phones jsonb OPTIONS (attribute 'phone_number_status'),
  media jsonb OPTIONS (attribute 'contactable_status')) SERVER genesys OPTIONS (object 'contacts', list_name 'Leads', key 'crm_lead_id');
UPDATE gc.statuses SET phones = '{"Phone": {"callable": false}}', media = '{"Email": {"contactable": false}}'
  WHERE crm_lead_id IN ('COPY-1', 'COPY-2');
-- Bulk jobs: by criteria, by ids, a removal.
ALTER FOREIGN TABLE gc.balances OPTIONS (ADD direct_modify 'true');
ALTER FOREIGN TABLE gc.balances ADD COLUMN id text OPTIONS (attribute 'id'), ADD COLUMN callable boolean OPTIONS (attribute 'callable');
UPDATE gc.balances SET name = 'Zoe', balance = 5 WHERE balance > 0 AND balance < 100;
UPDATE gc.balances SET callable = false, balance = 6 WHERE id IN ('COPY-1', 'COPY-2');
DELETE FROM gc.balances WHERE name = 'Zoe' AND balance = 5;
DELETE FROM gc.leads WHERE crm_lead_id = 'COPY-1';
DELETE FROM gc.leads WHERE crm_lead_id LIKE 'AWK-%' OR state = 'NY';

-- The other objects.
SELECT name, contact_list_id, dnc_list_ids, progress_percent FROM gc.campaigns;
SELECT name, size FROM gc.dnc_lists;
SELECT category, code, list_id, contact_id FROM gc.events;
SELECT list_name, kind, state, failure_reason FROM gc.import_jobs ORDER BY kind;
SELECT 1 / (count(*) = 5)::int FROM (
  SELECT FROM gc.campaigns WHERE name = 'Spring' AND progress_percent = 40
  UNION ALL SELECT FROM gc.dnc_lists WHERE name = 'Robinson' AND size = 1
  UNION ALL SELECT FROM gc.events WHERE contact_id = 'AWK-1'
  UNION ALL SELECT FROM (SELECT DISTINCT kind FROM gc.import_jobs WHERE list_name = 'Leads' AND kind IN ('import', 'bulk edit')) j) s;

TRUNCATE gc.leads;
SELECT 1 / (count(*) = 0)::int FROM gc.leads;
