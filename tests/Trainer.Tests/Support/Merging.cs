using Graft.Modeling;
using static TorchSharp.torch;

namespace Graft.Trainer.Tests.Support;

internal static class Merging
{
    /// <summary>Adds what an adapter does at linear layers into the model's weights.</summary>
    public static void Into(BaseModel model, LoadedAdapter adapter)
    {
        using var scope = NewDisposeScope();
        using var guard = no_grad();
        foreach (var site in model.Transformer.Linears.Concat(model.Transformer.Heads))
        {
            if (adapter.Attachment.At(site) is not { } at) continue;
            var (weight, bias) = at.Merge(site.Matrix.Dense!, site.Bias);
            site.Matrix.Dense!.copy_(weight);
            if (bias is not null) site.Bias!.copy_(bias);
        }
    }
}
