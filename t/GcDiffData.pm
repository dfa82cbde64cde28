# A contact list full of oddities, for the differential test: as cells, which are text
# and are loaded as such, and, from the same cells cast by PostgreSQL, as a local table.
package GcDiffData;

use strict;
use utf8;
use warnings;

use Digest::MD5 qw(md5);
use Encode qw(encode_utf8);
use Exporter qw(import);
use JSON::PP ();

our @EXPORT_OK = qw(begin_random roll pick some_of chance quote);

# ---- chance ------------------------------------------------------------------------

# begin_random(SEED, WHAT): from here on the same choices each time.
sub begin_random { srand(unpack 'L', md5(encode_utf8("@_"))); return }

# roll(N): 0 to N - 1.
sub roll { my ($n) = @_; return int(rand $n) }
sub pick { return $_[ roll(scalar @_) ] }
sub chance { my ($percent) = @_; return rand(100) < $percent }

# some_of(N, THING...): so many, each chosen anew.
sub some_of { my ($n, @from) = @_; return map { pick(@from) } 1 .. $n }

# quote(TEXT): as a literal.
sub quote { my ($string) = @_; return 'NULL' unless defined $string; return "'" . $string =~ s/'/''/gr . "'" }

# ---- cells -------------------------------------------------------------------------

my @words = qw(alpha Alpha ALPHA alphabet beta Beta BETA gamma Zoë ZOË zoe straße Straße STRASSE
  É é E e Ünï ünï ÜNÏ ΣΊΣΥΦΟΣ σίσυφος I i İ ı 😀 Ω);
my @odd = (' lead', 'lead ', 'lead', 'Lead', 'LEAD', '  lead  ', '100%', '100_', '1000', '100', 'a\\b', 'a\\%b', 'a%b', 'a_b',
	'aXb', 'AxB', "o'hara", "O'Hara", 'say "x"', '%', '_', '\\', '\\\\', ' ', '   ', 'NULL', 'null', '""', '{}', '{a,b}', '[1]',
	'--', ';', '$1', ':x', '😀', '😀😀', 'x😀y', "e\x{301}", "two\nlines", "tab\there", 'true', '-0', '1.0', '1.00', '01',
	"\x{FEFF}bom", "nbsp\x{A0}", 'ﬁ', 'fi', 'ǆ', 'Ǆ', '<b>&amp;', '/', '..', 'a/b', '*', '?', '日本', '日本語');
my @numbers = ('1', '01', '1.0', '1.00', ' 1', '1 ', '1e0', '10', '9', '100', '-1', '+1', '0x10', '1_000', '٣', '1,5', 'NaN',
	'Infinity', '99999999999999999999', 'abc', 'A1', 'a1', '2', '02', '200');
my @days = ('2026-01-31', '2026-02-01', '2026-02-28', '2025-12-31', '2024-02-29', '1999-12-31', '0999-01-01', '12026-01-01');
my @dates = (@days, @days, '2026/02/01', '20260131', '31 Jan 2026', 'infinity', '-infinity', '0044-03-15 BC',
	'2026-01-31T23:30:00Z');
my @times = ('00:00:00', '09:05:00', '09:05:00.5', '09:05:00.500000', '23:59:59.999999', '09:05', '12:00:00');
my @zones = ('Z', 'Z', 'Z', '+00:00', '+02:00', '-0800', '+05:30', '');
my @instants = ('2026-01-31T09:05:00Z', '2026-01-31T11:05:00+02:00', '2026-01-31 14:50:00+05:45', '2026-01-31T09:05:00',
	'2026-01-31T09:05:00.000Z', '2026-01-31T01:05:00-0800', '2026-02-01T00:00:00Z', '2026-01-31T19:00:00-05:00', 'infinity',
		'-infinity',
	'0044-03-15T00:00:00Z BC');
my @prefixes = map { my $long = $_ x 490; ($long, "${long}A", "${long}a", "${long}ab") } 'x', 'X', '😀';
my $ids = 0;

my %cell_of = (
	odd => sub { chance(60) ? pick(@odd) : chance(50) ? pick(@words) . pick(@odd, @words) : pick(@odd) . ' ' . pick(@words) },
	word => sub { pick(@words) },
	number_text => sub { pick(@numbers) },
	long => sub { chance(60) ? pick(@prefixes) : pick(@prefixes) . chr(97 + roll(26)) x roll(12) },
	short => sub { my $short = substr pick(@odd, @words, @numbers), 0, 12; chance(15) ? sprintf '%-14s', $short : $short },
	shorter => sub { my $short = substr pick(@odd, @words, @numbers), 0,
		5; chance(20) ? $short . ' ' x (1 + roll(4)) : $short },
	integer => sub { pick(-3 .. 20, -3 .. 20, 2147483647, -2147483648, 1000, 10000, ' 7 ', '007', '+7') },
	bigint => sub {
		pick(-3 .. 12, '9007199254740991' .. '9007199254740996', '9223372036854775807', '-9223372036854775808',
			'9223372036854775806', ' 8 ', '008', '2147483648');
	},
	numeric => sub {
		pick(-2 .. 9, '0.1', '0.10', '.1', '1.5', '1.50', '1e3', '1000', '1E+3', '-0.0',
			'123456789012345678901234567890.123456789',
			'123456789012345678901234567890.123456788', '9007199254740993', '9007199254740992.5', '0.3', '0.30000000000000004',
			'NaN', 'Infinity', '-Infinity', ' 5 ', '05', '1e70', '-1e70');
	},
	number => sub { pick(-3 .. 12, '0.5', '1.5', '-0.25', '1000', '2.75', '123456.789') },
	scaled => sub { pick(0 .. 5, '1.5', '1.500', '1.4996', '1.5004', '2.0005', '-1.25', '10', '9.999', '9.9996',
		'100000000.001') },
	double => sub {
		pick(-1 .. 5, '0.1', '0.3', '0.30000000000000004', '0.1e0', '1e308', '-0', '0', 'NaN', 'Infinity', '-Infinity',
			'5e-324',
			'9007199254740992', '9007199254740993', '1E2', '100', '99.99999999999999');
	},
	boolean => sub { pick(qw(true false true false t f TRUE False yes no on off 1 0)) },
	date => sub { pick(@dates) },
	timestamp => sub { chance(10) ? pick('infinity', '-infinity') : pick(@days) . pick('T', ' ') . pick(@times) },
	timestamptz => sub { chance(50) ? pick(@instants) : pick(@days) . pick('T', 'T', ' ') . pick(@times) . pick(@zones) },
	uuid => sub {
		my $hex = sprintf '%08x9dc011d1b245%012x', roll(4), 10 + roll(12);
		my $uuid = join '-', unpack 'a8 a4 a4 a4 a12', $hex;
		pick($uuid, $uuid, $uuid, uc $uuid, "{$uuid}", $hex);
	},
	mood => sub { pick(qw(mid low High)) },
	interval => sub { pick('1 day', '24:00:00', '1 mon', '30 days', '720:00:00', '-1 day', '00:00:00', '1 year', '12 mons',
		'00:00:00.5') },
	words => sub { JSON::PP->new->encode([ map { chance(20) ? undef : pick('a', 'b', @words, @odd) } 1 .. roll(4) ]) },
	phone => sub { '+1415555' . sprintf '%04d', roll(40) },
);

# Name, type, what its cells are, how it is compared (see GcDiffExpr).
my @data_columns = map { { name => $_->[0], type => $_->[1], cells => $_->[2], kind => $_->[3], collation => $_->[4], always => $_->[5] } } (
	[ 'k', 'text', undef, 'text' ],
	[ 'phone', 'text', 'phone', 'text' ],
	[ 't', 'text', 'odd', 'text' ],
	[ 'w', 'text', 'word', 'text' ],
	[ 'nt', 'text', 'number_text', 'text' ],
	[ 'lt', 'text', 'long', 'text' ],
	[ 'v', 'varchar(12)', 'short', 'text' ],
	[ 'c', 'char(6)', 'shorter', 'text' ],
	[ 'tc', 'text', 'odd', 'text', '"C"' ],
	[ 'ti', 'text', 'word', 'text', '"und-x-icu"' ],
	[ 'tn', 'text', 'word', 'folded', 'public.nocase' ],
	[ 'i', 'integer', 'integer', 'number' ],
	[ 'b', 'bigint', 'bigint', 'number' ],
	[ 'n', 'numeric', 'numeric', 'number' ],
	[ 'n3', 'numeric(12,3)', 'scaled', 'number' ],
	[ 'f', 'double precision', 'double', 'number' ],
	[ 'q', 'numeric', 'number', 'number', undef, 1 ],
	[ 'r', 'integer', 'integer', 'number', undef, 1 ],
	[ 'z', 'boolean', 'boolean', 'boolean' ],
	[ 'd', 'date', 'date', 'time' ],
	[ 'ts', 'timestamp', 'timestamp', 'time' ],
	[ 'tz', 'timestamptz', 'timestamptz', 'time' ],
	[ 'u', 'uuid', 'uuid', 'other' ],
	[ 'm', 'public.mood', 'mood', 'other' ],
	[ 'iv', 'interval', 'interval', 'other' ],
	[ 'ta', 'text[]', 'words', 'array' ],
);

# What the list declares of its columns; of most it says nothing.
my %declared = (i => 'NUMERIC', b => 'NUMERIC', n => 'NUMERIC', n3 => 'NUMERIC', q => 'NUMERIC', r => 'NUMERIC',
	t => 'TEXT', tz => 'TIMESTAMP');

my @attributes = map { { name => $_->[0], type => $_->[1], attribute => $_->[2], kind => $_->[3] } } (
	[ 'contact_id', 'text', 'id', 'text' ],
	[ 'callable', 'boolean', 'callable', 'boolean' ],
	[ 'status', 'jsonb', 'phone_number_status', 'json' ],
	[ 'result', 'text', 'last_result:phone', 'text' ],
	[ 'attempt', 'timestamptz', 'last_attempt:phone', 'time' ],
	[ 'list_name', 'text', 'list_name', 'text' ],
);

# What a condition of the platform's on numbers or on times takes for neither, in columns
# that the list declares to be such.
my %beyond = (n => qr/NaN|Infinity|e\d\d/, tz => qr/infinity|BC|^\d{5}/);

# Columns that some contacts have and no others: their other cells are absent, not empty.
my @thin = qw(k phone w i n q r tz);

# ---- contacts ----------------------------------------------------------------------

sub new_id
{
	my @forms = ('lead-%d', 'Lead-%d', 'LEAD-%d', '%d', '0%d', '%d.0', 'a.b:c@%d', 'x_%d', '-%d', '1e%d');
	my $number = 1 + $ids++ / @forms;
	return sprintf $forms[ ($ids - 1) % @forms ], $number;
}

# The value of the key column: mostly the contact's id, as a load would have it; but
# contacts that came otherwise have others, even those of other contacts.
sub new_key
{
	my ($id, @ids) = @_;
	return $id if chance(60);
	return pick(pick(@ids), pick(@ids), uc $id, uc $id, pick(qw(dup Dup 7)), pick(qw(dup Dup 7)), pick(@odd));
}

sub new_contact
{
	my ($id, $thin, $plain, @ids) = @_;
	my %contact = (contact_id => $id, thin => $thin, k => new_key($id, @ids), list_name => 'Leads');

	for my $column (grep { $_->{cells} } @data_columns)
	{
		next if !$column->{always} && (chance(12) || ($thin && !grep { $column->{name} eq $_ } @thin));
		my $cell = '' . $cell_of{ $column->{cells} }->();
		next if $plain && $beyond{ $column->{name} } && $cell =~ $beyond{ $column->{name} };
		$contact{ $column->{name} } = $cell;
	}
	# Columns that are equal to each other may stand for each other.
	@contact{qw(w nt)} = ($id, $id) if chance(6) && !$thin;
	$contact{callable} = chance(75) ? 'true' : 'false';
	$contact{status} = '{"phone": {"callable": ' . (chance(80) ? 'true' : 'false') . '}}';
	if (chance(60))
	{
		$contact{result} = 'disposition.classification.callable.' . pick(qw(busy noanswer BUSY)) if chance(90);
		$contact{attempt} = pick('2026-03-01T10:00:00.250Z', '2026-03-01T10:00:00Z', '2026-02-28T23:59:59.999Z');
	}
	return \%contact;
}

# new(SEED, CONTACTS, FORMS): what the cells are like.  "plain": as the extension writes
# them, numbers and times being such to the platform, too; "own": as the extension writes
# them; "any": as others may have loaded them.
sub new
{
	my ($class, $seed, $count, $forms) = @_;
	my $self = bless { forms => $forms, columns => [ @data_columns, @attributes ] }, $class;

	begin_random($seed, 'data');
	$ids = 0;
	my @ids = map { new_id() } 1 .. $count;
	$self->{contacts} = [ map { new_contact($_, chance(10) ? 1 : 0, $forms eq 'plain', @ids) } @ids ];
	return $self;
}

# Without the collations of ICU there are no columns with them.
sub forget_icu
{
	my ($self) = @_;
	$self->{columns} = [ grep { ($_->{collation} // '') !~ /icu|nocase/ } @{ $self->{columns} } ];
	return;
}

sub column { my ($self, $name) = @_; return (grep { $_->{name} eq $name } @{ $self->{columns} })[0] }
sub columns { return @{ $_[0]{columns} } }
sub data_columns { return grep { !$_->{attribute} } $_[0]->columns }

# The cells that a column has.
sub cells
{
	my ($self, $name) = @_;
	return @{ $self->{cells}{$name} //= [ grep { defined } map { $_->{$name} } @{ $self->{contacts} } ] };
}

# ---- tables ------------------------------------------------------------------------

sub definition
{
	my ($self, $far) = @_;
	return join ', ', map {
		join ' ', $_->{name}, $_->{type},
		  ($far && $_->{attribute} ? "OPTIONS (attribute '$_->{attribute}')" : ()),
		  ($_->{collation} ? "COLLATE $_->{collation}" : ()),
		  ($_->{name} eq 'k' || $_->{always} ? 'NOT NULL' : ())
	} $self->columns;
}

# How a cell is read, in SQL.
sub value_of
{
	my ($column) = @_;
	return "CASE WHEN $column->{name} <> '' THEN ARRAY(SELECT jsonb_array_elements_text($column->{name}::jsonb)) END"
	  if $column->{kind} eq 'array';
	return "nullif($column->{name}, '')::$column->{type}";
}

# local_sql(): the cells, the local table that has what they mean, and what to join with.
sub local_sql
{
	my ($self) = @_;
	my @names = map { $_->{name} } $self->columns;
	my $rows = join ",\n", map {
		my $contact = $_;
		'(' . join(', ', map { quote($contact->{$_}) } @names, 'thin') . ')'
	} @{ $self->{contacts} };
	my $cells = join ', ', map { "$_ text" } @names, 'thin';
	my $values = join ', ', map { value_of($_) } $self->columns;
	my $definition = $self->definition(0);

	return <<"SQL" . $self->picks_sql;
CREATE SCHEMA near;
CREATE TYPE public.mood AS ENUM ('mid', 'low', 'High');
CREATE FUNCTION public.same_as(a text, b text) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT a = b';
CREATE FUNCTION public.volatile_same_as(a text, b text) RETURNS boolean LANGUAGE plpgsql VOLATILE AS 'BEGIN RETURN a = b; END';
SET TimeZone = 'UTC';
SET DateStyle = 'ISO, YMD';
CREATE TABLE near.cells ($cells);
INSERT INTO near.cells VALUES $rows;
CREATE TABLE near.leads ($definition);
INSERT INTO near.leads SELECT $values FROM near.cells;
ANALYZE near.leads;
SQL
}

# An array of ids: none, one, more than fit one request, and NULL among them.
sub some_ids
{
	my ($self) = @_;
	my @ids = map { $_->{contact_id} } some_of(pick(0, 1, 2, 3, 70), @{ $self->{contacts} });

	return 'NULL' if chance(25);
	return 'ARRAY[' . join(', ', map { quote($_) } @ids, some_of(roll(3), 'absent', undef, 'dup')) . ']::text[]';
}

# A small local table, the same for both sides: values that contacts have, and others.
sub picks_sql
{
	my ($self) = @_;
	my %types = (i => 'integer', n => 'numeric', tz => 'timestamptz');
	my @names = qw(k contact_id w nt i n tz);
	my @given = (
		[ 'absent', 'absent', 'absent', 'absent', -99, -99.5, '1970-01-01 00:00+00' ],
		[ 'dup', 'lead-1', 'Alpha', '1', 7, 1.5, '2026-01-31 09:05+00' ],
		[ '', '', '', '', 0, 'NaN', 'infinity' ],
		[ 'no such id', 'a/b ?%', ' ', '1.0', 7, 0.1, undef ],
	);
	push @given, map { my $contact = chance(75) ? pick(@{ $self->{contacts} }) : {}; [ @$contact{@names} ] } 1 .. 14;
	my $id = 0;
	my $rows = join ",\n", map {
		my $row = $_;
		'(' . join(', ', ++$id, (map { quote($row->[$_]) . '::' . ($types{ $names[$_] } // 'text') } 0 .. $#names),
			$self->some_ids) . ')'
	} @given;
	return <<"SQL";
CREATE TABLE near.picks (id integer, k text, contact_id text, w text, nt text, i integer, n numeric, tz timestamptz,
	ids text[]);
INSERT INTO near.picks VALUES $rows;
ANALYZE near.picks;
SQL
}

# far_sql(SCHEMA, SERVER): the foreign table.
sub far_sql
{
	my ($self, $schema, $server) = @_;
	my $definition = $self->definition(1);

	return <<"SQL";
CREATE SCHEMA $schema;
CREATE FOREIGN TABLE $schema.leads ($definition)
  SERVER $server OPTIONS (object 'contacts', list_name 'Leads', key 'k');
SQL
}

# Columns whose cells hold more than their type, which cuts blanks or rounds.
my %cuts = map { $_ => 1 } qw(v c n3);

# load_sql(SCHEMA, SERVER): contacts go into the list, written by the extension in its own
# forms, or as cells of text.
sub load_sql
{
	my ($self, $schema, $server) = @_;
	my %as_text = map { $_->{name} => $self->{forms} eq 'any' || $cuts{ $_->{name} } } $self->data_columns;
	my $columns = join ', ', map { "$_->{name} " . ($as_text{ $_->{name} } ? 'text' : $_->{type}) } $self->data_columns;
	my $values = sub { join ', ', 'l.contact_id', map { ($as_text{$_} ? 'c.' : 'l.') . $_ } @_ };
	my @names = map { $_->{name} } $self->data_columns;
	my $sql = <<"SQL";
CREATE FOREIGN TABLE $schema.loaded (contact_id text OPTIONS (attribute 'id'), $columns)
  SERVER $server OPTIONS (object 'contacts', list_name 'Leads');
SQL

	for my $part ([ 0, @names ], [ 1, @thin ])
	{
		my ($is_thin, @part) = @$part;
		$sql .= "INSERT INTO $schema.loaded (contact_id, " . join(', ', @part) . ') SELECT ' . $values->(@part)
		  . " FROM near.leads l JOIN near.cells c USING (contact_id) WHERE c.thin = '$is_thin';\n";
	}
	return $sql;
}

# The list, and what only the platform sets, by the simulator's control paths.  "word":
# columns that it declares to be numbers have nothing but numbers that compare as such.
sub make_list
{
	my ($self, $sim, $word) = @_;
	my $list = $sim->call('POST', '/_sim/lists', {
		name => 'Leads',
		columnNames => [ map { $_->{name} } $self->data_columns ],
		phoneColumns => [ { columnName => 'phone', type => 'cell' } ],
		columnDataTypeSpecifications =>
		  [ map { { columnName => $_, columnDataType => $declared{$_} } } grep { !$word || $_ ne 'n' } sort keys %declared ],
	});
	return $list->{id};
}

sub set_attributes
{
	my ($self, $sim, $list) = @_;
	my $json = JSON::PP->new;

	for my $contact (@{ $self->{contacts} })
	{
		my %record;
		$record{lastResult} = $contact->{result} if defined $contact->{result};
		$record{lastAttempt} = $contact->{attempt} if defined $contact->{attempt};
		$sim->call('POST', '/_sim/contacts', {
			listId => $list,
			id => $contact->{contact_id},
			callable => $contact->{callable} eq 'true' ? JSON::PP::true : JSON::PP::false,
			phoneNumberStatus => $json->decode($contact->{status}),
			(%record ? (callRecords => { phone => \%record }) : ()),
		});
	}
	return;
}

1;
