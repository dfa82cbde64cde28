# Dialect "jobs": a list gets fields while an import waits.  A file goes without a header, so that
# its cells are held against the fields as they are when it is sent (SCENARIOS C3, F1).
use strict;
use warnings;

use Digest::SHA qw(sha256_hex);
use FindBin;
use lib $FindBin::Bin;
use GcTest;
use JSON::PP ();
use PostgreSQL::Test::Utils;
use Test::More;

skip_unless_possible();

my $sim = GcSim->new('--set', 'provision_ms=100');
my $node = new_node('fields', "shared_preload_libraries = 'gc_fdw'");
add_server($node, $sim, 'genesys', dialect => 'jobs');
$node->safe_psql('postgres', 'CREATE SCHEMA gc; IMPORT FOREIGN SCHEMA outbound LIMIT TO (contact_lists) FROM SERVER genesys INTO gc');
my $session = GcSession->new($node);
my $other = GcSession->new($node);
my ($name, $list, $number);

# anew(SWITCH...): a list that nobody knows, and its table.
sub anew
{
	$sim->faults;
	$sim->set(@_) if @_;
	$name = 'Leads ' . ++$number;
	my $made = $session->value("INSERT INTO gc.contact_lists (name, column_names, phone_columns)
		VALUES ('$name', '{Phone,Key,Name}', '[{\"columnName\": \"Phone\", \"type\": \"cell\"}]') RETURNING id");
	$list = $made;
	leads_table($node, "leads$number", 'genesys', $name);
	$sim->forget_requests;
	return;
}

sub query
{
	my ($count) = @_;
	return "SELECT 'K-' || g AS k, '+1415' || lpad(g::text, 7, '0') AS phone, CASE g % 3 WHEN 0 THEN '' WHEN 1 THEN E'a \"b\", c\\nd' ELSE 'n' END AS name FROM generate_series(1, $count) g";
}

# staged(METHOD, COUNT, ARGUMENT...): an import that no worker sees until commit() of it; its id.
sub staged
{
	my ($method, $count, @arguments) = @_;
	$session->value('BEGIN');
	return $session->value('SELECT gc_fdw.submit_import(' . join(', ', "'leads$number'", '$q$' . query($count) . '$q$', "method => '$method'", @arguments) . ')');
}

# ended(ID): commits it, and waits; its state.
sub ended
{
	my ($id) = @_;
	$session->value('COMMIT');
	return $session->value("SELECT state FROM gc_fdw.await_import($id, '1min')");
}

# grow(COLUMN[, TYPE]): somebody else adds it; TYPE is the rest of what is said of it, in JSON.
sub grow
{
	my ($column, $type) = @_;
	my $types = $type ? ", column_types = column_types || '[{\"columnName\": \"$column\", $type}]'" : '';
	return $other->value("UPDATE gc.contact_lists SET column_names = column_names || '{$column}'$types WHERE name = '$name' RETURNING status");
}

sub of { my ($id, $column) = @_; return $session->value("SELECT $column FROM gc_fdw.imports WHERE id = $id") }
sub submissions { return $sim->requests(qr{^POST .*(/outbound/lists/.*/contacts/(bulk|upload)|/contacts/import)$}) }
sub data { my %by = map { $_->{id} => $_->{data} } $sim->contacts($list); return \%by }

# A field that others add: its cells are empty, in the rows' own columns, and the hash is of what is sent.
anew(record_bodies => 'on');
my $id = staged('upload', 300);
is(grow('City') . grow('Score', '"columnDataType": "NUMERIC"'), 'READYREADY', 'fields are added while a file waits');
is(ended($id), 'done', 'it goes all the same') or diag of($id, 'failure_reason');
my ($upload) = submissions();
my ($csv) = $upload->{body} =~ /\r\n\r\n(.*)\r\n--/s;
like($upload->{body}, qr/K-2,\+14150000002,K-2,n,,\r\n/, 'with an empty cell for each');
is($upload->{headers}{'x-content-sha256'}, $session->value("SELECT encode(sha256, 'hex') FROM gc_fdw.import_parts WHERE import_id = $id"), 'the hash that is kept');
is($upload->{headers}{'x-content-sha256'}, sha256_hex($csv), '… is of what was sent');
is(scalar(submissions()), 1, 'at once');
is_deeply(data()->{'K-1'}, { Phone => '+14150000001', Key => 'K-1', Name => "a \"b\", c\nd", City => '', Score => '' }, 'cells are in their columns');
is(of($id, "rows_accepted || ' ' || rows_rejected") . ' ' . $sim->count($list), '300 0 300', 'all of it is there, once');

# While the list is PROCESSING, too: its fields are those of when it is READY.
anew();
$id = staged('upload', 3);
$sim->faults({ method => 'POST', path => '*/contacts/upload', nth => 1, status => 409, body_json => { status => 409, code => 'contact.list.not.ready', message => 'The contact list is processing.' },
	calls_after => [ { method => 'PUT', path => "/api/v2/outbound/lists/$list", body => { name => $name, status => 'READY',
		schema => { name => $name, version => 1, fields => [ { name => 'Phone', type => 'phone', required => JSON::PP::false }, map { { name => $_, type => 'string', required => JSON::PP::false } } qw(Key Name Late) ] } } } ] });
is(ended($id), 'done', 'one that is added while the platform does not take the file') or diag of($id, 'failure_reason');
is(data()->{'K-2'}{Name} . (data()->{'K-2'}{Late} // 'none'), 'n', 'is empty, too');

# What was in doubt and is sent again has the cells of its own time.
anew();
$id = staged('upload', 200);
$sim->faults({ method => 'POST', path => '*/contacts/upload', nth => 1, drop => 'before' });
grow('City');
is(ended($id), 'done', 'a file whose answer was lost') or diag of($id, 'failure_reason');
is($sim->count($list) . ' ' . of($id, 'rows_accepted'), '200 200', 'is there, once');

# B6: a field that must have a value.
anew();
$id = staged('upload', 20);
grow('City', '"columnDataType": "TEXT", "required": true');
is(ended($id), 'paused', 'a file that has nothing for it is not sent');
is(scalar(submissions()), 0, '… at all');
like(of($id, 'failure_reason'), qr/^contact list "$name" has other fields than the file for it: Field "City", which is required, was added after the file was staged\.  Cancel it with cancel_import\(\), and submit it again/, '… and says what to do');
$session->value("SELECT gc_fdw.cancel_import($id)");
is(of($id, 'state'), 'cancelled', 'which can be done');
anew();
$id = staged('upload', 20, "verification => 'relaxed'");
grow('City', '"columnDataType": "TEXT", "required": true');
is(ended($id), 'done', 'relaxed sends it empty') or diag of($id, 'failure_reason');

# JSON names its fields: nothing changes for it, as for a table that lacks the column.
for my $method (qw(bulk import contacts))
{
	anew();
	$id = staged($method, 20);
	grow('City');
	grow('Must', '"columnDataType": "TEXT", "required": true');
	is(ended($id), 'done', "$method: a field that is added") or diag of($id, 'failure_reason');
	is(data()->{'K-2'}{Name} . ' ' . $sim->count($list), 'n 20', '… is left alone');
}

# Anything else that the platform may have done to the fields: nothing is sent, and nothing is lost.
for my $case (
	[ 'moved', [qw(Phone Name Key)], 'Field 2 was "Key" when the file was staged, and is "Name" now.' ],
	[ 'gone', [qw(Phone Key)], 'Field 3 was "Name" when the file was staged, and is none now.' ],
	[ 'in between', [qw(Phone City Key Name)], 'Field 2 was "Key" when the file was staged, and is "City" now.' ],
	[ 'too many', [qw(Phone Key Name), map { "c$_" } 1 .. 47 ], 'It has 50 fields by now, and a file has room for 49.' ])
{
	my ($what, $fields, $reason) = @$case;

	anew();
	$id = staged('upload', 20);
	$sim->faults({ method => 'GET', path => "*/outbound/lists/$list", nth => 2, times => 1, body_json => { id => $list, name => $name, status => 'READY',
		schema => { name => $name, version => 2, fields => [ map { { name => $_, type => 'string' } } @$fields ] } } });
	is(ended($id), 'paused', "fields: $what");
	like(of($id, 'failure_reason'), qr/\Q$reason\E/, '… it says so');
	is(scalar(submissions()) . ' ' . of($id, 'rows_in_doubt'), '0 0', '… before anything is sent');
	$sim->faults;
	$session->value("SELECT gc_fdw.resume_imports($id)");
	is($session->value("SELECT state FROM gc_fdw.await_import($id, '1min')"), 'done', '… and goes on when they are as they were') or diag of($id, 'failure_reason');
	is(data()->{'K-2'}{Name}, 'n', '… into its columns');
}

done_testing();
