# Whatever is asked, a contact list answers as a local table with the same contents would
# (DESIGN 4.4, U7, U8): a thousand random queries, by each way of reading and under each
# way in which the platform may compare text.
#
# GC_DIFF_SEED: another seed, of data and queries.  GC_DIFF_QUERIES: how many.
# GC_DIFF_ONLY: this one alone, by all ways.  GC_DIFF_FORMS: plain, own, any (see
# GcDiffData).
use strict;
use utf8;
use warnings;

use Encode qw(encode_utf8);
use FindBin;
use lib $FindBin::Bin;
use GcDiff;
use GcDiffExpr qw(render);
use GcTest;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

skip_unless_possible();

my $seed = $ENV{GC_DIFF_SEED} // 1;
my $queries = $ENV{GC_DIFF_QUERIES} // 1000;
my $only = $ENV{GC_DIFF_ONLY};
my $node = new_node('differential', "shared_preload_libraries = 'gc_fdw'", 'restart_after_crash = on');
my $diff = GcDiff->new($node, $seed, $ENV{GC_DIFF_FORMS} // 'own');
my $begun = time;

note "seed $seed";
my %whole = (order => 'list', settings => [], build => sub { 'SELECT * FROM {{leads}} ORDER BY contact_id' });
for my $variant ($diff->variants)
{
	next if $variant->{method} eq 'ids';
	my ($wrong) = $diff->compare(\%whole, 'true', $variant);
	is($wrong, undef, "$variant->{name}: all contacts, with every column");
}

if (defined $only)
{
	my $query = $diff->run_query($only, $diff->variants);
	note encode_utf8($query->{build}->(render($query->{where})));
}
else
{
	$diff->run_query($_) for 1 .. $queries;
}
is($diff->{failed}{$_} // 0, 0, "$_: $diff->{kinds}{$_} queries") for sort keys %{ $diff->{kinds} };
note sprintf 'seed %d, %.0f s', $seed, time - $begun;
note encode_utf8($_) for $diff->summary;

# These comparisons can fail: tables that are wrong as a way of reading might be are told
# from the right one by few queries.
my %wrong = (
	'a contact that is lost' => "SELECT * FROM near.leads WHERE contact_id <> 'lead-3'",
	'a contact that comes twice' => "SELECT * FROM near.leads UNION ALL SELECT * FROM near.leads WHERE contact_id = 'lead-3'",
	'case that is not kept' => $diff->altered(w => 'lower(w)'),
	'blanks that are not kept' => $diff->altered(t => 'rtrim(t)'),
	'empty in place of NULL' => $diff->altered(v => "coalesce(v, '')"),
	'digits that are not kept' => $diff->altered(n => 'n::double precision::numeric'),
	'the key in place of the id' => $diff->altered(contact_id => 'k'),
);
for my $what (sort keys %wrong)
{
	my $number = $diff->found_by($wrong{$what});
	ok($number, "$what is noticed") and note "$what: by query $number";
}

$node->stop;
done_testing();
