using System.Runtime.CompilerServices;
using Graft.Modeling;

namespace Graft.Trainer.Tests.Support;

internal static class TorchBeforeTests
{
    /// <summary>Before any test's method that mentions torch is compiled.</summary>
    [ModuleInitializer]
    internal static void Load() => TorchRuntime.Load();
}

/// <summary>
/// Tests that compute, and those that start programs which do: one after another, so that they do not share two processors.
/// </summary>
[CollectionDefinition(Name)]
public sealed class TorchCollection
{
    public const string Name = "torch";
}
