using System.Collections.Frozen;

namespace Graft.LocalCluster.Api.Writing;

/// <summary>How a field of a message is written in JSON.</summary>
internal enum ProtobufType
{
    Text,
    Texts,

    /// <summary>Sent only where it is set.</summary>
    Number,

    /// <summary>Always sent, and left out where it is zero.</summary>
    Count,

    /// <summary>Sent only where it is set.</summary>
    Flag,

    /// <summary>Always sent, and left out where it is false.</summary>
    Set,
    Message,
    Messages,

    /// <summary>Texts by name.</summary>
    Map,

    /// <summary>Bytes by name, in JSON as base64.</summary>
    Bytes,

    /// <summary>The message IntOrString (apimachinery, pkg/util/intstr).</summary>
    NumberOrText,
}

/// <summary>One field of a message.</summary>
internal sealed record ProtobufField(string Name, ProtobufType Type, ProtobufShape? Shape = null);

/// <summary>The fields of a message by their numbers; a message with anything in another field is not read.</summary>
internal sealed class ProtobufShape(params (int Number, ProtobufField Field)[] fields)
{
    private readonly FrozenDictionary<int, ProtobufField> _fields = fields.ToFrozenDictionary(pair => pair.Number, pair => pair.Field);

    public ProtobufField? Find(int number) => _fields.GetValueOrDefault(number);
}
