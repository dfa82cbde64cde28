# The recipe of docs/operations.md for a load every ten minutes, as it stands there, run by pg_cron: runs do not pile
# up, nothing is sent twice, a run that fails is made good by the next one (DESIGN 1, issue 6).
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use GcTest;
use PostgreSQL::Test::Utils;
use Test::More;

skip_unless_possible();
my ($lib) = run_command([ 'pg_config', '--pkglibdir' ]);
plan skip_all => 'pg_cron is not installed' unless -e "$lib/pg_cron.so";

my $sim = GcSim->new;
my $list = $sim->list('Leads', qw(Phone Key Name));

# Its minutes are the shim's.
my $node = new_shimmed_node('cron', 'max_worker_processes = 12', "shared_preload_libraries = 'gc_fdw, pg_cron'");
my $session = GcSession->new($node);
my $offset = 0;

# It connects like any other client.
$node->append_conf('postgresql.conf', "cron.host = '" . $node->host . "'");
$session->close;
shimmed(sub { $node->restart });
$session = GcSession->new($node);
sub value { return $session->value($_[0]) }

add_server($node, $sim, 'genesys', max_retries => 0);
value(<<'SQL');
CREATE EXTENSION pg_cron;
CREATE SCHEMA gc;
CREATE SCHEMA dw;
CREATE FOREIGN TABLE gc.leads (crm_lead_id text OPTIONS (field 'Key'), first_name text OPTIONS (field 'Name'), phone text OPTIONS (field 'Phone', format 'e164'))
SERVER genesys OPTIONS (object 'contacts', list_name 'Leads', key 'crm_lead_id');
CREATE TABLE dw.leads (id text PRIMARY KEY, first_name text, phone text, changed_at timestamptz NOT NULL DEFAULT now());
SQL

# The recipe, and what shows its history.
my ($recipe, $history) = PostgreSQL::Test::Utils::slurp_file("$FindBin::Bin/../docs/operations.md") =~ /^## A load every ten minutes\n(?:(?!^## ).)*?```sql\n(.*?)```.*?```sql\n(.*?);\n```/ms;
is($session->run($recipe)->{sqlstate}, '00000', 'the recipe of docs/operations.md') || diag $session->{last}{err};

# changed(ID...): leads that are new, or other than they were.
sub changed { value("INSERT INTO dw.leads VALUES ('$_', 'One', '+14155550100') ON CONFLICT (id) DO UPDATE SET changed_at = now()") for @_; return }

# later(SECONDS); slot(): the next one begins.
sub later { jump_clock($offset += $_[0]); return }
sub slot { return later(602 - (time + $offset) % 600) }

# runs(): what the history shows, oldest first, each "status: message".
sub runs { return reverse map { s/^[^|]*\|//r =~ s/\|/: /r } grep { /\S/ } split /\n(?=\d{4}-)/, value($history) }

# ran(COUNT): so many runs have ended; the last one.
sub ran
{
	my ($count) = @_;
	await("run $count", sub { $count == grep { /^(succeeded|failed)/ } runs() }, 60);
	return (runs())[ $count - 1 ];
}

# sent(): how many contacts each POST had, refused ones in brackets.
sub sent { return join ' ', map { $_->{status} == 200 ? $_->{rows} : "($_->{status})" } $sim->requests(qr{^POST .*/contacts$}) }

sub imports { return value("SELECT string_agg(state || ' ' || rows_total, ', ' ORDER BY id) FROM gc_fdw.imports") }

changed('A-1', 'A-2');
slot();
is(ran(1), 'succeeded: CALL', 'pg_cron runs the recipe');
is(imports(), 'done 2', '… and the rows are there');
changed('B-1');
slot();
is(ran(2), 'succeeded: CALL', 'so does the next run');
is(sent(), '2 1', '… which sends what has changed since');

# A run that fails: the next one tries again, before it sends what is new.
changed('C-1');
$sim->faults({ path => '*/contacts', method => 'POST', times => 2, status => 403 });
slot();
like(ran(3), qr/^failed: ERROR:  import 3 is paused: could not insert 1 contact .* 403/, 'a run whose import does not get through says so');
changed('C-2');
slot();
like(ran(4), qr/^failed: ERROR:  import 3 is still paused/, '… as does the next');
is(imports(), 'done 2, done 1, paused 1', '… which submits no other');
slot();
is(ran(5), 'succeeded: CALL', 'then it goes on');
is(imports(), 'done 2, done 1, done 1, done 1', '… and what is new comes after it');

# A row that no platform would take.
value("INSERT INTO dw.leads VALUES ('D-1', 'One', '(415) 555-0100'), ('D-2', 'One', '+14155550100')");
slot();
like(ran(6), qr/^failed: ERROR:  column "phone" of contact list "Leads" has a value that is not a phone number.*"D-1"/s, 'a row that is refused is told');
unlike((runs())[5], qr/555-0100/, '… without its cell');
value("UPDATE dw.leads SET phone = '+14155550100' WHERE id = 'D-1'");
slot();
is(ran(7), 'succeeded: CALL', 'corrected it goes with the next run');
is(sent(), '2 1 (403) (403) 1 1 2', 'what was refused was sent again, and nothing else');

# The platform stands still: an import is at work for longer than its run waits, and the next one.
$sim->faults({ path => '*/contacts', method => 'POST', times => 1, delay_before_ms => 5000 });
changed('E-1');
slot();
await('it is at work', sub { value("SELECT count(*) FROM gc_fdw.import_parts WHERE state = 'sending'") == 1 });
kill 'STOP', $sim->pid;
changed('E-2');
slot();
is(ran(8), 'succeeded: CALL', 'a run ends, and its import goes on');
await('the next one waits', sub { value("SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'CALL dw.%' AND wait_event_type = 'Extension'") });
later(250);
like(ran(9), qr/^failed: ERROR:  import 7 is still running/, '… which is still at work in the next run');
is(imports(), 'done 2, done 1, done 1, done 1, done 2, running 1', '… and nothing piles up');
kill 'CONT', $sim->pid;
await('it is done', sub { imports() =~ /done 1$/ });
slot();
is(ran(10), 'succeeded: CALL', 'what is new follows');
is(sent(), '2 1 (403) (403) 1 1 2 1 1', '… once');
is(join(' ', sort $sim->contact_ids($list)), 'A-1 A-2 B-1 C-1 C-2 D-1 D-2 E-1 E-2', 'and all is there');

# DESIGN 3: a copy does not dial, though pg_cron is in it, too.
$session->run("ALTER SYSTEM SET gc_fdw.cluster_id = 'a copy'; SELECT pg_reload_conf()");
await('the setting is there', sub { value('SHOW gc_fdw.cluster_id') eq 'a copy' });
$sim->forget_requests;
like($session->run('CALL dw.load_leads()')->{err}, qr/this is a copy/, 'in a copy the recipe refuses to load');
is(scalar $sim->requests, 0, '… and asks for nothing');

done_testing();
