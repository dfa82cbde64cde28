# Copies of a database (a base backup, a dump, a clone by CREATE DATABASE) do not dial: imports, and what comes after
# them, stay where they were submitted; the history comes along (DESIGN 3, D3).
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use GcTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

skip_unless_possible();

my $sim = GcSim->new;
my $list = $sim->list('Leads', qw(Phone Key Name));
my $node = PostgreSQL::Test::Cluster->new('original');
$node->init(allows_streaming => 1, extra => [ '--locale=C.UTF-8', '--encoding=UTF8', '--no-sync' ]);
$node->append_conf('postgresql.conf', "fsync = off\nmax_worker_processes = 8\ngc_fdw.webhook_hosts = '127.0.0.1'");
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION gc_fdw');
add_server($node, $sim, 'genesys', max_retries => 0);
leads_table($node, 'leads', 'genesys', 'Leads');

my $session = GcSession->new($node);
my $hook = $sim->url . '/_sim/webhook';

# submitted(SESSION, KEY[, ARGUMENTS])
sub submitted
{
	my ($where, $key, $arguments) = @_;
	my $result = $where->run("SELECT gc_fdw.submit_import('leads', \$\$SELECT '$key' AS k\$\$" . ($arguments ? ", $arguments" : '') . ')');
	return $result->{out} || diag $result->{err};
}

sub state_of { my ($where, $id) = @_; return $where->value("SELECT state FROM gc_fdw.imports WHERE id = $id") }

# Everything that a copy has to keep.
sub history
{
	my ($where) = @_;
	return $where->value(<<'SQL');
SELECT concat_ws(' | ',
  (SELECT string_agg(concat_ws(',', id, list_id, rows_total, rows_accepted, webhook_state), ' ' ORDER BY id) FROM gc_fdw.imports),
  (SELECT string_agg(concat_ws(',', import_id, part, state, rows, sha256), ' ' ORDER BY import_id, part) FROM gc_fdw.import_parts),
  (SELECT string_agg(concat_ws(',', import_id, part, chunk, md5(payload)), ' ' ORDER BY import_id, part, chunk) FROM gc_fdw.import_chunks),
  (SELECT string_agg(concat_ws(',', import_id, task, state), ' ' ORDER BY import_id, task) FROM gc_fdw.import_tasks),
  (SELECT string_agg(concat_ws(',', list_id, contact_id, content_hash, source_id), ' ' ORDER BY contact_id) FROM gc_fdw.sent_contacts),
  (SELECT string_agg(concat_ws(',', id, list_id, contact_id, change, new_value), ' ' ORDER BY id) FROM gc_fdw.contact_audit),
  (SELECT string_agg(concat_ws(',', id, operation, source_id, accepted), ' ' ORDER BY id) FROM gc_fdw.audit_log))
SQL
}

# One that is done, whose webhook has not been reached.
$sim->faults({ path => '/_sim/webhook', times => 1000, status => 503 });
my $done = submitted($session, 'DONE', "webhook_url => '$hook'");
await('it is done', sub { state_of($session, $done) eq 'done' });
await('its webhook has failed', sub { $session->value("SELECT failure_reason FROM gc_fdw.import_tasks WHERE import_id = $done") =~ /HTTP status 503/ });

# The proof of an opt-out.
is($session->value("SELECT count(*) FROM gc_fdw.quarantine('DONE') WHERE result = 'quarantined'"), 1, 'its contact is quarantined');
is($session->value("SELECT count(*) FROM gc_fdw.contact_audit WHERE contact_id = 'DONE'"), 1, '… and in contact_audit');

# Two that cannot be sent.
$sim->faults({ path => '/_sim/webhook', times => 1000, status => 503 }, { path => '/contacts', method => 'POST', times => 1000, status => 503 });
my @open = map { submitted($session, "OPEN-$_") } 1, 2;
await('both are paused', sub { $session->value("SELECT count(*) FROM gc_fdw.imports WHERE state = 'paused'") == 2 });
$node->poll_query_until('postgres', "SELECT count(*) = 0 FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE backend_type = 'gc_fdw worker' AND objsubid <> 0 AND l.database = 0")
  or fail 'the workers have let go';
$session->run("UPDATE gc_fdw.import_queue SET state = 'staged' WHERE id = $open[0]");
my $original = history($session);
my $dump = PostgreSQL::Test::Utils::tempdir() . '/dump.sql';
command_ok([ 'pg_dump', '-f', $dump, '-d', $node->connstr('postgres') ], 'the database is dumped');
$node->backup('base', backup_options => ['--no-sync']);
$node->stop('immediate');
$sim->faults;

# sends_nothing(NAME, SESSION): nothing of what it has come with; but what is submitted there.
sub sends_nothing
{
	my ($name, $where) = @_;

	is(history($where), $original, "D3: $name: the history is there");
	is($where->value("SELECT string_agg(state, ' ' ORDER BY id) FROM gc_fdw.imports"), 'done orphaned orphaned', "$name: what was under way is orphaned");
	$sim->forget_requests;
	my $new = submitted($where, 'NEW', "webhook_url => '$hook'");
	cmp_ok($new, '>', $open[1], "$name: ids go on from where they were");
	is($where->value("SELECT (gc_fdw.await_import($new, '30s')).state"), 'done', "$name: what is submitted there is sent") || diag $where->value("SELECT failure_reason FROM gc_fdw.imports WHERE id = $new");
	await('its webhook is told', sub { $where->value("SELECT webhook_state FROM gc_fdw.imports WHERE id = $new") eq 'done' });
	is(join(' ', $where->value("SELECT string_agg(webhook_state, ' ' ORDER BY id) FROM gc_fdw.imports"), scalar $sim->requests('/_sim/webhook')), 'pending done 1', "$name: but no webhook of the original");
	is(join(' ', grep { /^OPEN/ } $sim->contact_ids($list)), '', "$name: and none of its contacts");
	is($where->value("SELECT string_agg(state, ' ' ORDER BY id) FROM gc_fdw.imports"), 'done orphaned orphaned done', "$name: it is orphaned still");
	return;
}

my $copy = PostgreSQL::Test::Cluster->new('copy');
$copy->init_from_backup($node, 'base');
$copy->start;
sends_nothing('base backup', my $there = GcSession->new($copy));
$there->close;

$copy->safe_psql('postgres', 'CREATE DATABASE restored TEMPLATE template0');
$copy->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', $copy->connstr('restored'), '-f', $dump ], 'the dump is restored');
sends_nothing('dump', GcSession->new($copy, dbname => 'restored'));

# A clone is beside the original, in the same cluster.
$copy->stop;
$node->start;
$node->safe_psql('template1', 'CREATE DATABASE clone TEMPLATE postgres');
sends_nothing('clone', my $clone = GcSession->new($node, dbname => 'clone'));
is($clone->value('SELECT gc_fdw.resume_imports()'), 0, 'DESIGN 3: resume_imports() adopts nothing');
$sim->forget_requests;
is($clone->value("SELECT gc_fdw.cancel_import($open[0])"), 't', 'an orphaned import can be cancelled');
is(state_of($clone, $open[0]) . ' ' . $sim->requests, 'cancelled 0', '… with nothing sent');
is($clone->value("SELECT gc_fdw.resume_imports($open[1])"), 1, 'DESIGN 3: one that is named is adopted');
await('it is done', sub { state_of($clone, $open[1]) eq 'done' });
is(join(' ', grep { /^OPEN/ } $sim->contact_ids($list)), 'OPEN-2', '… and sent, from here');
$clone->close;

# Where it was submitted it goes on.
$session = GcSession->new($node);
is(join(' ', map { state_of($session, $_) } @open), 'staged paused', 'what became of a clone is not known to the original');
my $next = submitted($session, 'NEXT');
await('it is done', sub { state_of($session, $next) eq 'done' });
await('so is what was left', sub { state_of($session, $open[0]) eq 'done' });
await('its webhook is told', sub { $session->value("SELECT webhook_state FROM gc_fdw.imports WHERE id = $done") eq 'done' });
pass('DESIGN 4.6: the original goes on');

done_testing();
