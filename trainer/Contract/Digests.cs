using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Graft.Contract;

/// <summary>Digests are written as <c>sha256:</c> and 64 lower-case hexadecimal digits, as OCI does.</summary>
public static class Digests
{
    public const string Prefix = "sha256:";

    public static string Of(ReadOnlySpan<byte> bytes) => Prefix + Convert.ToHexStringLower(SHA256.HashData(bytes));

    public static string OfFile(string path)
    {
        using var stream = File.OpenRead(path);
        return Prefix + Convert.ToHexStringLower(SHA256.HashData(stream));
    }

    /// <summary>
    /// The digest of several parts that each have one: of their digests, a line each. <see cref="OfFile"/> of one file
    /// and this of a list of one differ, so that a list never passes for a file.
    /// </summary>
    public static string OfParts(IEnumerable<string> digests) => Of(Encoding.UTF8.GetBytes(string.Concat(digests.Select(d => d + "\n"))));

    /// <summary>The digest of a job's canonical JSON: independent of the spelling of the file it was read from.</summary>
    public static string Of(TrainingJob job) =>
        Of(JsonSerializer.SerializeToUtf8Bytes(job with { Output = new OutputTarget("", "") }, ContractJson.Compact.TrainingJob));

    /// <summary>The first <paramref name="length"/> hexadecimal digits, for names.</summary>
    public static string Short(string digest, int length = 12) => digest[Prefix.Length..][..length];
}
