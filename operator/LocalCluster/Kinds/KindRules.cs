using System.Text.Json.Nodes;
using Graft.LocalCluster.Schema;

namespace Graft.LocalCluster.Kinds;

/// <summary>What a rule may look at beside the object.</summary>
/// <param name="ServiceAddress">The n-th address that Services may have.</param>
internal sealed record RuleContext(TimeProvider Time, Func<int, string> ServiceAddress, Func<string, bool> IsServiceAddressTaken);

/// <summary>
/// What the API server does with objects of one kind beyond what holds for all: the places where kinds differ. Each rule is a function of
/// JSON, so that a kind is a line in a table. Rules change the object that they are given, which is always a private copy.
/// </summary>
internal sealed record KindRules
{
    public static KindRules None { get; } = new();

    /// <summary>Fills fields that are absent, on every write and every patch.</summary>
    public Action<JsonObject>? Default { get; init; }

    /// <summary>Sets what the server decides at creation: first phases, selectors, addresses.</summary>
    public Action<JsonObject, RuleContext>? OnCreate { get; init; }

    /// <summary>Carries over what a writer cannot know or change: new object, old object.</summary>
    public Action<JsonObject, JsonObject>? OnUpdate { get; init; }

    public Action<JsonObject, List<FieldError>>? Validate { get; init; }

    /// <summary>Immutable fields and the like: new object, old object.</summary>
    public Action<JsonObject, JsonObject, List<FieldError>>? ValidateUpdate { get; init; }
}
