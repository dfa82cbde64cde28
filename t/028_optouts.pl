# Two sessions at one contact: one loads it or changes its name, the other takes it out.  In
# whatever order their requests go, it ends out (H4).
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use GcTest;
use PostgreSQL::Test::Utils;
use Test::More;

skip_unless_possible();

my $rounds = $ENV{GC_OPTOUT_ROUNDS} // 1000;
my $sim = GcSim->new;
my $list = $sim->list('Leads', qw(Phone Key Name));
my $node = new_node('optouts');
add_server($node, $sim, 'usual');
leads_table($node, 'leads', 'usual', 'Leads');
$node->safe_psql('postgres', q{ALTER FOREIGN TABLE leads ADD callable boolean OPTIONS (attribute 'callable')});
$node->safe_psql('postgres', "INSERT INTO leads (k, name) SELECT 'R-' || i, 'old' FROM generate_series(1, $rounds) i");

my @sessions = map { GcSession->new($node) } 1 .. 2;
my @failed;

for my $i (1 .. $rounds)
{
	my $load =
	  $i % 2
	  ? "INSERT INTO leads (contact_id, k, name) VALUES ('R-$i', 'R-$i', 'new')"
	  : "UPDATE leads SET name = 'new' WHERE contact_id = 'R-$i'";
	my @statements = ($load, "UPDATE leads SET callable = false WHERE contact_id = 'R-$i'");
	# Each of them goes first in half of the rounds of each kind.
	my @order = $i % 4 < 2 ? (0, 1) : (1, 0);
	$sessions[$_]->start($statements[$_]) for @order;
	for my $result (map { $_->finish } @sessions)
	{
		push @failed, "$i: $result->{sqlstate} $result->{err}" if $result->{sqlstate} ne '00000';
	}
}
is_deeply(\@failed, [], "both sessions end well in each of $rounds rounds");

my @contacts = $sim->contacts($list);
my @out = grep { defined $_->{callable} && !$_->{callable} } @contacts;
is(scalar @contacts, $rounds, 'every contact is there once');
is(scalar @out, $rounds, 'every one of them ends out');

done_testing();
