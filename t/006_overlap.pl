# Requests overlap, as many as allowed and no more, on kept connections; and the quota
# is kept (E1, E2, E3, DESIGN 4.1, 4.2).
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use GcTest;
use List::Util qw(max min);
use PostgreSQL::Test::Utils;
use Test::More;

skip_unless_possible();

my $sim = GcSim->new(map { ('--client', $_, 'secret') } 'a' .. 'h');
my $list = $sim->list('Leads', qw(Phone Key Name));
my $node = new_node('overlap');
my $session = GcSession->new($node);

sub new_table
{
	my ($name, %options) = @_;
	add_server($node, $sim, $name, batch_size => 10, fetch_size => 10, %options);
	leads_table($node, "leads_$name", $name, 'Leads');
	$session->run("SELECT 1 FROM leads_$name LIMIT 1");
	$sim->forget_requests;
	return "leads_$name";
}

sub insert_sql
{
	my ($table, $rows) = @_;
	return "EXPLAIN (ANALYZE) INSERT INTO $table (k) SELECT 'c' || i FROM generate_series(1, $rows) i";
}

# --- overlap -----------------------------------------------------------------------

for my $flights (1, 4, 8)
{
	my $table = new_table("flights_$flights", max_in_flight => $flights);
	$sim->set(latency_ms => 100);
	my $result = $session->run(insert_sql($table, 160));
	my @posts = $sim->requests(qr{/contacts$});
	is(@posts, 16, "max_in_flight $flights: INSERT's requests");
	is(max(map { $_->{in_flight} } @posts), $flights, "max_in_flight $flights: so many at once, and no more");
	cmp_ok($result->{seconds}, '>=', 1.6 / $flights, "max_in_flight $flights: INSERT is no faster than that");
	note sprintf 'max_in_flight %d: 16 requests of 100 ms in %.2f s', $flights, $result->{seconds};
	my %connections = map { $_->{connection} => 1 } @posts;
	cmp_ok(keys %connections, '<=', $flights, "max_in_flight $flights: on so many connections");

	$sim->forget_requests;
	$result = $session->run("EXPLAIN (ANALYZE) SELECT * FROM $table");
	my @pages = $sim->requests(qr{/search$});
	is(@pages, 16, "max_in_flight $flights: SELECT's requests");
	is(max(map { $_->{in_flight} } @pages), $flights, "max_in_flight $flights: pages are fetched ahead, and no more");
	like($result->{out}, qr/rows=160(\.00)? /, "max_in_flight $flights: all rows");
	note sprintf 'max_in_flight %d: 16 pages of 100 ms in %.2f s', $flights, $result->{seconds};
	$connections{ $_->{connection} } = 1 for @pages;
	cmp_ok(keys %connections, '<=', $flights, "max_in_flight $flights: on the same connections");

	# A reader who stops early has cost little.
	$sim->forget_requests;
	$session->run("SELECT * FROM $table LIMIT 3");
	is(scalar $sim->requests, 1, "max_in_flight $flights: LIMIT within the first page costs one request");
	$sim->set(latency_ms => 0);
}

# Rows of one contact, in order: a batch waits for the one that has the same id.
{
	my $table = new_table('ordered', max_in_flight => 8, batch_size => 5);
	$sim->faults({ path => '/contacts', nth => 1, delay_before_ms => 400 });
	$session->run("INSERT INTO $table (k, name) SELECT 'same' || i % 7, i::text FROM generate_series(1, 70) i");
	$sim->faults;
	my %name = map { $_->{id} => $_->{data}{Name} } grep { $_->{id} =~ /^same/ } $sim->contacts($list);
	is(join(' ', map { $name{"same$_"} } 0 .. 6), '70 64 65 66 67 68 69', 'the last write of each contact wins');
}

# One slow answer holds up nobody else.
{
	my $table = new_table('slow_one', max_in_flight => 4);
	$sim->faults({ path => '/contacts', nth => 1, delay_ms => 1000 });
	my $result = $session->run(insert_sql($table, 300));
	$sim->faults;
	my @posts = $sim->requests(qr{/contacts$});
	my $early = grep { $_->{at} - $posts[0]{at} < 0.9 } @posts;
	is($early, 30, 'all other requests go out while one answer is late');
}

# Nor does one that backs off.
{
	my $table = new_table('backing_off', max_in_flight => 4);
	$sim->faults({ path => '/contacts', nth => 1, status => 503, headers => { 'Retry-After' => '1' } });
	$session->run(insert_sql($table, 300));
	$sim->faults;
	my @posts = $sim->requests(qr{/contacts$});
	my $early = grep { $_->{at} - $posts[0]{at} < 0.9 } @posts;
	is($early, 30, 'all other requests go out while one is backing off');
}

# A token that has to be renewed in the middle: answers of other requests are not forgotten.
{
	my $table = new_table('renewed', max_in_flight => 4);
	$sim->set(revoke_tokens => \1, token_lifetime => 1, latency_ms => 50);
	$session->run('SELECT gc_fdw.disconnect()');
	$sim->faults({ path => '/oauth/token', delay_ms => 200 });
	my $result = $session->run(insert_sql($table, 600));
	$sim->faults;
	$sim->set(token_lifetime => 86400, latency_ms => 0);
	is($result->{sqlstate}, '00000', 'tokens renewed on the way') or diag $result->{err};
	cmp_ok($result->{seconds}, '<', 4, 'tokens renewed on the way: nothing gets stuck');
}

# --- connections -----------------------------------------------------------------------

{
	my $table = new_table('kept');
	$session->run("INSERT INTO $table (k) VALUES ('v$_')") for 1 .. 20;
	my %connections = map { $_->{connection} => 1 } $sim->requests;
	is(keys %connections, 1, 'twenty statements share one connection');
	my $before = $sim->state->{connections};
	my $other = GcSession->new($node);
	$other->run("SELECT 1 FROM $table LIMIT 1; SELECT 1 FROM $table LIMIT 1");
	# One of them each time is this question's own.
	is($sim->state->{connections} - $before, 2, 'another session has one of its own');
	$other->close;
}

# --- the quota ---------------------------------------------------------------------------

# Smoothing: no two requests closer than the distance, at the sender's clock; the
# simulator's clock sees some jitter of the network.
{
	my $table = new_table('smooth', client => 'a', requests_per_second => 20);
	$session->run(insert_sql($table, 200));
	paced(0.05, 'requests_per_second 20: 50 ms apart', $sim->requests);
	my @posts = $sim->requests(qr{/contacts$});
	cmp_ok($posts[-1]{at} - $posts[0]{at}, '>=', 0.049 * $#posts, 'requests_per_second 20: over the whole load');
	cmp_ok($posts[-1]{at} - $posts[0]{at}, '<', 0.100 * $#posts, 'requests_per_second 20: and no slower than need be');
	$sim->forget_requests;
	$session->run("SELECT * FROM $table LIMIT 120");
	paced(0.05, 'requests_per_second 20: SELECT too', $sim->requests);
}
{
	my $table = new_table('minute', client => 'b', requests_per_minute => 1200, jitter => '10ms');
	$session->run(insert_sql($table, 200));
	paced(0.049, 'requests_per_minute 1200: 50 ms apart, less the jitter', $sim->requests);
	my @posts = $sim->requests(qr{/contacts$});
	cmp_ok($posts[-1]{at} - $posts[0]{at}, '>=', 0.049 * $#posts, 'requests_per_minute 1200: over the whole load');
}

# Over statements, too: each of them costs its distance.
{
	my $table = new_table('statements', client => 'c', requests_per_second => 20);
	$session->run("INSERT INTO $table (k) VALUES ('s$_')") for 1 .. 10;
	paced(0.05, 'the distance is kept between statements', $sim->requests);
}

# A limit that only the platform knows: obeyed from the first reply that tells it.
for my $settings ({ requests_per_minute => 1000000 }, { requests_per_minute => undef })
{
	my $client = $settings->{requests_per_minute} ? 'd' : 'e';
	$sim->set(requests_per_minute => 600, rate_window_seconds => 1, limit_scope => 'client');
	my $table = new_table("limited_$client", client => $client, %$settings);
	my $result = $session->run(insert_sql($table, 100));
	is($result->{sqlstate}, '00000', 'a limit of the platform') or diag $result->{err};
	my @posts = $sim->requests(qr{/contacts$});
	is(scalar(grep { $_->{status} == 429 } $sim->requests), 0, 'is obeyed before it is reached');
	my $seconds = $posts[-1]{at} - $posts[0]{at};
	note sprintf 'limit 600 a minute: %d requests in %.2f s', scalar @posts, $seconds;
	cmp_ok($seconds, '>=', 0.1 * $#posts - 0.05, 'one request each 100 ms (the last may be quicker on its way than the first)');
	$sim->set(requests_per_minute => 0, rate_window_seconds => 60, limit_scope => 'token');
}

sub limit_headers
{
	my ($allowed, $count, $reset) = @_;
	return { 'inin-ratelimit-allowed' => $allowed, 'inin-ratelimit-count' => $count, 'inin-ratelimit-reset' => $reset };
}

# What others used counts: a quota that is used up closes until the reset …
{
	my $table = new_table('used_up', client => 'f', max_in_flight => 1);
	$sim->faults({ path => '/contacts', nth => 3, headers => limit_headers(60000, 60000, 2) });
	my $result = $session->run(insert_sql($table, 100));
	$sim->faults;
	is($result->{sqlstate}, '00000', 'a quota that others used up') or diag $result->{err};
	my @posts = $sim->requests(qr{/contacts$});
	cmp_ok($posts[3]{at} - $posts[2]{at}, '>=', 1.9, 'is waited for');
	cmp_ok($posts[3]{at} - $posts[2]{at}, '<', 3, 'and no longer than that');
}

# … and one that is nearly used up is spread to the reset.
{
	my $table = new_table('nearly', client => 'g', max_in_flight => 1);
	# The end of a window is told in seconds, rounded up: of two, one and a half are counted on.
	$sim->faults(map { { path => '/contacts', nth => $_, headers => limit_headers(60000, 59994 + $_, 2) } } 1 .. 5);
	$session->run(insert_sql($table, 50));
	$sim->faults;
	my @posts = $sim->requests(qr{/contacts$});
	paced(0.25, 'what is left of a quota is spread to its reset', @posts);
}

# After a 429 nobody sends before Retry-After is over: not this request, not the others.
{
	my $table = new_table('closed', client => 'h', max_in_flight => 4);
	$sim->faults({ path => '/contacts', nth => 3, status => 429, headers => { 'Retry-After' => '2' } });
	my $result = $session->run(insert_sql($table, 200));
	$sim->faults;
	is($result->{sqlstate}, '00000', '429: the load goes on') or diag $result->{err};
	my @posts = $sim->requests(qr{/contacts$});
	my ($refused) = grep { $_->{status} == 429 } @posts;
	my @meanwhile = grep { $_->{at} > $refused->{at} + 0.3 && $_->{at} < $refused->{at} + 1.99 } @posts;
	is(@meanwhile, 0, '429: nobody sends before Retry-After is over');
	is(explained($result)->{Retries}, 1, '429: one retry');
}

$session->close;
$node->stop;
done_testing();
