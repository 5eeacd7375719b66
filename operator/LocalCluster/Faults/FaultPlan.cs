using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Graft.LocalCluster.Api.Writing;
using Graft.LocalCluster.Faults;
using Graft.LocalCluster.Schema;

namespace Graft.LocalCluster;

/// <summary>A plan cannot be read. The message names every fault, and what would be right.</summary>
public sealed class FaultPlanException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>
/// What goes wrong, and when. The first rule that fires decides about a request. A plan depends on its seed, on the requests and on how
/// many there were before, and neither on time nor on chance.
/// </summary>
/// <param name="Seed">Of everything that a plan leaves open: probabilities and the length of delays.</param>
public sealed record FaultPlan(IReadOnlyList<FaultRule> Rules, long Seed = 0)
{
    public static FaultPlan Empty { get; } = new([]);

    /// <summary>Reads YAML or JSON.</summary>
    /// <exception cref="FaultPlanException">The text is no plan.</exception>
    public static FaultPlan Parse(string text)
    {
        FaultPlan plan;
        try
        {
            var repeated = new List<string>();
            var json = YamlBody.Parse(Encoding.UTF8.GetBytes(text), repeated) as JsonObject
                ?? throw new FaultPlanException("a fault plan is a map with 'seed' and 'rules'");
            if (repeated.Count > 0)
                throw new FaultPlanException(string.Join('\n', repeated.Select(one => one.Trim())));
            plan = json.Deserialize(FaultPlanJson.Default.FaultPlan)!;
        }
        catch (JsonException e)
        {
            // The line that follows is one of a text that nobody wrote: the path says where.
            var words = (e.InnerException?.Message ?? e.Message).Split(" Path: ")[0];
            throw new FaultPlanException($"{e.Path?.TrimStart('$', '.')}: {words}", e);
        }
        catch (Exception e) when (e is JsonSyntaxException or NotSupportedException)
        {
            throw new FaultPlanException(e.Message, e);
        }
        var faults = FaultPlanChecks.Of(plan).ToList();
        return faults.Count == 0 ? plan : throw new FaultPlanException(string.Join('\n', faults));
    }

    /// <summary>The plan as YAML that <see cref="Parse"/> reads as an equal plan.</summary>
    public string Print() => FaultPlanYaml.Write(JsonSerializer.SerializeToNode(this, FaultPlanJson.Default.FaultPlan)!);
}

/// <summary>One thing that goes wrong.</summary>
/// <param name="Name">For people and reports.</param>
/// <param name="When">Which of the requests that match; absent: every one.</param>
public sealed record FaultRule(string Name, Fault Fault, FaultMatch? Match = null, FaultSchedule? When = null);

/// <summary>
/// Which requests a rule is about. What is absent matches everything; a <c>*</c> in a text stands for any part; an empty text is what has
/// none (<c>subresource: ""</c>: the object itself).
/// </summary>
/// <param name="User">Who the token says: <c>system:serviceaccount:NAMESPACE:NAME</c>.</param>
/// <param name="Agent">The User-Agent before its first slash: <c>kubectl</c>.</param>
/// <param name="Manager">The query's <c>fieldManager</c>.</param>
/// <param name="Verbs">RBAC's verbs, or <c>event</c> for what a watch tells.</param>
/// <param name="Resource">Plural with its group, as in <c>jobs.batch</c>.</param>
/// <param name="Name">The object's; of a creation that of its body, or its generateName.</param>
public sealed record FaultMatch(
    string? User = null, string? Agent = null, string? Manager = null, IReadOnlyList<string>? Verbs = null, string? Resource = null,
    string? Subresource = null, string? Namespace = null, string? Name = null);

/// <summary>
/// Which of the matching requests; everything that is said has to hold. Requests are counted from 1 on, from when the plan began, those
/// of each client, verb and object by themselves: then it does not matter in which order the requests for different objects come.
/// </summary>
/// <param name="Nth">These.</param>
/// <param name="From">This and later ones.</param>
/// <param name="To">This and earlier ones.</param>
/// <param name="Every">Every so many: 2 is the second, the fourth and so on.</param>
/// <param name="Probability">Between 0 and 1; the seed, the rule, the request and its number decide.</param>
/// <param name="Times">So often at most.</param>
/// <param name="Together">All requests that match are counted in one row, as they arrive. Only for clients that ask one thing at a
/// time is that the same in every run.</param>
public sealed record FaultSchedule(
    IReadOnlyList<long>? Nth = null, long? From = null, long? To = null, long? Every = null, double? Probability = null,
    long? Times = null, bool Together = false);
