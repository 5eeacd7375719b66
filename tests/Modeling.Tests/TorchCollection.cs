using System.Runtime.CompilerServices;

namespace Graft.Modeling.Tests;

internal static class TorchBeforeTests
{
    /// <summary>Before any test's method that mentions torch is compiled.</summary>
    [ModuleInitializer]
    internal static void Load() => TorchRuntime.Load();
}

/// <summary>Tests that compute: one after another, as the programs do, so that they do not share two processors.</summary>
[CollectionDefinition(Name)]
public sealed class TorchCollection
{
    public const string Name = "torch";
}
