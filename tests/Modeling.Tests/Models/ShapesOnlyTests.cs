using Graft.Contract;

namespace Graft.Modeling.Tests.Models;

/// <summary>A network of shapes, by which a method is checked before anything is loaded.</summary>
[Collection(TorchCollection.Name)]
public sealed class ShapesOnlyTests
{
    [Theory]
    [InlineData("llama")]
    [InlineData("gpt2")]
    [InlineData("gemma3_text")]
    public void A_model_of_shapes_alone_has_every_weight_and_reads_none(string name)
    {
        using var real = Fixtures.Case(name);
        using var shapes = BaseModel.Load(Fixtures.Path("models", name), new LoadOptions(Fixtures.Cpu, real.DType, Task: null).ShapesOnly);

        Assert.Equal(real.Transformer.Weights.Select(w => (w.Name, string.Join("x", w.Weight.shape))),
            shapes.Transformer.Weights.Select(w => (w.Name, string.Join("x", w.Weight.shape))));
        Assert.All(shapes.Transformer.Weights, w => Assert.Equal(TorchSharp.DeviceType.META, w.Weight.device_type));
    }

    [Fact]
    public void A_method_that_does_not_fit_is_told_by_shapes_alone()
    {
        using var shapes = BaseModel.Load(Fixtures.Path("models", "llama"), new LoadOptions(Fixtures.Cpu, TorchSharp.torch.ScalarType.Float32).ShapesOnly);
        using var fits = TuningMethods.Create(new Method { Lora = new LoraMethod(new LoraTargets { AllLinear = new AllLinear() }) });
        using var strange = TuningMethods.Create(new Method { Lora = new LoraMethod(new LoraTargets { Modules = ["q_porj"] }) });
        using var wide = TuningMethods.Create(new Method { Lora = new LoraMethod(new LoraTargets { AllLinear = new AllLinear() }, Rank: 65) });

        fits.Check(shapes);
        Assert.Empty(fits.Trainable);
        Assert.Contains("'q_proj'", Assert.Throws<TuningException>(() => strange.Check(shapes)).Message, StringComparison.Ordinal);
        Assert.Contains("65", Assert.Throws<TuningException>(() => wide.Check(shapes)).Message, StringComparison.Ordinal);
    }
}
