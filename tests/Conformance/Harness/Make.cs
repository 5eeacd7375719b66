using System.Text.Json.Nodes;

namespace Graft.Conformance.Harness;

/// <summary>Small whole objects.</summary>
internal static class Make
{
    public static JsonObject Named(string apiVersion, string kind, string name) =>
        new() { ["apiVersion"] = apiVersion, ["kind"] = kind, ["metadata"] = new JsonObject { ["name"] = name } };

    public static JsonObject ConfigMap(string name, params (string Key, string Value)[] data)
    {
        var made = Named("v1", "ConfigMap", name);
        if (data.Length > 0)
            made["data"] = new JsonObject(data.Select(pair => KeyValuePair.Create(pair.Key, (JsonNode?)pair.Value)));
        return made;
    }

    public static JsonObject Secret(string name) => Named("v1", "Secret", name);

    /// <summary>A Deployment that wants no pods, so that no controller waits for any.</summary>
    /// <param name="extra">More members of spec, as JSON.</param>
    public static JsonObject Deployment(string name, string extra = "")
    {
        var made = Named("apps/v1", "Deployment", name);
        made["spec"] = Json.Object($$$"""
            {
              "replicas": 0,
              "selector": {"matchLabels": {"app": "{{{name}}}"}},
              "template": {
                "metadata": {"labels": {"app": "{{{name}}}"}},
                "spec": {"containers": [{"name": "main", "image": "graft.invalid/none:1"}]}
              }
              {{{(extra.Length > 0 ? "," + extra : "")}}}
            }
            """);
        return made;
    }

    public static JsonObject Service(string name, int port = 80) => Named("v1", "Service", name)
        .With(Json.Object($$"""{"selector": {"app": "x"}, "ports": [{"port": {{port}}}]}"""), "spec");

    public static JsonObject Pod(string name, string image, string script) => Named("v1", "Pod", name).With(Json.Object($$"""
        {
          "restartPolicy": "Never",
          "terminationGracePeriodSeconds": 5,
          "containers": [{"name": "main", "image": "{{image}}"}]
        }
        """), "spec").Scripted(script);

    /// <summary>An owner reference to an object as a server returned it.</summary>
    public static JsonObject OwnedBy(this JsonObject dependent, Answer owner,
        bool blocks = false) => dependent.With(new JsonArray(new JsonObject
    {
        ["apiVersion"] = owner.Text("apiVersion"),
        ["kind"] = owner.Text("kind"),
        ["name"] = owner.Name,
        ["uid"] = owner.Uid,
        ["blockOwnerDeletion"] = blocks,
    }), "metadata", "ownerReferences");

    private static JsonObject Scripted(this JsonObject pod, string script)
    {
        var container = pod["spec"]!["containers"]![0]!.AsObject();
        container["command"] = new JsonArray("/bin/sh", "-c", script);
        return pod;
    }
}
