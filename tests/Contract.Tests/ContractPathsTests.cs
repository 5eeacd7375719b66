namespace Graft.Contract.Tests;

public class ContractPathsTests
{
    [Theory]
    [InlineData("/graft/output/x", "GRAFT_OUTPUT_DIR", "/tmp/o", "/tmp/o/x")]
    [InlineData("/graft/output", "GRAFT_OUTPUT_DIR", "/tmp/o/", "/tmp/o")]
    [InlineData("/graft/outputs/x", "GRAFT_OUTPUT_DIR", "/tmp/o", "/graft/outputs/x")]
    [InlineData("/artifacts/claim/a", "GRAFT_ARTIFACTS_DIR", "", "/artifacts/claim/a")]
    [InlineData("/home/me/job.json", "GRAFT_JOB_DIR", "/tmp/j", "/home/me/job.json")]
    public void A_contract_path_moves_with_its_variable_and_nothing_else_does(string path, string variable, string value, string expected)
    {
        Assert.Equal(expected, ContractPaths.Resolve(path, name => name == variable ? value : null));
    }

    [Fact]
    public void Every_failure_class_has_an_exit_code_of_its_own_that_leads_back_to_it()
    {
        foreach (var failure in Enum.GetValues<FailureClass>())
            Assert.Equal(failure, ExitCodes.ClassOf(ExitCodes.Of(failure)));
    }
}
