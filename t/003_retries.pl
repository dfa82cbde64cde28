# What passes: lost answers, refusals for the moment, tokens that run out, a server that
# comes back.  Every row is there once, and every request is counted (D2, E2, B2).
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

# Does EXPLAIN ANALYZE know of all that the simulator saw?
sub check_counts
{
	my ($what, $result, $needed) = @_;
	my $explained = explained($result);
	my $seen = $sim->requests;

	is($explained->{Requests}, $seen, "$what: requests ($seen) are counted");
	is($explained->{Retries}, $seen - $needed, "$what: so are retries") if defined $needed;
	return;
}

$session->run('SELECT 1 FROM leads LIMIT 1');

my $html = '<html><body>Bad Gateway</body></html>';
my @passing = (
	[ 'closed before the request took effect', { drop => 'before' } ],
	[ 'closed after it took effect', { drop => 'after' } ],
	[ 'three answers lost in a row', { drop => 'after', times => 3 } ],
	[ 'a reply cut short', { truncate => 20 } ],
	[ 'a reply without a body', { truncate => 0 } ],
	[ '500', { status => 500, body_json => { code => 'internal.server.error', message => 'oh' } } ],
	[ '200 with a page in HTML', { status => 200, effect => \1, body => $html, content_type => 'text/html' } ],
	[ '200 with half an answer', { status => 200, effect => \1, body => '[{"id":"x"' } ],
	[ '502 in HTML', { status => 502, body => $html, content_type => 'text/html' } ],
	[ '503', { status => 503 } ],
	[ '503 that took effect', { status => 503, effect => \1 } ],
	[ '504', { status => 504, body => '' } ],
	[ '408', { status => 408 } ],
	[ '409, the list is busy', { status => 409, body_json => { code => 'contact.list.not.ready', message => 'The list is locked.' } } ],
	[ '409 of another kind', { status => 409, body_json => { code => 'general.conflict', message => 'Try again.' } } ],
	[ '503 with Retry-After', { status => 503, headers => { 'Retry-After' => '1' } }, 1 ],
	[ '429 with Retry-After', { status => 429, headers => { 'Retry-After' => '1' } }, 1 ],
	map({ [ "429 with Retry-After $_", { status => 429, headers => { 'Retry-After' => $_, 'inin-ratelimit-reset' => 1 } }, 1 ] }
		'0', '-5', 'soon', ''),
	[ '429 with the reset header only', { status => 429, headers => { 'inin-ratelimit-reset' => 1 } }, 1 ],
	[ '401', { status => 401, body_json => { code => 'bad.credentials', message => 'Invalid login credentials.' } }, 0, 'token' ],
);

for my $row (@passing)
{
	my ($what, $fault, $least, $token) = @$row;
	my $case = 'a' . ++$number;

	$sim->faults({ path => $post, nth => 2, %$fault });
	$sim->forget_requests;
	my $result = $session->run('EXPLAIN (ANALYZE) ' . insert_sql('leads', $case));
	is($result->{sqlstate}, '00000', "INSERT, $what") or diag $result->{err};
	is(stored($case), '25 x 1', "INSERT, $what: every row once");
	check_counts("INSERT, $what", $result, $token ? 4 : 3);
	cmp_ok($result->{seconds}, '>=', $least, "INSERT, $what: waits as told") if $least;

	next if $what =~ /429 with|three|409|took effect/ && $what ne '429 with Retry-After';
	$sim->faults({ path => $search, nth => 2, %$fault });
	$sim->forget_requests;
	$result = $session->run('EXPLAIN (ANALYZE) SELECT * FROM pages');
	is($result->{sqlstate}, '00000', "SELECT, $what") or diag $result->{err};
	like($result->{out}, qr/rows=25(\.00)? /, "SELECT, $what: every row");
	check_counts("SELECT, $what", $result, $token ? 4 : 3);
	cmp_ok($result->{seconds}, '>=', $least, "SELECT, $what: waits as told") if $least;
}

# 413 halves a batch, and then the half of it (B2).
$sim->faults({ path => $post, status => 413, times => 2 });
$sim->forget_requests;
my $result = $session->run('EXPLAIN (ANALYZE) ' . insert_sql('leads', 'big'));
is(stored('big'), '25 x 1', '413: every row once');
check_counts('413', $result);
my $accepted = 0;
$accepted += $_->{rows} for grep { $_->{status} == 200 } $sim->requests;
is($accepted, 25, '413: no row was sent twice');

# Answers that come too late are taken for lost.
add_server($node, $sim, 'impatient', batch_size => 10, fetch_size => 10, request_timeout => '300ms');
leads_table($node, 'leads_impatient', 'impatient', 'Leads');
$session->run('SELECT 1 FROM leads_impatient LIMIT 1');
$sim->faults({ path => $post, nth => 2, stall => \1, effect => \1 });
$sim->forget_requests;
$result = $session->run('EXPLAIN (ANALYZE) ' . insert_sql('leads_impatient', 'late'));
is(stored('late'), '25 x 1', 'request_timeout: every row once');
check_counts('request_timeout', $result, 3);

# A token that is revoked is asked for anew, once.
$sim->faults;
$sim->forget_requests;
$sim->set(revoke_tokens => \1);
$result = $session->run('EXPLAIN (ANALYZE) ' . insert_sql('leads', 'revoked'));
is(stored('revoked'), '25 x 1', 'revoked token: every row once');
check_counts('revoked token', $result);
is(scalar $sim->requests(qr{/oauth/token}), 1, 'revoked token: one new token for all requests');

# One that expires while the statement is at work is renewed in time: nothing is refused.
$sim->set(token_lifetime => 1, latency_ms => 150, revoke_tokens => \1);
$session->run('SELECT gc_fdw.disconnect()');
$sim->forget_requests;
$result = $session->run('EXPLAIN (ANALYZE) ' . insert_sql('leads_strict', 'short', 100));
$sim->set(token_lifetime => 86400, latency_ms => 0, revoke_tokens => \1);
is(stored('short'), '100 x 1', 'short-lived tokens: every row once');
cmp_ok(scalar $sim->requests(qr{/oauth/token}), '>=', 2, 'short-lived tokens: renewed');
is(scalar(grep { $_->{status} == 401 } $sim->requests), 0, 'short-lived tokens: none was refused');
check_counts('short-lived tokens', $result, scalar $sim->requests);

# The token call has the same patience.
for my $fault ({ status => 503 }, { drop => 'after' }, { status => 429, headers => { 'Retry-After' => '1' } })
{
	$session->run('SELECT gc_fdw.disconnect()');
	$sim->faults({ path => '/oauth/token', nth => 1, %$fault });
	$sim->forget_requests;
	$result = $session->run('EXPLAIN (ANALYZE) SELECT * FROM pages');
	like($result->{out}, qr/rows=25(\.00)? /, 'the token call is repeated');
	check_counts('the token call', $result, scalar($sim->requests) - 1);
}

# A kept connection may have died unnoticed, and then all have: tokens are asked for, and
# requests repeated, on new ones (DESIGN 4.1).
$sim->faults({ path => $post, nth => 12, drop => 'before' });
$sim->set(latency_ms => 50);
$sim->forget_requests;
$session->run(insert_sql('leads', 'many', 100));
my %used = map { $_->{connection} => 1 } $sim->requests;
cmp_ok(keys %used, '>', 2, 'several connections are kept');
$sim->set(latency_ms => 0);
$sim->forget_requests;
$result = $session->run(insert_sql('leads_strict', 'dead'));
is($result->{sqlstate}, '00000', 'a kept connection has died') or diag $result->{err};
is(stored('dead'), '25 x 1', 'a kept connection has died: every row once');
my @posts = $sim->requests(qr{/contacts$});
is(scalar @posts, 4, 'a kept connection has died: one request is repeated');
my ($token) = $sim->requests(qr{/oauth/token});
ok(!$used{ $token->{connection} }, 'a kept connection has died: the token call is on a new one');
$used{ $_->{connection} } = 1 for $token, @posts[0, 1];
ok(!$used{ $posts[2]{connection} }, 'a kept connection has died: the repeat is on a new one');

# The server is started anew between two statements: the kept connection is dead, and the token unknown.
for my $table (qw(leads leads_unsafe))
{
	$session->run("SELECT 1 FROM $table LIMIT 1");
	$sim->stop;
	$sim->start;
	$result = $session->run('EXPLAIN (ANALYZE) ' . insert_sql($table, "restart_$table"));
	is($result->{sqlstate}, '00000', "restart between statements, $table") or diag $result->{err};
	is(stored("restart_$table"), '25 x 1', "restart between statements, $table: every row once");
}

# In the middle of one, but back in time.
$session->run('SELECT 1 FROM leads LIMIT 1');
$sim->faults({ path => $post, stall => \1 });
$sim->forget_requests;
$session->start(insert_sql('leads', 'back'));
await('the batches', sub { $sim->requests(qr{/contacts$}) == 3 });
$sim->stop('KILL');
$sim->start;
$result = $session->finish;
is($result->{sqlstate}, '00000', 'server restarted: the statement goes on') or diag $result->{err};
is(stored('back'), '25 x 1', 'server restarted: every row once');

$session->close;
$node->stop;
done_testing();
