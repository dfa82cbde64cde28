-- bench/leads.sql: leads that look real, for the demo and the benchmarks.
--
-- dw.make_leads(first, last) gives the same row for the same number, on every
-- machine: everything comes from hashes of the number.  Names in ten scripts,
-- E.164 numbers of thirty countries, and what breaks naive loaders: quotes,
-- commas, line breaks, tabs, backslashes, emoji of several code points, empty
-- strings and NULLs.

CREATE SCHEMA dw;

-- Twenty bits of a hash, from the given bit on, as an index from 1 to size.
CREATE FUNCTION dw.pick(hash bigint, from_bit int, size int) RETURNS int
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN 1 + (((hash >> from_bit) & 1048575) % size)::int;

-- A number of a country and an area: prefix and length come from one hash, the
-- other digits from another.
CREATE FUNCTION dw.make_phone(place bigint, digits bigint) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN left((ARRAY[
    '+1212', '+1416', '+442079', '+4930', '+331', '+3491', '+3906', '+31206', '+4822', '+42022',
    '+30210', '+380442', '+7495', '+9721', '+20212', '+966112', '+9714', '+905321', '+912228', '+66281',
    '+8610', '+813', '+8225', '+842', '+6129', '+5511', '+525', '+2711', '+4721', '+35315'])[dw.pick(place, 0, 30)]
  || lpad((digits & 8796093022207)::text, 13, '7'),
  (ARRAY[
    12, 12, 13, 12, 12, 12, 12, 12, 12, 13,
    13, 13, 12, 12, 13, 13, 12, 13, 13, 12,
    13, 12, 12, 12, 12, 13, 13, 12, 11, 13])[dw.pick(place, 0, 30)]);

CREATE FUNCTION dw.make_leads(first bigint, last bigint)
RETURNS TABLE (id text, first_name text, last_name text, phone text, alt_phone text, email text,
               segment text, state text, balance numeric, last_order timestamptz, note text,
               opted_out boolean)
LANGUAGE sql STABLE PARALLEL SAFE ROWS 1000000
AS $leads$
  SELECT
    'LEAD-' || n,
    (ARRAY[
      'Mary', 'James', 'José', 'Zoë', 'Seán', 'Łukasz', 'Øyvind', 'Jürgen', 'Chloé', 'Ángel',
      'Siobhán', 'Þór', 'Ελένη', 'Γιώργος', 'Νίκος', 'Екатерина', 'Дмитрий', 'Олена', 'محمد', 'فاطمة',
      'ليلى', 'שרה', 'דוד', 'נועה', '伟', '秀英', '大輔', 'さくら', '민준', '서연',
      'สมชาย', 'อรุณี', 'आरव', 'प्रिया', 'Mary "Mae"', 'Anne-Marie', 'D''Arcy', 'Nguyễn', 'Ayşe', ''])[dw.pick(h, 0, 40)],
    (ARRAY[
      'Smith', 'Johnson', 'O''Brien', 'García Márquez', 'Müller', 'Dvořák', 'Sørensen', 'Björnsdóttir',
      'Nowak', 'Kovačević', 'Παπαδόπουλος', 'Οικονόμου', 'Иванова', 'Шевченко', 'Кузнецов', 'الهاشمي',
      'بن علي', 'כהן', 'לוי', '王', '李', '佐藤', '鈴木', '김',
      '박', 'จันทร์', 'สุขใจ', 'शर्मा', 'पटेल', 'van der Berg, Jr.', 'de la "Cruz"', 'Smith\Jones',
      'Đặng', 'Yılmaz', 'Ferreira da Silva', NULL])[dw.pick(h, 20, 36)],
    dw.make_phone(h2, h3),
    CASE dw.pick(h, 40, 8) WHEN 1 THEN dw.make_phone(h3, h2) WHEN 2 THEN dw.make_phone(h2 >> 20, h3 >> 7) WHEN 3 THEN '' END,
    CASE dw.pick(h2, 20, 10) WHEN 1 THEN NULL WHEN 2 THEN ''
      ELSE 'lead.' || n || (ARRAY['@example.com', '@example.org', '@mail.example.net', '+dialler@example.co.uk'])[dw.pick(h2, 40, 4)] END,
    (ARRAY['VIP', 'Gold', 'Silver', 'Silver', 'Bronze', 'Bronze', 'Win-back', NULL])[dw.pick(h3, 20, 8)],
    (ARRAY['NY', 'CA', 'TX', 'FL', 'IL', 'WA', 'Bayern', 'Île-de-France', 'Αττική', '東京都', '서울', ''])[dw.pick(h3, 0, 12)],
    CASE WHEN dw.pick(h4, 0, 20) > 1 THEN ((h4 & 16777215) - 2000000) * 0.01 END,
    CASE WHEN dw.pick(h4, 20, 12) > 1 THEN to_timestamp(1546300800 + ((h4 >> 24) & 134217727)) END,
    (ARRAY[
      NULL, NULL, NULL, NULL, NULL, NULL, '', '',
      'Asked for "the blue one", size 42; call after 17:00',
      E'First line\nsecond line\r\nthird line',
      E'Tab\there, and a backslash \\ there, C:\\temp\\new',
      'Family plan 👩‍👩‍👧‍👦, birthday 🎉, from 🇺🇦 to 🇯🇵, 👍🏽',
      'Prefers e-mail, "quoted", ''single'', `backtick`',
      '<b>bold &amp; brave</b> {"json": [1, null, "x"]}',
      'NULL', '\N',
      E'Decomposed e\u0301, ligature ﬁ, mathematical 𝒳, soft\u00ADhyphen, zero\u200Bwidth',
      'شحنة رقم ١٢٣ (RTL) then LTR 123',
      '電話は午後にお願いします。',
      '=HYPERLINK("http://example.com","x"); DROP TABLE leads; --'])[dw.pick(h4, 40, 20)],
    dw.pick(h2, 30, 100) = 1
  FROM generate_series(first, last) AS n,
       LATERAL (SELECT hashint8extended(n, 1) AS h, hashint8extended(n, 2) AS h2,
                       hashint8extended(n, 3) AS h3, hashint8extended(n, 4) AS h4) AS hashes
$leads$;

-- The first eight bytes of the MD5 of a contact: its id and its cells, joined by
-- the unit separator.  A cell without a value and an empty one are the same.
CREATE FUNCTION dw.contact_hash(VARIADIC cells text[]) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN ('x' || left(md5(array_to_string(cells, E'\x1f', '')), 16))::bit(64)::bigint;

-- Sums of such hashes are compared: modulo 2^64, as 16 hexadecimal digits.
CREATE FUNCTION dw.checksum_text(total numeric) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (SELECT lpad(to_hex(div(m, 4294967296)::bigint), 8, '0') || lpad(to_hex(mod(m, 4294967296)::bigint), 8, '0')
        FROM (SELECT mod(mod(total, 18446744073709551616) + 18446744073709551616, 18446744073709551616) AS m) AS s);

-- Timestamps as they are kept at the other side.
CREATE FUNCTION dw.utc(at timestamptz) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
RETURN to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"');
