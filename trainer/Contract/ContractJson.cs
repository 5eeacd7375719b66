using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Graft.Contract;

/// <summary>The contract's JSON: camelCase, enums as words, unknown fields refused, no reflection.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UseStringEnumConverter = true,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    AllowDuplicateProperties = false,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow)]
[JsonSerializable(typeof(TrainingJob))]
[JsonSerializable(typeof(Progress))]
[JsonSerializable(typeof(TrainingResult))]
[JsonSerializable(typeof(ArtifactManifest))]
[JsonSerializable(typeof(InspectionReport))]
[JsonSerializable(typeof(DerivedManifest))]
[JsonSerializable(typeof(VersionedDocument))]
public sealed partial class ContractJson : JsonSerializerContext
{
    /// <summary>One line, and characters as they are: for messages and digests.</summary>
    public static ContractJson Compact => Variants.Compact;

    /// <summary>For files that people read.</summary>
    public static ContractJson Indented => Variants.Indented;

    // A class of its own, because the generated part's static fields must be initialised first.
    private static class Variants
    {
        public static readonly ContractJson Compact = new(Settings(indented: false));
        public static readonly ContractJson Indented = new(Settings(indented: true));

        private static JsonSerializerOptions Settings(bool indented) => new(Default.Options)
        {
            WriteIndented = indented,
            NewLine = "\n",
            Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        };
    }
}
