namespace Graft.Trainer.Tests.Support;

public sealed class RepositoryTests
{
    [Fact]
    public void A_folder_of_models_that_is_named_and_not_there_fails_and_one_that_is_not_named_skips()
    {
        var error = Assert.Throws<InvalidOperationException>(() => Repository.RealModel("none", _ => "/no/such/folder"));
        Assert.Contains("GRAFT_MODELS is /no/such/folder", error.Message, StringComparison.Ordinal);
        Assert.Throws<SkipException>(() => Repository.RealModel("none", _ => null));
        Assert.Throws<SkipException>(() => Repository.RealModel("none", _ => ""));
    }
}
