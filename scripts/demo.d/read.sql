-- Questions an analyst asks.
SELECT callable, count(*) FROM gc.leads WHERE segment = 'VIP' GROUP BY 1 ORDER BY 1;
SELECT phone_last_result, count(*) FROM gc.leads WHERE state = 'NY' GROUP BY 1;
SELECT crm_lead_id, first_name, last_name, phone, balance, last_order FROM gc.leads
WHERE crm_lead_id IN ('LEAD-7', 'LEAD-8', 'LEAD-12') ORDER BY 1;
SELECT note FROM gc.leads WHERE note LIKE 'Family plan%' LIMIT 1;

-- More rows, by COPY, and by INSERT with RETURNING.
COPY gc.leads (crm_lead_id, first_name, phone, note) FROM STDIN;
COPY-1	Zoë	+442079460958	one line\nand another
COPY-2	さくら	+81312345678	\N
\.
INSERT INTO gc.leads (crm_lead_id, first_name, balance) VALUES ('ROW-1', 'Ελένη', 12.50) RETURNING contact_id, first_name, balance;

-- What it costs: before, and after.
EXPLAIN SELECT phone FROM gc.leads WHERE segment = 'Gold' AND state = 'TX' LIMIT 500;
EXPLAIN (ANALYZE, VERBOSE, COSTS OFF) SELECT phone FROM gc.leads WHERE segment = 'Gold' AND state = 'TX' LIMIT 500;
EXPLAIN (ANALYZE, COSTS OFF)
INSERT INTO gc.leads (crm_lead_id, first_name, last_name, phone)
SELECT id, first_name, last_name, phone FROM dw.make_leads(2000000, 2009999);
