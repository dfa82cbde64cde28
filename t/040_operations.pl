# What keeps imports running, as docs/operations.md has it: its queries, each alert, what purge() takes and leaves,
# and who sees what (DESIGN 2.2, 4.6; issue 6, points 7 and 9).
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
my $node = new_node('operations', 'max_worker_processes = 8', "gc_fdw.webhook_hosts = '127.0.0.1'", "shared_preload_libraries = 'gc_fdw'");
add_server($node, $sim, 'genesys', max_retries => 0);
leads_table($node, 'leads', 'genesys', 'Leads', on_error => 'reject');
my $session = GcSession->new($node);

sub value { return $session->value($_[0]) }

# submitted(QUERY[, ARGUMENTS]): the id of a new import; ended(ID): its state, once it is over.
sub submitted { my ($query, $arguments) = @_; return value("SELECT gc_fdw.submit_import('leads', \$\$$query\$\$" . ($arguments ? ", $arguments" : '') . ')') }
sub ended { my ($id) = @_; return value("SELECT (gc_fdw.await_import($id, '30s')).state") }

# --- the queries of the page ----------------------------------------------------------------------

my $page = PostgreSQL::Test::Utils::slurp_file("$FindBin::Bin/../docs/operations.md");
my ($look) = $page =~ /^## What to look at\n.*?```sql\n(.*?)```/ms;
my ($alerts) = $page =~ /^## Alerts\n.*?```sql\n(.*?)```/ms;
my %alert = map { /^-- Alert: (.*?)\.\n(.*?);\s*\z/s ? ($1 => $2) : () } split /(?=^-- Alert: )/m, $alerts;
my ($stands, $failed, $nobody, $part, $rejected, $task, $payloads) = map { my $word = $_; grep { /$word/ } sort keys %alert } qw(still failed nobody done hundredth webhook GB);

is(keys %alert, 7, 'the page has seven alerts');
is($session->run($look)->{sqlstate}, '00000', 'what it looks at is there') || diag $session->{last}{err};

# on(): the alerts that give rows, as a role that monitors.
sub on
{
	my @on;
	value('SET ROLE pg_monitor');
	for my $name (sort keys %alert) { push @on, $name if value("SELECT count(*) FROM ($alert{$name}) a") > 0 }
	value('RESET ROLE');
	return join '; ', @on;
}

is(on(), '', 'on a server where nothing happens none is on');
is(ended(my $fine = submitted("SELECT 'A-' || i AS k FROM generate_series(1, 300) i")), 'done', 'an import');
is(on(), '', '… puts none on');
$sim->faults({ path => '*/contacts', method => 'POST', times => 1, status => 403 });
is(ended(my $paused = submitted("SELECT 'P-1' AS k")), 'paused', 'an import that is paused');
is(on(), $stands, "alert: $stands");
is(ended(my $error = submitted("SELECT 'A-1' AS k", "on_duplicate => 'error'")), 'failed', 'an import that fails');
is(on(), "$failed; $stands", "alert: $failed");
value("UPDATE gc_fdw.import_queue SET ended_at = ended_at - interval '2 days' WHERE id = $error");
is(on(), $stands, '… for an hour');

# Rejected when they were submitted.
$session->run("ALTER FOREIGN TABLE leads ALTER phone OPTIONS (ADD format 'e164')");
is(ended(my $some = submitted("SELECT 'R-' || i AS k, CASE WHEN i < 10 THEN 'none' ELSE '+14155550100' END AS phone FROM generate_series(1, 300) i")), 'done', 'an import with rejected rows');
is(on(), join('; ', sort $rejected, $stands), "alert: $rejected");
value("UPDATE gc_fdw.import_queue SET ended_at = ended_at - interval '2 hours' WHERE id = $some");

$sim->faults({ path => '/_sim/webhook', times => 1000, status => 503 });
is(ended(my $untold = submitted("SELECT 'H-1' AS k", "webhook_url => '" . $sim->url . "/_sim/webhook'")), 'done', 'an import whose webhook fails');
await('it was tried', sub { value("SELECT failure_reason FROM gc_fdw.import_tasks WHERE import_id = $untold") });
is(on(), $stands, 'one failure is none');
value("UPDATE gc_fdw.import_tasks SET attempts = 7 WHERE import_id = $untold");
is(on(), join('; ', sort $task, $stands), "alert: $task");

value("UPDATE gc_fdw.import_parts SET state = 'sending', attempts = 4 WHERE import_id = $paused");
is(on(), join('; ', sort $part, $task, $stands), "alert: $part");
value("UPDATE gc_fdw.import_parts SET state = 'staged', attempts = 1 WHERE import_id = $paused");
value("UPDATE gc_fdw.import_tasks SET next_attempt = now() + interval '2 hours', attempts = 1");
value("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'gc_fdw worker'");
await('no worker', sub { value("SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'gc_fdw worker'") == 0 });
value("UPDATE gc_fdw.import_queue SET state = 'staged', submitted_at = now() - interval '1 hour' WHERE id = $paused");
is(on(), $nobody, "alert: $nobody");
value("UPDATE gc_fdw.import_queue SET state = 'paused' WHERE id = $paused");
is($payloads && on(), $stands, 'payloads of 10 GB are not tried');

# --- purge() --------------------------------------------------------------------------------------

# left(): rows that there are of each table, by import.
sub left
{
	return value(<<'SQL');
SELECT concat_ws(' | ', (SELECT string_agg(id::text, ' ' ORDER BY id) FROM gc_fdw.import_queue),
 (SELECT string_agg(DISTINCT import_id::text, ' ') FROM gc_fdw.import_parts), (SELECT string_agg(DISTINCT import_id::text, ' ') FROM gc_fdw.import_chunks),
 (SELECT string_agg(DISTINCT import_id::text, ' ') FROM gc_fdw.import_tasks))
SQL
}

# purged(ARGUMENTS): what it says, but for tables that nothing went from.
sub purged { my ($arguments) = @_; return value("SELECT string_agg(regexp_replace(relation::text, '^gc_fdw[.]', '') || ' ' || rows, ', ' ORDER BY relation::text) FROM gc_fdw.purge($arguments) WHERE rows > 0") }

is(purged("'3 days'"), '', 'purge() takes nothing that is younger');
is(purged("'1 day'"), 'import_chunks 1, import_parts 1, import_queue 1', '… but what is older: the failed import and its payload');
is(left(), "$fine $paused $some $untold | $fine $paused $some $untold | $paused | $untold", '… and no more');
is($session->run("SELECT gc_fdw.purge('1 day', -1)")->{sqlstate}, '22023', 'a negative number of rows is an error');
is(purged("'0', 0"), '', 'no rows are none');

# Rows of an import that goes on stay, and so does one whose webhook is still to be told.
value("INSERT INTO gc_fdw.rejected_rows (at, by_role, list_id, source, source_id, row_data, code, reason) VALUES (now() - interval '1 year', current_user, '$list', 'import', $paused, '{}', 'x', 'x')");
value("INSERT INTO gc_fdw.sent_contacts SELECT list_id, 'P-0', content_hash, now() - interval '1 year', 'import', $paused FROM gc_fdw.sent_contacts LIMIT 1");
is(purged("'0', 100"), 'audit_log 4, import_parts 2, import_queue 2, rejected_rows 9, sent_contacts 100', 'purge() takes at most so many of each table');
is(purged("'0', 400"), 'sent_contacts 400', '… and then the next ones');
my ($loop) = $page =~ /^## Growth\n.*?```sql\n(.*?)```/ms;
$loop =~ s/'90 days', max_rows => 100000/'0', max_rows => 10/;
value($loop);
is(purged("'0'"), '', '… until all is gone, as the page has it');
is(left(), "$paused $untold | $paused $untold | $paused | $untold", '… that is not open');
is(value('SELECT (SELECT count(*) FROM gc_fdw.rejected_rows) || $$ $$ || (SELECT string_agg(contact_id, $$ $$) FROM gc_fdw.sent_contacts)'), '1 P-0', '… nor belongs to what is');
value("UPDATE gc_fdw.import_tasks SET state = 'failed'");
value("SELECT gc_fdw.cancel_import($paused)");
purged("'0'");
is(left(), '', 'ended, all of it goes');

# --- who sees what --------------------------------------------------------------------------------

value(<<'SQL');
CREATE ROLE one; CREATE ROLE two; CREATE ROLE boss IN ROLE one, two; CREATE ROLE watcher IN ROLE pg_read_all_stats;
GRANT EXECUTE ON FUNCTION gc_fdw.submit_import TO one, two;
GRANT INSERT, SELECT ON leads TO one, two;
CREATE USER MAPPING FOR one SERVER genesys OPTIONS (client_id 'id', client_secret 'secret');
CREATE USER MAPPING FOR two SERVER genesys OPTIONS (client_id 'id', client_secret 'secret');
SQL
for my $role (qw(one two))
{
	value("SET ROLE $role");
	is(ended(submitted("SELECT '$role-' || i AS k, CASE i WHEN 1 THEN 'none' END AS phone FROM generate_series(1, 2) i", "campaign_id => 'nope'")), 'done', "an import of role $role");
	value('RESET ROLE');
}
await('their tasks are there', sub { value('SELECT count(*) FROM gc_fdw.import_tasks') == 2 });

# seen(ROLE): by whom are the imports, their parts, tasks, rejected rows, ledger and audit that it sees.
sub seen
{
	my ($role) = @_;
	my $by = '(SELECT submitted_by FROM gc_fdw.imports i WHERE i.id = import_id)';
	my $who = "string_agg(DISTINCT %s::text, ',')";
	my @columns = map { my ($column, $table) = @$_; sprintf "coalesce((SELECT string_agg(DISTINCT (%s)::text, ',') FROM gc_fdw.%s), '-')", $column, $table }
	  ([ 'submitted_by', 'imports' ], [ $by, 'import_parts' ], [ $by, 'import_tasks' ], [ 'by_role', 'rejected_rows' ], [ q(split_part(contact_id, '-', 1)), 'sent_contacts' ], [ 'by_role', 'audit_log' ]);
	value("SET ROLE $role");
	my $seen = value("SELECT concat_ws(' ', " . join(', ', @columns) . ')');
	value('RESET ROLE');
	return $seen;
}

is(seen('one'), 'one one one one one one', 'a role sees its own imports, and all that belongs to them');
is(seen('two'), 'two two two two two two', '… as does another');
is(seen('boss'), join(' ', ('one,two') x 6), 'who is a member of both sees both');
is(seen('watcher'), 'one,two one,two one,two - - one,two', 'pg_read_all_stats sees all but personal data');
value('CREATE ROLE nobody');
is(seen('nobody'), '- - - - - -', 'and others nothing');
for my $table (qw(import_queue import_parts import_tasks rejected_rows sent_contacts audit_log import_chunks import_pauses))
{
	value('SET ROLE one');
	is($session->run("DELETE FROM gc_fdw.$table")->{sqlstate}, '42501', "nobody writes $table");
	value('RESET ROLE');
}
value('SET ROLE watcher');
is($session->run('SELECT * FROM gc_fdw.import_chunks')->{sqlstate}, '42501', 'payloads are for nobody but their owner');

done_testing();
