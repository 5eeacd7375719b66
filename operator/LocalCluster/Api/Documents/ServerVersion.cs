using System.Runtime.InteropServices;
using System.Text.Json.Nodes;

namespace Graft.LocalCluster.Api.Documents;

/// <summary>The version of Kubernetes whose behaviour is served.</summary>
internal static class ServerVersion
{
    public const string Text = "v1.33.0+graft";

    public static JsonObject Document => new()
    {
        ["major"] = "1",
        ["minor"] = "33",
        ["emulationMajor"] = "1",
        ["emulationMinor"] = "33",
        ["minCompatibilityMajor"] = "1",
        ["minCompatibilityMinor"] = "32",
        ["gitVersion"] = Text,
        ["gitCommit"] = "",
        ["gitTreeState"] = "clean",
        ["buildDate"] = "1970-01-01T00:00:00Z",
        ["goVersion"] = "",
        ["compiler"] = "",
        ["platform"] = RuntimeInformation.OSArchitecture == Architecture.Arm64 ? "linux/arm64" : "linux/amd64",
    };
}
