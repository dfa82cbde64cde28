# One quota for all sessions: spacing, order, who goes first, what a Retry-After closes, and
# that nobody who has gone stands in line (E1 to E4, DESIGN 4.2).  Without shared memory each
# session has its own, and says so.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use GcTest;
use PostgreSQL::Test::Utils;
use Test::More;

skip_unless_possible();

my @cases = qw(spaced closed reserve no_reserve bulk shared announced gone guarded);
my $sim = GcSim->new(map { ('--client', $_, 'secret') } @cases);
$sim->list('Leads', qw(Phone Key Name));
my $node = new_node('quota', "shared_preload_libraries = 'gc_fdw'");
my $watch = GcSession->new($node);
my $version = $watch->value('SHOW server_version_num');

# A server of its own client for each case, so that no case waits for another's quota.
sub case_server
{
	my ($name, %options) = @_;
	add_server($node, $sim, $name, client => $name, %options);
	leads_table($node, "leads_$name", $name, 'Leads', batch_size => 1);
	return;
}

# Sessions that know the list and have a token, so that a statement is one request a row.
sub sessions
{
	my ($name, $count) = @_;
	my @sessions = map { GcSession->new($node) } 1 .. $count;
	my $per_minute = $watch->value("SELECT option_value FROM pg_foreign_server s, pg_options_to_table(srvoptions)
		WHERE srvname = '$name' AND option_name = 'requests_per_minute'");
	$node->safe_psql('postgres', "ALTER SERVER $name OPTIONS (SET requests_per_minute '600000')");
	$_->value("SELECT count(*) FROM (SELECT FROM leads_$name LIMIT 1) x") for @sessions;
	$node->safe_psql('postgres', "ALTER SERVER $name OPTIONS (SET requests_per_minute '$per_minute')");
	$sim->forget_requests;
	return @sessions;
}

sub waiters { return $watch->value("SELECT coalesce(sum(waiters), 0) FROM gc_fdw.rate_limits WHERE server = '$_[0]'") }

sub await_waiters
{
	my ($name, $count) = @_;
	return await("$count in line", sub { waiters($name) == $count });
}

sub insert { my ($name, $key, $rows) = @_; return "INSERT INTO leads_$name (k) SELECT '$key-' || i FROM generate_series(1, $rows) i" }

#
# Spacing
#
case_server('spaced', requests_per_minute => 300);
my @three = sessions('spaced', 3);
# A change of the server means a new connection, hence one look at the list and a token each.
$_->start(insert('spaced', "s$$-" . $_->pid, 3)) for @three;
$_->finish for @three;
my @sent = $sim->requests(qr{contactlists});
cmp_ok(scalar @sent, '>=', 9, 'three sessions, three rows each');
paced(0.2, 'together they keep to the quota of one', @sent);
is(waiters('spaced'), 0, 'nobody is left in line');

#
# What a Retry-After closes, it closes for everybody
#
case_server('closed', requests_per_minute => 6000);
my ($first, $second) = sessions('closed', 2);
$_->value(insert('closed', 'known', 1)) for $first, $second;
$sim->forget_requests;
$sim->faults({ method => 'POST', path => '*/contacts', nth => 1, status => 429, headers => { 'Retry-After' => '2' } });
$first->start(insert('closed', 'a', 1));
await('it is closed', sub { $watch->value("SELECT count(closed_until) FROM gc_fdw.rate_limits WHERE server = 'closed'") });
is($second->run(insert('closed', 'b', 1))->{sqlstate}, '00000', 'another session, meanwhile');
$first->finish;
@sent = $sim->requests(qr{POST .*/contacts$});
is(scalar @sent, 3, 'a request that was refused, and two that were not');
cmp_ok($sent[1]{at} - $sent[0]{at}, '>=', 2, 'none of any session before the Retry-After has passed');
$sim->faults;
# A role that does not own the server cannot open it for everybody.
$node->safe_psql('postgres', "CREATE ROLE analyst LOGIN; CREATE USER MAPPING FOR analyst SERVER closed
	OPTIONS (client_id 'closed', client_secret 'secret'); GRANT SELECT ON leads_closed TO analyst");
my $analyst = GcSession->new($node, user => 'analyst');
$analyst->value('SELECT count(*) FROM (SELECT FROM leads_closed LIMIT 1) x');
$sim->faults({ method => 'POST', path => '*/contacts', nth => 1, status => 429, headers => { 'Retry-After' => '900' } });
is($first->run(insert('closed', 'c', 1))->{sqlstate}, '53400', 'a Retry-After beyond the budget');
my $closed = "SELECT count(closed_until) FROM gc_fdw.rate_limits WHERE server = 'closed'";
is($analyst->value('SELECT gc_fdw.disconnect()'), 1, 'an analyst disconnects');
is($watch->value($closed), 1, '… which opens nothing');
$first->value('SELECT gc_fdw.disconnect()');
is($watch->value($closed), 0, "the server's owner can");
$sim->faults;

#
# A single row goes before loads, as far as the reserve goes
#
for my $reserve ('0.5', '0')
{
	my $name = $reserve ? 'reserve' : 'no_reserve';
	case_server($name, requests_per_minute => 120, quota_reserve => $reserve, max_in_flight => 1);
	$node->safe_psql('postgres', "ALTER FOREIGN TABLE leads_$name OPTIONS (SET batch_size '2')");
	my ($single, @loads) = sessions($name, 4);
	$_->value("SELECT count(*) FROM (SELECT FROM leads_$name LIMIT 1) x") for $single, @loads;
	$sim->forget_requests;
	$_->start(insert($name, 'load', 6)) for @loads;
	await_waiters($name, 3);
	$single->start(insert($name, 'single', 1));
	await_waiters($name, 4);
	my $before = $sim->requests(qr{POST .*/contacts$});
	$_->finish for $single, @loads;
	my @rows = map { $_->{rows} } $sim->requests(qr{POST .*/contacts$});
	my ($place) = grep { $rows[$_] == 1 } 0 .. $#rows;
	if ($reserve)
	{
		cmp_ok($place - $before, '<=', 1, 'a single row goes before three loads that came earlier');
	}
	else
	{
		cmp_ok($place - $before, '>=', 2, 'without a reserve it goes when it is its turn');
	}
}

#
# A bucket for bulk endpoints
#
case_server('bulk', requests_per_minute => 6000, bulk_requests_per_minute => 120);
my ($writer, $reader) = sessions('bulk', 2);
$_->value(insert('bulk', 'known', 1)) for $writer;
$reader->value("SELECT count(*) FROM (SELECT FROM leads_bulk LIMIT 1) x");
$sim->forget_requests;
$writer->start(insert('bulk', 'b', 4));
await('the bulk bucket is waited for',
	sub { $watch->value("SELECT waiters FROM gc_fdw.rate_limits WHERE server = 'bulk' AND bucket = 'bulk'") });
$reader->value("SELECT count(*) FROM (SELECT FROM leads_bulk LIMIT 1) x") for 1 .. 3;
my $reads = () = $sim->requests(qr{/search$});
my $writes = () = $sim->requests(qr{POST .*/contacts$});
is($reads, 3, 'reads do not wait for the bulk bucket');
cmp_ok($writes, '<', 4, '… while writes do');
$writer->finish;
paced(0.5, 'bulk requests are 60 s / 118.8 apart', $sim->requests(qr{POST .*/contacts$}));

#
# Shares of a quota; limits that the platform announces
#
case_server('shared', requests_per_minute => 600, quota_share => 0.5);
my ($half) = sessions('shared', 1);
$half->value(insert('shared', 'known', 1));
$sim->forget_requests;
$half->value(insert('shared', 'h', 8));
paced(0.2, 'half of 600 a minute', $sim->requests(qr{POST .*/contacts$}));
$sim->set(requests_per_minute => 240);
case_server('announced', requests_per_minute => undef);
my ($told) = map { GcSession->new($node) } 1;
$told->value(insert('announced', 'known', 1));
is($watch->value("SELECT allowed FROM gc_fdw.rate_limits WHERE server = 'announced'"), 240, 'what the platform allows');
$sim->forget_requests;
$told->value(insert('announced', 'h', 8));
paced(0.25, '… is kept', $sim->requests(qr{POST .*/contacts$}));
$sim->set(requests_per_minute => 0);

#
# Whoever goes away leaves the line, however he goes
#
case_server('gone', requests_per_minute => 2);
for my $way ('pg_cancel_backend', 'pg_terminate_backend', 'statement_timeout', 'savepoint')
{
	my ($session) = sessions('gone', 1);
	$session->value("SET statement_timeout = '300ms'") if $way eq 'statement_timeout';
	$session->run('BEGIN; SAVEPOINT s') if $way eq 'savepoint';
	$session->start(insert('gone', $way, 3));
	await_waiters('gone', 1);
	my $event = $watch->value("SELECT wait_event FROM pg_stat_activity WHERE pid = ${\ $session->pid}");
	is($event, $version >= 170000 ? 'GcFdwRateLimit' : 'Extension', "$way: what it waits for is shown");
	$watch->value("SELECT pg_cancel_backend(${\ $session->pid})") if $way eq 'savepoint';
	$watch->value("SELECT $way(${\ $session->pid})") if $way =~ /^pg_/;
	$session->finish;
	$session->run('ROLLBACK TO s') if $way eq 'savepoint';
	ok(await_waiters('gone', 0), "$way: nobody is left in line");
}

#
# Who only calls himself by a client's name has no say in what that client gets
#
case_server('guarded', requests_per_minute => 6000);
my ($owner) = sessions('guarded', 1);
$owner->value(insert('guarded', 'known', 1));
add_server($node, $sim, 'usurper', client => 'guarded', requests_per_minute => 1);
leads_table($node, 'leads_usurper', 'usurper', 'Leads');
$node->safe_psql('postgres', "ALTER USER MAPPING FOR CURRENT_USER SERVER usurper OPTIONS (SET client_secret 'guessed')");
my $usurper = GcSession->new($node);
my $limits = "FROM gc_fdw.rate_limits WHERE server = 'guarded'";
is($usurper->run('SELECT FROM leads_usurper')->{sqlstate}, '28000', 'a wrong secret is refused');
is($watch->value("SELECT allowed $limits"), 6000, '… and its settings do not hold');
$sim->faults({ method => 'POST', path => '*/contacts', nth => 1, status => 429, headers => { 'Retry-After' => '600' } });
is($owner->run(insert('guarded', 'a', 1))->{sqlstate}, '53400', 'the quota is closed');
is($usurper->value('SELECT gc_fdw.disconnect()'), 1, 'its session forgets its connection …');
is($watch->value("SELECT count(closed_until) $limits"), 1, '… and the quota stays closed');
$sim->faults;
# At a login host of his own anybody is any client: his quota is another.
add_server($node, $sim, 'elsewhere', client => 'guarded', requests_per_minute => 600, login_url => $sim->url =~ s/127\.0\.0\.1/localhost/r);
leads_table($node, 'leads_elsewhere', 'elsewhere', 'Leads');
is($usurper->run('SELECT FROM leads_elsewhere LIMIT 1')->{sqlstate}, '00000', 'another login host lets him in');
is($watch->value("SELECT allowed $limits"), 6000, '… and his settings hold for himself');

#
# Without shared memory
#
my $alone = new_node('alone');
add_server($alone, $sim, 'alone');
leads_table($alone, 'leads', 'alone', 'Leads');
my $session = GcSession->new($alone);
$session->value("INSERT INTO leads (k) VALUES ('x')") for 1 .. 2;
my $said = () = slurp_log($alone) =~ /every session keeps a quota of its own/g;
is($said, $version >= 170000 ? 0 : 1, 'without shared memory it is said once, from PostgreSQL 17 on there is some');
is($session->value('SELECT requests > 3 FROM gc_fdw.stat_servers'), 't', 'a session sees what it did itself');
is(GcSession->new($alone)->value('SELECT count(*) FROM gc_fdw.stat_servers'), $version >= 170000 ? 1 : 0,
	'… and others only see it where memory is shared');

done_testing();
