namespace Graft.Modeling.Models;

/// <summary>The second half of a block. F: its inner size.</summary>
internal static class FeedForward
{
    /// <summary>down(f(gate(x)) up(x)).</summary>
    public static Layer Gated(Transformer network, string prefix, ModelConfig c, Activation activation, bool bias = false)
    {
        var gate = network.Site(prefix + "gate_proj", c.IntermediateSize, c.HiddenSize, bias);
        var up = network.Site(prefix + "up_proj", c.IntermediateSize, c.HiddenSize, bias);
        var down = network.Site(prefix + "down_proj", c.HiddenSize, c.IntermediateSize, bias);
        return (x, pass) =>
        {
            var (g, u) = (Adapted.Linear(gate, x, pass), Adapted.Linear(up, x, pass));           // (N, F)
            return Adapted.Linear(down, activation.Gated(g, u, pass.Gradients), pass);
        };
    }

    /// <summary>The same with gate and up as one linear layer, gate first.</summary>
    public static Layer GatedInOne(Transformer network, string prefix, ModelConfig c, Activation activation)
    {
        var both = network.Site(prefix + "gate_up_proj", 2L * c.IntermediateSize, c.HiddenSize);
        var down = network.Site(prefix + "down_proj", c.HiddenSize, c.IntermediateSize);
        return (x, pass) =>
        {
            var parts = Adapted.Linear(both, x, pass).split(c.IntermediateSize, 1);              // (N, F) twice
            return Adapted.Linear(down, activation.Gated(parts[0].contiguous(), parts[1].contiguous(), pass.Gradients), pass);
        };
    }

    /// <summary>out(f(in(x))).</summary>
    public static Layer Plain(LinearSite inner, LinearSite outer, Activation activation) =>
        (x, pass) => Adapted.Linear(outer, activation.Apply(Adapted.Linear(inner, x, pass)), pass);
}
