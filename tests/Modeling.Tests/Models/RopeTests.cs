using System.Text.Json;
using Graft.Modeling.Models;

namespace Graft.Modeling.Tests.Models;

/// <summary>The scaling types against their definitions, computed pair by pair in float64.</summary>
[Collection(TorchCollection.Name)]
public sealed class RopeTests
{
    private const int Size = 16;
    private const double Theta = 10_000;

    private static double Plain(int pair, double theta = Theta) => Math.Pow(theta, -2.0 * pair / Size);

    [Fact]
    public void Without_scaling_frequencies_fall_geometrically() => AssertFrequencies(Read("{}"), 500, p => Plain(p));

    [Fact]
    public void Linear_scaling_divides_all() =>
        AssertFrequencies(Read("""{"rope_scaling":{"type":"linear","factor":4}}"""), 500, p => Plain(p) / 4);

    [Fact]
    public void Dynamic_scaling_raises_the_base_with_the_text_once_it_is_long()
    {
        var rope = Read("""{"max_position_embeddings":100,"rope_scaling":{"rope_type":"dynamic","factor":2}}""");
        AssertFrequencies(rope, 100, p => Plain(p));
        var theta = Theta * Math.Pow(2 * 150.0 / 100 - 1, Size / (Size - 2.0));
        AssertFrequencies(rope, 150, p => Plain(p, theta));
        Assert.False(rope.Agrees(150, 151));
        Assert.True(rope.Agrees(10, 100));
        Assert.Equal(2, rope.Stretch);
    }

    [Fact]
    public void Llama3_scaling_keeps_fast_pairs_and_blends_those_between()
    {
        var rope = Read("""
            {"original_max_position_embeddings":32,
             "rope_scaling":{"rope_type":"llama3","factor":8,"low_freq_factor":1,"high_freq_factor":4}}
            """);
        AssertFrequencies(rope, 500, pair =>
        {
            var (plain, waves) = (Plain(pair), 32 * Plain(pair) / (2 * Math.PI));               // waves in the original length
            var share = Math.Clamp((waves - 1) / (4 - 1), 0, 1);
            return share * plain + (1 - share) * plain / 8;
        });
    }

    [Theory]
    [InlineData("true", 1, 4)]
    [InlineData("false", 1.41394022, 3.41394022)]
    public void Yarn_interpolates_slow_pairs_by_a_ramp(string truncate, double from, double to)
    {
        // Pair 16 ln(128 / (2 pi n)) / (2 ln 10,000) turns n times in 128 tokens.
        var rope = Read($$$"""
            {"original_max_position_embeddings":128,
             "rope_scaling":{"rope_type":"yarn","factor":4,"beta_fast":4,"beta_slow":0.4,"truncate":{{{truncate}}}}}
            """);
        AssertFrequencies(rope, 500, pair =>
        {
            var interpolated = Math.Clamp((pair - from) / (to - from), 0, 1);
            return Plain(pair) * (1 - interpolated) + Plain(pair) / 4 * interpolated;
        }, 1e-5);
        Assert.Equal(0.1 * Math.Log(4) + 1, rope.Amplitude, 1e-12);
    }

    [Theory]
    [InlineData("""{"rope_type":"yarn","factor":4,"attention_factor":1.5}""", 1.5)]
    [InlineData("""{"rope_type":"yarn","factor":40,"mscale":1,"mscale_all_dim":0.5}""", 1.368887945411394 / 1.184443972705697)]
    [InlineData("""{"rope_type":"yarn","factor":0.5}""", 1)]
    public void Yarn_has_an_amplitude(string scaling, double amplitude) =>
        Assert.Equal(amplitude, Read($$"""{"rope_scaling":{{scaling}}}""").Amplitude, 1e-12);

    [Fact]
    public void LongRope_has_factors_for_short_and_for_long_texts()
    {
        var rope = Read("""
            {"max_position_embeddings":512,"original_max_position_embeddings":64,
             "rope_scaling":{"rope_type":"longrope","short_factor":[1,1,1,1,1,1,1,2],"long_factor":[1,2,3,4,5,6,7,8]}}
            """);
        AssertFrequencies(rope, 64, p => Plain(p) / (p == 7 ? 2 : 1));
        AssertFrequencies(rope, 65, p => Plain(p) / (p + 1));
        Assert.Equal(Math.Sqrt(1 + Math.Log(8) / Math.Log(64)), rope.Amplitude, 1e-12);
        Assert.True(rope.Agrees(65, 500));
    }

    [Fact]
    public void Both_spellings_and_a_part_of_the_head()
    {
        var old = Read("""{"rope_theta":500000,"partial_rotary_factor":0.5,"rope_scaling":{"type":"linear","factor":2}}""");
        var @new = Read("""{"rope_parameters":{"rope_theta":500000,"partial_rotary_factor":0.5,"rope_type":"linear","factor":2}}""");
        Assert.Equal(8, old.Size);
        Assert.Equal(old.Frequencies(9), @new.Frequencies(9));
        Assert.Equal(Math.Pow(500_000, -2.0 / 8) / 2, old.Frequencies(9)[1], 1e-8);
    }

    private static Rope Read(string json)
    {
        using var document = JsonDocument.Parse(json);
        var fields = new JsonFields("config.json", document.RootElement);
        var config = new ModelConfig
        {
            ModelType = "llama", VocabularySize = 1, HiddenSize = 4 * Size, IntermediateSize = 1, Layers = 1, Heads = 4, KvHeads = 4,
            HeadSize = Size, MaxPositions = fields.CountOr("max_position_embeddings", 512), NormEpsilon = 1e-6, TiedEmbeddings = false,
        };
        var rope = RopeReader.Read(fields, config);
        fields.ThrowIfWrong();
        return rope;
    }

    private static void AssertFrequencies(Rope rope, int length, Func<int, double> wanted, double most = 1e-6)
    {
        var found = rope.Frequencies(length);
        Assert.Equal(Size / 2, found.Length);
        for (var pair = 0; pair < found.Length; pair++) Assert.Equal(wanted(pair), found[pair], most * wanted(pair));
    }
}
