using System.Text.Json.Nodes;

namespace Graft.Conformance.Harness;

/// <summary>A custom kind with one field of every sort that servers treat in a way of its own.</summary>
internal sealed record Widgets(string Group)
{
    public const string Definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

    public string ApiVersion => $"{Group}/v1";

    public string DefinitionPath => $"{Definitions}/widgets.{Group}";

    public JsonObject Definition => Json.Object($$$$"""
        {
          "apiVersion": "apiextensions.k8s.io/v1",
          "kind": "CustomResourceDefinition",
          "metadata": {"name": "widgets.{{{{Group}}}}"},
          "spec": {
            "group": "{{{{Group}}}}",
            "scope": "Namespaced",
            "names": {"plural": "widgets", "singular": "widget", "kind": "Widget", "listKind": "WidgetList"},
            "versions": [{
              "name": "v1",
              "served": true,
              "storage": true,
              "subresources": {
                "status": {},
                "scale": {"specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas", "labelSelectorPath": ".status.selector"}
              },
              "selectableFields": [{"jsonPath": ".spec.mode"}],
              "additionalPrinterColumns": [{"name": "Mode", "type": "string", "jsonPath": ".spec.mode"}],
              "schema": {"openAPIV3Schema": {
                "type": "object",
                "properties": {
                  "spec": {
                    "type": "object",
                    "properties": {
                      "replicas": {"type": "integer", "minimum": 0},
                      "mode": {"type": "string", "enum": ["Slow", "Fast"], "default": "Slow"},
                      "text": {"type": "string"},
                      "tags": {"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "set"},
                      "atoms": {"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "atomic"},
                      "plain": {"type": "array", "items": {"type": "string"}},
                      "ports": {
                        "type": "array",
                        "x-kubernetes-list-type": "map",
                        "x-kubernetes-list-map-keys": ["name"],
                        "items": {
                          "type": "object",
                          "required": ["name"],
                          "properties": {"name": {"type": "string"}, "port": {"type": "integer"}, "note": {"type": "string"}}
                        }
                      },
                      "options": {"type": "object", "additionalProperties": {"type": "string"}},
                      "box": {
                        "type": "object",
                        "x-kubernetes-map-type": "atomic",
                        "properties": {"a": {"type": "string"}, "b": {"type": "string"}}
                      }
                    }
                  },
                  "status": {
                    "type": "object",
                    "properties": {"replicas": {"type": "integer"}, "selector": {"type": "string"}, "phase": {"type": "string"}}
                  }
                }
              }}
            }]
          }
        }
        """);

    public string In(string space) => $"/apis/{ApiVersion}/namespaces/{space}/widgets";

    public JsonObject Make(string name, string spec = "{}") => Harness.Make.Named(ApiVersion, "Widget", name)
        .With(Json.Object(spec), "spec");
}
