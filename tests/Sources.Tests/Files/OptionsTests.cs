using Graft.Sources.Tests.Support;

namespace Graft.Sources.Tests.Files;

public class OptionsTests
{
    private static FetchOptions Of(params (string Name, string Value)[] variables) =>
        FetchOptions.FromEnvironment(name => variables.FirstOrDefault(v => v.Name == name).Value);

    [Fact]
    public void In_a_pod_the_cache_is_where_the_contract_says_and_elsewhere_where_python_tools_have_it()
    {
        Assert.Equal("/pods/x/cache", Of(("GRAFT_CACHE_DIR", "/pods/x/cache"), ("HF_HOME", "/else")).CacheFolder);
        Assert.Equal("/data/hf", Of(("HF_HOME", "/data/hf"), ("HOME", "/home/me")).CacheFolder);
        Assert.Equal("/home/me/.cache/huggingface", Of(("HOME", "/home/me")).CacheFolder);
        Assert.Equal("/home/me/.cache/huggingface/token", Of(("HOME", "/home/me")).HubTokenFile);
    }

    [Fact]
    public async Task A_hub_cache_that_python_tools_use_wins_over_their_home_and_holds_hub_models_alone()
    {
        using var folder = new TempFolder();
        await using var hub = await HubDouble.StartAsync(Make.Model());
        var options = Of(("HF_HOME", folder["home"]), ("HF_HUB_CACHE", folder["models"]), ("HUGGINGFACE_HUB_CACHE", folder["old"]),
            ("HF_ENDPOINT", hub.Address.ToString()), ("GRAFT_SOURCE_LOOPBACK", "1"));

        var fetched = await Make.FetchAsync(options, "hf://org/model");

        Assert.StartsWith(folder["models", "models--org--model", "snapshots"], fetched.Path, StringComparison.Ordinal);
        Assert.Equal((folder["home"], folder["home", "token"]), (options.CacheFolder, options.HubTokenFile));
        Assert.False(Directory.Exists(folder["home"]));
        Assert.Equal(folder["old"], Of(("HF_HOME", "/data/hf"), ("HUGGINGFACE_HUB_CACHE", folder["old"])).HubCacheFolder);
        Assert.Equal("/data/hf/hub", Of(("HF_HOME", "/data/hf")).HubCacheFolder);
        Assert.Equal("/home/me/models", Of(("HOME", "/home/me"), ("HF_HUB_CACHE", "~/models")).HubCacheFolder);
        Assert.Equal("/pods/x/cache/hub", Of(("GRAFT_CACHE_DIR", "/pods/x/cache"), ("HF_HUB_CACHE", "/else")).HubCacheFolder);
    }

    [Fact]
    public void The_variables_that_the_operator_sets_are_those_that_are_read()
    {
        var options =
            Of(("HF_ENDPOINT", "https://mirror.example/hf"), ("HF_HUB_OFFLINE", "1"), ("AWS_ENDPOINT_URL_S3", "http://minio:9000"),
            ("AWS_REGION", "eu-1"), ("GRAFT_SOURCE_NETWORKS", "10.0.0.0/8"), ("GRAFT_PLAIN_HTTP_REGISTRIES", "a:5000, b:5000"));

        Assert.Equal(("https://mirror.example/hf", true, "http://minio:9000/", "eu-1"),
            (options.HubEndpoint.ToString(), options.Offline, options.S3Endpoint!.ToString(), options.S3Region));
        Assert.Equal(["a:5000", "b:5000"], options.PlainHttpRegistries);
        Assert.NotNull(options.Addresses.Refusal(System.Net.IPAddress.Parse("11.0.0.1")));
        Assert.NotNull(options.Addresses.Refusal(System.Net.IPAddress.Loopback));
    }

    [Theory]
    [InlineData("https://user:secret@hub.example")]
    [InlineData("hub.example")]
    [InlineData("https://hub.example/?token=secret")]
    public void An_endpoint_that_is_none_is_refused_without_repeating_it(string text)
    {
        var error = Assert.Throws<SourceException>(() => Of(("HF_ENDPOINT", text)));
        Assert.Contains("HF_ENDPOINT", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_token_file_in_the_cache_of_a_person_is_used_as_python_tools_use_it()
    {
        using var folder = new TempFolder();
        await using var hub = await HubDouble.StartAsync(Make.Model());
        hub.Token = "hf_mine";
        var options = Make.Options(folder, hub.Address) with { HubTokenFile = folder.Write("cache/token", "hf_mine\n") };

        await Make.FetchAsync(options, "hf://org/model");

        Assert.All(hub.ContentRequests, r => Assert.Null(r.Authorization));
    }

    [Fact]
    public async Task Credentials_without_the_right_key_say_which_it_is()
    {
        using var folder = new TempFolder();
        folder.Write("secret/password", "x");

        Assert.Contains("'token' or 'HF_TOKEN'",
            (await Make.FailureAsync(Make.Options(folder), "hf://org/model", folder["secret"])).Message, StringComparison.Ordinal);
        Assert.Contains("AWS_ACCESS_KEY_ID",
            (await Make.FailureAsync(Make.Options(folder), "s3://bucket/x", folder["secret"])).Message, StringComparison.Ordinal);
        Assert.Contains("username",
            (await Make.FailureAsync(Make.Options(folder), "oci://host/x:1", folder["secret"])).Message, StringComparison.Ordinal);
    }
}
