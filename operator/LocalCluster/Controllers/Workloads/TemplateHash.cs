using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Graft.Runtime;
using k8s.Models;

namespace Graft.LocalCluster.Controllers.Workloads;

/// <summary>The short hash that tells the ReplicaSets of a Deployment apart: of the pod template's canonical JSON.</summary>
internal static class TemplateHash
{
    public const string Label = "pod-template-hash";

    // Kubernetes' alphabet for generated names: no vowels, so no words.
    private const string Alphabet = "bcdfghjklmnpqrstvwxz2456789";

    public static string Of(V1PodTemplateSpec template)
    {
        var digest = SHA256.HashData(Encoding.UTF8.GetBytes(Canonical(ObjectJson.ToNode(template))!.ToJsonString()));
        var number = BinaryPrimitives.ReadUInt64LittleEndian(digest);
        var text = new char[10];
        for (var i = 0; i < text.Length; i++)
        {
            text[i] = Alphabet[(int)(number % (ulong)Alphabet.Length)];
            number /= (ulong)Alphabet.Length;
        }
        return new string(text);
    }

    /// <summary>Members sorted, and without those that say nothing.</summary>
    private static JsonNode? Canonical(JsonNode? node) => node switch
    {
        JsonObject members => new JsonObject(members.Where(m => m.Value is not (null or JsonObject { Count: 0 } or JsonArray { Count: 0 }))
            .OrderBy(m => m.Key, StringComparer.Ordinal).Select(m => KeyValuePair.Create(m.Key, Canonical(m.Value)))),
        JsonArray items => new JsonArray([.. items.Select(Canonical)]),
        _ => node?.DeepClone(),
    };
}
