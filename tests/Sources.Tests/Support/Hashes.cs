using System.Security.Cryptography;
using System.Text;

namespace Graft.Sources.Tests.Support;

/// <summary>The digests that a hub announces its files with.</summary>
internal static class Hashes
{
    public static string Sha256(byte[] bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));

#pragma warning disable CA5350 // it is git's name of a blob
    public static string GitSha1(byte[] bytes) =>
        Convert.ToHexStringLower(SHA1.HashData([.. Encoding.ASCII.GetBytes($"blob {bytes.Length}\0"), .. bytes]));
#pragma warning restore CA5350
}
