# A backend is killed in the middle of a load: the server goes on, and the load run again by
# its key leaves every contact once (D1, D2b, DESIGN 3).
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use GcTest;
use PostgreSQL::Test::Utils;
use Test::More;

skip_unless_possible();

my $sim = GcSim->new;
my $list = $sim->list('Leads', qw(Phone Key Name));
my $node = new_node('crash', 'restart_after_crash = on');
add_server($node, $sim, 'usual', batch_size => 100, max_in_flight => 2);
leads_table($node, 'leads', 'usual', 'Leads');
leads_table($node, 'leads_later', 'usual', 'Leads', deliver => 'commit');

sub insert_sql
{
	my ($table, $case) = @_;
	return "INSERT INTO $table (k, name) SELECT '$case-' || i, 'name ' || i FROM generate_series(1, 3000) i";
}

# How many contacts of a case are there, and how many of them more than once or with other cells.
sub stored
{
	my ($case) = @_;
	my (%times, $wrong);
	for my $contact (grep { $_->{id} =~ /^$case-/ } $sim->contacts($list))
	{
		my ($number) = $contact->{id} =~ /-(\d+)$/;
		$wrong++ if $times{ $contact->{id} }++ || $contact->{data}{Name} ne "name $number" || $contact->{data}{Key} ne $contact->{id};
	}
	return (scalar keys %times, $wrong // 0);
}

for my $table (qw(leads leads_later))
{
	# Some batches are answered, one never is.
	$sim->faults({ path => '*/contacts', method => 'POST', nth => 8, stall => \1 });
	my $session = GcSession->new($node);
	my $pid = $session->pid;
	$session->start(insert_sql($table, $table));
	await('some batches', sub { $sim->fault_hits && (stored($table))[0] >= 500 });
	kill 'KILL', $pid;
	ok($session->finish->{closed}, "$table: the backend is gone");
	$sim->faults();
	await('the server is back', sub { eval { GcSession->new($node)->value('SELECT 1') } });
	my ($count, $wrong) = stored($table);
	cmp_ok($count, '<', 3000, "$table: it was in the middle of the load");
	is($wrong, 0, "$table: what was sent is whole");
	my $again = GcSession->new($node)->run(insert_sql($table, $table));
	is($again->{sqlstate}, '00000', "$table: it can be run again");
	is_deeply([ stored($table) ], [ 3000, 0 ], "$table: then every contact is there once");
}
is($node->safe_psql('postgres', 'SELECT count(*) FROM gc_fdw.audit_log WHERE accepted = 3000'), '2', 'the audit has the loads that ended');

done_testing();
