namespace Graft.LocalCluster.Cel;

/// <summary>All functions by name.</summary>
internal static class CelLibrary
{
    private static readonly ILookup<string, CelFunction> Functions =
        CelArithmetic.All().Concat(CelTexts.All()).Concat(CelCollections.All()).Concat(CelTimes.All()).ToLookup(f => f.Name);

    public static bool Knows(string name) => Functions.Contains(name);

    public static IEnumerable<CelFunction> Find(string name, bool isMember) => Functions[name].Where(f => f.IsMember == isMember);
}
