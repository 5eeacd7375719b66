using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Graft.Operator.Api;
using Graft.Operator.Rollout;
using Graft.Operator.Sources;
using Spectre.Console;

namespace Graft.Operator.Local;

/// <summary>
/// Asks the base model and every adapter the same, over the address that clients use, and shows the answers side by side.
/// </summary>
internal sealed class PromptComparison(HttpClient http)
{
    private const int MaxTokens = 64;
    private const int PromptCount = 3;

    public async Task WriteAsync(
        IAnsiConsole console, AdapterDeployment deployment, IReadOnlyList<string> prompts, CancellationToken cancellation)
    {
        var endpoint = deployment.Status?.Endpoint
            ?? throw new LocalFailure($"AdapterDeployment {deployment.Metadata.Name} has no endpoint");
        IReadOnlyList<string> models = [deployment.Metadata.Name, .. (deployment.Spec.Adapters ?? []).Select(a => a.Name)];
        var table = new Table().Title(Markup.Escape(endpoint)).AddColumn("prompt").Expand();
        foreach (var model in models) table.AddColumn(Markup.Escape(model == deployment.Metadata.Name ? $"base ({model})" : model));
        foreach (var prompt in prompts)
        {
            var answers = new List<string>();
            foreach (var model in models) answers.Add(await AskAsync(endpoint, model, prompt, cancellation));
            table.AddRow([new Text(prompt), .. answers.Select(a => new Text(a.Trim()))]);
            table.AddEmptyRow();
        }
        console.Write(table);
    }

    /// <summary>The lines of prompts.txt, or else the first prompts of a run's validation rows.</summary>
    public static IReadOnlyList<string> Prompts(string folder, IEnumerable<FineTuneJob> runs, SourceOptions sources)
    {
        var file = Path.Combine(folder, "prompts.txt");
        if (File.Exists(file)) return [.. File.ReadLines(file).Select(l => l.Trim()).Where(l => l.Length > 0)];
        var data = runs.SelectMany(r => (r.Spec.Data.Validation?.Sources ?? []).Concat(r.Spec.Data.Train));
        foreach (var source in data)
        {
            if (SourceParser.Parse(source.Source, sources).Source is not Source.File { Path: var path }) continue;
            if (!path.EndsWith(".jsonl", StringComparison.Ordinal)) continue;
            var column = source.Columns?.Prompt ?? "prompt";
            var prompts = File.ReadLines(path).Take(PromptCount).Select(l => Cell(l, column)).OfType<string>().ToList();
            if (prompts.Count > 0) return prompts;
        }
        return [];
    }

    // The trainer has read these rows before; one that is no object there is not shown here.
    private static string? Cell(string line, string column)
    {
        try
        {
            return JsonNode.Parse(line) is JsonObject row && row[column] is JsonValue value && value.TryGetValue<string>(out var text)
                ? text
                : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    // As a chat where the model has a template for one, because that is how prompts are trained then; else as plain text.
    private async Task<string> AskAsync(string endpoint, string model, string prompt, CancellationToken cancellation)
    {
        var chat = new JsonObject
        {
            ["model"] = model,
            ["messages"] = new JsonArray(new JsonObject { ["role"] = "user", ["content"] = prompt }),
            ["max_tokens"] = MaxTokens,
            ["temperature"] = 0,
        };
        var (status, body) = await PostAsync($"{endpoint}/v1/chat/completions", chat, cancellation);
        if (status == HttpStatusCode.OK) return Text(endpoint, body, choice => choice?["message"]?["content"]);
        if (status == HttpStatusCode.BadRequest)
        {
            var plain = new JsonObject { ["model"] = model, ["prompt"] = prompt, ["max_tokens"] = MaxTokens, ["temperature"] = 0 };
            (status, body) = await PostAsync($"{endpoint}/v1/completions", plain, cancellation);
            if (status == HttpStatusCode.OK) return Text(endpoint, body, choice => choice?["text"]);
        }
        throw new LocalFailure($"{endpoint}: '{model}' does not answer: {EngineClient.ErrorText(body)} ({(int)status})");
    }

    private static string Text(string endpoint, string body, Func<JsonNode?, JsonNode?> text)
    {
        try
        {
            return (string?)text(JsonNode.Parse(body)?["choices"]?[0]) ?? "";
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or ArgumentException)
        {
            throw new LocalFailure($"{endpoint}: the answer is no completion: {e.Message}", e);
        }
    }

    private async Task<(HttpStatusCode Status, string Body)> PostAsync(string url, JsonObject body, CancellationToken cancellation)
    {
        try
        {
            using var content = new StringContent(body.ToJsonString(), Encoding.UTF8, "application/json");
            using var response = await http.PostAsync(new Uri(url), content, cancellation);
            return (response.StatusCode, await response.Content.ReadAsStringAsync(cancellation));
        }
        catch (Exception e) when (e is HttpRequestException or TaskCanceledException { InnerException: TimeoutException })
        {
            throw new LocalFailure($"{url}: {e.Message}", e);
        }
    }
}
