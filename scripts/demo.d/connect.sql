-- From nothing to a typed table: extension, server, login, import.
-- Variables: url (the simulator's).
CREATE EXTENSION gc_fdw;
CREATE SERVER genesys FOREIGN DATA WRAPPER gc_fdw
  OPTIONS (api_url :'url', login_url :'url', requests_per_second '0', jitter '0');
CREATE USER MAPPING FOR CURRENT_USER SERVER genesys OPTIONS (client_id 'id', client_secret 'secret');
CREATE SCHEMA gc;
IMPORT FOREIGN SCHEMA outbound FROM SERVER genesys INTO gc OPTIONS (key 'CRM_Lead_ID');

SELECT attname AS column, format_type(atttypid, atttypmod) AS type, attfdwoptions AS options
FROM pg_attribute WHERE attrelid = 'gc.leads'::regclass AND attnum > 0 ORDER BY attnum;
SELECT name, size, cardinality(column_names) AS columns FROM gc.contact_lists;
