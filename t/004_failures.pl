# What does not pass: each failure has its SQLSTATE, says what and where, and gives the
# three counts; what could act twice is not repeated (DESIGN 3, 5).
use strict;
use warnings;

use File::Temp ();
use FindBin;
use JSON::PP ();
use lib $FindBin::Bin;
use GcTest;
use PostgreSQL::Test::Utils;
use Test::More;

skip_unless_possible();

# Lists come from a file, so that they are there again when the simulator is started anew.
my $seed = File::Temp->new;
print $seed JSON::PP->new->encode([
	map { { id => $_, name => $_, columnNames => [qw(Phone Key Name)], phoneColumns => [ { columnName => 'Phone', type => 'cell' } ] } }
	  qw(Leads Pages) ]);
close $seed;

my $sim = GcSim->new('--seed-lists', "$seed");
my $node = new_node('faults');
my $session = GcSession->new($node);

add_server($node, $sim, 'usual', batch_size => 10, fetch_size => 10);
leads_table($node, 'leads', 'usual', 'Leads');
leads_table($node, 'pages', 'usual', 'Pages');
add_server($node, $sim, 'strict', batch_size => 10, fetch_size => 10, max_in_flight => 1, max_retries => 1,
	retry_timeout => '5s');
leads_table($node, 'leads_strict', 'strict', 'Leads');
leads_table($node, 'leads_unsafe', 'strict', 'Leads', clear_system_data => 'true');
leads_table($node, 'pages_strict', 'strict', 'Pages');
$session->run("INSERT INTO pages (k, name) SELECT 'p' || i, 'page' FROM generate_series(1, 25) i");

my $post = '*/contacts';
my $search = '*/contacts/search';
my $number = 0;
my $html = '<html><body>Bad Gateway</body></html>';
my $result;

# How often each of the rows of a case is there; '25 x 1' is right.
sub stored
{
	my ($case) = @_;
	my %times;
	$times{$_}++ for grep { /^$case-/ } $sim->contact_ids('Leads');
	my %by_times;
	$by_times{$_}++ for values %times;
	return join ', ', map { "$by_times{$_} x $_" } sort keys %by_times;
}

sub insert_sql
{
	my ($table, $case, $rows) = @_;
	return sprintf "INSERT INTO %s (k, name) SELECT '%s-' || i, 'n' || i FROM generate_series(1, %d) i", $table, $case, $rows // 25;
}

# Forgets how long an earlier case closed the quota; the list is known again then.
sub begin_anew
{
	my ($table) = @_;
	$sim->faults;
	$session->run("SELECT gc_fdw.disconnect(); SELECT 1 FROM $table LIMIT 1");
}

sub json_error { my ($code, $message) = @_; return (body_json => { code => $code, message => $message }) }

# Per case: fault of the second batch, SQLSTATE, counts, requests for contacts, what the message says.
my @failing = (
	[ '400', { status => 400 }, '22023', '10/0/15', 2 ],
	[ 'unknown column', { status => 400, json_error('invalid.contact.columns', 'No.') }, '42703', '10/0/15', 2 ],
	[ '401 twice', { status => 401, times => 9 }, '28000', '10/0/15', 3, qr/HINT:/ ],
	[ '403', { status => 403, json_error('missing.permissions', 'outbound:contact:add') }, '42501', '10/0/15', 2, qr/outbound:contact:add/ ],
	[ '404', { status => 404, json_error('contact.list.not.found', 'Gone.') }, 'HV00R', '10/0/15', 2 ],
	[ 'duplicate', { status => 409, json_error('duplicate.contact.id', 'Twice.') }, '23505', '10/0/15', 2 ],
	[ 'busy for too long', { status => 409, headers => { 'Retry-After' => '100' }, json_error('contact.list.not.ready', 'Busy.') }, '40001', '10/0/15', 2, qr/retry_timeout/ ],
	[ '429, too long', { status => 429, headers => { 'Retry-After' => '100' } }, '53400', '10/0/15', 2, qr/retry_timeout/ ],
	[ '429 for ever', { status => 429, times => 9, headers => { 'Retry-After' => '1' } }, '53400', '10/0/15', 3, qr/max_retries/ ],
	[ '501', { status => 501 }, '58000', '10/0/15', 2 ],
	[ '503 for ever', { status => 503, times => 9 }, '58000', '10/10/5', 3, qr/max_retries/ ],
	[ '503, too long', { status => 503, headers => { 'Retry-After' => '100' } }, '58000', '10/10/5', 2, qr/retry_timeout/ ],
	[ 'closed for ever', { drop => 'before', times => 9 }, '08006', '10/10/5', 3 ],
	[ 'answers lost for ever', { drop => 'after', times => 9 }, '08006', '10/10/5', 3 ],
	[ 'cut short for ever', { truncate => 5, times => 9 }, '08006', '10/10/5', 3 ],
	[ 'malformed JSON', { status => 200, effect => \1, body => '[{"id":}]' }, 'HV000', '10/10/5', 2 ],
	[ 'half a JSON for ever', { status => 200, effect => \1, times => 9, body => '[{"id":' }, 'HV000', '10/10/5', 3 ],
	[ 'no JSON for ever', { status => 200, effect => \1, times => 9, body => $html }, 'HV000', '10/10/5', 3 ],
	[ 'no body for ever', { status => 200, effect => \1, times => 9, body => '' }, 'HV000', '10/10/5', 3 ],
	[ 'an object', { status => 200, effect => \1, body => '{}' }, 'HV000', '10/10/5', 2 ],
	[ 'one contact fewer', { echo_less => 1 }, 'HV000', '10/10/5', 2, qr/9/ ],
	[ 'busy, then lost, then refused', { drop => 'after' }, '22023', '10/10/5', 3, undef, { status => 400 } ],
);

for my $row (@failing)
{
	my ($what, $fault, $sqlstate, $counts, $posts, $says, $next) = @$row;
	my $case = 'f' . ++$number;

	begin_anew('leads_strict');
	$sim->faults({ path => $post, nth => 2, %$fault }, $next ? { path => $post, nth => 3, %$next } : ());
	$sim->forget_requests;
	$result = $session->run(insert_sql('leads_strict', $case));
	is($result->{sqlstate}, $sqlstate, "failing INSERT, $what: SQLSTATE") or diag $result->{err};
	is(counts_in($result->{err}), $counts, "failing INSERT, $what: accepted/in doubt/not sent");
	is(scalar $sim->requests(qr{/contacts$}), $posts, "failing INSERT, $what: $posts requests") or diag join ' ', map { "$_->{path} $_->{status}\n" } $sim->requests;
	like($result->{err}, $says, "failing INSERT, $what: the message") if $says;
	like($result->{err}, qr{ERROR:  could not insert 10 contacts into contact list "Leads"}, "failing INSERT, $what: what failed");
	like($result->{err}, qr{CONTEXT:  remote request: POST /api/v2/outbound/contactlists/\S+/contacts}, "failing INSERT, $what: where");
	unlike($result->{err}, qr/WARNING/, "failing INSERT, $what: the counts are told once");

	# Rows that are counted as accepted are there, and those not sent are not.
	my ($accepted, $doubtful) = split m{/}, $counts;
	my $there = () = grep { /^$case-/ } $sim->contact_ids('Leads');
	ok($there >= $accepted && $there <= $accepted + $doubtful, "failing INSERT, $what: $there there");

	# A rerun after a failure is safe, since the table has a key.
	next unless $doubtful;
	$sim->faults;
	$session->run(insert_sql('leads_strict', $case));
	is(stored($case), '25 x 1', "failing INSERT, $what: run again");
}

# A list that is busy counts against the time only, not the number of tries (DESIGN 4.3).
$session->run('SELECT 1 FROM leads_strict LIMIT 1');
$sim->faults({ path => $post, nth => 2, times => 3, status => 409, json_error('contact.list.not.ready', 'Busy.') });
is($session->run(insert_sql('leads_strict', 'busy'))->{sqlstate}, '00000', 'busy three times: more than max_retries');
is(stored('busy'), '25 x 1', 'busy three times: every row once');

my @failing_select = (
	[ '400', { status => 400, json_error('invalid.value', 'No.') }, '22023' ],
	[ '403', { status => 403 }, '42501' ],
	[ '404', { status => 404 }, 'HV00R' ],
	[ '429, too long', { status => 429, headers => { 'Retry-After' => '100' } }, '53400' ],
	[ '429 without a word', { status => 429 }, '53400', qr/retry_timeout/ ],
	[ '503 for ever', { status => 503, times => 9 }, '58000' ],
	[ 'closed for ever', { drop => 'after', times => 9 }, '08006' ],
	[ 'cut short for ever', { truncate => 50, times => 9 }, '08006' ],
	[ 'malformed JSON', { status => 200, body => '{"entities":[{"id":"x"}' }, 'HV000' ],
	[ 'half a JSON for ever', { status => 200, times => 9, body => '{"entities":[{"id":"x"' }, 'HV000' ],
	[ 'no JSON for ever', { status => 200, times => 9, body => $html }, 'HV000' ],
	[ 'no body for ever', { status => 200, times => 9, body => '' }, 'HV000' ],
	[ 'no total', { status => 200, body => '{"entities":[]}' }, 'HV000' ],
	[ 'a short page', { status => 200, body_json => { entities => [ { id => 'x', data => {} } ], total => 25, pageSize => 10, pageNumber => 2 } }, 'HV000', qr/Page 2/ ],
);
for my $row (@failing_select)
{
	my ($what, $fault, $sqlstate, $says) = @$row;

	begin_anew('pages_strict');
	$sim->faults({ path => $search, nth => 2, %$fault });
	$result = $session->run('SELECT count(k) FROM pages_strict');
	is($result->{sqlstate}, $sqlstate, "failing SELECT, $what: SQLSTATE") or diag $result->{err};
	is($result->{out}, '', "failing SELECT, $what: no rows");
	like($result->{err}, $says, "failing SELECT, $what: the message") if $says;
	cmp_ok($result->{seconds}, '<', 5, "failing SELECT, $what: soon");
}

# E2: a floor is kept by the next statement too, which fails at once if it cannot wait so long.
begin_anew('leads_strict');
$sim->faults({ path => $post, status => 429, headers => { 'Retry-After' => '100' } });
$session->run(insert_sql('leads_strict', 'floor'));
$sim->faults;
$sim->forget_requests;
$result = $session->run(insert_sql('leads_strict', 'floor'));
is($result->{sqlstate}, '53400', 'after a Retry-After beyond retry_timeout: SQLSTATE');
like($result->{err}, qr/used up for another \d+ s/, 'after a Retry-After beyond retry_timeout: the message');
is(scalar $sim->requests, 0, 'after a Retry-After beyond retry_timeout: nothing is sent');

# Writes that could act twice are sent once; what the server refused outright may go again.
begin_anew('leads_unsafe');
for my $row (
	[ 'answer lost', { drop => 'after' }, '08006', 2 ],
	[ 'closed', { drop => 'before' }, '08006', 2 ],
	[ '503', { status => 503 }, '58000', 2 ],
	[ '429', { status => 429, headers => { 'Retry-After' => '1' } }, '00000', 4 ])
{
	my ($what, $fault, $sqlstate, $posts) = @$row;
	$sim->faults({ path => $post, nth => 2, %$fault });
	$sim->forget_requests;
	$result = $session->run(insert_sql('leads_unsafe', 'u' . ++$number));
	is($result->{sqlstate}, $sqlstate, "clear_system_data, $what: SQLSTATE") or diag $result->{err};
	is(counts_in($result->{err}), '10/10/5', "clear_system_data, $what: counts") if $sqlstate ne '00000';
	is(scalar $sim->requests(qr{/contacts$}), $posts, "clear_system_data, $what: $posts requests");
}

# A kept connection that dies under a request says so; whether the request took effect is in doubt.
add_server($node, $sim, 'once', max_retries => 0);
leads_table($node, 'leads_once', 'once', 'Leads');
begin_anew('leads_once');
$sim->faults({ path => $post, drop => 'before' });
$result = $session->run(insert_sql('leads_once', 'closed'));
is($result->{sqlstate}, '08006', 'kept connection closed: SQLSTATE');
like($result->{err}, qr/no answer: The server had closed the connection\. The limit of max_retries/, 'kept connection closed: the message');
is(counts_in($result->{err}), '0/25/0', 'kept connection closed: counts');

# Wrong credentials, and token replies that are none.
for my $row (
	[ 'wrong secret', {}, '28000', qr/authentication failed.*\n.*HINT/s ],
	[ 'no JSON', { status => 200, body => $html }, 'HV000', qr/not JSON/ ],
	[ 'no token', { status => 200, body => '{"token_type":"bearer"}' }, 'HV000', qr/no access_token/ ],
	[ '403', { status => 403 }, '42501' ])
{
	my ($what, $fault, $sqlstate, $says) = @$row;
	$sim->faults(%$fault ? ({ path => '/oauth/token', %$fault }) : ());
	$session->run("ALTER USER MAPPING FOR CURRENT_USER SERVER strict OPTIONS (SET client_secret '" . (%$fault ? 'secret' : 'wrong') . "')");
	$result = $session->run(insert_sql('leads_strict', 'never'));
	is($result->{sqlstate}, $sqlstate, "token call, $what: SQLSTATE") or diag $result->{err};
	like($result->{err}, $says, "token call, $what: the message") if $says;
}
$sim->faults;
is(stored('never'), '', 'without a token nothing was sent');

# Connections that are refused, or do not come about.
my $closed = 'http://127.0.0.1:' . GcSim::closed_port();
add_server($node, $sim, 'no_login', login_url => $closed, retry_timeout => '500ms');
add_server($node, $sim, 'no_api', api_url => $closed, retry_timeout => '500ms');
for my $name (qw(no_login no_api))
{
	leads_table($node, "leads_$name", $name, 'Leads');
	for my $sql (insert_sql("leads_$name", 'nowhere'), "SELECT * FROM leads_$name")
	{
		$result = $session->run($sql);
		is($result->{sqlstate}, '08001', "$name: SQLSTATE");
		like($result->{err}, qr/(refused|connect to).*retry_timeout/s, "$name: the message");
	}
}
SKIP:
{
	my ($full, @waiting) = GcSim::full_port();
	skip 'no port without room for a connection', 2 unless $full;
	add_server($node, $sim, 'no_room', api_url => 'http://127.0.0.1:' . $full->sockport, connect_timeout => '200ms', max_retries => 1);
	leads_table($node, 'leads_no_room', 'no_room', 'Leads');
	$result = $session->run('SELECT * FROM leads_no_room');
	is($result->{sqlstate}, '08006', 'connect_timeout: SQLSTATE');
	like($result->{err}, qr/limit: connect_timeout/, 'connect_timeout: named');
}
add_server($node, $sim, 'impatient', request_timeout => '300ms', max_retries => 1);
leads_table($node, 'leads_impatient', 'impatient', 'Leads');
$sim->faults({ path => $search, stall => \1 });
$result = $session->run('SELECT * FROM leads_impatient');
is($result->{sqlstate}, '08006', 'request_timeout: SQLSTATE');
like($result->{err}, qr/limit: request_timeout/, 'request_timeout: named');
add_server($node, $sim, 'small', max_response_size => '1kB');
leads_table($node, 'pages_small', 'small', 'Pages');
$sim->faults;
$result = $session->run('SELECT * FROM pages_small');
is($result->{sqlstate}, 'HV000', 'max_response_size: SQLSTATE');
like($result->{err}, qr/larger than max_response_size/, 'max_response_size: named');


# The server goes away in the middle of a statement.
$session->run("ALTER USER MAPPING FOR CURRENT_USER SERVER strict OPTIONS (SET client_secret 'secret')");
$session->run('SELECT 1 FROM leads_strict LIMIT 1');
$sim->faults({ path => $post, nth => 2, stall => \1 });
$sim->forget_requests;
$session->start(insert_sql('leads_strict', 'killed'));
await('the second batch', sub { $sim->requests(qr{/contacts$}) == 2 });
$sim->stop('KILL');
$result = $session->finish;
is($result->{sqlstate}, '08001', 'server killed: SQLSTATE');
is(counts_in($result->{err}), '10/10/5', 'server killed: counts');
$sim->start;
$result = $session->run(insert_sql('leads_strict', 'killed'));
is($result->{sqlstate}, '00000', 'server killed: run again') or diag $result->{err};
is(stored('killed'), '25 x 1', 'server killed: every row once');

$session->close;
$node->stop;
done_testing();
