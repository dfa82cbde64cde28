# on_error 'reject' beside what else goes wrong: cancels while a batch is searched, workers that are
# not to be had or are lost at COMMIT, a COMMIT that fails behind the sending, and faults at random
# (DESIGN 3, 4.3, 4.5, 4.6, F3).
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use GcTest;
use PostgreSQL::Test::Utils;
use Test::More;

skip_unless_possible();

# A row is bad if its zip code is none.
my $sim = GcSim->new;
my $list = $sim->call('POST', '/_sim/lists', {
	name => 'Leads', columnNames => [qw(Phone Key Name Zip)], phoneColumns => [{ columnName => 'Phone', type => 'cell' }],
	automaticTimeZoneMapping => \1, zipCodeColumnName => 'Zip' })->{id};
my $node = new_node('rejects', "shared_preload_libraries = 'gc_fdw'", 'max_worker_processes = 4');
add_server($node, $sim, 'usual', batch_size => 20, max_in_flight => 2, max_retries => 1, retry_timeout => '5s', on_error => 'reject', verification => 'relaxed');
for ([ 'leads', 'statement' ], [ 'later', 'commit' ])
{
	my ($table, $deliver) = @$_;
	leads_table($node, $table, 'usual', 'Leads', deliver => $deliver);
	$node->safe_psql('postgres', "ALTER FOREIGN TABLE $table ADD COLUMN zip text OPTIONS (field 'Zip')");
}
$node->safe_psql('postgres', 'CREATE TABLE local (n integer)');
my $control = GcSession->new($node);

# The keys of rejected rows.
sub rejected { return split /,/, $control->value(q(SELECT coalesce(string_agg(key, ',' ORDER BY id), '') FROM gc_fdw.rejected_rows)) }
sub forget { $sim->faults; $control->run('DELETE FROM gc_fdw.rejected_rows; DELETE FROM local'); return }

# insert_sql(TABLE, CASE, ROWS, BAD...): of these numbers' rows the zip code is none.
sub insert_sql
{
	my ($table, $case, $rows, @bad) = @_;
	my $bad = join ',', 0, @bad;
	return "INSERT INTO $table (k, zip) SELECT '$case-' || i, CASE WHEN i IN ($bad) THEN 'none' ELSE '10115' END FROM generate_series(1, $rows) i";
}

sub stored { my ($case) = @_; return scalar grep { /^\Q$case\E-/ } $sim->contact_ids($list) }

# ---- cut off

# While the batch is searched: what was rejected by then stays, and what was accepted is counted.
for my $table (qw(leads later))
{
	forget();
	$sim->faults({ path => '*/contacts', method => 'POST', nth => 8, stall => \1 });
	my $session = GcSession->new($node);
	$session->start('SET client_min_messages = warning; ' . insert_sql($table, "cut $table" =~ s/ /-/r, 20, 1, 12));
	await('the first one is rejected', sub { 1 == (() = rejected()) && $sim->requests(qr{^POST .*/contacts$}) >= 8 });
	$control->value('SELECT pg_cancel_backend(' . $session->pid . ')');
	my $result = $session->finish;
	is($result->{sqlstate}, '57014', "$table: a cancel while a batch is searched");
	my ($accepted, $doubt, $not) = counts_in($result->{err}) =~ m{(\d+)/(\d+)/(\d+)};
	is($accepted + $doubt + $not, 19, "$table: the counts are of the others");
	my $there = stored("cut-$table");
	ok($there >= $accepted && $there <= $accepted + $doubt, "$table: and are true");
	is_deeply([ rejected() ], ["cut-$table-1"], "$table: what was rejected stays");
	$session->close;
	$sim->forget_requests;
}

# ---- at COMMIT

# A transaction that fails behind the sending: a serialization failure is found last.
forget();
$control->run('INSERT INTO local VALUES (1), (2)');
my @pair = map { GcSession->new($node) } 1 .. 2;
$_->run('BEGIN ISOLATION LEVEL SERIALIZABLE; SELECT count(*) FROM local') for @pair;
$pair[0]->run('UPDATE local SET n = 3 WHERE n = 1; ' . insert_sql('later', 'skew', 5, 2));
$pair[1]->run('UPDATE local SET n = 4 WHERE n = 2');
is($pair[1]->run('COMMIT')->{sqlstate}, '00000', 'the other transaction commits');
my $result = $pair[0]->run('COMMIT');
is($result->{sqlstate}, '40001', 'this one cannot');
like($result->{err}, qr/WARNING: .*not undone.*Contacts accepted: 4,/s, 'a WARNING tells what was sent') or diag $result->{err};
is(stored('skew'), 4, 'which is there');
is_deeply([ rejected() ], ['skew-2'], 'what was rejected stays');
$_->close for @pair;

# The worker cannot write: the transaction aborts.
forget();
$control->run(q(ALTER TABLE gc_fdw.rejected_rows ADD CONSTRAINT never CHECK (key <> 'full-2')));
my $session = GcSession->new($node);
$result = $session->run('BEGIN; INSERT INTO local VALUES (1); ' . insert_sql('later', 'full', 5, 2) . '; COMMIT');
is($result->{sqlstate}, 'HV000', 'rows that cannot be written abort the transaction');
like($result->{err}, qr/could not write all rejected rows/, 'with the reason');
is($control->value('SELECT count(*) FROM local'), 0, 'nothing of it stays');
$control->run('ALTER TABLE gc_fdw.rejected_rows DROP CONSTRAINT never');

# None is to be had: nothing is sent.
forget();
my @hogs;
for my $i (1 .. 4)
{
	my $hog = GcSession->new($node);
	last if $hog->run("BEGIN; INSERT INTO leads (k) VALUES ('no good $i')")->{sqlstate} ne '00000';
	push @hogs, $hog;
}
ok(@hogs > 0, scalar(@hogs) . ' transactions have all the workers');
$sim->forget_requests;
$result = $session->run('BEGIN; ' . insert_sql('later', 'none', 5, 2));
is($result->{sqlstate}, '00000', 'until COMMIT no worker is needed');
$result = $session->run('COMMIT');
is($result->{sqlstate}, '53000', 'then it is');
is(stored('none'), 0, 'and nothing is sent without');
$_->run('ROLLBACK'), $_->close for @hogs;
await('a worker is free again', sub { $session->run(insert_sql('later', 'free', 5, 2))->{sqlstate} eq '00000' });
is(stored('free'), 4, 'then it works');
$session->close;

# ---- faults at random

# 60 contacts are inserted, updated, deleted, some of which cannot be.  A statement that ends well has
# done all others, rejected these alone, and counted right; of one that fails the counts are true.
my @random = (
	{ percent => 5, drop => 'after' }, { percent => 4, drop => 'before' }, { percent => 4, status => 503, body => '' },
	{ percent => 3, conflict => 'K2' }, { percent => 4, method => 'POST', status => 413, body_json => { code => 'request.entity.too.large' } });
my %written = (
	INSERT => sub { "INSERT INTO $_[0] (k, zip) SELECT 'r-' || i, CASE WHEN i = ANY ('{$_[1]}') THEN 'none' ELSE '20000' END FROM generate_series(1, 60) i" },
	UPDATE => sub { "UPDATE $_[0] SET zip = CASE WHEN substr(k, 3)::int = ANY ('{$_[1]}') THEN 'none' ELSE '20000' END WHERE k LIKE 'r-%'" },
	DELETE => sub { "DELETE FROM $_[0] WHERE k LIKE 'r-%'" },
);

# The contacts that are as the statement was to have them.
sub done
{
	my ($verb) = @_;
	my %there = map { $_->{id} => $_->{data}{Zip} // '' } $sim->contacts($list);
	return grep { $verb eq 'DELETE' ? !exists $there{"r-$_"} : ($there{"r-$_"} // '') eq '20000' } 1 .. 60;
}

sub prepare_contacts
{
	my ($verb, @bad) = @_;
	forget();
	my $fresh = GcSession->new($node);
	$fresh->run(q(SET client_min_messages = error; TRUNCATE leads));
	$fresh->run(insert_sql('leads', 'r', 60)) unless $verb eq 'INSERT';
	if ($verb eq 'DELETE')
	{
		$sim->call('POST', '/_sim/contacts', { listId => $list, id => "r-$_", inUse => \1 }) for @bad;
	}
	return $fresh;
}

my ($ended, $failed) = (0, 0);
for my $seed (1 .. 8)
{
	for my $verb (sort keys %written)
	{
		for my $table (qw(leads later))
		{
			my $name = "seed $seed: $verb of $table";
			srand($seed);
			my @bad = grep { rand(100) < (3, 10, 50)[ $seed % 3 ] } 1 .. 60;
			my %bad = map { $_ => 1 } @bad;
			my $one = prepare_contacts($verb, @bad);
			my $sql = $written{$verb}->($table, join ',', @bad);
			# What it reads is read by then, so that the faults strike its writes.
			$one->run('SELECT 1 FROM leads LIMIT 1');
			$sim->set(seed => $seed);
			$sim->faults(map { +{ path => '/contacts', %$_ } } @random);
			my $end = $one->run($sql);
			$sim->faults;
			my @done = done($verb);
			my @rejected = map { /^r-(\d+)$/ } rejected();
			is(scalar(grep { !$bad{$_} } @rejected), 0, "$name: none is rejected that is good");
			is(scalar(grep { $bad{$_} } @done), 0, "$name: none is done that is bad");
			if ($end->{sqlstate} eq '00000')
			{
				$ended++;
				is("@{[ sort { $a <=> $b } @rejected ]}", "@bad", "$name: all that are bad are rejected");
				is(scalar(@done), 60 - @bad, "$name: all others are done");
				is($control->value(q(SELECT total || ' ' || accepted || ' ' || in_doubt || ' ' || rejected FROM gc_fdw.audit_log ORDER BY id DESC LIMIT 1)),
					join(' ', 60, 60 - @bad, 0, scalar @bad), "$name: the audit's counts");
			}
			else
			{
				$failed++;
				my ($accepted, $doubt) = counts_in($end->{err}) =~ m{^(\d+)/(\d+)/} ? ($1, $2) : (0, 0);
				ok(@done >= $accepted && @done <= $accepted + $doubt, "$name: $accepted accepted, $doubt in doubt, " . @done . ' done') or diag $end->{err};
			}
			if ($verb eq 'DELETE')
			{
				$sim->call('POST', '/_sim/contacts', { listId => $list, id => "r-$_", inUse => \0 }) for @bad;
			}
			$one->close;
		}
	}
}
ok($ended > 0 && $failed > 0, "$ended runs ended well, $failed did not");

done_testing();
