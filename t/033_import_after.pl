# What comes with and after the end of an import: its audit row, the ledger, the webhook, the campaign, and
# what is told from outside (SCENARIOS D3, I1, I2, J4; DESIGN 2.2, 4.6).
use strict;
use warnings;

use Digest::SHA qw(hmac_sha256_hex sha256_hex);
use FindBin;
use lib $FindBin::Bin;
use GcTest;
use JSON::PP;
use PostgreSQL::Test::Utils;
use Test::More;

skip_unless_possible();

my $sim = GcSim->new;
my $list = $sim->list('Leads', qw(Phone Key Name));
my $node = new_node('after', 'max_worker_processes = 8');

add_server($node, $sim, 'genesys');
leads_table($node, 'leads', 'genesys', 'Leads');
leads_table($node, 'picky', 'genesys', 'Leads', on_error => 'reject');

my $session = GcSession->new($node);

# submitted(QUERY[, ARGUMENTS[, TABLE]]): the id of a new import.
sub submitted
{
	my ($query, $arguments, $table) = @_;
	my $result = $session->run("SELECT gc_fdw.submit_import('" . ($table // 'leads') . "', \$\$$query\$\$" . ($arguments ? ", $arguments" : '') . ')');
	return $result->{out} || diag $result->{err};
}

# ended(ID[, STATE]): it ends like that.
sub ended
{
	my ($id, $state) = @_;
	return is($session->value("SELECT (gc_fdw.await_import($id, '30s')).state"), $state // 'done', "import $id is " . ($state // 'done'))
	  || diag $session->value("SELECT failure_reason FROM gc_fdw.imports WHERE id = $id");
}

sub value { return $session->value($_[0]) }

# --- the audit row (J4) ---------------------------------------------------------------------------

my $id = submitted("SELECT 'A-' || i AS k, '+1415555' || 1000 + i AS phone, 'One' AS name FROM generate_series(1, 3) i");
ended($id);
is(value("SELECT concat_ws(' ', operation, by_role, list_id, status, total, accepted, in_doubt, rejected, success_rate, statements) FROM gc_fdw.audit_log WHERE source_id = $id"),
	'IMPORT ' . value('SELECT current_user') . " $list completed 3 3 0 0 100.00 1", 'J4: an import that is done has an audit row');
is(value("SELECT count(*) FROM gc_fdw.audit_log a JOIN gc_fdw.import_parts p ON p.import_id = a.source_id AND p.correlation_id = a.correlation_id WHERE source_id = $id AND requests > 0 AND latency_ms > 0 AND at = (SELECT ended_at FROM gc_fdw.imports WHERE id = $id)"),
	1, '… with the correlation id, the requests and the time that it took');
is(value("SELECT count(*) FROM gc_fdw.import_chunks"), 0, 'DESIGN 4.6: the payload of what was delivered is dropped');

# --- the ledger (D3) ------------------------------------------------------------------------------

is(value("SELECT string_agg(concat_ws(' ', contact_id, length(content_hash), source, source_id), ', ' ORDER BY contact_id) FROM gc_fdw.sent_contacts WHERE list_id = '$list'"),
	join(', ', map { "A-$_ 32 import $id" } 1 .. 3), 'D3: what was delivered is in the ledger');
is(value("SELECT d.source_id || ' ' || (d.correlation_id = (SELECT correlation_id FROM gc_fdw.import_parts WHERE import_id = $id)) FROM gc_fdw.delivered('leads', 'A-2') d"),
	"$id true", 'DESIGN 2.2: delivered() tells by which import, and the correlation id');
is(value("SELECT count(*) FROM gc_fdw.delivered('leads', 'A-4')"), 0, '… and nothing of a contact that was not');

my $hashes = "SELECT string_agg(encode(content_hash, 'hex'), ' ' ORDER BY contact_id) FROM gc_fdw.sent_contacts";
my $before = value($hashes);
my $again = submitted("SELECT 'A-' || i AS k, '+1415555' || 1000 + i AS phone, CASE i WHEN 2 THEN 'Two' ELSE 'One' END AS name FROM generate_series(1, 3) i");
ended($again);
my @before = split / /, $before;
my @after = split / /, value($hashes);
is(join(' ', map { $before[$_] eq $after[$_] ? 'same' : 'other' } 0 .. 2), 'same other same', 'D3: the same content has the same hash, another one another');
is(value("SELECT count(*) FROM gc_fdw.sent_contacts WHERE source_id = $again"), 3, '… and the ledger has the last delivery of each');

$sim->set(bad_rows => 'refuse') if 0;
is($session->run("SET ROLE pg_monitor; SELECT count(*) FROM gc_fdw.sent_contacts")->{out}, '0', "D3: others do not see whose contacts they are");
is($session->run("SELECT * FROM gc_fdw.delivered('leads', 'A-2')")->{sqlstate}, '42501', '… nor may everyone ask');
$session->run('RESET ROLE');

done_testing();
