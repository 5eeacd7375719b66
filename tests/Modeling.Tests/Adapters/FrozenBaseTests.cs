using System.Collections;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Graft.Contract;
using Graft.Modeling.Adapters;
using Graft.Modeling.Models;
using static TorchSharp.torch;

namespace Graft.Modeling.Tests.Adapters;

/// <summary>A frozen base costs nothing but itself: it is not copied, and what lies below all that trains is in no graph.</summary>
[Collection(TorchCollection.Name)]
public sealed class FrozenBaseTests
{
    private static readonly LoraTargets All = new() { AllLinear = new AllLinear() };

    private static readonly Dictionary<string, Method> Methods = new()
    {
        ["lora"] = new Method { Lora = new LoraMethod(All, 2) },
        ["dora"] = new Method { Lora = new LoraMethod(All, 2, Dora: true) },
        ["pissa"] = new Method { Lora = new LoraMethod(All, 2, Initialization: LoraInitialization.Pissa) },
        ["olora"] = new Method { Lora = new LoraMethod(All, 2, Initialization: LoraInitialization.Olora) },
        ["ia3"] = new Method { Ia3 = new Ia3Method() },
        ["houlsby"] = new Method { Bottleneck = new BottleneckMethod(BottleneckPlacement.Houlsby) },
        ["pfeiffer"] = new Method { Bottleneck = new BottleneckMethod() },
        ["parallel"] = new Method { Bottleneck = new BottleneckMethod(BottleneckPlacement.Parallel, 16) },
        ["prefix"] = new Method { PrefixTuning = new PrefixTuningMethod(4) },
        ["prefix projected"] = new Method { PrefixTuning = new PrefixTuningMethod(4, new PrefixProjection(8)) },
        ["p-tuning"] = new Method { PTuning = new PTuningMethod(4, new PTuningEncoder { Mlp = new MlpEncoder(8) }) },
        ["prompt"] = new Method { PromptTuning = new PromptTuningMethod(4) },
    };

    public static TheoryData<string> Names => [.. Methods.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void A_step_leaves_every_tensor_of_the_base_where_and_as_it_was(string name)
    {
        using var scope = NewDisposeScope();
        using var model = Fixtures.Llama();
        var before = model.Transformer.Weights.Select(w => (w.Name, w.Weight, Memory: w.Weight.alias(), Values: w.Weight.clone())).ToList();
        using var method = TuningMethods.Create(Methods[name]);
        method.Attach(model, new Generator(1));
        Step(model, method);

        Assert.Equal(before.Select(b => b.Name), model.Transformer.Weights.Select(w => w.Name));
        foreach (var ((_, weight, memory, values), (_, now)) in before.Zip(model.Transformer.Weights))
        {
            Assert.Same(weight, now);
            Assert.True(SameMemory(memory, now));
            Assert.False(now.requires_grad);
            Assert.Null(now.grad);
            Assert.Equal(0, Fixtures.MaxDifference(values, now));
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void A_method_holds_no_tensor_as_large_as_the_base(string name)
    {
        using var scope = NewDisposeScope();
        using var model = Fixtures.Llama();
        using var method = TuningMethods.Create(Methods[name]);
        method.Attach(model, new Generator(1));
        Step(model, method);

        var weights = model.Transformer.Weights.Select(w => w.Weight).ToList();
        var own = Held(method.Attachment!).Where(t => !weights.Exists(w => SameMemory(w, t))).ToList();
        var trainable = method.Trainable.Sum(t => t.Parameter.numel());
        // PiSSA and OLoRA keep what the weight gave up, which is as large as what trains; DoRA the lengths of rows.
        var rows = model.Transformer.Linears.Sum(l => l.OutFeatures);
        Assert.InRange(own.Sum(t => t.numel()), trainable, 2 * trainable + rows);
        Assert.True(trainable < weights.Sum(w => w.numel()) / 2, "the case must tell a copy from what trains");
    }

    [Fact]
    public void Below_the_lowest_trainable_layer_nothing_is_in_a_graph()
    {
        using var scope = NewDisposeScope();
        using var model = Fixtures.Llama();
        var last = model.Config.Layers - 1;
        using var method = TuningMethods.Create(new Method { Lora = new LoraMethod(All, 2, Layers: [last]) });
        method.Attach(model, new Generator(1));
        var probes = model.Transformer.Residuals.Select(site =>
        {
            var probe = new Probe();
            method.Attachment!.Add(site, probe);
            return (Block: site.Index / 2, Probe: probe);
        }).ToList();
        Step(model, method);

        Assert.True(last > 0);
        Assert.All(probes, p => Assert.NotNull(p.Probe.OutputInGraph));
        Assert.All(probes, p => Assert.Equal(p.Block == last, p.Probe.OutputInGraph));
        Assert.All(method.Trainable, t => Assert.NotNull(t.Parameter.grad));
    }

    private static void Step(BaseModel model, TuningMethod method)
    {
        var lead = model.Transformer.LeadOf(null);
        var ids = tensor(Enumerable.Range(0, lead.Tokens + 6).Select(i => (long)(7 * i + 3)).ToArray());
        using var pass = new Pass([new Segment(0, lead.Tokens + 6, Lead: lead)], Fixtures.Cpu);
        model.Network.Logits(model.Network.Forward(ids, pass)).square().mean().backward();
        using var guard = no_grad();
        foreach (var (_, parameter) in method.Trainable)
            if (parameter.grad is { } gradient) parameter.sub_(gradient.mul(0.1));
    }

    private static bool SameMemory(Tensor a, Tensor b) =>
        Unsafe.AreSame(ref MemoryMarshal.GetReference(a.bytes), ref MemoryMarshal.GetReference(b.bytes));

    /// <summary>Every tensor that an object of ours can reach without passing through the model.</summary>
    private static List<Tensor> Held(object root)
    {
        var (found, seen, open) = (new List<Tensor>(), new HashSet<object>(ReferenceEqualityComparer.Instance), new Stack<object>([root]));
        while (open.TryPop(out var at))
        {
            if (!at.GetType().IsValueType && !seen.Add(at)) continue;
            if (at is Tensor tensor)
            {
                found.Add(tensor);
                continue;
            }
            if (at is IEnumerable many and not string)
                foreach (var item in many) if (item is not null) open.Push(item);
            for (var type = at.GetType(); type is not null && IsOurs(type); type = type.BaseType)
                foreach (var field in type.GetFields(BindingFlags.Instance | BindingFlags.NonPublic | BindingFlags.Public | BindingFlags.DeclaredOnly))
                    if (field.GetValue(at) is { } value and not (BaseModel or Transformer or TuningMethod)) open.Push(value);
        }
        return found;
    }

    /// <summary>Also tuples and pairs, which hold tensors for them.</summary>
    private static bool IsOurs(Type type) => type.Namespace is { } space
        && (space.StartsWith("Graft", StringComparison.Ordinal) || type.FullName!.StartsWith("System.ValueTuple", StringComparison.Ordinal)
            || type.FullName.StartsWith("System.Collections.Generic.KeyValuePair", StringComparison.Ordinal));

    /// <summary>Adds nothing; sees whether what a half of a block makes is in the graph.</summary>
    private sealed class Probe : ResidualAdapter
    {
        public bool? OutputInGraph { get; private set; }

        public override Tensor Join(Tensor residual, Tensor output, Layer? norm, Pass pass)
        {
            OutputInGraph = output.requires_grad;
            return output.add(residual);
        }

        public override void Dispose()
        {
        }
    }
}
