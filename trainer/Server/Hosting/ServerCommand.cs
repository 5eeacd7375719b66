using System.CommandLine;
using System.CommandLine.Invocation;
using System.Net;
using Graft.Contract;
using Graft.Modeling;
using Graft.Server.Engine;

namespace Graft.Server.Hosting;

/// <summary>The command line of <c>graft-server</c>.</summary>
internal sealed class ServerCommand
{
    private readonly Option<string> model = new("--model")
    {
        Required = true,
        HelpName = "PATH|SOURCE",
        Description = "The base model: a folder in Hugging Face layout (config.json, *.safetensors, tokenizer.json) or a .gguf file; "
            + "hf://, s3:// and oci:// sources are fetched.",
    };

    private readonly Option<string?> credentials = new("--model-credentials")
    {
        HelpName = "FOLDER",
        Description =
            "Folder with the files to fetch the model with, as a mounted Secret: token, or AWS_ACCESS_KEY_ID, or .dockerconfigjson.",
    };

    private readonly Option<string?> name = new("--served-model-name")
    {
        HelpName = "NAME",
        Description = "What requests call the base model. Default: the name of its folder or file.",
    };

    private readonly Option<int> port = new("--port")
    {
        HelpName = "PORT",
        Description = "TCP port to listen on; 0 takes a free one.",
        DefaultValueFactory = _ => ContractPorts.Server,
    };

    private readonly Option<string?> host = new("--host")
    {
        HelpName = "ADDRESS",
        Description = $"Address to listen on. Default: the pod's ({ContractEnvironment.PodIp}), else 127.0.0.1.",
    };

    private readonly Option<Precision> precision = new("--precision")
    {
        Description = "Arithmetic. Auto takes BF16 where the device computes it faster than F32.",
        DefaultValueFactory = _ => Precision.Auto,
    };

    private readonly Option<string?> quantization = new("--quantization") { HelpName = "NAME", Description = Quantizations.Description };

    private readonly Option<int> maxSequences = Count("--max-sequences", 16, "Prompts that are answered at once; others wait.");
    private readonly Option<int> maxWaiting = Count("--max-waiting", 256, "Prompts that may wait; more are refused with status 429.");
    private readonly Option<int?> maxContext = new("--max-context")
    {
        HelpName = "TOKENS",
        Description = "Longest prompt and answer together. Default: the model's own.",
    };

    private readonly Option<int> maxAdapters = Count("--max-adapters", 64, "Adapters that may be loaded at once.");

    private readonly Option<string[]> adapterRoots = new("--adapter-root")
    {
        HelpName = "FOLDER",
        Description = $"Folder below which adapters may be loaded, besides {ContractPaths.Artifacts}/CLAIM. May be given several times.",
        DefaultValueFactory = _ => [],
    };

    private readonly Option<int> gracePeriod =
        Count("--grace-period", 25, "Seconds that running answers get when the server is told to stop.");

    private readonly Func<string, string?> environment;

    private ServerCommand(Func<string, string?> environment)
    {
        this.environment = environment;
        quantization.AcceptOnlyFromAmong([.. Quantizations.Names]);
    }

    public static async Task<int> RunAsync(string[] args, TextWriter output, TextWriter error, Func<string, string?> environment)
    {
        var command = new ServerCommand(environment);
        var root = new RootCommand(
            "Serves a base model and any number of its adapters over the OpenAI API: /v1/models, /v1/completions, /v1/chat/completions, "
            + "/v1/load_lora_adapter, /v1/unload_lora_adapter, /health and /metrics.")
        {
            command.model, command.credentials, command.name, command.host, command.port, command.precision,
            command.quantization, command.maxSequences, command.maxWaiting, command.maxContext, command.maxAdapters, command.adapterRoots,
            command.gracePeriod,
        };
        var program = new ServerProgram(output, error, environment);
        var parsed = root.Parse(args);
        var errors = parsed.Errors.Select(e => e.Message).ToList();
        if (parsed.Action is not (null or ParseErrorAction)) return await parsed.InvokeAsync(); // --help, --version
        var options = errors.Count == 0 ? command.Read(parsed, errors) : null;
        if (options is null || errors.Count > 0)
        {
            return program.Fail(FailureClass.InvalidJob, string.Join(" ", errors) + " See graft-server --help.");
        }
        return await program.RunAsync(options, (says, stop) =>
        {
            var (path, root) = ModelFetch.Find(options, environment, says, output, stop);
            TorchRuntime.Load();
            return TorchModel.Load(path, options.Precision, options.MaxContext, root, options.Quantization);
        });
    }

    private ServerOptions? Read(ParseResult parsed, List<string> errors)
    {
        var path = parsed.GetRequiredValue(model);
        var servedName = parsed.GetValue(name) ?? NameOf(path);
        var podIp = environment(ContractEnvironment.PodIp);
        var (source, text) = parsed.GetValue(host) is { } given ? ("--host", given)
            : string.IsNullOrEmpty(podIp) ? ("--host", IPAddress.Loopback.ToString())
            : (ContractEnvironment.PodIp, podIp);
        if (!IPAddress.TryParse(text, out var address)) errors.Add($"{source} '{text}' is no IP address.");
        var portNumber = parsed.GetValue(port);
        if (portNumber is < 0 or > IPEndPoint.MaxPort) errors.Add($"--port {portNumber} is not from 0 to {IPEndPoint.MaxPort}.");
        if (path.Length == 0) errors.Add("--model needs a path.");
        if (SourceUri.IsRemote(path) && SourceUri.Parse(path).Problem is { } problem) errors.Add($"--model {path}: {problem}.");
        if (servedName.Length == 0) errors.Add("--served-model-name must not be empty.");
        if (parsed.GetValue(maxContext) is < 2) errors.Add("--max-context must be at least 2: a token of prompt and one of answer.");
        if (errors.Count > 0) return null;
        return new ServerOptions
        {
            Model = path,
            Credentials = parsed.GetValue(credentials),
            ServedModelName = servedName,
            Endpoint = new IPEndPoint(address!, portNumber),
            Precision = parsed.GetValue(precision),
            Quantization = Quantizations.Named(parsed.GetValue(quantization)),
            Limits = new EngineLimits(parsed.GetValue(maxSequences), parsed.GetValue(maxWaiting)),
            MaxContext = parsed.GetValue(maxContext),
            MaxAdapters = parsed.GetValue(maxAdapters),
            AdapterRoots = parsed.GetValue(adapterRoots) ?? [],
            GracePeriod = TimeSpan.FromSeconds(parsed.GetValue(gracePeriod)),
        };
    }

    private static string NameOf(string path)
    {
        if (path.Length == 0) return "";
        if (SourceUri.Parse(path).Uri is { } uri) return ModelFetch.NameOf(uri);
        var last = Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(path)));
        return last.EndsWith(".gguf", StringComparison.OrdinalIgnoreCase) ? last[..^".gguf".Length] : last;
    }

    private static Option<int> Count(string name, int otherwise, string description)
    {
        var option = new Option<int>(name) { HelpName = "N", Description = description, DefaultValueFactory = _ => otherwise };
        option.Validators.Add(result =>
        {
            if (result.Tokens.Count > 0 && result.GetValueOrDefault<int>() < 1) result.AddError($"{name} must be at least 1.");
        });
        return option;
    }
}
