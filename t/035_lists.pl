# A2: an INSERT that waits for its list to be usable can be cancelled at once, in the first half
# second and between the looks thereafter; what was made is there, is in the audit, and is taken
# by the same INSERT run again (A3).  In either dialect.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use GcTest;
use Test::More;
use Time::HiRes qw(time);

skip_unless_possible();

my $sim = GcSim->new;
my $node = new_node('lists');

for my $dialect (qw(platform jobs))
{
	add_server($node, $sim, $dialect, ready_timeout => '60s', dialect => $dialect);
	$node->safe_psql('postgres', "CREATE SCHEMA $dialect; IMPORT FOREIGN SCHEMA outbound LIMIT TO (contact_lists) FROM SERVER $dialect INTO $dialect");
}
my $session = GcSession->new($node);
my $control = GcSession->new($node);
my $asks = qr{^GET .*/(contact)?lists/[0-9a-f-]+$};

sub provision { my ($dialect, $name) = @_; return "INSERT INTO $dialect.contact_lists (name, column_names, phone_columns) VALUES ('$name', '{id,phone}', '[{\"columnName\": \"phone\", \"type\": \"cell\"}]')" }

# Before the list is asked for, and after it has said that it is not there.
my $cancelled = 0;
for my $case ([ 'platform', 'Early', 0 ], [ 'platform', 'Between', 1 ], [ 'jobs', 'Early', 0 ], [ 'jobs', 'Between', 1 ])
{
	my ($dialect, $moment, $looks) = @$case;
	my $name = "$moment $dialect";

	$sim->set(provision_ms => 600000);
	$sim->forget_requests;
	$session->start(provision($dialect, $name));
	await("$name: it is waited for", sub { $sim->requests(qr{^POST .*/(contact)?lists$}) && $sim->requests($asks) >= $looks });
	await("$name: the session sleeps", sub {
		$control->value('SELECT wait_event_type FROM pg_stat_activity WHERE pid = ' . $session->pid) eq 'Extension' });
	my $from = time;
	$control->value('SELECT pg_cancel_backend(' . $session->pid . ')');
	my $result = $session->finish(30);
	like($result->{err}, qr/canceling statement due to user request/, "$name: it is cancelled");
	cmp_ok($result->{at} - $from, '<', 2, "$name: at once");
	like($result->{err}, qr/what was sent to contact lists .* is not undone.*Rows accepted: 1, in doubt: 0, not sent: 0/s,
		"$name: which says what was done");
	await("$name: it is in the audit", sub {
		$control->value("SELECT count(*) FROM gc_fdw.audit_log WHERE operation = 'INSERT' AND status = 'failed' AND accepted = 1") == $cancelled + 1 });
	$cancelled++;
}

# A2, A3: the INSERT of a list that is there already, and in no listing yet, finds its name taken: it waits for it, up to
# ready_timeout, which can be cancelled, and gives that list.
for my $dialect (qw(platform jobs))
{
	my $name = "Taken $dialect";
	my $insert = provision($dialect, $name) . ' RETURNING id';

	$sim->set(provision_ms => 0);
	my $id = $session->run($insert)->{out};
	$sim->set(provision_ms => 600000);
	for my $times (1000, 5)
	{
		$sim->faults({ method => 'GET', path => '/outbound/contactlists', times => $times, body_json => { entities => [], pageCount => 0, total => 0 } });
		$sim->forget_requests;
		$session->start($insert);
		if ($times == 5)
		{
			my $result = $session->finish(60);
			is($result->{out}, $id, "$name: it is given, once it is listed") or diag $result->{err};
			next;
		}
		await("$name: it is looked for, again and again", sub { $sim->requests(qr{^GET .*/contactlists$}) >= 4 });
		is(join(' ', map { $_->{status} } $sim->requests(qr{^POST .*/(contact)?lists$})), $dialect eq 'jobs' ? '409' : '400', "$name: its name is taken");
		$control->value('SELECT pg_cancel_backend(' . $session->pid . ')');
		like($session->finish(30)->{err}, qr/canceling statement due to user request/, "$name: that can be cancelled");
	}
	$sim->faults;
	is(scalar $sim->requests(qr{^POST .*/(contact)?lists$}), 1, "$name: it is made once");
	$session->value("DELETE FROM $dialect.contact_lists WHERE name = '$name'");
}

# L: so is the wait for fields that are being added, which are there then, and are waited for by the same UPDATE (I3).
$sim->set(provision_ms => 0);
$session->run(provision('jobs', 'Grows'));
$sim->set(provision_ms => 600000);
$sim->forget_requests;
my $grow = q{UPDATE jobs.contact_lists SET column_names = column_names || '{city}' WHERE name = 'Grows' RETURNING version, status};
$session->start($grow);
await('the list is waited for', sub { ($sim->requests(qr{^PUT .*/lists/[0-9a-f-]+$})) });
await('the session sleeps', sub {
	$control->value('SELECT wait_event_type FROM pg_stat_activity WHERE pid = ' . $session->pid) eq 'Extension' });
my $began = time;
$control->value('SELECT pg_cancel_backend(' . $session->pid . ')');
my $grown = $session->finish(30);
like($grown->{err}, qr/canceling statement due to user request/, 'an UPDATE that adds fields is cancelled');
cmp_ok($grown->{at} - $began, '<', 2, 'at once');

# They are there, once the platform has them, and nothing is made twice.
$sim->set(provision_ms => 0);
$session->run(provision('platform', 'Third'));
is($session->run('SELECT count(*) FROM platform.contact_lists')->{out}, '2', 'those that were cancelled are still being made');

# I3: so is the wait for what somebody else has written meanwhile, and readings do not show yet.
$session->run(provision('jobs', 'Lagging'));
my $lagging = $session->value("SELECT id FROM jobs.contact_lists WHERE name = 'Lagging'");
$session->run("ALTER SERVER jobs OPTIONS (SET read_lag '1min')");
$sim->set(schema_lag_ms => 600000);
$sim->faults({ method => 'PUT', path => "/outbound/lists/$lagging", nth => 1, conflict => 'K4', calls_after => [
	{ method => 'PUT', path => "/api/v2/outbound/lists/$lagging", body => { %{ $sim->api('GET', "/outbound/lists/$lagging") }, description => 'theirs' } } ] });
$sim->forget_requests;
$session->start($grow =~ s/Grows/Lagging/r);
await('the list is read again, and again', sub {
	my @asked = map { $_->{method} } $sim->requests(qr{^(GET|PUT) .*/lists/[0-9a-f-]+$});
	join(' ', @asked) =~ /PUT GET GET/ });
await('the session sleeps', sub {
	$control->value('SELECT wait_event_type FROM pg_stat_activity WHERE pid = ' . $session->pid) eq 'Extension' });
$began = time;
$control->value('SELECT pg_cancel_backend(' . $session->pid . ')');
my $lagged = $session->finish(30);
like($lagged->{err}, qr/canceling statement due to user request/, 'an UPDATE that waits for another version is cancelled');
cmp_ok($lagged->{at} - $began, '<', 2, 'at once');
unlike($lagged->{err}, qr/what was sent/, '… and has changed nothing');

$session->close;
$control->close;
done_testing();
