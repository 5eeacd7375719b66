namespace Graft.LocalCluster.Cel;

/// <summary>A recursive descent parser of CEL's grammar; what the language has beyond it (messages, optional syntax) is a syntax error.</summary>
internal sealed class CelParser
{
    private const int MaxDepth = 100;
    private const int MaxTreeDepth = 400;
    private const int MaxLength = 100_000;

    private static readonly string[][] BinaryLevels =
        [["||"], ["&&"], ["==", "!=", "<", "<=", ">", ">=", "in"], ["+", "-"], ["*", "/", "%"]];

    private readonly List<CelToken> _tokens;
    private int _at;
    private int _depth;

    private CelParser(List<CelToken> tokens) => _tokens = tokens;

    private CelToken Current => _tokens[_at];

    /// <exception cref="CelSyntaxException">The text is no expression.</exception>
    public static CelNode Parse(string source)
    {
        if (source.Length > MaxLength)
        {
            throw new CelSyntaxException(new CelIssue(0, $"expression code point size exceeds limit: size: {source.Length}, limit {MaxLength}"));
        }
        var parser = new CelParser(new CelLexer(source).ReadAll());
        var node = parser.Expression();
        return parser.Current.Kind == CelTokenKind.End ? node : throw parser.Unexpected();
    }

    private CelNode Expression()
    {
        if (++_depth > MaxDepth)
        {
            throw Error(Current.Offset, $"expression recursion limit exceeded: {MaxDepth}");
        }
        var node = Binary(0);
        if (Current is { Kind: CelTokenKind.Symbol, Text: "?" } question)
        {
            _at++;
            var whenTrue = Binary(0);
            Expect(":");
            node = Bounded(new CallNode(question.Offset, "_?_:_", false, [node, whenTrue, Expression()]));
        }
        _depth--;
        return node;
    }

    private CelNode Binary(int level)
    {
        if (level == BinaryLevels.Length)
        {
            return Unary();
        }
        var left = Binary(level + 1);
        while (Current.Kind is CelTokenKind.Symbol or CelTokenKind.Identifier && BinaryLevels[level].Contains(Current.Text))
        {
            var token = _tokens[_at++];
            var right = Binary(level + 1);
            left = Bounded(new CallNode(token.Offset, token.Text == "in" ? "@in" : $"_{token.Text}_", false, [left, right]));
        }
        return left;
    }

    private CelNode Unary()
    {
        if (Current is not { Kind: CelTokenKind.Symbol, Text: "!" or "-" } token)
        {
            return Member();
        }
        if (++_depth > MaxDepth)
        {
            throw Error(token.Offset, $"expression recursion limit exceeded: {MaxDepth}");
        }
        _at++;
        var operand = Unary();
        _depth--;
        return (token.Text, operand) switch
        {
            ("-", LiteralNode { Value: CelLexer.SmallestInteger }) => new LiteralNode(token.Offset, long.MinValue),
            ("-", LiteralNode { Value: long value and not long.MinValue }) => new LiteralNode(token.Offset, -value),
            ("-", LiteralNode { Value: double value }) => new LiteralNode(token.Offset, -value),
            ("-", _) => Bounded(new CallNode(token.Offset, "-_", false, [operand])),
            _ => Bounded(new CallNode(token.Offset, "!_", false, [operand])),
        };
    }

    private CelNode Member()
    {
        var node = Primary();
        while (Current is { Kind: CelTokenKind.Symbol, Text: "." or "[" } token)
        {
            _at++;
            if (token.Text == "[")
            {
                node = Bounded(new CallNode(token.Offset, "_[_]", false, [node, Expression()]));
                Expect("]");
                continue;
            }
            var name = Identifier();
            if (Current is { Kind: CelTokenKind.Symbol, Text: "(" } open)
            {
                _at++;
                node = Bounded(MemberCall(open.Offset, node, name.Text, Arguments(")")));
            }
            else
            {
                node = Bounded(new SelectNode(token.Offset, node, name.Text, isTest: false));
            }
        }
        return node;
    }

    private CelNode Primary()
    {
        var token = Current;
        _at++;
        switch (token)
        {
            case { Kind: CelTokenKind.Literal, Value: CelLexer.SmallestInteger } when _at < 2 || _tokens[_at - 2].Text != "-":
                throw Error(token.Offset, "invalid int literal");
            case { Kind: CelTokenKind.Literal }:
                return new LiteralNode(token.Offset, token.Value);
            case { Kind: CelTokenKind.Symbol, Text: "(" }:
                var inner = Expression();
                Expect(")");
                return inner;
            case { Kind: CelTokenKind.Symbol, Text: "[" }:
                return Bounded(new ListNode(token.Offset, Arguments("]")));
            case { Kind: CelTokenKind.Symbol, Text: "{" }:
                return Map(token.Offset);
            case { Kind: CelTokenKind.Identifier } when CelNames.IsReserved(token.Text):
                throw Error(token.Offset, $"reserved identifier: {token.Text}");
            case { Kind: CelTokenKind.Identifier }:
                if (Current is { Kind: CelTokenKind.Symbol, Text: "(" } open)
                {
                    _at++;
                    return GlobalCall(token.Offset, open.Offset, token.Text, Arguments(")"));
                }
                return new IdentifierNode(token.Offset, token.Text);
            default:
                _at--;
                throw Unexpected();
        }
    }

    private MapNode Map(int offset)
    {
        var entries = new List<(CelNode, CelNode)>();
        while (Current is not { Kind: CelTokenKind.Symbol, Text: "}" })
        {
            var key = Expression();
            Expect(":");
            entries.Add((key, Expression()));
            if (Current is not { Kind: CelTokenKind.Symbol, Text: "," })
            {
                break;
            }
            _at++;
        }
        Expect("}");
        return (MapNode)Bounded(new MapNode(offset, entries));
    }

    private List<CelNode> Arguments(string close)
    {
        var arguments = new List<CelNode>();
        while (Current.Kind != CelTokenKind.Symbol || Current.Text != close)
        {
            arguments.Add(Expression());
            if (Current is not { Kind: CelTokenKind.Symbol, Text: "," })
            {
                break;
            }
            _at++;
        }
        Expect(close);
        return arguments;
    }

    private static CelNode GlobalCall(int offset, int open, string function, List<CelNode> arguments)
    {
        if (function != "has")
        {
            return Bounded(new CallNode(open, function, false, arguments));
        }
        return arguments is [SelectNode { IsTest: false } select]
            ? Bounded(new SelectNode(open, select.Target, select.Field, isTest: true))
            : throw Error(offset, "invalid argument to has() macro");
    }

    private static CelNode MemberCall(int offset, CelNode target, string function, List<CelNode> arguments)
    {
        MacroKind? kind = (function, arguments.Count) switch
        {
            ("all", 2) => MacroKind.All,
            ("exists", 2) => MacroKind.Exists,
            ("exists_one" or "existsOne", 2) => MacroKind.ExistsOne,
            ("filter", 2) => MacroKind.Filter,
            ("map", 2 or 3) => MacroKind.Map,
            _ => null,
        };
        if (kind is null)
        {
            return new CallNode(offset, function, true, [target, .. arguments]);
        }
        return arguments[0] is IdentifierNode variable
            ? new MacroNode(offset, kind.Value, target, variable.Name, arguments.Count == 3 ? arguments[1] : null, arguments[^1])
            : throw Error(arguments[0].Offset, "argument must be a simple name");
    }

    private static CelNode Bounded(CelNode node)
    {
        node.Depth = 1 + node.Parts.Select(p => p.Depth).DefaultIfEmpty().Max();
        return node.Depth <= MaxTreeDepth
            ? node
            : throw Error(node.Offset, $"expression recursion limit exceeded: {MaxTreeDepth}");
    }

    private CelToken Identifier() => Current.Kind == CelTokenKind.Identifier ? _tokens[_at++] : throw Unexpected();

    private void Expect(string symbol)
    {
        if (Current.Kind != CelTokenKind.Symbol || Current.Text != symbol)
        {
            throw Error(Current.Offset, $"Syntax error: mismatched input '{Current.Text}' expecting '{symbol}'");
        }
        _at++;
    }

    private CelSyntaxException Unexpected() => Error(Current.Offset, $"Syntax error: extraneous input '{Current.Text}'");

    private static CelSyntaxException Error(int offset, string message) => new(new CelIssue(offset, message));
}
