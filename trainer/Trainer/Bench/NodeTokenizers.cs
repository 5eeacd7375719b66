using System.Diagnostics;
using System.Globalization;

namespace Graft.Trainer.Bench;

/// <summary>Hugging Face's tokenizers as the npm package <c>@anush008/tokenizers</c>, run by Node on one thread.</summary>
internal static class NodeTokenizers
{
    /// <summary>Prints the tokens of all documents and the seconds of the fastest of so many runs; the first of them warms up.</summary>
    private const string Script = """
        const { Tokenizer } = require(process.argv[1]);
        const fs = require('fs');
        const tokenizer = Tokenizer.fromFile(process.argv[2]);
        const documents = JSON.parse(fs.readFileSync(process.argv[3], 'utf8'));
        (async () => {
          let best = Infinity, tokens = 0;
          for (let run = 0; run <= Number(process.argv[4]); run++) {
            const start = process.hrtime.bigint();
            tokens = 0;
            for (const e of await tokenizer.encodeBatch(documents, { addSpecialTokens: false })) tokens += e.getLength();
            const seconds = Number(process.hrtime.bigint() - start) / 1e9;
            if (run > 0) best = Math.min(best, seconds);
          }
          console.log(tokens + ' ' + best);
        })();
        """;

    /// <summary>The package's folder, where <c>make components</c> put it; null when it is not there.</summary>
    public static string? Find()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            var package = Path.Combine(folder.FullName, "artifacts", "components", "node_modules", "@anush008", "tokenizers");
            if (Directory.Exists(package)) return package;
        }
        return null;
    }

    /// <exception cref="InvalidOperationException">Node is not there, or fails.</exception>
    public static (long Tokens, double Seconds) Measure(string package, string tokenizer, string documents, int rounds)
    {
        var start = new ProcessStartInfo("node") { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in new[] { "-e", Script, package, tokenizer, documents, rounds.ToString(CultureInfo.InvariantCulture) })
            start.ArgumentList.Add(argument);
        foreach (var (name, value) in new[] { ("RAYON_NUM_THREADS", "1"), ("TOKENIZERS_PARALLELISM", "false"),
            ("UV_THREADPOOL_SIZE", "1") })
            start.Environment[name] = value;
        try
        {
            using var process = Process.Start(start)!;
            var errors = process.StandardError.ReadToEndAsync();
            var output = process.StandardOutput.ReadToEnd().Split(' ');
            process.WaitForExit();
            if (process.ExitCode != 0 || output.Length != 2) throw new InvalidOperationException($"node failed: {errors.Result}");
            return (long.Parse(output[0], CultureInfo.InvariantCulture), double.Parse(output[1], CultureInfo.InvariantCulture));
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            throw new InvalidOperationException($"node cannot be started: {e.Message}", e);
        }
    }
}
