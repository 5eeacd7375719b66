using Graft.LocalCluster.Cel;
using Graft.LocalCluster.Schema;
using static Graft.LocalCluster.Tests.Schema.SchemaMake;

namespace Graft.LocalCluster.Tests.Cel;

public sealed class CelExpressionTests
{
    private static readonly TypeSchema Type = SchemaOf("""
        {'type':'object','properties':{
          'i':{'type':'integer'},'j':{'type':'integer'},'d':{'type':'number'},'s':{'type':'string'},'b':{'type':'boolean'},
          'none':{'type':'string'},'nul':{'type':'string','nullable':true},
          'port':{'x-kubernetes-int-or-string':true},
          'list':{'type':'array','items':{'type':'string'}},
          'set':{'type':'array','x-kubernetes-list-type':'set','items':{'type':'integer'}},
          'objects':{'type':'array','items':{'type':'object','properties':{'name':{'type':'string'},'n':{'type':'integer'}}}},
          'map':{'type':'object','additionalProperties':{'type':'integer'}},
          'child':{'type':'object','properties':{'x':{'type':'integer'},'y':{'type':'integer'}}},
          'time':{'type':'string','format':'date-time'},'span':{'type':'string','format':'duration'},
          'namespace':{'type':'string'},'with-dash':{'type':'string'}}}
        """);

    private const string Value = """
        {'metadata':{'name':'me'},'i':3,'j':-7,'d':1.5,'s':'héllo','b':true,'nul':null,'port':'80%','list':['a','b','c'],'set':[1,2,3],
         'objects':[{'name':'p','n':1},{'name':'q','n':2}],'map':{'k':1,'l':2},'child':{'x':1},
         'time':'2026-01-02T03:04:05Z','span':'1h30m','namespace':'ns','with-dash':'w'}
        """;

    [Theory]
    [InlineData("1 + 2 * 3 == 7")]
    [InlineData("(1 + 2) * 3 == 9")]
    [InlineData("10 - 4 - 3 == 3")]
    [InlineData("-7 / 2 == -3 && -7 % 2 == -1")]
    [InlineData("0x1F == 31 && 1e3 == 1000.0 && .5 == 0.5")]
    [InlineData("7u + 1u == 8u")]
    [InlineData("1.5 * 2.0 == 3.0")]
    [InlineData("1 < 2.5 && 2u < 3")]
    [InlineData("'a' + \"b\" == 'ab'")]
    [InlineData("'\\u0061\\x62\\143\\n'.size() == 4")]
    [InlineData("r'\\d' == '\\\\d'")]
    [InlineData("'''a'b''' == 'a\\'b'")]
    [InlineData("true ? true : false")]
    [InlineData("false || !false")]
    [InlineData("'b' < 'c' && 'B' < 'a'")]
    [InlineData("[1, 2] == [1, 2] && [1, 2] != [2, 1]")]
    [InlineData("{'a': 1}['a'] == 1 && 'a' in {'a': 1}")]
    [InlineData("[1, 2][1] == 2 && size([]) == 0")]
    [InlineData("[1] + [2] == [1, 2]")]
    [InlineData("self.i == 3 && self.j == -7 && self.d == 1.5 && self.b")]
    [InlineData("self.i - 1 == 2 && self.i * self.j == -21 && self.i / 2 == 1 && [0, self.i].all(n, n < self.i + 1)")]
    [InlineData("self.s.size() == 5 && size(self.s) == 5")]
    [InlineData("has(self.s) && !has(self.none) && has(self.child.x) && !has(self.child.y)")]
    [InlineData("self.metadata.name == 'me'")]
    [InlineData("self.with__dash__dash == 'w'")]
    [InlineData("self.__namespace__ == 'ns'")]
    [InlineData("self.with__dash__dash__ == ''", false)]
    [InlineData("self.s.startsWith('hé') && self.s.endsWith('lo') && self.s.contains('éll')")]
    [InlineData("self.s.matches('^h.l+o$') && matches(self.s, 'l')")]
    [InlineData("' X '.trim() == 'X' && 'Ab'.lowerAscii() == 'ab' && 'Ab'.upperAscii() == 'AB'")]
    [InlineData("'a,b'.split(',') == ['a', 'b'] && ['a', 'b'].join('-') == 'a-b'")]
    [InlineData("'aXbX'.replace('X', '') == 'ab' && 'abc'.substring(1) == 'bc' && 'abc'.substring(0, 2) == 'ab' && 'abc'.indexOf('c') == 2")]
    [InlineData("'b' in self.list && !('z' in self.list)")]
    [InlineData("self.list.all(x, x.size() == 1) && self.list.exists(x, x == 'c') && self.list.exists_one(x, x > 'b')")]
    [InlineData("self.list.map(x, x + x) == ['aa', 'bb', 'cc'] && self.list.filter(x, x != 'b') == ['a', 'c']")]
    [InlineData("self.list.map(x, x != 'b', x + '!') == ['a!', 'c!']")]
    [InlineData("self.objects.all(o, self.objects.exists_one(p, p.name == o.name))")]
    [InlineData("self.objects.map(o, o.n).sum() == 3 && self.objects.map(o, o.n).max() == 2 && [3, 1].min() == 1 && [1, 2].isSorted()")]
    [InlineData("self.map.all(k, self.map[k] > 0) && self.map.k == 1 && 'l' in self.map && has(self.map.k) && !has(self.map.z) && self.map.size() == 2")]
    [InlineData("self.set == [3, 2, 1]")]
    [InlineData("self.set + [3, 4] == [1, 2, 3, 4]")]
    [InlineData("self.port == '80%' || self.port == 80")]
    [InlineData("type_is_not_needed_here || true", false)]
    [InlineData("self.nul == null")]
    [InlineData("self.time < timestamp('2027-01-01T00:00:00Z') && self.time + duration('1h') > self.time")]
    [InlineData("self.span == duration('90m') && self.span.getMinutes() == 90")]
    [InlineData("timestamp('2026-01-02T04:04:05Z') - self.time == duration('3600s')")]
    [InlineData("string(1) == '1' && int('2') == 2 && double('1.5') == 1.5 && string(true) == 'true' && int(2.9) == 2 && uint(3) == 3u")]
    [InlineData("[self.child].exists(c, has(c.x) && c.x == 1)")]
    [InlineData("self.child == self.child")]
    [InlineData("dyn(1) == 1.0")]
    [InlineData("self.list.exists(x, x == 'a') // a remark")]
    public void Expressions_hold(string source, bool compiles = true)
    {
        var program = CelProgram.Compile(source, CelType.Of(Type, isResource: true)!, false, out var error);
        if (!compiles)
        {
            Assert.NotNull(error);
            return;
        }
        Assert.Null(error);
        Assert.Equal(true, Evaluate(program!));
    }

    [Theory]
    [InlineData("self.none == 'x'", "no such key: none")]
    [InlineData("self.child.y == 1", "no such key: y")]
    [InlineData("self.map['z'] == 1", "no such key: z")]
    [InlineData("self.list[3] == 'x'", "index out of bounds: 3")]
    [InlineData("self.list[-1] == 'x'", "index out of bounds: -1")]
    [InlineData("1 / 0 == 1", "division by zero")]
    [InlineData("1 % 0 == 1", "modulus by zero")]
    [InlineData("9223372036854775807 + 1 > 0", "integer overflow")]
    [InlineData("-9223372036854775807 - 2 > 0", "integer overflow")]
    [InlineData("0u - 1u == 0u", "unsigned integer overflow")]
    [InlineData("self.port > 5", "no such overload")]
    [InlineData("int('x') == 1", "type conversion error")]
    [InlineData("'abc'.substring(4) == ''", "index out of range: 4")]
    [InlineData("self.none == 'x' && true", "no such key: none")]
    [InlineData("self.list.all(x, x == self.none)", "no such key: none")]
    [InlineData("[].max() == 1", "max called on empty list")]
    [InlineData("'x'.matches(self.s + '(')", "error parsing regexp")]
    public void Some_have_no_value(string source, string message)
    {
        var program = CelProgram.Compile(source, CelType.Of(Type, isResource: true)!, false, out var error);
        Assert.Null(error);
        Assert.Contains(message, Assert.Throws<CelEvaluationException>(() => Evaluate(program!)).Message);
    }

    [Theory]
    [InlineData("true || self.none == 'x'", true)]
    [InlineData("self.none == 'x' || true", true)]
    [InlineData("false && self.none == 'x'", false)]
    [InlineData("self.none == 'x' && false", false)]
    [InlineData("self.list.exists(x, x == self.none || x == 'a')", true)]
    [InlineData("self.list.all(x, x == 'z' && x == self.none)", false)]
    [InlineData("has(self.none) ? self.none == 'x' : true", true)]
    public void A_side_that_decides_wins_over_one_without_a_value(string source, bool expected) =>
        Assert.Equal(expected, Evaluate(CelProgram.Compile(source, CelType.Of(Type, isResource: true)!, false, out _)!));

    [Theory]
    [InlineData("self.foo == 1", "ERROR: <input>:1:5: undefined field 'foo'\n | self.foo == 1\n | ....^")]
    [InlineData("self.i == 'x'", "ERROR: <input>:1:8: found no matching overload for '_==_' applied to '(int, string)'\n | self.i == 'x'\n | .......^")]
    [InlineData("self.i + self.d > 1.0", "ERROR: <input>:1:8: found no matching overload for '_+_' applied to '(int, double)'")]
    [InlineData("other == 1", "ERROR: <input>:1:1: undeclared reference to 'other' (in container '')\n | other == 1\n | ^")]
    [InlineData("self.s.explode()", "ERROR: <input>:1:15: undeclared reference to 'explode' (in container '')")]
    [InlineData("quantity('1') == 1", "undeclared reference to 'quantity'")]
    [InlineData("url('x').getHost() == ''", "undeclared reference to")]
    [InlineData("self.s.startsWith(1)", "found no matching overload for 'startsWith' applied to 'string.(int)'")]
    [InlineData("self.i.name == 'x'", "type 'int' does not support field selection")]
    [InlineData("self.i && true", "expected type 'bool' but found 'int'")]
    [InlineData("1 in self.list", "found no matching overload for '@in' applied to '(int, list(string))'")]
    [InlineData("[1, 'a'].size() == 2", "expected type 'int' but found 'string'")]
    [InlineData("self.s == null", "found no matching overload for '_==_' applied to '(string, null)'")]
    [InlineData("self.s.all(c, c == 'x')", "cannot be range of a comprehension")]
    [InlineData("self.i ==", "Syntax error: extraneous input '<EOF>'")]
    [InlineData("(self.b", "Syntax error: mismatched input '<EOF>' expecting ')'")]
    [InlineData("self.b ]", "Syntax error: extraneous input ']'")]
    [InlineData("self.list[?0]", "Syntax error")]
    [InlineData("self.?s", "Syntax error")]
    [InlineData("Object{a: 1}", "Syntax error: extraneous input '{'")]
    [InlineData("has(self)", "invalid argument to has() macro")]
    [InlineData("self.list.all(1, true)", "argument must be a simple name")]
    [InlineData("self.s.matches('(')", "invalid matches argument: error parsing regexp")]
    [InlineData("'abc", "Syntax error: token recognition error")]
    [InlineData("self.i == 99999999999999999999", "invalid int literal")]
    [InlineData("'\\q' == ''", "invalid escape sequence")]
    [InlineData("true @ false", "token recognition error at: '@'")]
    [InlineData("self.i\n== 'x'", "ERROR: <input>:2:1: found no matching overload for '_==_' applied to '(int, string)'\n | == 'x'\n | ^")]
    public void What_does_not_compile_is_pointed_at(string source, string expected)
    {
        Assert.Null(CelProgram.Compile(source, CelType.Of(Type, isResource: true)!, false, out var error));
        Assert.Contains(expected, error);
    }

    [Theory]
    [InlineData("(", 100_000)]
    [InlineData("!", 50_000)]
    [InlineData("1+", 40_000)]
    [InlineData("[", 90_000)]
    [InlineData("self.", 15_000)]
    [InlineData("true?", 15_000)]
    [InlineData("x", 200_000)]
    public void Hostile_expressions_are_refused(string part, int times) =>
        Assert.Null(CelProgram.Compile(string.Concat(Enumerable.Repeat(part, times)), CelType.Dyn, false, out _));

    [Fact]
    public void Evaluation_stops_at_its_budget()
    {
        var program = CelProgram.Compile("self.list.all(a, self.list.all(b, self.list.all(c, a + b + c != '')))", CelType.Of(Type)!, false, out _)!;
        Assert.Throws<CelCostException>(() => new CelEvaluator(50).Evaluate(program.Root, Scope()));
        var evaluator = new CelEvaluator(10_000);
        Assert.Equal(true, evaluator.Evaluate(program.Root, Scope()));
        Assert.InRange(evaluator.Cost, 27 * 5, 27 * 12);
    }

    private static CelEvaluator.Scope Scope() => new("self", CelValues.Of(Node(Value), CelType.Of(Type, isResource: true)!.Schema!), null);

    private static object? Evaluate(CelProgram program) => new CelEvaluator(100_000).Evaluate(program.Root, Scope());
}
