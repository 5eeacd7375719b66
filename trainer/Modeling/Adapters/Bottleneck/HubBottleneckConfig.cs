using System.Text.Json;
using System.Text.Json.Nodes;
using Graft.Modeling.Models;

namespace Graft.Modeling.Adapters;

/// <summary><c>adapter_config.json</c> of a bottleneck adapter, as AdapterHub's adapters 1.2 writes it (its <c>BnConfig</c>).</summary>
internal static class HubBottleneckConfig
{
    private static readonly string[] Initializations = ["bert", "mam_adapter", "houlsby"];

    /// <summary>Fields of hypercomplex layers and of invertible adapters, which say nothing where those are off.</summary>
    private static readonly string[] Inert =
    [
        "architecture", "factorized_phm_W", "factorized_phm_rule", "hypercomplex_nonlinearity", "init_weights_seed",
        "inv_adapter_reduction_factor", "learn_phm", "phm_bias", "phm_c_init", "phm_dim", "phm_init_range", "phm_rank", "shared_W_phm", "shared_phm_rule",
    ];

    public static void Write(string path, BottleneckConfig c, BaseModel model, string baseModelName) => HubConfig.Write(path, new JsonObject
    {
        ["adapter_residual_before_ln"] = false,
        ["architecture"] = null,
        ["cross_adapter"] = false,
        ["dropout"] = PeftConfig.Float(c.Dropout),
        ["factorized_phm_W"] = true,
        ["factorized_phm_rule"] = false,
        ["hypercomplex_nonlinearity"] = "glorot-uniform",
        ["init_weights"] = c.Initialization,
        ["init_weights_seed"] = null,
        ["inv_adapter"] = null,
        ["inv_adapter_reduction_factor"] = null,
        ["is_parallel"] = c.Parallel,
        ["learn_phm"] = true,
        ["leave_out"] = new JsonArray([.. (c.LeaveOut ?? []).Select(l => (JsonNode)l)]),
        ["ln_after"] = false,
        ["ln_before"] = false,
        ["mh_adapter"] = c.Attention,
        ["non_linearity"] = c.Activation,
        ["original_ln_after"] = true,
        ["original_ln_before"] = c.NormBefore,
        ["output_adapter"] = c.FeedForward,
        ["phm_bias"] = true,
        ["phm_c_init"] = "normal",
        ["phm_dim"] = 4,
        ["phm_init_range"] = 0.0001,
        ["phm_layer"] = false,
        ["phm_rank"] = 1,
        ["reduction_factor"] = PeftConfig.Number(c.Reduction),
        ["residual_before_ln"] = true,
        // A float, even where it is whole: AdapterHub takes no other type.
        ["scaling"] = PeftConfig.Float(c.Scaling),
        ["shared_W_phm"] = false,
        ["shared_phm_rule"] = true,
        ["stochastic_depth"] = PeftConfig.Float(0),
        ["use_gating"] = false,
    }, c.AdapterName, model, baseModelName);

    /// <summary>Reads what decides the result; whatever would change it and is not supported is refused by name, all at once.</summary>
    public static BottleneckConfig Read(AdapterFolder folder)
    {
        var all = folder.Config;
        var name = all.Text("name") ?? "";
        if (name.Length == 0) all.Wrong("name is missing, by which the tensors are called");
        var f = all.Object("config")!;
        RefuseOthers(f);
        var parallel = f.Flag("is_parallel") ?? false;
        var read = new BottleneckConfig(
            f.Flag("mh_adapter") ?? false, f.Flag("output_adapter") ?? true, !parallel && (f.Flag("original_ln_before") ?? false), parallel,
            Reduction(f), Nonlinearity(f), Scaling(f), Initialization(f), f.Number("dropout") ?? 0, f.Ids("leave_out"), name);
        if (read is { Attention: false, FeedForward: false }) f.Wrong("mh_adapter and output_adapter are both false, so there is no adapter");
        if (read.Dropout is not (>= 0 and < 1)) f.Wrong($"dropout is {read.Dropout}");
        f.Know(Inert);
        f.RefuseUnread(_ => false);
        f.ThrowIfWrong();
        return read;
    }

    private static void RefuseOthers(JsonFields f)
    {
        f.RefuseTrue("use_gating", "phm_layer", "ln_before", "ln_after", "cross_adapter", "adapter_residual_before_ln");
        if (f.Text("inv_adapter") is { } invertible) f.Wrong($"inv_adapter is '{invertible}'; invertible adapters are not supported");
        if (f.Flag("original_ln_after") == false) f.Wrong("original_ln_after is false, which is not supported");
        if (f.Find("residual_before_ln") is { ValueKind: not JsonValueKind.True } other)
            f.Wrong($"residual_before_ln is {other.GetRawText()}; only true is supported");
        if (f.Number("stochastic_depth") is > 0 and var depth) f.Wrong($"stochastic_depth is {depth}, which is not supported");
    }

    private static double Reduction(JsonFields f)
    {
        if (f.Find("reduction_factor") is { ValueKind: JsonValueKind.Object })
        {
            f.Wrong("reduction_factor differs between layers, which is not supported");
            return 1;
        }
        if (!f.Has("reduction_factor")) f.Wrong("reduction_factor is missing");
        var factor = f.Number("reduction_factor") ?? 1;
        if (factor <= 0) f.Wrong($"reduction_factor is {factor}; it must be above 0");
        return factor;
    }

    private static double Scaling(JsonFields f)
    {
        if (f.Find("scaling") is not { ValueKind: JsonValueKind.String } learned) return f.Number("scaling") ?? 1;
        f.Wrong($"scaling is {learned.GetRawText()}; only a number is supported");
        return 1;
    }

    private static string Nonlinearity(JsonFields f)
    {
        Activation.Read(f, "non_linearity", "relu");
        return f.Text("non_linearity")?.ToLowerInvariant() ?? "relu";
    }

    private static string Initialization(JsonFields f)
    {
        var name = f.Text("init_weights") ?? "bert";
        if (!Initializations.Contains(name)) f.Wrong($"init_weights is '{name}'; there are {string.Join(", ", Initializations)}");
        return name;
    }
}
