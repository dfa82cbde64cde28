# Databases in other encodings: text goes both ways, and what does not fit is refused,
# named, and not sent (C2, DESIGN 2.1).
use strict;
use warnings;

use Encode qw(encode decode);
use FindBin;
use lib $FindBin::Bin;
use GcTest;
use PostgreSQL::Test::Utils;
use Test::More;
use utf8;

skip_unless_possible();

my $sim = GcSim->new;
my $node = new_node('encoding');

# Per database: encoding, its name in Perl, text that fits, and text that does not.
my @databases = (
	[ 'latin1', 'LATIN1', 'iso-8859-1', 'Zoë Müller, ½ «ñ»', 'さくら' ],
	[ 'latin9', 'LATIN9', 'iso-8859-15', '10 € für Œuvres', '½' ],
	[ 'euc_jp', 'EUC_JP', 'euc-jp', '日本語、カタカナ、さくら', 'Zoë 한국' ],
	[ 'win1251', 'WIN1251', 'cp1251', 'Привет, Ёжик №5', 'Zoë' ],
	[ 'utf8', 'UTF8', 'utf-8', 'Zoë さくら Привет 👩‍👩‍👧‍👦', undef ],
);

# The session's client encoding is the database's, so that bytes are what they are.
sub run_in
{
	my ($session, $perl, $sql) = @_;
	my $result = $session->run(encode($perl, $sql, Encode::FB_CROAK));
	$_ = decode($perl, $_) for @$result{qw(out err)};
	return $result;
}

sub cell_of
{
	my ($list, $id, $column) = @_;
	my ($contact) = grep { $_->{id} eq $id } $sim->contacts($list);
	return $contact && $contact->{data}{ $column // 'Name' };
}

# A contact put there by somebody else.
sub put_there
{
	my ($list, $id, $name) = @_;
	$sim->api('POST', "/outbound/contactlists/$list/contacts", [ { id => $id, contactListId => $list, data => { Name => $name, Key => $id } } ]);
	return;
}

for my $row (@databases)
{
	my ($dbname, $encoding, $perl, $fits, $alien) = @$row;
	my $name = "Liste $fits";
	$name =~ s/[,«».]//g;
	my $list = $sim->list($name, 'Phone', 'Key', 'Name', "Spalte $fits");

	new_database($node, $dbname, $encoding);
	add_server($node, $sim, 'genesys', dbname => $dbname);
	my $session = GcSession->new($node, dbname => $dbname);
	is($session->value('SHOW client_encoding'), $encoding, "$encoding: the client's encoding") if $encoding ne 'UTF8';

	# IMPORT makes names in the database's encoding; the tables work under them.
	my $result = run_in($session, $perl, "CREATE SCHEMA gc; IMPORT FOREIGN SCHEMA outbound FROM SERVER genesys INTO gc OPTIONS (key 'Key', list_prefix '$name', objects 'false')");
	is($result->{sqlstate}, '00000', "$encoding: IMPORT") or diag encode('utf-8', $result->{err});
	my $table = run_in($session, $perl, 'SELECT ftrelid::regclass FROM pg_foreign_table')->{out};
	my $column = run_in($session, $perl,
		"SELECT quote_ident(attname) FROM pg_attribute JOIN pg_foreign_table ON attrelid = ftrelid WHERE attname ~ 'spalte' ORDER BY attnum LIMIT 1")->{out};

	# What is looked at while it runs (the view progress).
	run_in($session, $perl, "BEGIN; DECLARE at_work CURSOR FOR SELECT * FROM $table; FETCH 1 FROM at_work");
	is(run_in($session, $perl, 'SELECT list FROM gc_fdw.progress')->{out}, $name, "$encoding: the list's name in progress");
	run_in($session, $perl, 'COMMIT');

	# There and back.
	$result = run_in($session, $perl, "INSERT INTO $table (key, name, $column) VALUES ('k1', '$fits', '$fits') RETURNING name");
	is($result->{out}, $fits, "$encoding: INSERT and RETURNING") or diag encode('utf-8', $result->{err});
	is(cell_of($list, 'k1'), $fits, "$encoding: the platform has it");
	is(cell_of($list, 'k1', "Spalte $fits"), $fits, "$encoding: in a column with such a name");
	$result = run_in($session, $perl, "SELECT name, $column FROM $table WHERE name = '$fits' AND $column = name");
	is($result->{out}, "$fits|$fits", "$encoding: SELECT");
	$result = run_in($session, $perl, "COPY $table (key, name) FROM STDIN;\nk2\t$fits\n\\.");
	is(cell_of($list, 'k2'), $fits, "$encoding: COPY") or diag encode('utf-8', $result->{err});
	$result = run_in($session, $perl, "INSERT INTO $table (key, name) SELECT 'many' || i, repeat('$fits', 20) FROM generate_series(1, 2500) i");
	is($result->{sqlstate}, '00000', "$encoding: many rows") or diag encode('utf-8', $result->{err});
	$result = run_in($session, $perl, "SELECT count(*) FROM $table WHERE name = repeat('$fits', 20)");
	is($result->{out}, '2500', "$encoding: and back");

	# 512 is a number of characters, whatever the encoding.
	my $letter = substr $fits, 0, 1;
	$result = run_in($session, $perl, "INSERT INTO $table (key, name) VALUES ('k512', repeat('$letter', 512))");
	is($result->{sqlstate}, '00000', "$encoding: 512 characters") or diag encode('utf-8', $result->{err});
	$result = run_in($session, $perl, "INSERT INTO $table (key, name) VALUES ('k513', repeat('$letter', 513))");
	is($result->{sqlstate}, '22001', "$encoding: 513 characters");
	like($result->{err}, qr/column "name" of contact list "\Q$name\E".*Contact id: "k513"/s, "$encoding: names list, column and contact");

	# What is said of a query, by names and counts.
	$result = run_in($session, $perl, "SELECT string_agg(column_name || ': ' || problem, ', ' ORDER BY problem) "
		. "FROM gc_fdw.schema_diff('$table', \$\$ SELECT 'k' AS key, repeat('$letter', 513) AS name, 'x' AS \"$fits\" \$\$)");
	is($result->{out}, "$fits: missing in table, name: too long", "$encoding: schema_diff") or diag encode('utf-8', $result->{err});

	# Remote words in messages.
	$sim->faults({ path => '/contacts', nth => 1, status => 400, body_json => { code => 'invalid.value', message => "Nein: $fits" } });
	$result = run_in($session, $perl, "INSERT INTO $table (key) VALUES ('k3')");
	like($result->{err}, qr/Nein: \Q$fits\E/, "$encoding: a message of the platform");
	$sim->faults;

	# A table by name, and the name in a message about a list that is not there.
	$result = run_in($session, $perl, "CREATE FOREIGN TABLE t (k text OPTIONS (field 'Key'), x text OPTIONS (field 'Spalte $fits')) SERVER genesys OPTIONS (object 'contacts', list_name '$name', key 'k'); SELECT x FROM t WHERE k = 'k1'");
	is($result->{out}, $fits, "$encoding: a table by hand");
	$result = run_in($session, $perl, "ALTER FOREIGN TABLE t OPTIONS (SET list_name '${name}x'); SELECT x FROM t");
	is($result->{sqlstate}, 'HV00R', "$encoding: no such list");
	like($result->{err}, qr/"\Q$name\Ex".*\Q$name\E"/s, "$encoding: the nearest name");

	$result = run_in($session, $perl, "ALTER FOREIGN TABLE t OPTIONS (SET list_name '$name'); ALTER FOREIGN TABLE t ALTER x OPTIONS (SET field 'Spalte ${fits}x'); SELECT x FROM t");
	is($result->{sqlstate}, '42703', "$encoding: no such column");
	like($result->{err}, qr/"Spalte \Q$fits\Ex".*"Spalte \Q$fits\E"/s, "$encoding: the nearest column");
	$result = run_in($session, $perl, "INSERT INTO t (k) VALUES ('drift')");
	is($result->{sqlstate}, '42703', "$encoding: no such column to write to");
	like($result->{err}, qr/Column "x": the list has no column "Spalte \Q$fits\Ex", but "Spalte \Q$fits\E"/, "$encoding: says which");

	next unless defined $alien;

	# Remote text that the database cannot hold.
	put_there($list, 'alien', $alien);
	$result = run_in($session, $perl, "SELECT key, name FROM $table WHERE key = 'alien'");
	like($result->{sqlstate}, qr/^22/, "$encoding: text that does not fit is an error");
	like($result->{err}, qr/column "name" of contact list "\Q$name\E".*"alien"/s, "$encoding: names list, column and contact") or diag encode('utf-8', $result->{err});
	unlike($result->{err}, qr/\Q$alien\E|0x/, "$encoding: does not show it");
	$result = run_in($session, $perl, "SELECT key FROM $table WHERE key = 'alien'");
	is($result->{out}, 'alien', "$encoding: other columns can be read");

	# Remote words that it cannot hold do not hide the error.
	$sim->faults({ path => '/contacts', nth => 1, status => 400, body_json => { code => 'invalid.value', message => "Nein: $alien!" } });
	$result = run_in($session, $perl, "INSERT INTO $table (key) VALUES ('k4')");
	is($result->{sqlstate}, '22023', "$encoding: a message that does not fit");
	like($result->{err}, qr/Nein: .*!/, "$encoding: is shown as far as it does") or diag encode('utf-8', $result->{err});
	$sim->faults;

	# A list whose name or column does not fit.
	my $strange = $sim->list("$alien Liste", 'Phone', 'Key', 'Name');
	my $column_list = $sim->list("Zwei $dbname", 'Phone', 'Key', $alien);
	$result = run_in($session, $perl, "CREATE SCHEMA strange; IMPORT FOREIGN SCHEMA outbound FROM SERVER genesys INTO strange OPTIONS (key 'Key', list_prefix 'Zwei')");
	like($result->{sqlstate}, qr/^22|^HV/, "$encoding: IMPORT of a column that does not fit") or diag encode('utf-8', $result->{err});
	like($result->{err}, qr/contact list "Zwei (\w+)".*column ".*\?.*HINT:  IMPORT FOREIGN SCHEMA \.\.\. EXCEPT \(zwei_\1\)/s, "$encoding: … which names both, and what to do");
	$session->close;
}

# In a database of LATIN1, an organisation in which somebody likes emojis: what is not wanted does not fail, and what is wanted and
# cannot be named is told.
{
	my $smile = "D \x{1F600}";
	my $there = GcSim->new;

	$there->call('POST', '/_sim/lists', { id => 'l-smile', name => $smile, columnNames => [qw(Phone Key)], phoneColumns => [ { columnName => 'Phone', type => 'cell' } ] });
	$there->call('POST', '/_sim/lists', { id => 'l-plain', name => 'Plain', columnNames => [qw(Phone Key)], phoneColumns => [ { columnName => 'Phone', type => 'cell' } ] });
	$there->call('POST', '/_sim/dnclists', { id => 'd-smile', name => $smile });
	$there->call('POST', '/_sim/campaigns', { id => 'c-smile', name => $smile, contactList => { id => 'l-smile' }, dncLists => [ { id => 'd-smile' } ] });
	$there->api('POST', "/outbound/contactlists/$_/contacts", [ { id => 'K-1', contactListId => $_, data => { Key => 'K-1', Phone => '+14155550100' } } ]) for qw(l-smile l-plain);
	add_server($node, $there, 'smiling', dbname => 'latin1');
	my $in = GcSession->new($node, dbname => 'latin1');

	$in->run('CREATE SCHEMA wanted; CREATE SCHEMA everything');
	my $got = $in->run('IMPORT FOREIGN SCHEMA outbound LIMIT TO (plain, contact_lists, campaigns) FROM SERVER smiling INTO wanted');
	is("$got->{sqlstate} $got->{err}", '00000 ', 'LIMIT TO: a list that is not wanted, and has no name here, is passed over') or diag $got->{err};
	$got = $in->run('IMPORT FOREIGN SCHEMA outbound FROM SERVER smiling INTO everything');
	is($got->{sqlstate}, '00000', 'without it the others are imported') or diag $got->{err};
	like($got->{err}, qr/WARNING:  no table is made of $_->[0] "D \?+".*Its id is $_->[1]\..*HINT:  CREATE FOREIGN TABLE with the option "$_->[2]"/s, "… and a WARNING tells of the $_->[0]")
	  for [ 'contact list', 'l-smile', 'list_id' ], [ 'DNC list', 'd-smile', 'dnc_list_id' ];
	is($in->run("SELECT count(*) FROM pg_foreign_table WHERE ftrelid::regclass::text IN ('everything.plain', 'wanted.plain')")->{out}, '2', '… the other list has its table');
	is($in->run('SELECT key FROM wanted.plain')->{out}, 'K-1', 'its contacts can be read');

	# As the hint says.
	$in->run("CREATE FOREIGN TABLE smiles (k text OPTIONS (field 'Key'), callable boolean OPTIONS (attribute 'callable')) SERVER smiling OPTIONS (object 'contacts', list_id 'l-smile', key 'k')");
	is($in->run('SELECT k FROM smiles')->{out}, 'K-1', 'contacts of the list by its id');
	$got = $in->run("INSERT INTO smiles (k) VALUES ('K-2')");
	is($got->{sqlstate}, '00000', '… which takes more') or diag $got->{err};
	$got = $in->run("SELECT id FROM wanted.contact_lists ORDER BY id; SELECT id, campaign_status FROM wanted.campaigns");
	is($got->{out}, "l-plain\nl-smile\nc-smile|off", 'lists and campaigns by their ids') or diag $got->{err};
	for my $table (qw(contact_lists campaigns))
	{
		$got = $in->run("SELECT name FROM wanted.$table ORDER BY id");
		like($got->{sqlstate}, qr/^22/, "$table: a name that does not fit is an error");
		like($got->{err}, qr/column "name"/, '… that says which column') or diag $got->{err};
	}
	$got = $in->run("SELECT name, result FROM gc_fdw.quarantine('K-1', '+14155550100', 'smiling') ORDER BY object, name");
	is($got->{out}, "D ????|quarantined\nPlain|quarantined\nD ????|quarantined", 'quarantine of all') or diag "$got->{out} $got->{err}";
	$in->close;
}

# SQL_ASCII says nothing of its text: what is valid UTF-8 goes, all else is refused.
my $list = $sim->list('Ascii', qw(Phone Key Name));
new_database($node, 'ascii', 'SQL_ASCII');
add_server($node, $sim, 'genesys', dbname => 'ascii');
leads_table($node, 'leads', 'genesys', 'Ascii', dbname => 'ascii');
my $session = GcSession->new($node, dbname => 'ascii');
my $result = $session->run("INSERT INTO leads (k, name) VALUES ('a1', '" . encode('utf-8', 'Zoë') . "')");
is($result->{sqlstate}, '00000', 'SQL_ASCII: UTF-8 is taken') or diag encode('utf-8', $result->{err});
is(cell_of($list, 'a1'), 'Zoë', 'SQL_ASCII: and arrives');
is(decode('utf-8', $session->run('SELECT name FROM leads')->{out}), 'Zoë', 'SQL_ASCII: and comes back');

$sim->forget_requests;
for my $bytes ("Zo\xeb", "\xc0\x80", "\xed\xa0\x80", "caf\xc3")
{
	$result = $session->run("INSERT INTO leads (k, name) SELECT 'b' || i, CASE WHEN i = 20 THEN '$bytes' END FROM generate_series(1, 20) i");
	is($result->{sqlstate}, '22021', sprintf 'SQL_ASCII: %vX is refused', $bytes);
	like($result->{err}, qr/column "name" of contact list "Ascii".*Contact id: "b20"/s, 'SQL_ASCII: names column and contact') or diag encode('utf-8', $result->{err});
	is(counts_in($result->{err}), '0/0/20', 'SQL_ASCII: nothing was sent');
	$result = $session->run("INSERT INTO leads (k) VALUES ('x$bytes')");
	like($result->{sqlstate}, qr/^22/, 'SQL_ASCII: the same as a key');
	is($session->value("SELECT problem || ', ' || detail FROM gc_fdw.schema_diff('leads', \$\$ SELECT 'k' AS k, '$bytes' AS name \$\$)"),
		'encoding, not convertible to UTF-8, in 1 row', 'SQL_ASCII: schema_diff counts it');
}
is(scalar $sim->requests(qr{/contacts$}), 0, 'SQL_ASCII: no request');

# What UTF-8 cannot hold, though JSON can: half a surrogate pair, and the character zero.
$list = $sim->list('Odd', qw(Phone Key Name));
leads_table($node, 'odd', 'genesys', 'Odd', dbname => $_) for 'utf8';
my $utf8 = GcSession->new($node, dbname => 'utf8');
for my $escape ('\\ud83d', '\\udc00x', '\\u0000')
{
	$sim->faults({ path => '/search', status => 200,
		body => qq({"entities":[{"id":"odd-1","contactListId":"$list","data":{"Key":"odd-1","Name":"a${escape}b"}}],"pageSize":100,"pageNumber":1,"total":1,"pageCount":1}) });
	$result = $utf8->run('SELECT name FROM odd');
	like($result->{sqlstate}, qr/^22/, "$escape in a reply: an error");
	like($result->{err}, qr/column "name" of contact list "Odd".*"odd-1"/s, "$escape in a reply: names list, column and contact") or diag encode('utf-8', $result->{err});
	is($utf8->run('SELECT k FROM odd')->{out}, 'odd-1', "$escape in a reply: other columns can be read");
}
$sim->faults;

$_->close for $session, $utf8;
$node->stop;
done_testing();
