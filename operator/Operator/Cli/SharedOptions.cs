using System.CommandLine;
using System.CommandLine.Parsing;
using Graft.Operator.Sources;

namespace Graft.Operator.Cli;

/// <summary>Options that <c>run</c> and <c>local</c> have in common.</summary>
internal sealed class SharedOptions
{
    public Option<string[]> ModelSources { get; } = Pairs(
        "--model-source", "SOURCE=PATH", "Take the model at PATH of this machine wherever a manifest names SOURCE.");

    public Option<string[]> DataSources { get; } = Pairs(
        "--data-source", "SOURCE=PATH", "Take the file at PATH of this machine wherever a manifest names SOURCE.");

    public FetchOptions Fetching { get; } = new();

    public Option<string> TrainerImage { get; } = new("--trainer-image")
    {
        Description = "Image of runs whose spec names none.",
        HelpName = "IMAGE",
    };

    public Option<string> ServerImage { get; } = new("--server-image")
    {
        Description = "Image of deployments whose spec names none.",
        HelpName = "IMAGE",
    };

    public Option<LogLevel> LogLevel { get; } = new("--log-level")
    {
        Description = "Least level of what is logged.",
        DefaultValueFactory = _ => Microsoft.Extensions.Logging.LogLevel.Information,
    };

    public void AddTo(Command command)
    {
        command.Options.Add(ModelSources);
        command.Options.Add(DataSources);
        command.Options.Add(TrainerImage);
        command.Options.Add(ServerImage);
        command.Options.Add(LogLevel);
        Fetching.AddTo(command);
    }

    public IReadOnlyDictionary<string, string> Substitutes(ParseResult parsed) =>
        (parsed.GetValue(ModelSources) ?? []).Concat(parsed.GetValue(DataSources) ?? [])
            .Select(SplitPair)
            .ToDictionary(p => p.Key, p => Path.GetFullPath(p.Value), StringComparer.Ordinal);

    public SourceOptions Sources(ParseResult parsed, bool allowFiles, string? fileRoot) =>
        new()
        {
            AllowFiles = allowFiles,
            FileRoot = fileRoot,
            Substitutes = Substitutes(parsed),
            Exists = allowFiles ? Path.Exists : null,
            Fetch = Fetching.Of(parsed) with { AllowLoopback = allowFiles },
        };

    public static Option<string[]> Pairs(string name, string helpName, string description)
    {
        var option = new Option<string[]>(name) { Description = description, HelpName = helpName, AllowMultipleArgumentsPerToken = false };
        option.Validators.Add(result => CheckPairs(result, name, helpName));
        return option;
    }

    /// <summary>At the last '=', because URIs may hold one and paths rarely do.</summary>
    public static KeyValuePair<string, string> SplitPair(string text)
    {
        var at = text.LastIndexOf('=');
        return new(text[..at], text[(at + 1)..]);
    }

    private static void CheckPairs(OptionResult result, string name, string helpName)
    {
        foreach (var text in result.Tokens.Select(t => t.Value))
        {
            var at = text.LastIndexOf('=');
            if (at <= 0 || at == text.Length - 1) result.AddError($"{name} '{text}': write {helpName}");
            else if (!Path.Exists(text[(at + 1)..])) result.AddError($"{name} '{text}': there is nothing at {text[(at + 1)..]}");
        }
    }
}
