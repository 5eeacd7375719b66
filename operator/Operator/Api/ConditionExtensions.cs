using k8s.Models;

namespace Graft.Operator.Api;

internal static class ConditionExtensions
{
    public static V1Condition? Find(this IEnumerable<V1Condition>? conditions, string type) =>
        Graft.Runtime.Conditions.Find(conditions, type);

    public static bool IsTrue(this IEnumerable<V1Condition>? conditions, string type) => Graft.Runtime.Conditions.IsTrue(conditions, type);
}
