// Writes the quickstart's texts from the grammar in Phrases.txt: what the base model learns to talk like (corpus.jsonl), and
// the rows that teach it to sort messages instead (train.jsonl, validation.jsonl). The same grammar and seed give the same
// files, and no message occurs in two of them.
//
//   dotnet run samples/quickstart/base/MakeTexts.cs -- samples/quickstart

#:property PublishAot=false

using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;

const int CorpusRows = 2400, TrainRows = 480, ValidationRows = 64;
const int Seed = 20;

var folder = args.Length == 1 ? args[0] : "samples/quickstart";
var grammar = Grammar.Read(Path.Combine(folder, "base", "Phrases.txt"));
var writer = new Writer(grammar, new Random(Seed));
var seen = new HashSet<string>(StringComparer.Ordinal);

Write(Path.Combine(folder, "base", "corpus.jsonl"), CorpusRows, m =>
    new Dictionary<string, string> { ["prompt"] = m.Text, ["completion"] = m.Reply });
Write(Path.Combine(folder, "data", "train.jsonl"), TrainRows, Sorted);
Write(Path.Combine(folder, "data", "validation.jsonl"), ValidationRows, Sorted);

static Dictionary<string, string> Sorted(Message m) => new()
{
    ["prompt"] = m.Text,
    ["completion"] = $"{{\"team\":\"{m.Team}\",\"urgency\":\"{m.Urgency}\"}}",
};

void Write(string path, int rows, Func<Message, Dictionary<string, string>> row)
{
    var lines = new StringBuilder();
    for (var written = 0; written < rows;)
    {
        var message = writer.Next();
        if (!seen.Add(message.Text)) continue;
        var columns = row(message);
        lines.Append("{\"prompt\": ").Append(Json(columns["prompt"])).Append(", \"completion\": ").Append(Json(columns["completion"]))
            .Append("}\n");
        written++;
    }
    File.WriteAllText(path, lines.ToString());
    Console.WriteLine($"{path}: {rows} rows");
}

static string Json(string text) =>
    '"' + JsonEncodedText.Encode(text, System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping).ToString() + '"';

internal sealed record Message(string Text, string Reply, string Team, string Urgency);

internal sealed record Issue(string Team, List<string> Says, List<string> Replies);

internal sealed record Grammar(Dictionary<string, List<string>> Lists, List<Issue> Issues)
{
    public static Grammar Read(string path)
    {
        var grammar = new Grammar([], []);
        List<string>? list = null;
        foreach (var line in File.ReadLines(path))
        {
            if (line.Length == 0) list = null;
            else if (line[0] == '@') grammar.Lists[line[1..]] = list = [];
            else if (line[0] == '[') grammar.Issues.Add(new Issue(line[1..line.IndexOf('/', StringComparison.Ordinal)], [], []));
            else if (line[0] == '>') grammar.Issues[^1].Says.Add(line[2..]);
            else if (line[0] == '<') grammar.Issues[^1].Replies.Add(line[2..]);
            else if (list is not null && line[0] != '#') list.Add(line);
        }
        return grammar;
    }
}

internal sealed partial class Writer(Grammar grammar, Random random)
{
    private static readonly (string Urgency, string Reply)[] Urgencies = [("high", "sorry"), ("normal", "gladly"), ("low", "calm")];

    /// <summary>Teams and urgencies come equally often; what kind of issue it is, and its words, are drawn.</summary>
    public Message Next()
    {
        var teams = grammar.Issues.Select(i => i.Team).Distinct().ToList();
        var team = Any(teams);
        var issue = Any(grammar.Issues.Where(i => i.Team == team).ToList());
        var (urgency, tone) = Urgencies[random.Next(Urgencies.Length)];
        var text = new List<string>();
        if (random.Next(3) == 0) text.Add(Any(grammar.Lists["opening"]));
        var says = Fill(Any(issue.Says));
        var how = Any(grammar.Lists[urgency]);
        if (random.Next(4) == 0) text.AddRange(how, says);
        else text.AddRange(says, how);
        if (random.Next(3) == 0) text.Add(Any(grammar.Lists["closing"]));
        return new Message(string.Join(' ', text), $"{Any(grammar.Lists[tone])} {Fill(Any(issue.Replies))}", team, urgency);
    }

    private string Fill(string phrase)
    {
        while (Slot().IsMatch(phrase)) phrase = Slot().Replace(phrase, slot => Any(grammar.Lists[slot.Groups[1].Value]));
        return char.ToUpperInvariant(phrase[0]) + phrase[1..];
    }

    private T Any<T>(List<T> of) => of[random.Next(of.Count)];

    [GeneratedRegex(@"\{(\w+)\}")]
    private static partial Regex Slot();
}
