# deliver 'commit': what can happen at COMMIT, and what is said then (DESIGN 3, 4.5).
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
my $node = new_node('commit', 'max_prepared_transactions = 5');
add_server($node, $sim, 'usual', batch_size => 10, max_in_flight => 1, max_retries => 0, deliver => 'commit');
leads_table($node, 'leads', 'usual', 'Leads');
$node->safe_psql('postgres', 'CREATE TABLE local (n integer PRIMARY KEY DEFERRABLE INITIALLY DEFERRED)');
my $session = GcSession->new($node);

sub insert_sql
{
	my ($case, $rows) = @_;
	return "INSERT INTO leads (k, name) SELECT '$case-' || i, 'n' || i FROM generate_series(1, $rows) i";
}

# begin(CASE, ROWS): an open transaction that has written locally, too.
sub begin
{
	my ($case, $rows) = @_;
	$session->run("DELETE FROM local; BEGIN; INSERT INTO local VALUES (1); " . insert_sql($case, $rows));
	return;
}

sub stored { my ($case) = @_; return scalar grep { /^$case-/ } $sim->contact_ids($list) }
sub local_rows { return $session->value('SELECT count(*) FROM local') }

# The platform refuses the third batch: the transaction aborts, and says what became of whom.
begin('refused', 45);
is(stored('refused'), 0, 'nothing is sent before COMMIT');
$sim->faults({ path => '*/contacts', method => 'POST', nth => 3, times => 1, status => 403 });
my $result = $session->run('COMMIT');
is($result->{sqlstate}, '42501', 'a failure at COMMIT');
is(counts_in($result->{err}), '20/0/25', 'the three counts');
is(stored('refused'), 20, 'what was accepted is there');
is(local_rows(), 0, 'nothing of the transaction stays');
unlike($result->{err}, qr/WARNING/, 'it is said once');

# The answer is lost.
begin('lost', 15);
$sim->faults({ path => '*/contacts', method => 'POST', nth => 2, times => 1, drop => 'after' });
$result = $session->run('COMMIT');
like($result->{sqlstate}, qr/^08/, 'a lost answer at COMMIT');
is(counts_in($result->{err}), '10/5/0', 'in doubt');
is(local_rows(), 0, 'nothing of the transaction stays');
$sim->faults();

# What fails before the rows are sent sends nothing.
begin('deferred', 5);
$session->run('INSERT INTO local VALUES (1)');
$result = $session->run('COMMIT');
is($result->{sqlstate}, '23505', 'a deferred constraint fails at COMMIT');
is(stored('deferred'), 0, 'before anything was sent');

# Two phases: there would be nobody to tell.
begin('prepared', 5);
$result = $session->run("PREPARE TRANSACTION 'p'");
is($result->{sqlstate}, '0A000', 'PREPARE TRANSACTION is refused');
is(stored('prepared'), 0, 'and sends nothing');
$session->run('BEGIN; SAVEPOINT a; ' . insert_sql('prepared', 5) . '; ROLLBACK TO a');
is($session->run("PREPARE TRANSACTION 'p'")->{sqlstate}, '00000', 'but not if nothing waits');
$session->run("ROLLBACK PREPARED 'p'");

# Cancelled while it sends.
begin('cancelled', 25);
$sim->faults({ path => '*/contacts', method => 'POST', nth => 2, stall => \1 });
$session->start('COMMIT');
await('the second batch', sub { 2 <= scalar $sim->requests(qr{/contacts$}) && stored('cancelled') >= 10 });
my $other = GcSession->new($node);
await_waiting($other, $session);
$other->value('SELECT pg_cancel_backend(' . $session->pid . ')');
$result = $session->finish;
is($result->{sqlstate}, '57014', 'a cancel at COMMIT');
like($result->{err}, qr/Contacts accepted: 10, in doubt: 10, not sent: 5/, 'with a WARNING of what was sent');
is(local_rows(), 0, 'nothing of the transaction stays');
$sim->faults();

# The session is lost in the middle of a transaction.
$other->run('BEGIN; ' . insert_sql('killed', 25));
$session->value('SELECT pg_terminate_backend(' . $other->pid . ', 10000)');
is(stored('killed'), 0, 'a session that ends sends nothing');

# What waits is on disk, and is gone afterwards, whatever became of the transaction.
sub temp_files { my @files = glob($node->data_dir . '/base/pgsql_tmp/*'); return scalar @files }
$session->run('BEGIN; ' . insert_sql('disk', 20000));
cmp_ok(temp_files(), '>=', 1, 'rows wait on disk');
$session->run('ROLLBACK');
is(temp_files(), 0, 'until a rollback');
$session->run('BEGIN; SAVEPOINT a; ' . insert_sql('disk', 2000) . '; RELEASE a; COMMIT');
is(temp_files(), 0, 'or COMMIT');
is(stored('disk'), 2000, 'also those of a savepoint');

# Memory does not grow with the rows that wait.
$session->run('BEGIN; ' . insert_sql('memory', 1000));
my $before = context_bytes($session);
$session->run(insert_sql('memory', 50000));
cmp_ok(context_bytes($session) - $before, '<', 200_000, '50,000 rows wait on disk alone');
$session->run('ROLLBACK');

# Nor with the subtransactions that wrote them.
sub in_blocks { my ($count) = @_; return "DO \$\$ BEGIN FOR i IN 1..$count LOOP BEGIN INSERT INTO leads (k) VALUES ('block-' || i); EXCEPTION WHEN others THEN RAISE; END; END LOOP; END \$\$" }
$session->run('BEGIN; ' . in_blocks(1000));
$before = context_bytes($session);
$session->run(in_blocks(20000));
cmp_ok(context_bytes($session) - $before, '<', 200_000, '20,000 blocks with EXCEPTION leave nothing');
$session->run('ROLLBACK');

# After a write that failed half-way nobody knows what the file holds: nothing of it is sent.
sub limit_files { my ($bytes) = @_; return system('prlimit', '--pid', $session->pid, "--fsize=$bytes:unlimited") == 0 }
SKIP: {
	skip 'there is no prlimit', 3 unless -x '/usr/bin/prlimit';
	my $rows = "DO \$\$ BEGIN FOR i IN 1..1000 LOOP BEGIN INSERT INTO leads (k, name) VALUES ('torn-' || i, repeat('x', 300)); "
	  . "EXCEPTION WHEN others THEN NULL; END; END LOOP; END \$\$";
	$session->run('BEGIN');
	ok(limit_files(100_500), 'files must not grow');
	$session->run($rows);
	limit_files('unlimited');
	$session->run($rows);
	is($session->run('COMMIT')->{sqlstate}, '58030', 'contacts that could not be kept');
	is(stored('torn'), 0, 'are not sent in part');
}

# Contacts go in the order of the statements, also where several connections write a list.
$session->run(<<'SQL');
BEGIN;
INSERT INTO leads (k, name) VALUES ('order-1', 'old');
SELECT gc_fdw.disconnect();
INSERT INTO leads (k, name) SELECT 'order-' || i, 'new' FROM generate_series(1, 30) i;
COMMIT;
SQL
is($session->value("SELECT name FROM leads WHERE contact_id = 'order-1'"), 'new', 'the last write wins, by a new connection, too');
$session->run('CREATE ROLE other; GRANT ALL ON leads TO other; '
	  . "CREATE USER MAPPING FOR other SERVER usual OPTIONS (client_id 'id', client_secret 'secret')");
$session->run(<<'SQL');
BEGIN;
INSERT INTO leads (k) VALUES ('order-2');
SET ROLE other;
DELETE FROM leads WHERE contact_id = 'order-1';
RESET ROLE;
INSERT INTO leads (k, name) VALUES ('order-1', 'new');
COMMIT;
SQL
is($session->value("SELECT name FROM leads WHERE contact_id = 'order-1'"), 'new', 'inserted after it was deleted by another role');
is($session->value('SELECT by_role FROM gc_fdw.audit_log ORDER BY operation, id DESC LIMIT 1'), 'other', 'the audit knows whose it was');

# A procedure outlives a COMMIT of its own that fails.
leads_table($node, 'direct', 'usual', 'Leads', deliver => 'statement');
$sim->faults({ path => '*/contacts', method => 'POST', body_contains => 'procedure-last', status => 403 });
$session->run(<<'SQL');
CREATE PROCEDURE fails() LANGUAGE plpgsql AS $$
BEGIN
  FOR i IN 1..900 LOOP INSERT INTO direct (k) VALUES ('procedure-' || i); END LOOP;
  INSERT INTO leads (k) VALUES ('procedure-last');
  COMMIT;
END $$
SQL
my $new = GcSession->new($node);
is($new->run('CALL fails()')->{sqlstate}, '42501', 'a COMMIT in a procedure fails');
is($new->value('SELECT 1'), 1, 'and the session lives on');
$sim->faults();

done_testing();
