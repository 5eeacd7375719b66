using Graft.Modeling.Adapters;

namespace Graft.Modeling.Tests.Adapters;

public sealed class TensorGroupsTests
{
    [Fact]
    public void Names_that_differ_in_the_block_alone_become_one()
    {
        var blocks = Enumerable.Range(0, 30).Where(i => i != 7).Select(i => $"model.layers.{i}.mlp.0.up.weight");
        var groups = TensorGroups.Of([.. blocks, "lm_head.weight", "model.layers.3.q_proj.weight"]);
        Assert.Equal([("model.layers.{0-6,8-29}.mlp.0.up.weight", 29), ("lm_head.weight", 1), ("model.layers.3.q_proj.weight", 1)], groups);
    }

    [Fact]
    public void What_is_wrong_is_said_once_for_all_blocks_that_have_it()
    {
        var told = TensorGroups.Describe(
            [("h.0.a", "is [8, 576]"), ("h.1.a", "is [8, 576]"), ("h.2.a", "is [8, 64]"), ("x", "is [8, 64]")]);
        Assert.Equal(["'h.{0-1}.a' is [8, 576] (2 tensors)", "'h.2.a' is [8, 64]", "'x' is [8, 64]"], told);
    }

    [Fact]
    public void A_number_that_no_block_can_have_is_a_name_like_any_other() =>
        Assert.Equal([("h.99999999999999999999.a", 1)], TensorGroups.Of(["h.99999999999999999999.a"]));
}
