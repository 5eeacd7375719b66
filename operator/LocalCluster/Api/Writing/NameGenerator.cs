using System.Security.Cryptography;

namespace Graft.LocalCluster.Api.Writing;

/// <summary>Names for <c>generateName</c>: five letters and digits that cannot form words.</summary>
internal static class NameGenerator
{
    private const string Alphabet = "bcdfghjklmnpqrstvwxz2456789";
    private const int MaxPrefix = 58;

    public static string Generate(string prefix) =>
        (prefix.Length > MaxPrefix ? prefix[..MaxPrefix] : prefix) + RandomNumberGenerator.GetString(Alphabet, 5);
}
