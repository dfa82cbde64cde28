# A2: an INSERT that waits for its list to be usable can be cancelled at once, in the first half
# second and between the looks thereafter; what was made is there, is in the audit, and is taken
# by the same INSERT run again (A3).
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

add_server($node, $sim, 'genesys', ready_timeout => '60s');
$node->safe_psql('postgres', 'IMPORT FOREIGN SCHEMA outbound LIMIT TO (contact_lists) FROM SERVER genesys INTO public');
my $session = GcSession->new($node);
my $control = GcSession->new($node);
my $asks = qr{^GET .*/contactlists/[0-9a-f-]+$};

sub provision { my ($name) = @_; return "INSERT INTO contact_lists (name, column_names, phone_columns) VALUES ('$name', '{id,phone}', '[{\"columnName\": \"phone\", \"type\": \"cell\"}]')" }

# Before the list is asked for, and after it has said that it is not there.
for my $case ([ 'Early', 0 ], [ 'Between', 1 ])
{
	my ($name, $looks) = @$case;

	$sim->set(provision_ms => 600000);
	$sim->forget_requests;
	$session->start(provision($name));
	await("$name: it is waited for", sub { $sim->requests(qr{^POST .*/contactlists$}) && $sim->requests($asks) >= $looks });
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
		$control->value("SELECT count(*) FROM gc_fdw.audit_log WHERE operation = 'INSERT' AND status = 'failed' AND accepted = 1") == $looks + 1 });
}

# They are there, once the platform has them, and nothing is made twice.
$sim->set(provision_ms => 0);
$session->run(provision('Third'));
is($session->run('SELECT count(*) FROM contact_lists')->{out}, '1', 'those that were cancelled are still being made');

$session->close;
$control->close;
done_testing();
