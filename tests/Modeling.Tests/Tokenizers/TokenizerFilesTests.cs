using static TorchSharp.torch;

namespace Graft.Modeling.Tests.Tokenizers;

/// <summary>What stands beside a tokenizer.json: special tokens, chat templates, ends of generation.</summary>
[Collection(TorchCollection.Name)]
public sealed class TokenizerFilesTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("graft-").FullName;

    public TokenizerFilesTests()
    {
        foreach (var file in (string[])["config.json", "model.safetensors"])
            File.Copy(Fixtures.Path("models", "llama", file), Path.Combine(folder, file));
        Write("tokenizer.json", """
            {"added_tokens":[{"id":1,"content":"<|im_end|>","special":true,"single_word":false,"lstrip":false,"rstrip":false}],
            "model":{"type":"BPE","vocab":{"a":0},"merges":[]}}
            """);
    }

    [Fact]
    public void A_template_sees_every_special_token_and_those_of_the_map_where_the_configuration_says_nothing()
    {
        Write("tokenizer_config.json", """
            {"bos_token":"<s>","cls_token":{"content":"[CLS]"},"sep_token":null,
            "chat_template":"{{ bos_token }}{{ cls_token }}{{ sep_token }}{{ mask_token }}{{ additional_special_tokens | join('+') }}"}
            """);
        Write("special_tokens_map.json", """
            {"bos_token":"<wrong>","sep_token":"[SEP]","mask_token":{"content":"[MASK]"},"additional_special_tokens":["<a>",{"content":"<b>"}]}
            """);
        using var model = Load();
        Assert.Equal("<s>[CLS][SEP][MASK]<a>+<b>", model.ChatTemplate!.Render([], addGenerationPrompt: false));
    }

    [Fact]
    public void Without_additional_tokens_a_template_sees_none_as_in_the_reference()
    {
        Write("chat_template.jinja", "{{ additional_special_tokens is defined }}{{ sep_token is defined }}");
        using var model = Load();
        Assert.Equal("FalseFalse", model.ChatTemplate!.Render([], addGenerationPrompt: false));
    }

    [Theory]
    [InlineData("""{"chat_template":"x"}""", true)]
    [InlineData("""{"chat_template":[{"name":"tool_use","template":"y"},{"name":"default","template":"x"}]}""", true)]
    [InlineData("{}", false)]
    [InlineData("""{"chat_template":null}""", false)]
    public void The_end_of_a_turn_ends_generation_only_where_there_is_a_chat_template(string config, bool ends)
    {
        Write("tokenizer_config.json", config);
        Write("generation_config.json", """{"eos_token_id":[2,7]}""");
        using var model = Load();
        Assert.Equal(ends, model.Tokenizer.EndOfGenerationIds.Contains(1));
        Assert.Contains(7, model.Tokenizer.EndOfGenerationIds);
        Assert.Equal(ends ? "x" : null, model.ChatTemplate?.Source);
    }

    [Theory]
    [InlineData("tokenizer.json", 128)]
    [InlineData("tokenizer_config.json", 16)]
    [InlineData("special_tokens_map.json", 16)]
    [InlineData("generation_config.json", 16)]
    [InlineData("chat_template.jinja", 16)]
    [InlineData("model.safetensors.index.json", 16)]
    public void A_file_larger_than_any_is_refused_before_it_is_read(string name, int megabytes)
    {
        if (name == "special_tokens_map.json") Write("chat_template.jinja", "x");
        using (var file = File.OpenWrite(Path.Combine(folder, name))) file.SetLength(((long)megabytes << 20) + 1);
        var message = Assert.Throws<ModelFormatException>(Load).Message;
        Assert.Contains($"{name}: has {((long)megabytes << 20) + 1} bytes; at most", message, StringComparison.Ordinal);
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private void Write(string name, string text) => File.WriteAllText(Path.Combine(folder, name), text);

    private BaseModel Load() => BaseModel.Load(folder, new LoadOptions(Fixtures.Cpu, ScalarType.Float32));
}
