-- Mistakes, and what they say.
INSERT INTO gc.leads (crm_lead_id, note) VALUES ('LONG-1', repeat('x', 600));
INSERT INTO gc.leads (crm_lead_id, first_name) VALUES (NULL, 'nobody');
ALTER SERVER genesys OPTIONS (ADD request_per_minute '60');
CREATE FOREIGN TABLE gc.typo (crm_lead_id text) SERVER genesys OPTIONS (object 'contacts', list_name 'Laeds', key 'crm_lead_id');
SELECT * FROM gc.typo LIMIT 1;
DROP FOREIGN TABLE gc.typo;
