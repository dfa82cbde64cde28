# What each end of a transaction leaves, for every way of writing: what was sent, what the
# list holds then, what was told and to whom, what the audit has, what of the transaction
# stays; and that running the statement again makes it whole (DESIGN 3, 4.5, 4.6; D1).  The
# reference has this table in short: "What a ROLLBACK leaves".
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use File::Temp ();
use GcTest;
use PostgreSQL::Test::Utils;
use Test::More;

skip_unless_possible();

# Counts are those of messages: accepted/in doubt/not sent.  30 contacts go as three requests,
# one after the other (rows: INSERT, COPY, UPDATE and DELETE), or as a bulk job, which an UPDATE
# has tried with one contact before.
#
# "sent" are the requests that write, "done" the contacts that are as the statement makes them;
# a range, where a request may be on its way when it is given up.  "told" is what messages say
# of contacts: to the client, or, if its session is gone, in the log.  "local" is what else the
# transaction wrote.  What fails in the query does so at its 25th row; all that is struck is the
# second request, or a job that has done a third.
my $table = <<'END_OF_TABLE';
way                          | deliver   | by                   | sent | done  | SQLSTATE | told                 | audit                                | local
the statement alone          | statement | rows                 | 3    | 30    | 00000    |                      | completed 30/0/0                     | -
the statement alone          | statement | UPDATE job           | 2    | 30    | 00000    |                      | completed 30/0/0                     | -
the statement alone          | statement | DELETE job           | 1    | 30    | 00000    |                      | completed 30/0/0                     | -
the statement alone          | statement | TRUNCATE             | 1    | 30    | 00000    |                      | completed 0/0/0                      | -
the statement alone          | commit    | rows                 | 3    | 30    | 00000    |                      | completed 30/0/0                     | -
the statement alone          | commit    | TRUNCATE             | 1    | 30    | 00000    |                      | completed 0/0/0                      | -
COMMIT                       | statement | rows                 | 3    | 30    | 00000    |                      | completed 30/0/0                     | stays
COMMIT                       | statement | UPDATE job           | 2    | 30    | 00000    |                      | completed 30/0/0                     | stays
COMMIT                       | statement | DELETE job           | 1    | 30    | 00000    |                      | completed 30/0/0                     | stays
COMMIT                       | statement | TRUNCATE             | 1    | 30    | 00000    |                      | completed 0/0/0                      | stays
COMMIT                       | commit    | rows                 | 3    | 30    | 00000    |                      | completed 30/0/0                     | stays
ROLLBACK                     | statement | rows                 | 3    | 30    | 00000    | WARNING 30/0/0       | rolled back 30/0/0                   | -
ROLLBACK                     | statement | UPDATE job           | 2    | 30    | 00000    | WARNING 30/0/0       | rolled back 30/0/0                   | -
ROLLBACK                     | statement | DELETE job           | 1    | 30    | 00000    | WARNING 30/0/0       | rolled back 30/0/0                   | -
ROLLBACK                     | statement | TRUNCATE             | 1    | 30    | 00000    | WARNING taken        | rolled back 0/0/0                    | -
ROLLBACK                     | commit    | rows                 | 0    | 0     | 00000    |                      |                                      | -
ROLLBACK                     | commit    | TRUNCATE             | 1    | 30    | 00000    | WARNING taken        | rolled back 0/0/0                    | -
ROLLBACK TO, COMMIT          | statement | rows                 | 3    | 30    | 00000    | WARNING 30/0/0       | rolled back 30/0/0                   | stays
ROLLBACK TO, COMMIT          | statement | UPDATE job           | 2    | 30    | 00000    | WARNING 30/0/0       | rolled back 30/0/0                   | stays
ROLLBACK TO, COMMIT          | statement | DELETE job           | 1    | 30    | 00000    | WARNING 30/0/0       | rolled back 30/0/0                   | stays
ROLLBACK TO, COMMIT          | statement | TRUNCATE             | 1    | 30    | 00000    | WARNING taken        | rolled back 0/0/0                    | stays
ROLLBACK TO, COMMIT          | commit    | rows                 | 0    | 0     | 00000    |                      |                                      | stays
RELEASE, COMMIT              | statement | rows                 | 3    | 30    | 00000    |                      | completed 30/0/0                     | stays
RELEASE, COMMIT              | commit    | rows                 | 3    | 30    | 00000    |                      | completed 30/0/0                     | stays
RELEASE, ROLLBACK            | statement | rows                 | 3    | 30    | 00000    | WARNING 30/0/0       | rolled back 30/0/0                   | -
RELEASE, ROLLBACK            | statement | TRUNCATE             | 1    | 30    | 00000    | WARNING taken        | rolled back 0/0/0                    | -
RELEASE, ROLLBACK            | commit    | rows                 | 0    | 0     | 00000    |                      |                                      | -
RELEASE, ROLLBACK TO, COMMIT | statement | rows                 | 3    | 30    | 00000    | WARNING 30/0/0       | rolled back 30/0/0                   | stays
RELEASE, ROLLBACK TO, COMMIT | statement | TRUNCATE             | 1    | 30    | 00000    | WARNING taken        | rolled back 0/0/0                    | stays
RELEASE, ROLLBACK TO, COMMIT | commit    | rows                 | 0    | 0     | 00000    |                      |                                      | stays
ROLLBACK TO, again, COMMIT   | statement | INSERT, COPY, UPDATE | 6    | 30    | 00000    | WARNING 30/0/0       | rolled back 30/0/0, completed 30/0/0 | stays
ROLLBACK TO, again, COMMIT   | statement | DELETE               | 3    | 30    | 00000    | WARNING 30/0/0       | rolled back 30/0/0, completed 0/0/0  | stays
ROLLBACK TO, again, COMMIT   | commit    | rows                 | 3    | 30    | 00000    |                      | completed 30/0/0                     | stays
exception caught, COMMIT     | statement | rows                 | 3    | 30    | 00000    | WARNING 30/0/0       | rolled back 30/0/0                   | stays
exception caught, COMMIT     | statement | UPDATE job           | 2    | 30    | 00000    | WARNING 30/0/0       | rolled back 30/0/0                   | stays
exception caught, COMMIT     | statement | DELETE job           | 1    | 30    | 00000    | WARNING 30/0/0       | rolled back 30/0/0                   | stays
exception caught, COMMIT     | statement | TRUNCATE             | 1    | 30    | 00000    | WARNING taken        | rolled back 0/0/0                    | stays
exception caught, COMMIT     | commit    | rows                 | 0    | 0     | 00000    |                      |                                      | stays
COMMIT: constraint           | statement | rows                 | 3    | 30    | 23505    | WARNING 30/0/0       | rolled back 30/0/0                   | -
COMMIT: constraint           | statement | TRUNCATE             | 1    | 30    | 23505    | WARNING taken        | rolled back 0/0/0                    | -
COMMIT: constraint           | commit    | rows                 | 0    | 0     | 23505    |                      |                                      | -
COMMIT: serialization        | statement | rows                 | 3    | 30    | 40001    | WARNING 30/0/0       | rolled back 30/0/0                   | -
COMMIT: serialization        | statement | UPDATE job           | 2    | 30    | 40001    | WARNING 30/0/0       | rolled back 30/0/0                   | -
COMMIT: serialization        | statement | DELETE job           | 1    | 30    | 40001    | WARNING 30/0/0       | rolled back 30/0/0                   | -
COMMIT: serialization        | statement | TRUNCATE             | 1    | 30    | 40001    | WARNING taken        | rolled back 0/0/0                    | -
COMMIT: serialization        | commit    | rows                 | 3    | 30    | 40001    | WARNING 30/0/0       | rolled back 30/0/0                   | -
PREPARE TRANSACTION          | statement | rows                 | 3    | 30    | 0A000    | WARNING 30/0/0       | rolled back 30/0/0                   | -
PREPARE TRANSACTION          | statement | UPDATE job           | 2    | 30    | 0A000    | WARNING 30/0/0       | rolled back 30/0/0                   | -
PREPARE TRANSACTION          | statement | DELETE job           | 1    | 30    | 0A000    | WARNING 30/0/0       | rolled back 30/0/0                   | -
PREPARE TRANSACTION          | statement | TRUNCATE             | 1    | 30    | 0A000    | WARNING taken        | rolled back 0/0/0                    | -
PREPARE TRANSACTION          | commit    | rows                 | 0    | 0     | 0A000    |                      |                                      | -
idle in transaction          | statement | rows                 | 3    | 30    | gone     | WARNING 30/0/0       | rolled back 30/0/0                   | -
idle in transaction          | statement | DELETE job           | 1    | 30    | gone     | WARNING 30/0/0       | rolled back 30/0/0                   | -
idle in transaction          | statement | TRUNCATE             | 1    | 30    | gone     | WARNING taken        | rolled back 0/0/0                    | -
idle in transaction          | commit    | rows                 | 0    | 0     | gone     |                      |                                      | -
query: error                 | statement | rows                 | 1-2  | 10-20 | P0001    | WARNING 10/10/4      | failed 10/10/4                       | -
query: error                 | commit    | rows                 | 0    | 0     | P0001    |                      |                                      | -
query: lock_timeout          | statement | rows                 | 1-2  | 10-20 | 55P03    | WARNING 10/10/4      | failed 10/10/4                       | -
query: lock_timeout          | commit    | rows                 | 0    | 0     | 55P03    |                      |                                      | -
query: cancel                | statement | rows                 | 1-2  | 10-20 | 57014    | WARNING 10/10/4      | failed 10/10/4                       | -
query: cancel                | commit    | rows                 | 0    | 0     | 57014    |                      |                                      | -
query: kill -9               | commit    | rows                 | 0    | 0     | gone     |                      |                                      | -
400                          | statement | INSERT, COPY, UPDATE | 7    | 14    | 22023    | ERROR 14/0/16        | failed 14/0/16                       | -
400                          | statement | DELETE               | 2    | 10    | 22023    | ERROR 10/0/20        | failed 10/0/20                       | -
400                          | statement | UPDATE job           | 2    | 0     | 22023    | ERROR 0/0/30         | failed 0/0/30                        | -
400                          | statement | DELETE job           | 1    | 0     | 22023    | ERROR 0/0/30         | failed 0/0/30                        | -
400                          | statement | TRUNCATE             | 1    | 0     | 22023    |                      | failed 0/0/0                         | -
400                          | commit    | INSERT, COPY, UPDATE | 7    | 14    | 22023    | ERROR 14/0/16        | failed 14/0/16                       | -
400                          | commit    | DELETE               | 2    | 10    | 22023    | ERROR 10/0/20        | failed 10/0/20                       | -
500                          | statement | rows                 | 3    | 10    | 58000    | ERROR 10/10/10       | failed 10/10/10                      | -
500                          | statement | UPDATE job           | 2    | 0     | 58000    | ERROR 0/30/0         | failed 0/30/0                        | -
500                          | statement | DELETE job           | 1    | 0     | 58000    | ERROR 0/30/0         | failed 0/30/0                        | -
500                          | statement | TRUNCATE             | 2    | 0     | 58000    | ERROR unknown        | failed 0/0/0                         | -
500                          | commit    | rows                 | 3    | 10    | 58000    | ERROR 10/10/10       | failed 10/10/10                      | -
500, ROLLBACK TO, COMMIT     | statement | rows                 | 3    | 10    | 58000    | ERROR 10/10/10       | failed 10/10/10                      | stays
500, ROLLBACK TO, COMMIT     | statement | TRUNCATE             | 2    | 0     | 58000    | ERROR unknown        | failed 0/0/0                         | stays
no answer                    | statement | rows                 | 3    | 20    | 08006    | ERROR 10/10/10       | failed 10/10/10                      | -
no answer                    | statement | UPDATE job           | 2    | 0     | 08006    | ERROR 0/30/0         | failed 0/30/0                        | -
no answer                    | statement | DELETE job           | 1    | 0     | 08006    | ERROR 0/30/0         | failed 0/30/0                        | -
no answer                    | statement | TRUNCATE             | 2    | 30    | 08006    | ERROR unknown        | failed 0/0/0                         | -
no answer                    | commit    | rows                 | 3    | 20    | 08006    | ERROR 10/10/10       | failed 10/10/10                      | -
cancel                       | statement | rows                 | 2    | 20    | 57014    | WARNING 10/10/10     | failed 10/10/10                      | -
cancel                       | statement | UPDATE job           | 2    | 20    | 57014    | WARNING 10/20/0, job | failed 10/20/0                       | -
cancel                       | statement | DELETE job           | 1    | 20    | 57014    | WARNING 10/20/0, job | failed 10/20/0                       | -
cancel                       | statement | TRUNCATE             | 1    | 30    | 57014    | WARNING unknown      | failed 0/0/0                         | -
cancel                       | commit    | rows                 | 2    | 20    | 57014    | WARNING 10/10/10     | failed 10/10/10                      | -
timeout                      | statement | rows                 | 2    | 10    | 57014    | WARNING 10/10/10     | failed 10/10/10                      | -
timeout                      | statement | DELETE job           | 1    | 10    | 57014    | WARNING 10/20/0, job | failed 10/20/0                       | -
timeout                      | statement | TRUNCATE             | 1    | 0     | 57014    | WARNING unknown      | failed 0/0/0                         | -
timeout                      | commit    | rows                 | 2    | 10    | 57014    | WARNING 10/10/10     | failed 10/10/10                      | -
terminate                    | statement | rows                 | 2    | 20    | gone     | WARNING 10/10/10     | failed 10/10/10                      | -
terminate                    | statement | UPDATE job           | 2    | 20    | gone     | WARNING 10/20/0, job | failed 10/20/0                       | -
terminate                    | statement | DELETE job           | 1    | 20    | gone     | WARNING 10/20/0, job | failed 10/20/0                       | -
terminate                    | statement | TRUNCATE             | 1    | 30    | gone     | WARNING unknown      | failed 0/0/0                         | -
terminate                    | commit    | rows                 | 2    | 20    | gone     | WARNING 10/10/10     | failed 10/10/10                      | -
kill -9                      | statement | rows                 | 2    | 20    | gone     |                      |                                      | -
kill -9                      | statement | UPDATE job           | 2    | 20    | gone     |                      |                                      | -
kill -9                      | statement | DELETE job           | 1    | 20    | gone     |                      |                                      | -
kill -9                      | statement | TRUNCATE             | 1    | 30    | gone     |                      |                                      | -
kill -9                      | commit    | rows                 | 2    | 20    | gone     |                      |                                      | -
END_OF_TABLE

my $rows = 30;
my $sim = GcSim->new;
my $list = $sim->list('Leads', qw(Phone Key Name));
my $node = new_node('rollback', "shared_preload_libraries = 'gc_fdw'", 'max_prepared_transactions = 5',
	'restart_after_crash = on', 'jit = off');
add_server($node, $sim, 'genesys', batch_size => 10, max_in_flight => 1, max_retries => 1, retry_timeout => '5s');
leads_table($node, 'leads_statement', 'genesys', 'Leads');
leads_table($node, 'leads_commit', 'genesys', 'Leads', deliver => 'commit');
leads_table($node, 'leads_jobs', 'genesys', 'Leads', direct_modify => 'true', exact_filters => 'true');

# Something happens at the 25th row of a statement.
$node->safe_psql('postgres', <<'SQL');
CREATE FUNCTION mishap() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF coalesce(NEW.k, OLD.k) = 'k25' THEN
    CASE current_setting('test.mishap', true)
      WHEN 'error' THEN RAISE EXCEPTION 'mishap';
      WHEN 'lock' THEN PERFORM pg_advisory_xact_lock(1);
      ELSE NULL;
    END CASE;
  END IF;
  RETURN coalesce(NEW, OLD);
END $$;
CREATE TRIGGER mishap BEFORE INSERT OR UPDATE OR DELETE ON leads_statement FOR EACH ROW EXECUTE FUNCTION mishap();
CREATE TRIGGER mishap BEFORE INSERT OR UPDATE OR DELETE ON leads_commit FOR EACH ROW EXECUTE FUNCTION mishap();
CREATE TABLE local (n integer PRIMARY KEY DEFERRABLE INITIALLY DEFERRED);
CREATE TABLE skew (n integer);
INSERT INTO local VALUES (0);
SQL
my $control = GcSession->new($node);

my $file = File::Temp->new(TEMPLATE => 'rowsXXXXXX', DIR => $node->basedir);
print $file map { "k$_\tnew\n" } 1 .. $rows;
$file->flush;
chmod 0644, $file->filename;

# ---- ways to write

# Each with the requests that write, and which of them, or of those that look on, is struck.
my %verbs = (
	INSERT => { sql => "INSERT INTO %s (k, name) SELECT 'k' || i, 'new' FROM generate_series(1, $rows) i",
		call => { method => 'POST', path => '*/contacts' }, refused => { body_contains => '"k15"' } },
	COPY => { sql => "COPY %s (k, name) FROM '$file'",
		call => { method => 'POST', path => '*/contacts' }, refused => { body_contains => '"k15"' } },
	UPDATE => { sql => "UPDATE %s SET name = 'new'",
		call => { method => 'POST', path => '*/contacts' }, refused => { body_contains => '"k15"' } },
	DELETE => { sql => 'DELETE FROM %s', call => { method => 'DELETE', path => '*/contacts' } },
	'UPDATE job' => { sql => "UPDATE leads_jobs SET name = 'new' WHERE name = 'old'",
		call => { method => 'POST', path => '*/bulk/update' }, stalled => { method => 'GET', path => '*/bulk/jobs/*', nth => 5 } },
	'DELETE job' => { sql => "DELETE FROM leads_jobs WHERE name = 'old'",
		call => { method => 'POST', path => '*/bulk/remove', nth => 1 }, stalled => { method => 'GET', path => '*/bulk/jobs/*', nth => 2 } },
	TRUNCATE => { sql => 'TRUNCATE %s', call => { method => 'POST', path => '*/clear', nth => 1 } },
);
my %by = (rows => [qw(INSERT COPY UPDATE DELETE)]);
my $writes = qr{^DELETE |^POST .*/(contacts|clear|bulk/update|bulk/remove)$};

# ---- ways to end

my @whole = qw(BEGIN STATEMENT COMMIT);
my @savepoint = ('BEGIN', 'SAVEPOINT s', 'STATEMENT');
my %refusal = (status => 400, body_json => { code => 'invalid.contact', status => 400, message => 'No.' });
my %ways = (
	'the statement alone' => { steps => ['STATEMENT'] },
	'COMMIT' => { steps => \@whole },
	'ROLLBACK' => { steps => [qw(BEGIN STATEMENT ROLLBACK)] },
	'ROLLBACK TO, COMMIT' => { steps => [ @savepoint, 'ROLLBACK TO s', 'COMMIT' ] },
	'RELEASE, COMMIT' => { steps => [ @savepoint, 'RELEASE s', 'COMMIT' ] },
	'RELEASE, ROLLBACK' => { steps => [ @savepoint, 'RELEASE s', 'ROLLBACK' ] },
	'RELEASE, ROLLBACK TO, COMMIT' => { steps => [ 'BEGIN', 'SAVEPOINT a', 'SAVEPOINT s', 'STATEMENT', 'RELEASE s', 'ROLLBACK TO a', 'COMMIT' ] },
	'ROLLBACK TO, again, COMMIT' => { steps => [ @savepoint, 'ROLLBACK TO s', 'STATEMENT', 'COMMIT' ] },
	'exception caught, COMMIT' => { steps => [ 'BEGIN', 'CAUGHT', 'COMMIT' ] },
	'COMMIT: constraint' => { steps => [ 'BEGIN', 'INSERT INTO local VALUES (0)', 'STATEMENT', 'COMMIT' ] },
	'COMMIT: serialization' => { steps => [ 'BEGIN ISOLATION LEVEL SERIALIZABLE', 'SELECT FROM skew; INSERT INTO skew VALUES (1)', 'STATEMENT', 'SKEW', 'COMMIT' ] },
	'PREPARE TRANSACTION' => { steps => [ 'BEGIN', 'STATEMENT', "PREPARE TRANSACTION 'p'" ] },
	'idle in transaction' => { before => "SET idle_in_transaction_session_timeout = '100ms'", steps => [ 'BEGIN', 'STATEMENT', 'IDLE' ] },
	'query: error' => { before => "SET test.mishap = 'error'", steps => \@whole },
	'query: lock_timeout' => { before => "SET test.mishap = 'lock'; SET lock_timeout = '100ms'", steps => \@whole, locked => 1 },
	'query: cancel' => { before => "SET test.mishap = 'lock'", steps => \@whole, locked => 1, act => 'cancel' },
	'query: kill -9' => { before => "SET test.mishap = 'lock'", steps => \@whole, locked => 1, act => 'kill' },
	'400' => { steps => \@whole, strike => 'refused', fault => \%refusal },
	'500' => { steps => \@whole, strike => 'call', fault => { status => 500, times => 2 } },
	'500, ROLLBACK TO, COMMIT' => { steps => [ @savepoint, 'ROLLBACK TO s', 'COMMIT' ], strike => 'call', fault => { status => 500, times => 2 } },
	'no answer' => { steps => \@whole, strike => 'call', fault => { drop => 'after', times => 2 } },
	'cancel' => { steps => \@whole, strike => 'stalled', fault => { stall => \1, effect => \1 }, act => 'cancel' },
	'timeout' => { before => "SET gc_fdw.commit_timeout = '1s'; SET statement_timeout = '1s'", steps => \@whole, strike => 'stalled', fault => { stall => \1 } },
	'terminate' => { steps => \@whole, strike => 'stalled', fault => { stall => \1, effect => \1 }, act => 'terminate' },
	'kill -9' => { steps => \@whole, strike => 'stalled', fault => { stall => \1, effect => \1 }, act => 'kill' },
);
my %acts = (
	cancel => sub { $control->value('SELECT pg_cancel_backend(' . $_[0]->pid . ')') },
	terminate => sub { $control->value('SELECT pg_terminate_backend(' . $_[0]->pid . ')') },
	kill => sub { kill 'KILL', $_[0]->pid },
);

# ---- a case

# The list before it: empty for what loads it, else 30 contacts "old".
sub fill
{
	my ($verb) = @_;
	$sim->faults;
	my $result = $control->run('SET client_min_messages = error; TRUNCATE leads_statement; '
		. ($verb =~ /INSERT|COPY/ ? '' : "INSERT INTO leads_statement (k, name, phone) SELECT 'k' || i, 'old', '+1' || i FROM generate_series(1, $rows) i"));
	die $result->{err} unless $result->{sqlstate} eq '00000';
	return;
}

# How many contacts are as the statement makes them; all cells are what they should be.
sub done
{
	my ($verb) = @_;
	my @there = $sim->contacts($list);
	my %there = map { $_->{id} => $_->{data} } @there;
	my @wrong = grep { ($there{$_}{Name} // '') !~ /^(old|new)$/ || $there{$_}{Key} ne $_ || ($verb !~ /INSERT|COPY/ && !$there{$_}{Phone}) } keys %there;
	return 'wrong cells' if @wrong || keys %there != @there;
	return $rows - keys %there if $verb =~ /DELETE|TRUNCATE/;
	return scalar grep { $_->{Name} eq 'new' } values %there;
}

# In the middle of the statement, or of its COMMIT.
sub act_on
{
	my ($way, $session) = @_;
	my $pid = $session->pid;

	if ($way->{fault})
	{
		await('the call', sub { $sim->fault_hits });
		await_waiting($control, $session);
	}
	else
	{
		await('the lock', sub { $control->value("SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE pid = $pid") eq 't' });
	}
	$acts{ $way->{act} }->($session);
	return;
}

# What a step stands for.
sub step_sql
{
	my ($step, $sql, $number) = @_;
	return $sql if $step eq 'STATEMENT';
	return "$step; INSERT INTO local VALUES ($number)" if $step =~ /^BEGIN/;
	return "DO \$\$ BEGIN BEGIN $sql; RAISE EXCEPTION 'x'; EXCEPTION WHEN raise_exception THEN NULL; END; END \$\$" if $step eq 'CAUGHT';
	return $step;
}

# Somebody else commits what does not go together with the transaction.
sub skew
{
	$control->run($_) for 'BEGIN ISOLATION LEVEL SERIALIZABLE', 'SELECT FROM skew; INSERT INTO skew VALUES (2)', 'COMMIT';
	return;
}

# Runs the steps of a way; the SQLSTATE and all that was said.
sub run_steps
{
	my ($session, $way, $sql, $deliver, $number) = @_;
	my $sends = $way->{locked} || $deliver eq 'statement' ? 'STATEMENT' : 'COMMIT';
	my ($state, $said) = ('00000', '');

	for my $step (@{ $way->{steps} })
	{
		if ($step eq 'SKEW')
		{
			skew();
			next;
		}
		await('the session ends', sub { !is_alive($session->pid) }) if $step eq 'IDLE';
		$session->start($step eq 'IDLE' ? 'SELECT 1' : step_sql($step, $sql, $number));
		act_on($way, $session) if $way->{act} && $step eq $sends;
		my $result = $session->finish(30);
		$said .= $result->{err};
		return ('gone', $said) if $result->{closed};
		$state = $result->{sqlstate} if $state eq '00000';
	}
	return ($state, $said);
}

# What messages say of contacts: the level, and what it is about.
sub told
{
	my ($text) = @_;
	my %told;

	for my $message (split /(?=\b(?:ERROR|WARNING|FATAL|NOTICE): )/, $text)
	{
		my ($level) = $message =~ /^(\w+): /;
		push @{ $told{$level} }, $message =~ /Contacts accepted/ ? counts_in($message) : (), $message =~ /that TRUNCATE took/ ? 'taken' : (),
		  $message =~ /unknown whether (TRUNCATE|its contacts)/ ? 'unknown' : (), $message =~ /goes on with bulk job/ ? 'job' : ();
	}
	return join '; ', map { "$_ " . join ', ', sort @{ $told{$_} } } grep { @{ $told{$_} } } sort keys %told;
}

# Status and counts of the rows that a session has left.
sub audit_of
{
	my ($case) = @_;
	return $control->value("SELECT string_agg(format('%s %s/%s/%s', status, accepted, in_doubt, total - accepted - in_doubt), ', ' ORDER BY id) "
		. "FROM gc_fdw.audit_log WHERE application_name = '$case'");
}

# The second request of several, or the first one that has that contact.
sub fault
{
	my ($call, $way) = @_;
	my %which = (%{ $call->{call} }, %{ $call->{ $way->{strike} } // {} });
	$which{nth} //= 2 unless $which{body_contains};
	return { %which, %{ $way->{fault} } };
}

# The platform goes on with what it was asked for.
sub go_on
{
	for my $job (@{ $sim->api('GET', "/outbound/contactlists/$list/contacts/bulk/jobs")->{entities} })
	{
		until ($job->{state} ne 'InProgress') { $job = $sim->api('GET', "/outbound/contactlists/$list/contacts/bulk/jobs/$job->{id}") }
	}
	return;
}

# The messages that a session left in the log, once it has ended.
sub logged
{
	my ($session, $case, $from) = @_;
	await("$case: its end", sub { !is_alive($session->pid) });
	return join "\n", map { /\Q$case\E (.*)/ ? $1 : () } split /\n/, substr slurp_log($node), $from;
}

my $number = 0;
my %audits;

# One case: what came of it, by the names of the table's columns.
sub observe
{
	my ($verb, $expected, $sql) = @_;
	my ($way, $deliver) = ($ways{ $expected->{way} }, $expected->{deliver});
	my $case = sprintf 'case-%d.', ++$number;
	my $from = -s $node->logfile;

	fill($verb);
	my $session = GcSession->new($node, name => $case);
	$session->run($way->{before}) if $way->{before};
	$control->run('SELECT pg_advisory_lock(1)') if $way->{locked};
	# A job that is struck goes on only when it is looked at.
	$sim->set(bulk_job_polls => $way->{fault} ? 3 : 0, bulk_job_ms => 0);
	$sim->faults(fault($verbs{$verb}, $way)) if $way->{fault};
	$sim->forget_requests;
	my ($state, $said) = run_steps($session, $way, $sql, $deliver, $number);
	$control->run('SELECT pg_advisory_unlock(1)') if $way->{locked};
	$control = await_recovery($node, $from) if ($way->{act} // '') eq 'kill';
	$said = logged($session, $case, $from) if $state eq 'gone';
	my $sent = () = $sim->requests($writes);
	my $done = done($verb);
	$audits{$case} = $expected->{audit};
	await("$case: the audit", sub { audit_of($case) }) if $expected->{audit} ne '';
	return { sent => $sent, done => $done, SQLSTATE => $state, told => told($said), audit => audit_of($case),
		local => $control->value("SELECT count(*) FROM local WHERE n = $number") ? 'stays' : '-' };
}

# ---- the table

my ($names, @lines) = map { [ split / *\| */ ] } split /\n/, $table;

# The statement run again, after the platform has gone on with what it was asked for.
sub run_again
{
	my ($verb, $sql, $what) = @_;
	$sim->faults;
	go_on() if $verb =~ /job/;
	$sim->set(bulk_job_polls => 0);
	my $result = $control->run($sql);
	is($result->{sqlstate} . ' ' . done($verb), "00000 $rows", "$what: run again") or diag $result->{err};
	return;
}

sub check
{
	my ($verb, $expected) = @_;
	my $what = "$expected->{way}, deliver '$expected->{deliver}', $verb";
	my $sql = sprintf $verbs{$verb}{sql}, "leads_$expected->{deliver}";
	my $is = observe($verb, $expected, $sql);

	for my $range (qw(sent done))
	{
		my ($least, $most) = $expected->{$range} =~ /^(\d+)-(\d+)$/ or next;
		$is->{$range} = $expected->{$range} if $is->{$range} >= $least && $is->{$range} <= $most;
	}
	my @columns = @$names[ 3 .. $#$names ];
	is(join(' | ', @$is{@columns}), join(' | ', @$expected{@columns}), $what);
	run_again($verb, $sql, $what) if $is->{done} ne $rows;
	return;
}

for my $line (@lines)
{
	my %expected;
	@expected{@$names} = @$line;
	check($_, \%expected) for map { @{ $by{$_} // [$_] } } split /, /, $expected{by};
}
note $table;

# Nobody has left rows that were not looked for.
is(join(' ', grep { audit_of($_) ne $audits{$_} } sort keys %audits), '', 'no row of the audit came later');

done_testing();
