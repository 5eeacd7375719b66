namespace Graft.Contract;

/// <summary>
/// What was read of llama.cpp (github.com/ggml-org/llama.cpp), each file at the commit beside it: <c>src/llama-adapter.cpp</c> 0650ea8c
/// (what of a file is checked: general.type, adapter.type, the architecture, that each pair of A and B names a tensor of the model and
/// has its shape; tensors of norms are left out, any other is refused) and <c>convert_lora_to_gguf.py</c> 0b03adaa (ends at a tensor that
/// is neither A, B nor a norm; one alpha for the file). Other versions may differ. Which architectures llama.cpp runs was not read, and
/// is only hinted at.
/// </summary>
internal sealed class LlamacppRules : EngineRules
{
    private static readonly string[] ModelTypes =
        ["gemma", "gemma2", "gemma3", "gemma3_text", "gpt2", "llama", "mistral", "mixtral", "phi", "phi3", "qwen2", "qwen3"];

    public override void Judge(Judged adapter, List<string> reasons, List<string> hints)
    {
        var facts = adapter.Facts;
        if (!NeedsLora("llama.cpp", adapter, reasons)) return;
        NeedsGeneration("llama.cpp", adapter, reasons);
        HintModelType("llama.cpp", adapter, ModelTypes, hints);
        var whole = new List<string>();
        if (facts.Dora) whole.Add("DoRA's magnitudes");
        if (facts.ModulesToSave.Count > 0) whole.Add($"modules that are saved whole ({string.Join(", ", facts.ModulesToSave)})");
        if (facts.Bias is not (null or "none")) whole.Add("biases");
        if (whole.Count > 0)
            reasons.Add($"A LoRA for llama.cpp cannot hold {string.Join(" or ", whole)}; "
                + "merge it with 'graft-trainer merge --output FILE.gguf' and serve the model that comes out.");
        else if (adapter.Format != AdapterFormat.Gguf)
            reasons.Add("llama.cpp reads adapters as GGUF files, and this is a folder; write it as one with "
                + "'graft-trainer export --model BASE --adapter FOLDER --output FILE.gguf'.");
        else hints.Add("Start llama.cpp's server with --lora FILE.");
    }
}
