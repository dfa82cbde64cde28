# Random conditions over the contacts of GcDiffData, for the differential test.
#
# A condition is a tree: text, or [AND, tree...], [OR, tree...], [NOT, tree], so that it
# can be made smaller.  A scope says what it is made for: "data", the "alias" of the
# table, "params": undef for constants alone, else where parameters are collected,
# "name_param": how they are written.  What may fail by the data of a row sets "fallible".
package GcDiffExpr;

use strict;
use utf8;
use warnings;

use GcDiffData qw(chance pick quote roll some_of);

use Exporter qw(import);
our @EXPORT_OK = qw(condition key_condition plain_condition render);

sub render
{
	my ($tree) = @_;
	return $tree unless ref $tree;
	my ($word, @parts) = @$tree;
	return $word eq 'NOT' ? 'NOT (' . render($parts[0]) . ')' : '(' . join(" $word ", map { render($_) } @parts) . ')';
}

# condition(SCOPE, DEPTH)
sub condition
{
	my ($scope, $depth) = @_;
	my $n = 2 + roll(2);

	return atom($scope) if $depth <= 0 || chance(20);
	return [ 'NOT', condition($scope, $depth - 1) ] if chance(15);
	return [ chance(60) ? 'AND' : 'OR', map { condition($scope, $depth - 1) } 1 .. $n ];
}

my %atoms = (
	text => \&text_atom,
	folded => \&folded_atom,
	number => \&number_atom,
	time => \&time_atom,
	boolean => \&boolean_atom,
	other => \&other_atom,
	array => \&array_atom,
	json => \&json_atom,
);

sub atom
{
	my ($scope) = @_;
	return key_condition($scope) if chance(8);
	return pair_atom($scope) if chance(5);
	return row_atom($scope) if chance(3);
	my $column = pick($scope->{data}->columns);
	my $name = "$scope->{alias}.$column->{name}";

	return null_atom($name) if chance(7);
	return $atoms{ $column->{kind} }->($scope, $column, $name);
}

# ---- constants ---------------------------------------------------------------------

# constant(SCOPE, TYPE, SUB): one that SUB gives, or a parameter, which has several.
sub constant
{
	my ($scope, $type, $value) = @_;
	my $params = $scope->{params};

	if ($params && chance(70))
	{
		push @$params, { type => $type, values => [ map { $value->() } 1 .. 7 ] };
		return $scope->{name_param}->(scalar @$params);
	}
	my $chosen = $value->();
	return chance(15) ? 'NULL' : "NULL::$type" unless defined $chosen;
	return $chosen if $type =~ /int|numeric|real|double/ && $type !~ /interval/ && $chosen =~ /^\d+(\.\d+)?$/ && chance(40);
	return quote($chosen) if $type eq 'text' && chance(70);
	return quote($chosen) . "::$type";
}

# A value like those of a column of text, or one that is nearly so.
sub near_text
{
	my ($scope, $column) = @_;
	my @of = chance(85) ? $column : $scope->{data}->column(pick(qw(t w nt k)));
	my $value = pick($scope->{data}->cells($of[0]{name}));

	return undef if chance(3);
	return pick('', ' ', '%', 'absent', "\\") if chance(6);
	return $value if chance(60);
	return pick(uc $value, lc $value, ucfirst lc $value, "$value ", " $value", $value =~ s/^\s+|\s+$//gr,
		substr($value, 0, 1 + roll(3)), substr($value, -1), "${value}x", $value =~ tr/éëßüÜÏï/eesuUIi/r);
}

my %type_cells = (
	integer => 'i', bigint => 'b', numeric => 'n', 'double precision' => 'f', date => 'd', timestamp => 'ts',
		timestamptz => 'tz',
	uuid => 'u', 'public.mood' => 'm', interval => 'iv', boolean => 'z',
);

# A value of a type, out of the cells of the column that has it.
sub near_value
{
	my ($scope, $type) = @_;
	return undef if chance(3);
	return pick(qw(Infinity -Infinity),
		($type eq 'numeric' ? qw(NaN 1e100 -1e-70) : ())) if $type =~ /^(numeric|date|timestamp)/ && chance(5);
	return pick(qw(0.1 0.3 1 2 100 9007199254740993 NaN)) if $type eq 'real';
	return pick(0 .. 12) if $type eq 'smallint' || ($type =~ /int/ && chance(40));
	return pick($scope->{data}->cells($type_cells{$type}));
}

sub comparison { return pick('=', '=', '=', '=', '<>', '!=', '<', '<=', '>', '>=') }

# compare_any(SCOPE, X, TYPE, SUB): the ways to compare x with one or several constants.
sub compare_any
{
	my ($scope, $x, $type, $value) = @_;
	my $one = sub { return constant($scope, $type, $value) };
	my $array = sub {
		my @values = map { $value->() } 1 .. 1 + roll(4);
		return 'ARRAY[' . join(', ', map { quote($_) } @values) . "]::${type}[]" if chance(40);
		return constant($scope, "${type}[]", sub { array_text(map { $value->() } 1 .. 1 + roll(4)) });
	};
	my $choice = roll(100);

	return "$x " . comparison() . ' ' . $one->() if $choice < 45;
	return $one->() . ' ' . comparison() . " $x" if $choice < 50;
	return "$x " . pick('', 'NOT ') . 'BETWEEN ' . pick('', '', 'SYMMETRIC ') . $one->() . ' AND ' . $one->() if $choice < 60;
	return "$x " . pick('', '', 'NOT ') . 'IN (' . join(', ', map { $one->() } 1 .. 1 + roll(5)) . ')' if $choice < 75;
	return "$x IS " . pick('', 'NOT ') . 'DISTINCT FROM ' . $one->() if $choice < 82;
	return "$x " . comparison() . ' NULL' if $choice < 84;
	return "$x = ANY (" . $array->() . ')' if $choice < 90;
	return "$x " . pick('<> ALL', '= ALL', '<> ANY', '< ANY', '>= ALL') . ' (' . $array->() . ')';
}

# As the text of an array.
sub array_text
{
	return '{' . join(',', map { defined $_ ? '"' . s/(["\\])/\\$1/gr . '"' : 'NULL' } @_) . '}';
}

# ---- conditions on one column --------------------------------------------------------

sub null_atom
{
	my ($name) = @_;
	return pick("$name IS NULL", "$name IS NOT NULL", "$name IS DISTINCT FROM NULL", "$name = $name", "NOT ($name IS NULL)",
		"coalesce(${name}::text, '') = ''", "num_nulls($name) = 1");
}

sub text_atom
{
	my ($scope, $column, $x) = @_;
	my $value = sub { return near_text($scope, $column) };
	my $type = pick('text', 'text', 'text', 'varchar', 'bpchar');
	my $choice = roll(100);

	return compare_any($scope, $x, $type, $value) if $choice < 45;
	return pattern_atom($scope, $column, $x) if $choice < 75;
	return text_function($scope, $column, $x, $value) if $choice < 92;
	my $collation = $scope->{data}->column('ti') ? pick('"C"', '"und-x-icu"', 'public.nocase', '"POSIX"') : pick('"C"',
		'"POSIX"');
	return "$x " . comparison() . ' ' . constant($scope, 'text', $value) . " COLLATE $collation";
}

# A pattern that a cell matches: some of it escaped, some of it replaced by wildcards.
sub matching_pattern
{
	my ($scope, $column) = @_;
	my @cells = $scope->{data}->cells($column->{name});
	my $cell = @cells ? pick(@cells) : 'x';
	my ($first, $last) = (pick('', '', '%'), pick('', '%', '%'));
	my $from = $first && length $cell > 1 ? roll(length($cell) - 1) : 0;
	my $length = $last && length $cell > $from ? 1 + roll(length($cell) - $from) : 512;
	my $part = join '', map { chance(8) ? '_' : chance(4) ? '%' : s/([\\%_])/\\$1/r } split //, substr $cell, $from, $length;
	return "$first$part$last";
}

sub pattern_of
{
	my ($scope, $column) = @_;
	return matching_pattern($scope, $column) if chance(40);
	my $string = near_text($scope, $column) // return undef;
	my $escaped = $string =~ s/([\\%_])/\\$1/gr;
	my $part = substr $string, 0, 1 + roll(5);
	my $end = substr $string, -(1 + roll(3));

	$_ =~ s/\\/\\\\/g for $part, $end;
	return pick("$part%", "$part%", "%$part%", "%$end%", "%$end", "$escaped%", "%$escaped", "%$escaped%", $escaped, '%',
		'%%', '_%',
		'', "_$end", "$part\_%", "%$part%$end%", "$part\%$end", '%\\%%', '%\\_%', '%\\\\%', '___', "$part%%");
}

sub pattern_atom
{
	my ($scope, $column, $x) = @_;
	my $operator = pick('LIKE', 'LIKE', 'NOT LIKE', 'ILIKE', 'NOT ILIKE', '~~', '!~~*');
	my $value = sub { my $pattern = pattern_of($scope,
		$column); $pattern =~ s/(?<!\\)((\\\\)*)\\\z/$1/ if defined $pattern; $pattern };
	my $regex = sub { my $string = near_text($scope, $column) // 'x'; quotemeta_of(substr $string, 0, 4) };
	my $plain = sub { return near_text($scope, $column) };
	my $choice = roll(100);

	return "$x $operator " . constant($scope, 'text', $value) if $choice < 60;
	return "$x LIKE " . quote(($plain->() // '') =~ s/([!%_])/!$1/gr . '%') . " ESCAPE '!'" if $choice < 66;
	return "$x LIKE " . quote(($plain->() // '') =~ s/_/%/gr . '%') . " ESCAPE ''" if $choice < 69;
	return "$x " . pick('LIKE', 'ILIKE') . ' ' . pick('ANY', 'ALL') . ' (ARRAY[' . join(', ',
		map { quote($value->()) } 1 .. 3) . ']::text[])'
	  if $choice < 75;
	return "$x " . pick('~', '~*', '!~', '!~*') . ' ' . quote(pick('^', '', '^(x|') . $regex->() . pick('', '$',
		'.*')) =~ s/(\(x.*)'$/$1)'/r
	  if $choice < 90;
	return pick("starts_with($x, %s)", "$x ^@ %s", "strpos($x, %s) > 0", "position(%s in $x) = 1",
		"right($x, 1) = right(%s, 1)")
	  =~ s/%s/constant($scope, 'text', $plain)/er;
}

sub quotemeta_of { my ($string) = @_; return $string =~ s/([^\w\s])/\\$1/gr =~ s/\\(?=[^\x00-\x7f])//gr }

sub text_function
{
	my ($scope, $column, $x, $value) = @_;
	my $other = constant($scope, 'text', $value);
	my $form = pick("lower($x) = lower(%s)", "upper($x) = upper(%s)", "lower($x) = %s", "trim($x) = trim(%s)", "length($x) > 4",
		"length($x) = length(%s)", "left($x, 2) = left(%s, 2)", "$x || 'x' = %s || 'x'", "substr($x, 2) < %s",
		"md5($x) < md5(%s)", "coalesce($x, %s) = %s", "nullif($x, %s) IS NULL", "replace($x, ' ', '') = %s",
		"reverse($x) = %s", "ascii($x) > 100", "octet_length($x) > length($x)", "$x\::text = %s", "$x\::varchar(3) = %s",
			"$x\::char(4) = %s",
		"CASE WHEN $x ~ '^[0-9]{1,9}\$' THEN $x\::integer > 5 ELSE $x > %s END", "concat($x, %s) = %s", "greatest($x, %s) = %s",
		"CASE $x WHEN %s THEN true ELSE false END", "$x\::name = 'lead'", "quote_literal($x) = quote_literal(%s)",
		"public.same_as($x, %s)", "public.volatile_same_as($x, %s)");
	return $form =~ s/%s/$other/gr;
}

# Under a collation that is not deterministic there are no patterns.
sub folded_atom
{
	my ($scope, $column, $x) = @_;
	my $value = sub { return near_text($scope, $column) };
	return compare_any($scope, $x, 'text', $value) if chance(80);
	return pick("$x COLLATE \"C\" LIKE 'a%'", "lower($x) = lower(%s)", "$x COLLATE \"C\" = %s", "length($x) = length(%s)")
	  =~ s/%s/constant($scope, 'text', $value)/er;
}

sub number_atom
{
	my ($scope, $column, $x) = @_;
	my $type = pick('integer', 'integer', 'bigint', 'numeric', 'numeric', 'double precision', 'real', 'smallint',
		$column->{type} =~ s/\(.*//r);
	my $value = sub { return near_value($scope, $type) };
	return compare_any($scope, $x, $type, $value) if chance(75);
	my $other = constant($scope, $type, $value);
	my $half = $column->{name} eq 'f' ? "$x + 0.5" : "$x / 2";
	return pick("$x\::text LIKE '1%'", "$x\::text = '1.50'", "abs($x\::numeric) < 3", "$x\::double precision > 1",
		"$half < $other", "$x * 1.0 = $other",
		"$x\::numeric % 3 = 0", "round($x\::numeric) = $other", "coalesce($x, 0) = 0", "- ($x\::numeric) > $other",
		"$x\::text ~ '^[0-9]+\$'", "$x\::numeric + 1 > $other", "(SELECT $x) = $other");
}

sub time_atom
{
	my ($scope, $column, $x) = @_;
	my $type = pick($column->{type}, $column->{type}, 'date', 'timestamp', 'timestamptz');
	my $value = sub { return near_value($scope, $type) };
	return compare_any($scope, $x, $type, $value) if chance(75);
	my $other = constant($scope, $type, $value);
	return pick("extract(year FROM $x) = 2026", "date_trunc('month', $x) = $other", "$x\::date = $other",
		"$x - interval '1 day' < $other",
		"$x < now()", "$x > now() - interval '9 months'", "isfinite($x)", "$x\::text LIKE '2026-01%'",
			"$x\::timestamp = $other",
		"$x\::timestamptz >= $other", "$x < localtimestamp", "to_char($x, 'YYYY') = '2026'",
			"date_part('dow', $x\::date) IS NOT NULL");
}

sub boolean_atom
{
	my ($scope, $column, $x) = @_;
	my $value = sub { return pick(qw(true false t f), undef) };
	return compare_any($scope, $x, 'boolean', $value) if chance(30);
	return pick($x, "NOT $x", "$x IS TRUE", "$x IS FALSE", "$x IS NOT TRUE", "$x IS NOT FALSE", "$x IS UNKNOWN",
		"$x IS NOT UNKNOWN", "$x = true",
		"$x = false", "$x <> true", "$x\::text = 'true'", "$x\::integer = 1", "coalesce($x, false)",
			"$x IS DISTINCT FROM true");
}

# plain_condition(SCOPE): one or two of those that a platform is likely to be asked, and
# that some contacts meet.
sub plain_condition
{
	my ($scope) = @_;
	my $column = pick(grep { $_->{kind} =~ /^(text|number|time)$/ } $scope->{data}->columns);
	my $x = "$scope->{alias}.$column->{name}";
	my $operator = pick('=', '<', '<=', '>', '>=');
	my $type = $column->{type} =~ s/\(.*//r;
	my $value = sub { return near_value($scope, $type) };

	return [ pick('AND', 'AND', 'OR'), plain_condition($scope), plain_condition($scope) ] if chance(25);
	if ($column->{kind} eq 'text')
	{
		return "$x LIKE " . constant($scope, 'text', sub { matching_pattern($scope, $column) }) if chance(60);
		return "$x ^@ " . constant($scope, 'text', sub { substr near_text($scope, $column) // 'x', 0,
			1 + roll(4) }) if chance(20);
		return compare_any($scope, $x, 'text', sub { near_text($scope, $column) });
	}
	return compare_any($scope, $x, $type, $value) if $column->{kind} eq 'number' || chance(30);
	my $distance = pick('0', '1 microsecond', '1 second', '1 hour', '1 day', '25 hours', '1 month');
	return "$x $operator " . constant($scope, $type, $value) . pick(' + ', ' - ') . "interval '$distance'";
}

sub other_atom
{
	my ($scope, $column, $x) = @_;
	my $value = sub { return near_value($scope, $column->{type}) };
	return compare_any($scope, $x, $column->{type}, $value) if chance(80);
	return pick("$x\::text LIKE '0%'", "$x\::text = " . quote($value->()),
		"upper($x\::text) = upper(" . quote($value->()) . ')', "$x\::text > 'L'");
}

sub array_atom
{
	my ($scope, $column, $x) = @_;
	my $word = constant($scope, 'text', sub { pick('a', 'b', 'alpha', 'Lead') });
	return pick("$word = ANY ($x)", "$word <> ALL ($x)", "$x \@> ARRAY[$word]", "cardinality($x) > 1", "$x = '{}'",
		"$x\[1] = $word", "$x && '{a,b}'",
		"$x\::text = '{a,b}'", "array_length($x, 1) IS NULL", "$x < '{b}'");
}

sub json_atom
{
	my ($scope, $column, $x) = @_;
	return pick("$x->'phone'->>'callable' = 'false'", "$x \@> '{\"phone\": {\"callable\": true}}'", "$x IS NULL",
		"$x ? 'phone'",
		"($x#>>'{phone,callable}')::boolean", "$x = '{\"phone\": {\"callable\": false}}'", "jsonb_typeof($x) = 'object'");
}

# ---- conditions on several columns -----------------------------------------------------

sub pair_atom
{
	my ($scope) = @_;
	my $a = $scope->{alias};
	my $operator = comparison();
	my @text = some_of(2, qw(k contact_id t w nt v c lt));
	my @number = some_of(2, qw(i b n n3 f));
	my @time = some_of(2, qw(d ts tz attempt));

	return pick("$a.k = $a.contact_id", "$a.k <> $a.contact_id", "$a.$text[0] $operator $a.$text[1]",
		"$a.$number[0] $operator $a.$number[1]",
		"$a.$time[0] $operator $a.$time[1]", "$a.z = $a.callable", "$a.z IS DISTINCT FROM $a.callable", "$a.nt = $a.i::text",
		"lower($a.k) = lower($a.contact_id)", "$a.w = ANY ($a.ta)", "starts_with($a.$text[0], $a.$text[1])",
			"$a.$text[0] LIKE $a.w || '%'");
}

sub row_atom
{
	my ($scope) = @_;
	my $a = $scope->{alias};
	my @i = map { constant($scope, 'integer', sub { near_value($scope, 'integer') }) } 1 .. 2;
	my @w = map { constant($scope, 'text', sub { near_text($scope, $scope->{data}->column('w')) }) } 1 .. 2;
	return pick("($a.w, $a.i) = ($w[0], $i[0])", "($a.i, $a.w) < ($i[0], $w[0])",
		"($a.w, $a.i) IN (($w[0], $i[0]), ($w[1], $i[1]))", "$a IS NOT NULL",
		"($a.i, $a.w) IS DISTINCT FROM ($i[0], $w[0])", "($a.i, $a.w) >= ($i[0], NULL)", "ROW($a.i, $a.w) IS NULL",
			"NOT ($a IS NULL)");
}

# ---- by key and by id ------------------------------------------------------------------

# What is asked for by key or id: there or not, in other letters, or nothing of the kind.
sub near_id
{
	my ($scope) = @_;
	my $value = pick($scope->{data}->cells(pick('k', 'contact_id')));
	return undef if chance(5);
	return pick('', ' ', 'absent', 'a/b', '..', '%41', 'a b', '日本', 'x' x 101, "a'b", '?', 'lead-1,lead-2',
		"lead-1\n") if chance(10);
	return chance(80) ? $value : pick(uc $value, lc $value, "$value ", "0$value");
}

sub key_condition
{
	my ($scope) = @_;
	my $x = "$scope->{alias}." . pick('k', 'k', 'contact_id', 'contact_id');
	my $value = sub { return near_id($scope) };
	my $one = sub { return constant($scope, 'text', $value) };
	my $many = sub { my @ids = map { $value->() } 1 .. pick(1, 2, 3, 8, 60); return array_text(@ids,
		@ids[ map { roll(scalar @ids) } 1 .. roll(3) ]) };
	my $choice = roll(100);

	return "$x = " . $one->() if $choice < 25;
	return "$x IN (" . join(', ', map { $one->() } 1 .. 2 + roll(5)) . ')' if $choice < 40;
	return "$x = ANY (" . constant($scope, 'text[]', $many) . ')' if $choice < 60;
	return "$x = ANY (ARRAY(SELECT p." . pick(qw(k contact_id nt)) . ' FROM near.picks p))' if $choice < 68;
	return "$x IN (SELECT p." . pick(qw(k contact_id)) . ' FROM near.picks p' . pick('', ' WHERE p.i = 7',
		' WHERE p.k IS NOT NULL') . ')' if $choice < 74;
	return "$x = (SELECT " . pick('min', 'max') . '(p.contact_id) FROM near.picks p)' if $choice < 78;
	return [ 'OR', "$x = " . $one->(), "$scope->{alias}.contact_id = " . $one->() ] if $choice < 83;
	return [ 'AND', "$x = " . $one->(), atom($scope) ] if $choice < 88;
	return [ 'AND', "$x = " . $one->(), "$x = " . $one->() ] if $choice < 90;
	return [ 'OR', "$x = " . $one->(), atom($scope) ] if $choice < 92;
	return [ 'AND', "$x = $scope->{alias}." . pick(qw(k w nt contact_id)), "$x = " . $one->() ] if $choice < 94;
	return "$x" . pick('::varchar', '::bpchar', '::text', ' COLLATE "C"') . ' = ' . $one->() if $choice < 97;
	return "$x " . pick('<> ALL', '<> ANY', '< ALL') . ' (' . constant($scope, 'text[]', $many) . ')';
}

1;
