using System.Security.Cryptography;

namespace Graft.Runtime;

internal static class Seeded
{
    /// <summary>A generator for jitter where the caller gave none: replicas must not share a seed, or they would act in step.</summary>
    public static Random Random() => new(RandomNumberGenerator.GetInt32(int.MaxValue));
}
