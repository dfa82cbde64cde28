# What there is is in docs/reference.md: every function with its arguments, every table and view with its columns,
# every setting and every option.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use GcTest;
use PostgreSQL::Test::Utils;
use Test::More;

skip_unless_possible();

my $root = "$FindBin::Bin/..";
my $reference = PostgreSQL::Test::Utils::slurp_file("$root/docs/reference.md");
my $node = new_node('reference', "shared_preload_libraries = 'gc_fdw'");

sub rows { return split /\n/, $node->safe_psql('postgres', $_[0]) }

# missing(WHAT, PATTERN => NAME...): those that the reference does not have.
sub missing
{
	my ($what, %names) = @_;
	cmp_ok(scalar keys %names, '>', 0, "there are $what");
	return is(join(', ', sort map { $names{$_} } grep { $reference !~ /$_/ } keys %names), '', "$what: none is missing");
}

# Functions, but for those of the wrapper itself and of views; a default is as it was written.
my %functions;
for my $row (rows(<<'SQL'))
SELECT p.proname, pg_get_function_arguments(p.oid) FROM pg_proc p JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
JOIN pg_extension e ON e.oid = d.refobjid AND e.extname = 'gc_fdw' WHERE p.proname !~ '^(stat_get_|gc_fdw_)'
SQL
{
	my ($name, $arguments) = split /\|/, $row;

	$arguments =~ s/::[a-z]+(?:\[\])?|"|\bIN //g;
	$arguments =~ s/'01:00:00'/'1 hour'/;
	$arguments =~ s/(^|, )OUT .*//;
	$functions{"`(CALL )?gc_fdw\\.$name\\(\Q$arguments\E\\)"} = "$name($arguments)";
}
missing('functions', %functions);

# A column is named with its table: in the table's paragraphs, which begin with its name and end with the next one's.
my $relations = "SELECT c.relname, string_agg(a.attname, ' ') FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND attnum > 0 AND NOT attisdropped
  WHERE c.relnamespace = 'gc_fdw'::regnamespace AND relkind IN ('r', 'v') GROUP BY 1";
my (%relations, %columns);
for my $row (rows($relations))
{
	my ($name, $columns) = split /\|/, $row;
	my $table = $name eq 'imports' ? 'import_queue' : $name;
	my ($about) = $reference =~ /^(?:\*\*|\| )`gc_fdw\.$table`(.*?)(?=^\*\*`gc_fdw\.|^\| `gc_fdw\.|^## |\z)/ms;

	$relations{"`gc_fdw\\.$name`"} = $name;
	$about //= '';
	for my $column (grep { $about !~ /`$_\b/ } split / /, $columns) { $columns{"$name.$column"} = 1 }
}
missing('tables and views', %relations);
is(join(' ', sort keys %columns), '', 'columns: none is missing');

missing('settings', map { ("`\Q$_\E`" => $_) } rows("SELECT name FROM pg_settings WHERE name LIKE 'gc\\_fdw.%'"));

my $options = PostgreSQL::Test::Utils::slurp_file("$root/src/base/option.c");
missing('options', map { ("`$_`" => $_) } $options =~ /^\t\{"(\w+)", (?:GC_PLACE_|SERVER_TABLE)/mg);
my $of_import = PostgreSQL::Test::Utils::slurp_file("$root/src/funcs/import_options.c");
my ($table) = $of_import =~ /\[\] = \{\n(.*?)\};/s;
my $imports = PostgreSQL::Test::Utils::slurp_file("$root/docs/imports.md");
is(join(' ', grep { $imports !~ /`$_`/ } $table =~ /\{"(\w+)"/g), '', 'options of submit_import: none is missing in docs/imports.md');

done_testing();
