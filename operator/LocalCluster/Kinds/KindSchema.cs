using System.Text.Json.Nodes;
using Graft.LocalCluster.Cel;
using Graft.LocalCluster.Schema;

namespace Graft.LocalCluster.Kinds;

/// <summary>
/// What is known of the fields of a kind: the OpenAPI v3 document for clients, and the same as a <see cref="TypeSchema"/> for decoding,
/// patching, field ownership and validation. Built-in kinds have it by reflection, custom ones from their CustomResourceDefinition.
/// </summary>
/// <param name="Name">The name of <paramref name="OpenApi"/> among the definitions of its document: <c>io.k8s.v1.Pod</c>.</param>
/// <param name="Rules">Compiled validation rules of custom kinds.</param>
internal sealed record KindSchema(string Name, JsonObject OpenApi, TypeSchema Type, CelRules? Rules = null);
