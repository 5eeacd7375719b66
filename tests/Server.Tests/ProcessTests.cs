using System.Diagnostics;
using System.Net.Http.Json;
using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using Graft.Contract;
using Graft.Server.Tests.Fakes;
using Graft.Sources.Tests.Support;

namespace Graft.Server.Tests;

/// <summary>The program as a process.</summary>
public sealed partial class ProcessTests : IDisposable
{
    private const int Terminate = 15;
    private readonly TinyModel model = new();
    private Dictionary<string, string> variables = [];
    private Process? process;

    public void Dispose()
    {
        if (process is { HasExited: false }) process.Kill();
        process?.Dispose();
        model.Dispose();
    }

    [Fact]
    public async Task It_serves_its_model_and_finishes_its_answers_when_it_is_told_to_stop()
    {
        var (output, _) = Start("--model", model.Folder, "--served-model-name", "tiny", "--port", "0", "--precision", "F32");
        using var http = new HttpClient { BaseAddress = await AddressAsync(output) };
        await Eventually.IsTrue(async () => (await http.GetAsync("/health")).IsSuccessStatusCode);
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/completions")
        {
            Content = JsonContent.Create(new { model = "tiny", prompt = "Hello", max_tokens = 100, temperature = 0, stream = true }),
        };
        using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync());
        Assert.StartsWith("data: {", await reader.ReadLineAsync(), StringComparison.Ordinal);

        Assert.Equal(0, Kill(process!.Id, Terminate));

        Assert.EndsWith("data: [DONE]\n\n", await reader.ReadToEndAsync(), StringComparison.Ordinal);
        await process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(30));
        Assert.Equal(ExitCodes.Success, process.ExitCode);
    }

    [Fact]
    public async Task A_model_that_cannot_be_read_is_named_in_the_last_line()
    {
        var weights = Path.Combine(model.Folder, "model.safetensors");
        File.WriteAllBytes(weights, File.ReadAllBytes(weights)[..5000]);

        Assert.Contains("model.safetensors", await FailsAsync("--model", model.Folder), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(3)]
    [InlineData(1000)]
    [InlineData(400_000)]
    public async Task A_gguf_file_that_ends_too_early_is_named(int length)
    {
        var cut = Path.Combine(model.Folder, "cut.gguf");
        File.WriteAllBytes(cut, File.ReadAllBytes(Path.Combine(TinyModel.Fixtures, "gguf", "byte_bpe-q4_0", "model.gguf"))[..length]);

        Assert.Contains("cut.gguf", await FailsAsync("--model", cut), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_tokenizer_with_ids_past_the_models_vocabulary_is_named()
    {
        var path = Path.Combine(model.Folder, "tokenizer.json");
        var tokenizer = JsonNode.Parse(File.ReadAllText(path))!;
        tokenizer["model"]!["vocab"]!["ttttt"] = 5000;
        File.WriteAllText(path, tokenizer.ToJsonString());

        Assert.Contains("tokenizer", await FailsAsync("--model", model.Folder), StringComparison.Ordinal);
    }

    /// <summary>The last line of a server that ends because of its model.</summary>
    private async Task<string> FailsAsync(params string[] args)
    {
        var (output, error) = Start([.. args, "--port", "0"]);
        var rest = output.ReadToEndAsync();
        var text = await error.ReadToEndAsync().WaitAsync(TimeSpan.FromSeconds(60));
        await process!.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(60));
        Assert.Equal(ExitCodes.Of(FailureClass.ModelError), process.ExitCode);
        Assert.DoesNotContain("   at Graft.", await rest + text, StringComparison.Ordinal);
        var last = text.TrimEnd().Split('\n')[^1];
        Assert.StartsWith("graft-server: ", last, StringComparison.Ordinal);
        return last;
    }

    [Fact]
    public async Task A_model_on_a_hub_is_fetched_with_the_token_and_whoever_asks_meanwhile_is_told_how_far_it_is()
    {
        await using var hub = await HubDouble.StartAsync(Directory.GetFiles(model.Folder)
            .ToDictionary(f => Path.GetFileName(f), File.ReadAllBytes, StringComparer.Ordinal));
        hub.Token = "hf_secret";
        var gate = new TaskCompletionSource();
        hub.InsteadOfContent = async (_, _) =>
        {
            await gate.Task;
            return false;
        };
        using var folder = new TempFolder();
        folder.Write("secret/token", "hf_secret");
        variables = new()
        {
            ["HF_ENDPOINT"] = hub.Address.ToString(), ["GRAFT_SOURCE_LOOPBACK"] = "1", ["GRAFT_CACHE_DIR"] = folder["cache"],
        };

        var (output, _) =
            Start("--model", "hf://org/model@main", "--model-credentials", folder["secret"], "--port", "0", "--precision", "F32");
        using var http = new HttpClient { BaseAddress = await AddressAsync(output) };
        await Eventually.IsTrue(async () =>
        {
            var answer = await http.GetAsync("/v1/models");
            return (int)answer.StatusCode == 503 && (await answer.Content.ReadAsStringAsync())
                .Contains("being fetched", StringComparison.Ordinal);
        });
        gate.SetResult();

        await Eventually.IsTrue(async () => (await http.GetAsync("/health")).IsSuccessStatusCode);
        Assert.Contains("\"org/model\"", await http.GetStringAsync("/v1/models"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_that_fetches_ends_at_once_when_it_is_told_to_stop()
    {
        await using var hub = await HubDouble.StartAsync(new() { ["config.json"] = [1], ["model.safetensors"] = [1, 2, 3] });
        hub.InsteadOfContent = async (context, _) =>
        {
            await Task.Delay(TimeSpan.FromMinutes(1), context.RequestAborted).ContinueWith(_ => { }, TaskScheduler.Default);
            return true;
        };
        using var folder = new TempFolder();
        variables = new()
        {
            ["HF_ENDPOINT"] = hub.Address.ToString(), ["GRAFT_SOURCE_LOOPBACK"] = "1", ["GRAFT_CACHE_DIR"] = folder["cache"],
        };
        var (output, _) = Start("--model", "hf://org/model@main", "--port", "0");
        await AddressAsync(output);
        await Eventually.IsTrue(() => Task.FromResult(hub.ContentRequests.Count > 0));

        Assert.Equal(0, Kill(process!.Id, Terminate));

        await process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(20));
        Assert.Equal(ExitCodes.Success, process.ExitCode);
    }

    [Fact]
    public async Task A_model_that_nobody_may_read_is_said_in_the_last_line()
    {
        await using var hub = await HubDouble.StartAsync(new() { ["config.json"] = [1], ["model.safetensors"] = [1, 2, 3] });
        hub.Token = "hf_secret";
        using var folder = new TempFolder();
        variables = new()
        {
            ["HF_ENDPOINT"] = hub.Address.ToString(), ["GRAFT_SOURCE_LOOPBACK"] = "1", ["GRAFT_CACHE_DIR"] = folder["cache"],
        };

        var (_, error) = Start("--model", "hf://org/model@main", "--port", "0");

        var text = await error.ReadToEndAsync().WaitAsync(TimeSpan.FromSeconds(30));
        await process!.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(30));
        Assert.Equal(ExitCodes.Of(FailureClass.ModelError), process.ExitCode);
        Assert.Contains("credentialsRef", text.TrimEnd().Split('\n')[^1], StringComparison.Ordinal);
    }

    private (StreamReader Output, StreamReader Error) Start(params string[] args)
    {
        var program = Path.Combine(AppContext.BaseDirectory, "graft-server.dll");
        var start = new ProcessStartInfo(Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet", [program, .. args])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in variables) start.Environment[name] = value;
        process = Process.Start(start)!;
        return (process.StandardOutput, process.StandardError);
    }

    private static async Task<Uri> AddressAsync(StreamReader output)
    {
        var line = await output.ReadLineAsync().WaitAsync(TimeSpan.FromSeconds(30));
        Assert.StartsWith("Listening on ", line, StringComparison.Ordinal);
        return new Uri(line!.Split(' ')[2].TrimEnd(','));
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int pid, int signal);
}
